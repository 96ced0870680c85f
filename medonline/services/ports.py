"""The outside world as the services see it: Protocols of two or three verbs, implemented in `providers/`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol, runtime_checkable

from medonline.domain.email_address import EmailAddress
from medonline.domain.errors import IdentityProblem
from medonline.domain.phone import PhoneNumber


class DeliveryReport(StrEnum):
    """A provider's report about a message that it accepted. Each further one replaces the one before."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    NO_ROUTE = "no_route"  # the operator does not deliver such messages to this number
    STOP_LIST = "stop_list"  # the number's owner or the vendor refuses such messages


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """One code on its way to one phone.

    Attributes:
        idempotency_key: up to 64 ASCII characters; where the provider supports keys, the same key never makes two calls.
        phone: a Russian mobile number.
        code: 4 digits for a call, 4-8 for a messenger. A call provider may choose another code.
        life: how long the code will be accepted.
        client_ip: the address of the person who asked, for providers that want it; empty when unknown.
        chat_id: the chat that the code goes to; None for a way without chats.
    """

    idempotency_key: str
    phone: PhoneNumber
    code: str
    life: timedelta
    client_ip: str = ""
    chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class SentCode:
    """A provider's answer: its reference, the code that really went out (empty where the patient calls), and its price in the provider's
    form.

    call_number: the number that the patient calls (E.164); empty where the patient does not call.
    """

    provider_ref: str
    code: str
    cost: str = ""
    call_number: str = ""


class CodeChannel(Protocol):
    """A way of getting a code to a phone, such as a call or a messenger."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators: `ucaller`, `sms_ru`, `telegram_gateway`."""

    @property
    def idempotent(self) -> bool:
        """Whether a repeated `send_code` with the same key cannot make a second call or message."""

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one code.

        Raises:
            DeliveryFailed: one of its subclasses (`domain.errors`). No other error leaves this method.
        """

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Ask the provider for the state of a code that it accepted. None when it cannot tell (yet, or ever).

        Raises:
            DeliveryFailed: the provider did not answer.
        """

    async def check(self) -> str:
        """Reach the provider and test the key, for `medonline doctor`. Returns one English sentence. It costs nothing and sends nothing.

        Raises:
            DeliveryFailed: the provider cannot be reached, or refuses the key (`ProviderRefused.of_key`).
        """

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class ChatUpdate:
    """An event in a chat with the bot. `update_id` is the same for each repetition of one update."""

    update_id: str
    user_id: int


@dataclass(frozen=True, slots=True)
class ChatStarted(ChatUpdate):
    """«Начать», with the token of the link. The token is empty where there was none."""

    chat_id: int
    token: str


@dataclass(frozen=True, slots=True)
class ContactShared(ChatUpdate):
    """A contact was sent.

    phone: None unless the messenger vouches that it is the sender's own, and the chat is a dialog with the sender.
    """

    chat_id: int
    phone: PhoneNumber | None


@dataclass(frozen=True, slots=True)
class ChatStopped(ChatUpdate):
    """The bot was stopped or blocked, and must forget the user."""


class ForgedUpdate(Exception):
    """An update that did not come from the messenger."""


@runtime_checkable
class ChatBot(Protocol):
    """A bot in a messenger. It may write only to a person who has begun the chat."""

    provider: str

    @property
    def by_webhook(self) -> bool:
        """Whether the messenger posts updates to the portal. Otherwise the portal asks for them."""

    def link(self, token: str) -> str:
        """The address that opens the chat with this token."""

    def read(self, secret: str, body: bytes) -> ChatUpdate | None:
        """Read one posted update. None for an update that is not used here.

        Raises:
            ForgedUpdate: the secret is wrong.
        """

    async def say(self, chat_id: int, text: str, *, contact_button: str = "") -> None:
        """Write into a chat. If `contact_button` has a text, add a button by which a user shares their own contact.

        Raises:
            DeliveryFailed: one of its subclasses.
        """

    async def subscribe(self) -> None:
        """Have updates posted to the portal. It costs nothing if they are posted already.

        Raises:
            DeliveryFailed: the messenger did not accept it.
        """

    async def updates(self) -> list[ChatUpdate]:
        """The updates since the last call, the oldest first. Only without a webhook.

        Raises:
            DeliveryFailed: the messenger did not answer.
        """


