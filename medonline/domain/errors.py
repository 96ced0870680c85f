"""Every way in which a use case can refuse. An error carries facts; `wording.errors` turns them into Russian.

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
│   ├── CardNotFound            the registry has no card with this policy and birth date; the portal never says which is wrong
│   ├── CardAlreadyLinked       the account has this card already
│   ├── ConsentAlreadyAsked     (until) the card's owner has been asked
│   ├── StatementMissing        a child's card, without the statement of the legal representative
│   └── TooManyCards            (most) cards and requests of the account
├── InvalidFields               (by_field) several fields of one form, each with its own InvalidInput
├── NotSignedIn                 the session is over
├── ReauthenticationNeeded      phone, password, names and identities change only soon after a sign-in
├── NoPendingIdentity           the browser has no sign-in through Gosuslugi that waits for an answer
├── AccountOfAnother            the proved account belongs to another person than the one from Gosuslugi
├── NoChangeInProgress          no new phone waits for its code
├── AccountNotFound             an operator named an account that does not exist
├── InvalidCredentials          unknown phone or wrong password; the portal never says which
├── RateLimited                 (resets_in)
├── CallAwaited                 (now, until, better) a call from this number is awaited for another browser
├── LimitReached                (now, until) too often for now; the same for known and unknown phones
│   ├── TooManyCodes            to this phone
│   ├── TooManyRequests         for codes from this network, too few of which were confirmed
│   ├── TooManyWrongCodes       from this network
│   ├── NumberBlockBusy         codes to numbers that begin like this one
│   ├── TooManySignIns          with wrong passwords: for this account, or from this network
│   ├── SignInsOverloaded       wrong passwords over all accounts
│   ├── SignedInTooOften        into this account, with the right proof each time
│   ├── ProvedTooOften          by password inside this account
│   ├── SettingsSavedTooOften   of this account
│   ├── EmailCodesTooOften      codes to prove an e-mail address, of this account or to this address
│   ├── ToldTooOften            changes of this account: its owner gets a notice of each, and has had too many
│   ├── NoticesOverBudget       the day's money for notices is spent, and no change is made without a notice
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
├── CallsAloneLeft              (channel, another_road) without it patients would have to call, which is not enough by itself
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
    """Base of all errors that a service raises on purpose."""


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
    FORBIDDEN_CHARACTERS = "forbidden_characters"  # characters that are neither Latin letters nor digits
    NOT_ASCII = "not_ascii"  # characters that are not on an English keyboard, where the setting allows all that are
    COMMON = "common"  # one of the first that an attacker tries
    PERSONAL = "personal"  # the patient's own name, phone or birth date
    BREACHED = "breached"  # on a list of leaked passwords


class InvalidPassword(InvalidInput):
    """No account can have this password. `problems` lists every broken rule, the most helpful one first.

    `forbidden`: the first characters that are not allowed. They are part of a password and must not get into a log.
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
    """This is not an e-mail address by its syntax; `problem` says why."""

    def __init__(self, problem: EmailProblem) -> None:
        super().__init__(problem.value)
        self.problem = problem


class BirthDateProblem(StrEnum):
    """Why a birth date cannot be read."""

    NOT_A_DATE = "not_a_date"  # no date, a date in the future, or one over 130 years ago
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
    """The registry has no card with this policy, or the card has another birth date. Nobody is told which policies exist."""


class CardAlreadyLinked(InvalidInput):
    """The account already has every card that was found."""


class ConsentAlreadyAsked(InvalidInput):
    """This account has already asked the owner of this policy. The request waits until `until` (UTC)."""

    def __init__(self, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M} UTC")
        self.until = until


class StatementMissing(InvalidInput):
    """The card belongs to a child under 15, and nobody has stated that they are the legal representative."""


class TooManyCards(InvalidInput):
    """The account already has the most cards and requests for cards that are allowed (`most`)."""

    def __init__(self, most: int) -> None:
        super().__init__(str(most))
        self.most = most


class InvalidFields(MedonlineError):
    """Several fields of one form are wrong, and nothing was saved. `by_field` has the refusal of each field."""

    def __init__(self, by_field: dict[str, InvalidInput]) -> None:
        super().__init__(", ".join(by_field))
        self.by_field = by_field


class NotSignedIn(MedonlineError):
    """The session is over, or there was none."""


class ReauthenticationNeeded(MedonlineError):
    """Phone, password, names and identities can be changed only soon after a sign-in. Nothing was saved."""


class NoPendingIdentity(MedonlineError):
    """This browser has no sign-in through Gosuslugi that waits for consent or proof, or has none any more."""


class AccountOfAnother(MedonlineError):
    """The account that was proved by password or code has another person's birth date on record or, without a birth date, another name."""


class AccountNotFound(MedonlineError):
    """An operator named an account that does not exist."""


class NoChangeInProgress(MedonlineError):
    """No new phone of this account waits for its code."""


class InvalidCredentials(MedonlineError):
    """The phone is unknown or the password is wrong. Nobody is told which."""


