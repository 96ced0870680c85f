"""Every way a use case can refuse, as facts; `wording.errors` speaks Russian.

MedonlineError
├── InvalidInput                what was typed cannot be used; typing it again helps
│   ├── InvalidPhone            (problem)
│   ├── InvalidPassword         (problems, min_length, forbidden)
│   ├── PasswordsDiffer
│   ├── InvalidName             (problem) a last or first name
│   ├── InvalidEmail            (problem)
│   ├── InvalidBirthDate        no date, or not one of a living person
│   ├── InvalidPolicy           not the 16 digits of an ОМС policy
│   ├── PhoneTaken              another account signs in with this number
│   ├── CardNotFound            the registry has no card with this policy and birth date; which of them is never said
│   ├── CardAlreadyLinked       the card is in the account
│   ├── ConsentAlreadyAsked     (until) the card's owner has been asked
│   ├── StatementMissing        a child's card, without the statement of the legal representative
│   └── TooManyCards            (most) cards and requests of the account
├── InvalidFields               (by_field) several fields of one form, each with its own InvalidInput
├── NotSignedIn                 the session is over
├── ReauthenticationNeeded      phone, password, names and identities change only soon after a sign-in
├── NoPendingIdentity           the browser has no sign-in through Gosuslugi that waits for an answer
├── AccountOfAnother            the account that was proved belongs to somebody else than signed in through Gosuslugi
├── NoChangeInProgress          no new phone waits for its code
├── AccountNotFound             an operator named an account that is not there
├── InvalidCredentials          unknown phone or wrong password: never said which
├── RateLimited                 (resets_in)
├── CallAwaited                 (resets_in) a call from this number is awaited for another browser
├── LimitReached                (now, until) often enough for now; known and unknown phones alike
│   ├── TooManyCodes            to this phone
│   ├── TooManyRequests         for codes from this network, of which too few were confirmed
│   ├── TooManyWrongCodes       from this network
│   ├── NumberBlockBusy         codes to numbers that begin like this one
│   ├── TooManySignIns          with wrong passwords: for this account, or from this network
│   ├── SignInsOverloaded       wrong passwords over all accounts
│   ├── SignedInTooOften        into this account, with the right proof each time
│   ├── ProvedTooOften          by password inside this account
│   ├── SettingsSavedTooOften   of this account
│   ├── EmailCodesTooOften      codes to prove an e-mail address, of this account or to this address
│   ├── ToldTooOften            about changes of this account, each of which its owner must be told of
│   ├── NoticesOverBudget       the day's money for notices is spent, and the change must not pass untold
│   ├── TooManyPasskeyTries     begun in this browser or from this network
│   ├── TooManyJourneys         to the identity provider, begun in this browser or from this network
│   ├── RecoveryStopped         by phone for this account, after «это не я»; said only after the phone was proved
│   └── ChannelOverBudget       (channel, now, until) the day's money for this way of getting a code is spent
├── Busy                        (retry_in) the server has more work than it may queue
├── CookiesMissing              the browser keeps no cookies, so nothing can be bound to it
├── NoRecoveryInProgress        the browser has no recovery in this state
├── PasswordAlreadySet          another window finished this recovery with another password
├── DisputeNotPossible          the link «это не я» is unknown, used or too old
├── CodeRefused
│   ├── CodeEmpty               no digits in what was typed
│   ├── CodeIncomplete          (expected) other than the expected count of digits
│   ├── CodeStillSending        the provider has not said yet which code it sent
│   ├── CallNotSeen             the vendor has seen no call from this number yet
│   ├── CallOver                a call is awaited no more: its time is over, or another one is awaited
│   ├── CodeMismatch            (attempts_left)
│   ├── CodeReplaced            an older code of the same flow; costs no attempt
│   ├── CodeExpired
│   └── CodeUsedUp              no attempts left, or the code was replaced or already used
├── CodeNotEnough               (better) the code was right, and more is needed just now
├── BirthDateMismatch           (attempts_left) not the birth date on record, or there is none
├── IdentityRefused             (problem, detail) sign-in through the identity provider did not succeed
├── NoSuchIdentity              no account at Gosuslugi of this number opens the account
├── LastWayIn                   without this account at Gosuslugi no one could sign in
├── PasskeyRefused              a passkey did not open, or was not added; nothing was changed
│   ├── PasskeyUnknown          (credential_id) no account has it: it was removed, or is of another installation
│   ├── PasskeyLate             its challenge is unknown, used, late, of another browser or for something else
│   ├── PasskeyNotVerified      what the device signed is not right, or it did not look who holds it
│   ├── PasskeyAlreadyAdded     this device has one for the account
│   ├── TooManyPasskeys         (most) of the account
│   ├── NoSuchPasskey           none of this account is called so (any more)
│   └── PasskeysOff             they are switched off, or the portal is reached by a bare IP address
├── NoSuchRequest               the request to see a card is answered, withdrawn or too old
├── RegistryUnavailable         (detail) the registry of medical cards gives no good answer
├── CardUnreadable              the registry has a record for the policy, which cannot be read
├── ChannelUnavailable          (channel, reason, another) switched off
├── LastChannel                 (channel) it cannot be switched off: patients would have no way
└── DeliveryFailed              (detail, code, may_have_gone_out) a code did not go out
    ├── NumberNotReachable      the number is not in the messenger, or cannot be called
    ├── NumberRefused           the provider refuses this number (its own limit, a block list, a country)
    ├── MailboxUnknown          the mail server knows no such mailbox, and never will
    ├── OutOfMoney              the provider's balance is empty
    ├── ProviderRefused         (detail, code, may_have_gone_out, of_key) bad credentials, or an answer the provider should never give
    └── ProviderDown            timeout, connection error, 5xx, html instead of JSON
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum


class MedonlineError(Exception):
    """Base of all errors a service may raise on purpose."""


class InvalidInput(MedonlineError):
    """What was typed cannot be used."""


class PhoneProblem(StrEnum):
    """Why a phone number cannot receive a code."""

    EMPTY = "empty"
    NOT_A_NUMBER = "not_a_number"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    EXTENSION = "extension"
    FOREIGN = "foreign"
    KAZAKHSTAN = "kazakhstan"
    FIXED_LINE = "fixed_line"
    TOLL_FREE = "toll_free"
    NOT_MOBILE = "not_mobile"


class InvalidPhone(InvalidInput):
    """Not a Russian mobile number; `problem` says why."""

    def __init__(self, problem: PhoneProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class PasswordProblem(StrEnum):
    """Why a new password is refused."""

    EMPTY = "empty"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    CYRILLIC_LAYOUT = "cyrillic_layout"
    FORBIDDEN_CHARACTERS = "forbidden_characters"  # others than Latin letters and digits
    NOT_ASCII = "not_ascii"  # others than the signs of an English keyboard, where those are allowed
    COMMON = "common"  # among the first that are tried
    PERSONAL = "personal"  # the patient's own name, phone or birth date
    BREACHED = "breached"  # on a list of leaked passwords


class InvalidPassword(InvalidInput):
    """A password that no account can have: `problems` lists every broken rule, most telling first.

    `forbidden`: the first characters that are not allowed; they are of a password, and in no log.
    """

    def __init__(self, problems: tuple[PasswordProblem, ...], min_length: int, forbidden: str = "") -> None:
        super().__init__(", ".join(problems))
        self.problems = problems
        self.min_length = min_length
        self.forbidden = forbidden


class PasswordsDiffer(InvalidInput):
    """The confirmation is not the same as the new password."""


class NameProblem(StrEnum):
    """Why a last or first name cannot be saved."""

    EMPTY = "empty"
    DIGITS = "digits"
    SYMBOLS = "symbols"
    TOO_LONG = "too_long"


class InvalidName(InvalidInput):
    """A last or first name cannot be saved; `problem` says why."""

    def __init__(self, problem: NameProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class EmailProblem(StrEnum):
    """Why an e-mail address cannot be saved."""

    NO_AT = "no_at"
    NO_DOMAIN = "no_domain"
    MALFORMED = "malformed"


class InvalidEmail(InvalidInput):
    """Not the syntax of an e-mail address; `problem` says why."""

    def __init__(self, problem: EmailProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class BirthDateProblem(StrEnum):
    """Why a birth date cannot be read."""

    NOT_A_DATE = "not_a_date"  # none, one that is still to come, or over 130 years ago
    CENTURY_UNCLEAR = "century_unclear"  # a year of two digits that fits two centuries


class InvalidBirthDate(InvalidInput):
    """No birth date of a living person; `problem` says why."""

    def __init__(self, problem: BirthDateProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class InvalidPolicy(InvalidInput):
    """Not the 16 digits of an ОМС policy."""


class PhoneTaken(InvalidInput):
    """Another account signs in with this number."""


class CardNotFound(InvalidInput):
    """The registry has no card with this policy, or has it with another birth date: which policies exist is never told."""


class CardAlreadyLinked(InvalidInput):
    """Every card found is in the account already."""


class ConsentAlreadyAsked(InvalidInput):
    """The owner of this policy has been asked by this account; the request waits until `until` (UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


class StatementMissing(InvalidInput):
    """The card is of a child under 15, and no one has stated to be the legal representative."""


class TooManyCards(InvalidInput):
    """The account has `most` cards and requests for cards, which is all it may have."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


class InvalidFields(MedonlineError):
    """Several fields of one form: nothing was saved; `by_field` has the refusal of each."""

    def __init__(self, by_field: dict[str, InvalidInput]) -> None:
        super().__init__(", ".join(by_field))
        self.by_field = by_field


class NotSignedIn(MedonlineError):
    """The session is over, or there was none."""


class ReauthenticationNeeded(MedonlineError):
    """Phone, password, names and identities change only soon after a sign-in; nothing was saved."""


class NoPendingIdentity(MedonlineError):
    """This browser has no sign-in through Gosuslugi that waits for consent or proof (any more)."""


class AccountOfAnother(MedonlineError):
    """The account proved by password or code is on record with another person's birth date or, where none is, names."""


class AccountNotFound(MedonlineError):
    """An operator named an account that is not there."""


class NoChangeInProgress(MedonlineError):
    """No new phone of this account waits for its code."""


class InvalidCredentials(MedonlineError):
    """The phone is unknown or the password is wrong; which of them is never told."""


class RateLimited(MedonlineError):
    """Too soon or too often; the action is possible again after `resets_in`."""

    def __init__(self, resets_in: timedelta) -> None:
        super().__init__(f"resets in {resets_in.total_seconds():.0f} s")
        self.resets_in = resets_in


class CallAwaited(MedonlineError):
    """Another browser waits for a call from this number, until `resets_in` is over: one call must not answer two browsers."""

    def __init__(self, resets_in: timedelta) -> None:
        super().__init__(f"resets in {resets_in.total_seconds():.0f} s")
        self.resets_in = resets_in


class LimitReached(MedonlineError):
    """Often enough for now: refused at `now` until `until` (UTC both)."""

    def __init__(self, now: datetime, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.now = now
        self.until = until

    @property
    def resets_in(self) -> timedelta:
        """How long the refusal lasts."""
        return self.until - self.now


class TooManyCodes(LimitReached):
    """As many codes as may be sent to this phone were sent, no matter who asked for them."""


class TooManyRequests(LimitReached):
    """Of the codes that were asked for from this network too many were not confirmed."""


class TooManyWrongCodes(LimitReached):
    """Too many wrong codes were typed in this network: none is judged, and none is sent."""


class NumberBlockBusy(LimitReached):
    """Too many codes went to numbers that begin with the same seven digits: somebody tries them one after another."""


class TooManySignIns(LimitReached):
    """Too many wrong passwords were tried for this account from this network or browser, or from this network at all."""


class SignInsOverloaded(LimitReached):
    """Too many wrong passwords are being tried over all accounts."""


class SignedInTooOften(LimitReached):
    """The account was signed in to as often as it may be; said only after the right proof."""


class ProvedTooOften(LimitReached):
    """The password was typed again inside the account, and right, as often as it may be."""


class SettingsSavedTooOften(LimitReached):
    """The account's settings were changed as often as they may be; nothing was saved."""


class ToldTooOften(LimitReached):
    """The owner has had as many notices as the limit allows. A change without a notice is not made: nothing was changed."""


class EmailCodesTooOften(LimitReached):
    """This account, or this address, has been sent as many codes as may be; none was sent."""


class NoticesOverBudget(LimitReached):
    """The day's money for notices is spent. A change without a notice is not made: nothing was changed."""


class TooManyJourneys(LimitReached):
    """Sign-in through the identity provider was begun too often in this browser, or from this network."""


class TooManyPasskeyTries(LimitReached):
    """Passkeys were asked for too often in this browser, or from this network."""


class RecoveryStopped(LimitReached):
    """The account's owner said «это не я»: a code to its phone proves nothing for a while."""


class ChannelOverBudget(LimitReached):
    """The day's money for this way of getting a code is spent; the other way may still have some."""

    def __init__(self, channel: str, now: datetime, until: datetime) -> None:
        super().__init__(now, until)
        self.channel = channel


class Busy(MedonlineError):
    """The server has more work queued than it may take; try again after `retry_in`."""

    def __init__(self, retry_in: timedelta) -> None:
        super().__init__(f"retry in {retry_in.total_seconds():.0f} s")
        self.retry_in = retry_in


class NoRecoveryInProgress(MedonlineError):
    """This browser has no recovery that is at the step asked for."""


class PasswordAlreadySet(MedonlineError):
    """This recovery ended with another password than the one typed now; that other one is in force."""


class CookiesMissing(MedonlineError):
    """The browser sent no visitor cookie: a recovery or a sign-in could not be bound to it."""


class DisputeNotPossible(MedonlineError):
    """The link «это не я» is unknown, was used, or is too old."""


class CodeRefused(MedonlineError):
    """The code typed does not open the next step."""


class CodeEmpty(CodeRefused):
    """No digits in what was typed; costs no attempt."""


class CodeIncomplete(CodeRefused):
    """Not as many digits as the code has (`expected`); costs no attempt."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"{expected} digits expected")
        self.expected = expected


class CodeStillSending(CodeRefused):
    """The provider has not answered yet, and it may choose the code itself; costs no attempt."""


class CallNotSeen(CodeRefused):
    """The call that is awaited has not come, or the vendor has not told of it yet."""


class CallOver(CodeRefused):
    """A call is awaited no more: its time is over, another number was asked for, or it was used."""


class CodeMismatch(CodeRefused):
    """A wrong code; `attempts_left` more may be tried with this one."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class CodeReplaced(CodeRefused):
    """An older code of the same flow, which a newer one replaced; costs no attempt."""


class CodeExpired(CodeRefused):
    """The code's life is over."""


class CodeUsedUp(CodeRefused):
    """The code is dead: no attempts left, replaced by a newer one, or already used."""


class CodeNotEnough(MedonlineError):
    """The code was right, and more than it is needed just now; says nothing of whether the number has an account.

    `better`: a way that is offered here, and whose code would be enough.
    """

    def __init__(self, *, better: str | None) -> None:
        super().__init__(f"better={better}")
        self.better = better


class BirthDateMismatch(MedonlineError):
    """Not the birth date on record; said alike when there is none, or no account. `attempts_left` more may be tried."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class IdentityProblem(StrEnum):
    """Why a sign-in through the identity provider did not succeed; each has its sentence, each tells what to do."""

    DENIED = "denied"  # the person pressed «Отказаться»
    CONSENT_MISSING = "consent_missing"  # the provider has no consent to hand the data over
    STALE = "stale"  # the journey is unknown here: over 10 minutes, used already, another browser
    NOT_ASKED = "not_asked"  # the provider let somebody in by an older proof, although a fresh one was asked for
    CODE_USED = "code_used"  # the provider says that the code is used or too old
    TOO_OFTEN = "account_too_often"  # the account was signed in to as often as it may be
    BUSY = "busy"  # the portal itself has more requests to sign than it may queue
    UNAVAILABLE = "unavailable"  # no answer, 5xx, html, too slow, «temporarily unavailable»
    MISCONFIGURED = "misconfigured"  # client, scope, signature, address or clock: only an operator can mend it
    UNTRUSTWORTHY = "untrustworthy"  # an answer that must not be believed: signature, issuer, audience, times
    NOT_CONFIRMED = "not_confirmed"  # the account exists but the provider has not seen documents
    DELETED = "deleted"  # the account at the provider is deleted or blocked
    CHILD = "child"  # an account of a child under 14
    INCOMPLETE = "incomplete"  # no name or birth date was handed over
    UNREADABLE = "unreadable"  # a name or birth date was handed over that cannot be read
    OTHER = "other"  # an error the portal does not know


class IdentityRefused(MedonlineError):
    """Sign-in through the identity provider did not succeed. `detail` is English, for the log, without personal data."""

    def __init__(self, problem: IdentityProblem, detail: str = "") -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.detail = detail


class NoSuchIdentity(MedonlineError):
    """No account at the identity provider of this number opens the account (any more)."""


class LastWayIn(MedonlineError):
    """Without this identity no one could sign in: the account has no phone with a password and no other identity."""


class PasskeyRefused(MedonlineError):
    """A passkey did not open an account, or was not added to one."""


class PasskeyUnknown(PasskeyRefused):
    """No account has this passkey (any more): the browser may forget it. Its account is of another installation, or it was removed."""

    def __init__(self, credential_id: str = "") -> None:
        super().__init__(credential_id)
        self.credential_id = credential_id


class PasskeyLate(PasskeyRefused):
    """What the device answered was never asked in this browser for this purpose, was answered before, or is older than 5 minutes."""


class PasskeyNotVerified(PasskeyRefused):
    """The answer is malformed, of another site, wrongly signed, or the device did not look who holds it."""


class PasskeyAlreadyAdded(PasskeyRefused):
    """An account has this passkey."""


class TooManyPasskeys(PasskeyRefused):
    """The account has as many as it may have."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class NoSuchPasskey(PasskeyRefused):
    """No passkey of this account is called so (any more)."""


class PasskeysOff(PasskeyRefused):
    """There are none here: switched off by a setting, or the host of the portal's address is an IP."""


class NoSuchRequest(MedonlineError):
    """The request to see a card is not there, not this account's, answered or withdrawn, or too old."""


class RegistryUnavailable(MedonlineError):
    """The registry of medical cards gives no good answer. `detail` is English, for the log, without personal data."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class CardUnreadable(MedonlineError):
    """The registry of medical cards has a record for the policy that was asked for, and it cannot be read."""


class ChannelUnavailable(MedonlineError):
    """The way of getting a code is not set up, or switched off. `reason`: the operator's sentence for patients; may be empty.

    `another`: another way is open.
    """

    def __init__(self, channel: str, reason: str = "", *, another: bool = True) -> None:
        super().__init__(channel)
        self.channel = channel
        self.reason = reason
        self.another = another


class LastChannel(MedonlineError):
    """The way of getting a code cannot be switched off: patients would have none, and no Gosuslugi either."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel


class DeliveryFailed(MedonlineError):
    """A code did not go out. `code`: the provider's own number or name of the error, for the log; empty when it has none.

    may_have_gone_out: whether the provider may have called or written all the same. Where it may, nothing is sent again, by nobody.
    """

    may_have_gone_out = False

    def __init__(self, detail: str = "", *, code: str = "", may_have_gone_out: bool | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code
        if may_have_gone_out is not None:
            self.may_have_gone_out = may_have_gone_out


class NumberNotReachable(DeliveryFailed):
    """The number is not in the messenger, or cannot be called at all."""


class NumberRefused(DeliveryFailed):
    """The provider refuses this number: its own limit, a block list, a country."""


class MailboxUnknown(DeliveryFailed):
    """The mail server of the address says that it has no such mailbox."""


class OutOfMoney(DeliveryFailed):
    """The provider's balance is empty."""


class ProviderRefused(DeliveryFailed):
    """Bad credentials, or an answer the provider should never give. `of_key`: it does not take our key (any more)."""

    def __init__(
        self, detail: str = "", *, code: str = "", may_have_gone_out: bool | None = None, of_key: bool = False
    ) -> None:
        super().__init__(detail, code=code, may_have_gone_out=may_have_gone_out)
        self.of_key = of_key


class ProviderDown(DeliveryFailed):
    """Timeout, connection error, 5xx, or html where JSON was promised. Unless it says otherwise, the request may have arrived."""

    may_have_gone_out = True