class ForgedReport(Exception):
    """A report of a call that did not come from the vendor."""


@runtime_checkable
class SignsReports(Protocol):
    """A vendor that reports calls by signed reports. The portal nevertheless asks it for the outcome of a call."""

    @property
    def provider(self) -> str:
        """Like `CodeChannel.provider`."""

    def read_report(self, body: bytes) -> list[str]:
        """The references in one posted report.

        Raises:
            ForgedReport: the vendor did not sign it.
        """


@runtime_checkable
class NamesCaller(Protocol):
    """A vendor that reports calls without a signature and cannot be asked about a call.

    It posts the reports to an address that only this vendor was given.
    """

    def read_call(self, body: bytes) -> tuple[str, PhoneNumber] | None:
        """The reference of a call and the number that called. None for a report that cannot be read."""


@runtime_checkable
class TellsBalance(Protocol):
    """A provider that says how much money is left."""

    async def balance(self) -> Decimal:
        """The balance in roubles. The question costs nothing.

        Raises:
            DeliveryFailed: the balance cannot be read; `ProviderRefused.of_key` where the vendor refuses the key.
        """


@runtime_checkable
class LearnsOutcome(Protocol):
    """A channel whose provider learns from the outcome: the portal reports that its code was entered."""

    async def report_entered(self, provider_ref: str, code: str) -> None:
        """Report it to the provider, as far as possible. It never raises `DeliveryFailed`."""