class RateLimited(MedonlineError):
    """Too soon or too often; the action is possible again after `resets_in`."""

    def __init__(self, resets_in: timedelta) -> None:
        super().__init__(f"resets in {resets_in.total_seconds():.0f} s")
        self.resets_in = resets_in


class CallAwaited(MedonlineError):
    """Another browser waits for a call from this number. One call must not answer two browsers. Refused at `now` until `until` (UTC
    both). `better`: the best way that may be asked for at once; None if there is none."""

    def __init__(self, now: datetime, until: datetime, better: str | None) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.now = now
        self.until = until
        self.better = better


class LimitReached(MedonlineError):
    """The action was done too often, so it was refused at `now` and stays refused until `until` (both UTC)."""

    def __init__(self, now: datetime, until: datetime) -> None:
        super().__init__(f"until {until:%Y-%m-%d %H:%M:%S} UTC")
        self.now = now
        self.until = until

    @property
    def resets_in(self) -> timedelta:
        """How long the refusal lasts."""
        return self.until - self.now


class TooManyCodes(LimitReached):
    """The most codes allowed for this phone were sent, no matter who asked for them."""


class TooManyRequests(LimitReached):
    """Too many of the codes that were asked for from this network were not confirmed."""


class TooManyWrongCodes(LimitReached):
    """Too many wrong codes were typed in this network: no code is checked, and none is sent."""


class NumberBlockBusy(LimitReached):
    """Too many codes went to numbers that begin with the same seven digits: somebody tries such numbers one after another."""


class TooManySignIns(LimitReached):
    """Too many wrong passwords were tried: for this account from this network or browser, or for any accounts from this network."""


class SignInsOverloaded(LimitReached):
    """Too many wrong passwords are being tried over all accounts."""


class SignedInTooOften(LimitReached):
    """Too many sign-ins to this account. The portal says so only after the right proof."""


class ProvedTooOften(LimitReached):
    """The right password was typed again inside the account too often."""


class SettingsSavedTooOften(LimitReached):
    """The account's settings were changed too often. Nothing was saved."""


class ToldTooOften(LimitReached):
    """The owner has had as many notices as the limit allows. No change is made without a notice: nothing was changed."""


class EmailCodesTooOften(LimitReached):
    """The most codes allowed were sent to this account or to this address. None was sent now."""


class NoticesOverBudget(LimitReached):
    """The day's money for notices is spent. No change is made without a notice: nothing was changed."""


class TooManyJourneys(LimitReached):
    """Sign-in through the identity provider was begun too often in this browser, or from this network."""


class TooManyPasskeyTries(LimitReached):
    """Passkeys were asked for too often in this browser, or from this network."""


class RecoveryStopped(LimitReached):
    """The account's owner said «это не я». For a while, a code to the account's phone proves nothing."""


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
    """This browser has no recovery that is at the step in question."""


class PasswordAlreadySet(MedonlineError):
    """This recovery ended with another password than the one typed now. That other password is in force."""


class CookiesMissing(MedonlineError):
    """The browser sent no visitor cookie, so a recovery or a sign-in cannot be bound to it."""


class DisputeNotPossible(MedonlineError):
    """The link «это не я» is unknown, was used, or is too old."""


class CodeRefused(MedonlineError):
    """The code typed does not open the next step."""


class CodeEmpty(CodeRefused):
    """There are no digits in what was typed. It costs no attempt."""


class CodeIncomplete(CodeRefused):
    """The code has another number of digits (`expected`). It costs no attempt."""

    def __init__(self, expected: int) -> None:
        super().__init__(f"{expected} digits expected")
        self.expected = expected


class CodeStillSending(CodeRefused):
    """The provider has not answered yet, and it may choose the code itself. It costs no attempt."""


class CallNotSeen(CodeRefused):
    """The awaited call has not come, or the vendor has not reported it yet."""


class CallOver(CodeRefused):
    """The call is not awaited any more: its time is over, another number was asked for, or it was used."""


