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
    """What a provider knows of a message that it accepted; each next one replaces the one before."""

    SENT = "sent"
    DELIVERED = "delivered"
    READ = "read"
    FAILED = "failed"
    NO_ROUTE = "no_route"  # the operator does not let such messages through to this number
    STOP_LIST = "stop_list"  # the number's owner, or the vendor, wants none


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """One code on its way to one phone.

    Attributes:
        idempotency_key: up to 64 ASCII characters; the same key never makes two calls where the provider allows that.
        phone: a Russian mobile number.
        code: 4 digits for a call, 4-8 for a messenger; the one we would like, a call provider may choose another.
        life: how long the code will be accepted.
        client_ip: address of the person who asked, where the provider wants it; empty when unknown.
        chat_id: the chat in which the code is awaited; None for a way that knows none.
    """

    idempotency_key: str
    phone: PhoneNumber
    code: str
    life: timedelta
    client_ip: str = ""
    chat_id: int | None = None


@dataclass(frozen=True, slots=True)
class SentCode:
    """What a provider answered: its reference, the code that really went out (empty where the patient calls), the price as the
    provider states it. `call_number`: the number that the patient calls (E.164); empty where none is called."""

    provider_ref: str
    code: str
    cost: str = ""
    call_number: str = ""


class CodeChannel(Protocol):
    """A way of getting a code to a phone: a call, a messenger."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators: `ucaller`, `sms_ru`, `telegram_gateway`."""

    @property
    def idempotent(self) -> bool:
        """Whether a repeated `send_code` with the same key cannot make a second call or message."""

    async def send_code(self, message: CodeMessage) -> SentCode:
        """Send one code.

        Raises:
            DeliveryFailed: one of its subclasses (`domain.errors`); nothing else leaves this method.
        """

    async def delivery_report(self, provider_ref: str) -> DeliveryReport | None:
        """Ask the provider what became of a code it accepted; None when it cannot tell (yet, or ever).

        Raises:
            DeliveryFailed: when the question itself could not be asked.
        """

    async def check(self) -> str:
        """For `medonline doctor`: reach the provider and try the key, in one English sentence; costs nothing and sends nothing.

        Raises:
            DeliveryFailed: the provider cannot be reached, or does not take the key (`ProviderRefused.of_key`).
        """

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class ChatUpdate:
    """What somebody did in a chat with the bot. `update_id`: the same for each repetition of one update."""

    update_id: str
    user_id: int


@dataclass(frozen=True, slots=True)
class ChatStarted(ChatUpdate):
    """«Начать», with the token of the link; empty where there was none."""

    chat_id: int
    token: str


@dataclass(frozen=True, slots=True)
class ContactShared(ChatUpdate):
    """A contact was sent. `phone`: None unless the messenger vouches that it is the sender's own, and this is their dialog."""

    chat_id: int
    phone: PhoneNumber | None


@dataclass(frozen=True, slots=True)
class ChatStopped(ChatUpdate):
    """The bot was stopped or blocked, and is to forget."""


class ForgedUpdate(Exception):
    """An update that did not come from the messenger."""


@runtime_checkable
class ChatBot(Protocol):
    """A bot in a messenger that may write only to who began."""

    provider: str

    @property
    def by_webhook(self) -> bool:
        """Whether the messenger posts updates to the portal; otherwise they are asked for."""

    def link(self, token: str) -> str:
        """The address that opens the chat with this token."""

    def read(self, secret: str, body: bytes) -> ChatUpdate | None:
        """Read one posted update; None for what is of no use here.

        Raises:
            ForgedUpdate: the secret is wrong.
        """

    async def say(self, chat_id: int, text: str, *, contact_button: str = "") -> None:
        """Write into a chat, with a button that shares one's own contact where it has a text.

        Raises:
            DeliveryFailed: one of its subclasses.
        """

    async def subscribe(self) -> None:
        """Have updates posted to the portal; costs nothing where they are already.

        Raises:
            DeliveryFailed: it could not be done.
        """

    async def updates(self) -> list[ChatUpdate]:
        """The updates since the last question, oldest first; without a webhook only.

        Raises:
            DeliveryFailed: the question could not be asked.
        """


class ForgedReport(Exception):
    """A report of a call that did not come from the vendor."""


@runtime_checkable
class SignsReports(Protocol):
    """A vendor that tells of calls by signed reports; what became of a call is asked of it all the same."""

    @property
    def provider(self) -> str:
        """As `CodeChannel.provider`."""

    def read_report(self, body: bytes) -> list[str]:
        """The references of what one posted report tells of.

        Raises:
            ForgedReport: the signature is not the vendor's.
        """


@runtime_checkable
class NamesCaller(Protocol):
    """A vendor that tells of calls by reports without a signature, posted to an address that only it was told, and that cannot be
    asked what became of a call."""

    def read_call(self, body: bytes) -> tuple[str, PhoneNumber] | None:
        """The reference of a call, and the number it came from; None for what cannot be read."""


@runtime_checkable
class TellsBalance(Protocol):
    """A provider that says how much money is left."""

    async def balance(self) -> Decimal:
        """What is left, in roubles; costs nothing.

        Raises:
            DeliveryFailed: it cannot be told; `ProviderRefused.of_key` where the key is not taken.
        """


@runtime_checkable
class LearnsOutcome(Protocol):
    """A channel whose provider learns from the outcome: it is told that its code was entered."""

    async def report_entered(self, provider_ref: str, code: str) -> None:
        """Tell the provider, as well as it can be done; never raises `DeliveryFailed`."""