class Hasher(Protocol):
    """The password hashing that recovery and accounts need."""

    async def hash(self, password: str) -> str:
        """The encoded hash; raises `Busy`."""

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; raises `Busy`."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One journey of one browser to the identity provider and back; kept on the server until the browser returns.

    Attributes:
        state: 128 random bits in the form of a UUID (ESIA asks for that form); for single use within 10 minutes in this browser.
        nonce: 43 characters; an OpenID provider must return it in the id_token (ESIA need not).
        code_verifier: the PKCE secret, 43 characters; the address carries its SHA-256 (S256).
        redirect_uri: where the provider sends the browser back to.
        fresh: the provider must ask who it is, even if it remembers, and must not have asked before `begun_at`.
        begun_at: when the browser left (UTC).
    """

    state: str
    nonce: str
    code_verifier: str
    redirect_uri: str
    begun_at: datetime
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class IdentityPerson:
    """The person who signed in, as the identity provider describes them. An empty text means that nothing is told.

    Attributes:
        issuer: the token's issuer, character by character. Together with `subject` it is the key of an account; phone and e-mail never are.
        subject: an opaque text, even where the provider sends an integer.
        confirmed: the provider has seen the person's documents (ESIA: `trusted`).
        birth_date: a calendar date, no time zone.
        snils: 11 digits without separators.
        phone: E.164; only numbers that `PhoneNumber` accepts. `phone_verified`: the provider checked that the person holds it.
        oms_policy: 16 digits.
        id_token: as received, for a provider that needs it for signing out.
        authenticated_at: when the provider last asked who it is (UTC); None: the provider does not say.
    """

    issuer: str
    subject: str
    confirmed: bool
    last_name: str = ""
    first_name: str = ""
    patronymic: str = ""
    birth_date: date | None = None
    snils: str = ""
    phone: str = ""
    phone_verified: bool = False
    email: str = ""
    email_verified: bool = False
    oms_policy: str = ""
    id_token: str = field(default="", repr=False)
    authenticated_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Departure:
    """The place to which a browser goes: `url`, with `fields` in the body of a POST if there are any.

    The fields must not be in an address, because browsers, proxies and logs keep addresses.
    """

    url: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


class IdentityProvider(Protocol):
    """The state's identity provider, or a gateway to it."""

    @property
    def name(self) -> str:
        """The adapter's name for operators: `esia`, `oidc`."""

    @property
    def asks_after_sign_out(self) -> bool:
        """Whether the protocol cannot ask for a fresh proof. The browser then signs out there first, so that nothing is remembered."""

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """The address to which the browser goes to sign in.

        Raises:
            IdentityRefused: the provider is unreachable or the client is not set up (`problem` says which).
        """

    async def fetch_person(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        """Trade the code of the return for the person who signed in. Every token is checked before it is trusted.

        Raises:
            IdentityRefused: for every failure; no other error leaves this method.
        """

    async def check_return(self, issuer: str | None) -> None:
        """Check that the browser comes back from this provider. Call it before anything of the return is used, even an error.

        issuer: the parameter `iss` of the return address (RFC 9207); None when it is missing.

        Raises:
            IdentityRefused: UNTRUSTWORTHY: it comes from another provider. Otherwise the check is not possible now.
        """

    def problem_of(self, error: str, description: str) -> IdentityProblem:
        """The meaning of the `error` and `error_description` of a return without a code."""

    async def sign_out(self, id_token: str, return_to: str) -> Departure | None:
        """The place where the browser ends the provider's own session, too. None when the provider has no such place.

        If the token is used, it is not in an address.

        Raises:
            IdentityRefused: the provider is unreachable.
        """

    async def check(self) -> str:
        """One English sentence for `medonline doctor`. It costs nothing.

        Raises:
            IdentityRefused: the provider is not reachable or not set up.
        """

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class RegistryCard:
    """A medical card in the registry. An empty text means: not on record.

    Attributes:
        ref: the registry's own id of the card, opaque, at most 128 characters.
        number: in the form that patients and clinics use.
        patronymic: отчество.
        birth_date, attached_since: calendar dates.
        snils: 11 digits; oms_policy: 16 digits.
        active: False after the person has left the clinic.
    """

    ref: str
    number: str
    clinic_name: str
    clinic_address: str
    clinic_phone: str
    last_name: str
    first_name: str
    patronymic: str
    birth_date: date | None
    snils: str
    oms_policy: str
    attached_since: date | None
    active: bool


@dataclass(frozen=True, slots=True)
class FoundCards:
    """The registry's answer: its `cards`, and how many records and pages (at least) could not be read."""

    cards: tuple[RegistryCard, ...] = ()
    left_out: int = 0


class CardRegistry(Protocol):
    """The region's registry of medical cards."""

    async def cards_by_snils(self, snils: str) -> FoundCards:
        """Cards of the person with this СНИЛС (11 digits).

        Raises:
            RegistryUnavailable: there is no good answer.
        """

    async def cards_by_policy(self, oms_policy: str) -> FoundCards:
        """Cards of the person with this ОМС policy (16 digits).

        Raises:
            RegistryUnavailable: there is no good answer.
        """

    async def card(self, ref: str) -> FoundCards:
        """One card as it is now. Empty, with nothing left out, when the registry does not have it any more.

        Raises:
            RegistryUnavailable: there is no good answer.
        """

    async def check(self) -> str:
        """One English sentence for `medonline doctor`.

        Raises:
            RegistryUnavailable: there is no good answer.
        """

    async def close(self) -> None:
        """Release connections."""


class NoticeChannel(Protocol):
    """A way to send a patient a notice (no code): a short text to a phone."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators."""

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        """Send one text of at most 300 characters. Returns the provider's reference.

        Raises:
            DeliveryFailed: one of its subclasses.
        """

    async def check(self) -> str:
        """Like `CodeChannel.check`."""

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message in plain text. `id` is the same for each attempt to send it, so that mailboxes recognise a repetition."""

    id: str
    subject: str
    text: str


class SmtpSecurity(StrEnum):
    """How the connection to a mail server is encrypted: from the first byte (port 465), after STARTTLS (port 587), or not at all."""

    TLS = "tls"
    STARTTLS = "starttls"
    NONE = "none"


class MailChannel(Protocol):
    """A way to write to an e-mail address."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators."""

    async def send_mail(self, address: EmailAddress, mail: Mail) -> str:
        """Hand one message to a mail server. Returns the server's own words about it, or the message's id.

        Raises:
            DeliveryFailed: one of its subclasses; `ProviderDown` also when the server may have accepted the message.
        """

    async def close(self) -> None:
        """Release connections."""


class BreachedPasswords(Protocol):
    """A list of passwords that are known to have leaked."""

    async def contains(self, password: str) -> bool:
        """Whether the password is on the list. False when the list does not answer (fails open)."""

    async def check(self) -> str:
        """One English sentence for `medonline doctor`.

        Raises:
            DeliveryFailed: the list does not answer.
        """

    async def close(self) -> None:
        """Release connections."""