class CodeMismatch(CodeRefused):
    """The code is wrong; `attempts_left` more attempts are possible."""

    def __init__(self, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class CodeReplaced(CodeRefused):
    """This is an older code of the same flow, and a newer one has replaced it. It costs no attempt."""


class CodeExpired(CodeRefused):
    """The code's life is over."""


class CodeUsedUp(CodeRefused):
    """The code is dead: no attempts left, replaced by a newer one, or already used."""


class CodeNotEnough(MedonlineError):
    """The code was right, but more than the code is needed just now. This says nothing of whether the number has an account.

    `better`: a way that is offered here and whose code would be enough.
    """

    def __init__(self, *, better: str | None) -> None:
        super().__init__(f"better={better}")
        self.better = better


class BirthDateMismatch(MedonlineError):
    """The birth date is not the one on record. It is raised in the same way where there is no birth date or no account.

    `attempts_left`: how many more attempts are possible.
    """

    def __init__(self, attempts_left: int) -> None:
        super().__init__(f"{attempts_left} attempts left")
        self.attempts_left = attempts_left


class IdentityProblem(StrEnum):
    """Why a sign-in through the identity provider did not succeed. Each problem has a sentence that tells the patient what to do."""

    DENIED = "denied"  # the person pressed «Отказаться»
    CONSENT_MISSING = "consent_missing"  # the provider has no consent to pass the data on
    STALE = "stale"  # the journey is unknown here: it is over 10 minutes old, was used, or belongs to another browser
    NOT_ASKED = "not_asked"  # the provider accepted an older proof although the portal asked for a fresh one
    CODE_USED = "code_used"  # the provider says that the code is used or too old
    TOO_OFTEN = "account_too_often"  # too many sign-ins to the account
    BUSY = "busy"  # the portal itself cannot queue more requests to sign
    UNAVAILABLE = "unavailable"  # no answer, 5xx, html, too slow, «temporarily unavailable»
    MISCONFIGURED = "misconfigured"  # wrong client, scope, signature, address or clock: only an operator can mend it
    UNTRUSTWORTHY = "untrustworthy"  # the signature, issuer, audience or times of the answer are wrong
    NOT_CONFIRMED = "not_confirmed"  # the account exists, but the provider has not checked the person's documents
    DELETED = "deleted"  # the account at the provider is deleted or blocked
    CHILD = "child"  # an account of a child under 14
    INCOMPLETE = "incomplete"  # the provider passed on no name or no birth date
    UNREADABLE = "unreadable"  # the name or birth date that the provider passed on cannot be read
    OTHER = "other"  # an error the portal does not know


class IdentityRefused(MedonlineError):
    """Sign-in through the identity provider did not succeed. `detail` is English, for the log, without personal data."""

    def __init__(self, problem: IdentityProblem, detail: str = "") -> None:
        super().__init__(f"{problem.value}: {detail}" if detail else problem.value)
        self.problem = problem
        self.detail = detail


class NoSuchIdentity(MedonlineError):
    """None of this account's identities at the identity provider has this number (any more)."""


class LastWayIn(MedonlineError):
    """Nobody could sign in without this identity: the account has no phone with a password and no other identity."""


class PasskeyRefused(MedonlineError):
    """A passkey did not open an account, or was not added to one."""


class PasskeyUnknown(PasskeyRefused):
    """No account has this passkey (any more). It was removed, or belongs to another installation. The browser may forget it."""

    def __init__(self, credential_id: str = "") -> None:
        super().__init__(credential_id)
        self.credential_id = credential_id


class PasskeyLate(PasskeyRefused):
    """The answered challenge was not made for this browser and purpose, was answered before, or is older than 5 minutes."""


class PasskeyNotVerified(PasskeyRefused):
    """The answer is malformed, from another site or wrongly signed, or the device did not verify its user."""


class PasskeyAlreadyAdded(PasskeyRefused):
    """An account already has this passkey."""


class TooManyPasskeys(PasskeyRefused):
    """The account has the most passkeys that are allowed."""

    def __init__(self, most: int) -> None:
        super().__init__(most)
        self.most = most


class NoSuchPasskey(PasskeyRefused):
    """This account has no passkey with this number (any more)."""


class PasskeysOff(PasskeyRefused):
    """This portal has no passkeys: a setting switches them off, or the host of its address is an IP address."""


class NoSuchRequest(MedonlineError):
    """The request to see a card does not exist, belongs to another account, is answered, was withdrawn, or is too old."""


class RegistryUnavailable(MedonlineError):
    """The registry of medical cards gives no good answer. `detail` is English, for the log, without personal data."""

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail)
        self.detail = detail


class CardUnreadable(MedonlineError):
    """The registry of medical cards has a record for this policy, but the portal cannot read it."""


class ChannelUnavailable(MedonlineError):
    """The way of getting a code is not set up, or is switched off. `reason`: the operator's sentence for patients; may be empty.

    `another`: whether another way is open.
    """

    def __init__(self, channel: str, reason: str = "", *, another: bool = True) -> None:
        super().__init__(channel)
        self.channel = channel
        self.reason = reason
        self.another = another


class LastChannel(MedonlineError):
    """The way of getting a code cannot be switched off: patients would have no other way, and there is no Gosuslugi either."""

    def __init__(self, channel: str) -> None:
        super().__init__(channel)
        self.channel = channel


class CallsAloneLeft(MedonlineError):
    """The way of getting a code is the last one that is enough by itself. `another_road`: there is Gosuslugi."""

    def __init__(self, channel: str, *, another_road: bool) -> None:
        super().__init__(channel)
        self.channel = channel
        self.another_road = another_road


class DeliveryFailed(MedonlineError):
    """A code did not go out. `code`: the provider's own number or name of the error, for the log; empty when it has none.

    may_have_gone_out: whether the provider may have called or written nevertheless. If so, nobody sends anything again.
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
    """The provider refuses our credentials, or its answer breaks its own rules. `of_key`: whether it refuses our key."""

    def __init__(
        self, detail: str = "", *, code: str = "", may_have_gone_out: bool | None = None, of_key: bool = False
    ) -> None:
        super().__init__(detail, code=code, may_have_gone_out=may_have_gone_out)
        self.of_key = of_key


class ProviderDown(DeliveryFailed):
    """Timeout, connection error, 5xx, or html where JSON was promised.

    The request may have arrived unless the error says otherwise.
    """

    may_have_gone_out = True