class Hasher(Protocol):
    """Password hashing, as recovery and accounts need it."""

    async def hash(self, password: str) -> str:
        """The encoded hash; raises `Busy`."""

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password belongs to the hash; raises `Busy`."""


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One journey of one browser to the identity provider and back; kept on the server until the browser returns.

    Attributes:
        state: 128 random bits in the form of a UUID (ESIA asks for that form); single use, 10 minutes, this browser only.
        nonce: 43 characters; an OpenID provider must return it in the id_token (ESIA need not).
        code_verifier: the PKCE secret, 43 characters; the address carries its SHA-256 (S256).
        redirect_uri: where the provider sends the browser back to.
        fresh: the provider shall ask who it is, even if it remembers, and must not have asked before `begun_at`.
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
    """Who signed in, as the identity provider vouches for it. An empty text means: not told.

    Attributes:
        issuer: the token's issuer, exactly; with `subject` the key of an account, never phone or e-mail.
        subject: an opaque text, also where the provider sends an integer.
        confirmed: the provider has seen the person's documents (ESIA: `trusted`).
        birth_date: a calendar date, no time zone.
        snils: 11 digits without separators.
        phone: E.164; only numbers that `PhoneNumber` takes. `phone_verified`: the provider checked that the person holds it.
        oms_policy: 16 digits.
        id_token: as received, for a provider whose sign-out wants it.
        authenticated_at: when the provider last asked who it is (UTC); None: not told.
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
    """Where a browser goes: to `url`, and with `fields` in the body of a POST where there are any. What is there must be in no
    address: addresses are kept by browsers, proxies and logs."""

    url: str
    fields: Mapping[str, str] = field(default_factory=dict, repr=False)


class IdentityProvider(Protocol):
    """The state's identity provider, or a gateway to it."""

    @property
    def name(self) -> str:
        """The adapter's name for operators: `esia`, `oidc`."""

    @property
    def asks_after_sign_out(self) -> bool:
        """The protocol knows no wish for a fresh proof: the browser signs out there first, so that there is nothing to
        remember."""

    async def authorization_url(self, request: AuthorizationRequest) -> str:
        """Where the browser goes to sign in.

        Raises:
            IdentityRefused: the provider is unreachable or the client is not set up (`problem` says which).
        """

    async def fetch_person(self, code: str, request: AuthorizationRequest) -> IdentityPerson:
        """Trade the code of the return for the person who signed in; every token is checked before it is believed.

        Raises:
            IdentityRefused: nothing else leaves this method.
        """

    async def check_return(self, issuer: str | None) -> None:
        """Whether the browser comes back from this provider: `issuer` is the parameter `iss` of its address (RFC 9207), None when
        there is none. Asked before anything of the return is used, of an error as well.

        Raises:
            IdentityRefused: UNTRUSTWORTHY: from another one; or it cannot be said now.
        """

    def problem_of(self, error: str, description: str) -> IdentityProblem:
        """What the `error` and `error_description` of a return without a code mean."""

    async def sign_out(self, id_token: str, return_to: str) -> Departure | None:
        """Where the browser goes to end the provider's own session too; None when the provider has no such place. The token, if
        it is used, is in no address.

        Raises:
            IdentityRefused: the provider is unreachable.
        """

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence; costs nothing.

        Raises:
            IdentityRefused: not reachable or not set up.
        """

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class RegistryCard:
    """A medical card in the registry. An empty text means: not on record.

    Attributes:
        ref: the registry's own id of the card, opaque, at most 128 characters.
        number: as patients and clinics write it.
        patronymic: отчество.
        birth_date, attached_since: calendar dates.
        snils: 11 digits; oms_policy: 16 digits.
        active: False when the person was detached from the clinic.
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
    """What the registry answers: its `cards`, and of how many records and pages (at least) it could not be read what they say."""

    cards: tuple[RegistryCard, ...] = ()
    left_out: int = 0


class CardRegistry(Protocol):
    """The region's registry of medical cards."""

    async def cards_by_snils(self, snils: str) -> FoundCards:
        """Cards of the person with this СНИЛС (11 digits).

        Raises:
            RegistryUnavailable: no good answer.
        """

    async def cards_by_policy(self, oms_policy: str) -> FoundCards:
        """Cards of the person with this ОМС policy (16 digits).

        Raises:
            RegistryUnavailable: no good answer.
        """

    async def card(self, ref: str) -> FoundCards:
        """One card as it is now; none, with nothing left out, when the registry does not have it any more.

        Raises:
            RegistryUnavailable: no good answer.
        """

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence.

        Raises:
            RegistryUnavailable: no good answer.
        """

    async def close(self) -> None:
        """Release connections."""


class NoticeChannel(Protocol):
    """A way to tell a patient something that is no code: a short text to a phone."""

    @property
    def provider(self) -> str:
        """The adapter's name for operators."""

    async def send_notice(self, phone: PhoneNumber, text: str) -> str:
        """Send one text of at most 300 characters; the provider's reference.

        Raises:
            DeliveryFailed: one of its subclasses.
        """

    async def check(self) -> str:
        """As `CodeChannel.check`."""

    async def close(self) -> None:
        """Release connections."""


@dataclass(frozen=True, slots=True)
class Mail:
    """One message: plain text. `id` is the same for each attempt to send it, so that mailboxes recognise a repeat."""

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
        """Hand one message to a mail server; the server's own words about it, or the message's id.

        Raises:
            DeliveryFailed: one of its subclasses; `ProviderDown` also when the server may have taken the message.
        """

    async def close(self) -> None:
        """Release connections."""


class BreachedPasswords(Protocol):
    """A list of passwords that are known to have leaked."""

    async def contains(self, password: str) -> bool:
        """Whether the password is on the list; False when the list cannot be asked (fails open)."""

    async def check(self) -> str:
        """For `medonline doctor`: one English sentence.

        Raises:
            DeliveryFailed: the list cannot be asked.
        """

    async def close(self) -> None:
        """Release connections."""
