"""Every action whose result could tell whether a number has an account before the phone is proved (I8), and what comes of it.

Shared by `test_known_and_unknown` (texts, writes) and `benchmarks/known_and_unknown.py` (times as well). The numbers of one
round differ only where a masked number hides it, so that whatever is shown can be compared as it is.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field, fields, is_dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlmodel import col, select, update

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.codes.channels import CALLED, ChannelName
from medonline.domain.codes.step_up import StepUpWhen
from medonline.domain.device import UNKNOWN_DEVICE
from medonline.domain.errors import InvalidCredentials, MedonlineError, NumberRefused
from medonline.domain.login import LoginMethod
from medonline.domain.passkeys import PasskeyPurpose
from medonline.domain.passwords import MAX_LENGTH
from medonline.domain.phone import PhoneNumber
from medonline.domain.security_journal import JournalEvent
from medonline.services.account_settings.form import SettingsForm
from medonline.services.codes.delivery import DeliveryState
from medonline.services.crypto.tokens import token_hash
from medonline.services.limits.code_limits import CodeAsked
from medonline.services.login.tickets import SignIn, add_session
from medonline.services.password_recovery.service import PasswordRecoveryService
from medonline.services.ports import ChatBot, ChatStarted, ChatStopped, ChatUpdate, ContactShared
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.tables.codes import CircuitBreaker, OneTimeCodeRow
from medonline.storage.tables.columns import new_id
from medonline.storage.tables.email_proofs import EmailProof
from medonline.storage.tables.passkeys import Passkey
from medonline.storage.tables.patients import Patient
from medonline.wording.errors import sentence
from tests.services.outside import VERA, ScriptedIdentity, arrive, with_provider
from tests.services.world import (
    CALL,
    PASSWORD,
    SMS,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    at,
    code_in,
    dispatch,
    dispatcher_of,
    opened,
    signed_in,
    wrong,
)

# What would refuse everybody, or ask everybody for more, only because so much is tried here.
NOT_REACHED = {
    "codes_per_block": "1000000 per 1 h",
    "unconfirmed_codes_per_block": "1000000 per 1 h",
    "wrong_passwords_in_all": "1000000 per 5 min",
    "breaker_misses": "1000000 per 10 min",
    "breaker_confirmed_percent": 0,
    "passkeys_per_network": "1000000 per 1 min",
}
CROWDED = "203.0.113.77"
BORN = date(1958, 5, 21)
WRONG_PASSWORD, WRONG_DATE = "Nevernyy2026", "02.03.1971"


class Kind(StrEnum):
    """Whose number is typed."""

    KNOWN = "known"
    NO_PASSWORD = "no password"  # signs in through Gosuslugi only
    NO_BIRTH_DATE = "no birth date"
    OUT_OF_USE = "out of use"  # its owner said «это не я»: recovery by phone is stopped
    UNKNOWN = "unknown"


BY_PHONE = (Kind.KNOWN, Kind.OUT_OF_USE, Kind.UNKNOWN)
BY_PASSWORD = (Kind.KNOWN, Kind.NO_PASSWORD, Kind.OUT_OF_USE, Kind.UNKNOWN)
BY_BIRTH_DATE = (Kind.KNOWN, Kind.NO_BIRTH_DATE, Kind.OUT_OF_USE, Kind.UNKNOWN)


@dataclass
class Visit:
    """A browser that is new here and a number that no one else uses; `key` is its session, where somebody is signed in."""

    phone: str
    visitor: Client
    key: str = ""

    @property
    def other(self) -> Client:
        """Another browser."""
        return Client(visitor_key=self.visitor.visitor_key[::-1])


@dataclass
class Footprint:
    """What was asked of the database: each INSERT, UPDATE and DELETE as it was sent, without its values."""

    writes: list[str] = field(default_factory=list)
    commits: int = 0
    reads: int = 0


@dataclass(frozen=True)
class Outcome:
    """What one action came to. `shown`: the refusal and its sentence, or every field of the view."""

    shown: str
    writes: tuple[str, ...]
    commits: int
    reads: int
    ms: float
    cpu_ms: float  # of all threads: what other processes do counts less

    @property
    def told(self) -> tuple[str, tuple[str, ...], int]:
        """What must not differ."""
        return self.shown, self.writes, self.commits


@dataclass
class Stage:
    """A portal without dispatchers; its clock is at the same moment whenever a visit begins."""

    portal: Portal
    clock: MovableClock
    start: datetime
    me: Patient  # whose settings are changed
    breaker_open: bool = False

    @property
    def always(self) -> PasswordRecoveryService:
        """The recovery of an operator who wants the birth date of everyone."""
        recovery = self.portal.recovery
        policy = replace(recovery.step_up.policy, when=StepUpWhen.ALWAYS)
        return replace(recovery, step_up=replace(recovery.step_up, policy=policy))

    async def code_to(self, phone: str) -> str:
        """What the phone would show."""
        newest = (col(OneTimeCodeRow.replaced_at).is_not(None), col(OneTimeCodeRow.issued_at).desc())
        statement = select(OneTimeCodeRow).where(OneTimeCodeRow.phone == phone).order_by(*newest).limit(1)
        with self.portal.database.reading() as session:
            row = session.exec(statement).one()
        return code_in(self.portal, row)

    async def put_breaker(self, *, is_open: bool) -> None:
        if is_open is not self.breaker_open:
            until = self.start + timedelta(days=365) if is_open else None
            with self.portal.database.writing() as session:
                session.exec(update(CircuitBreaker).values(open_until=until))
            self.breaker_open = is_open

    async def sign_in(self, patient: Patient, visit: Visit) -> None:
        with self.portal.database.writing() as session:
            sign_in = SignIn(patient, LoginMethod.PASSWORD, self.portal.clock())
            visit.key = token_hash(add_session(session, sign_in, UNKNOWN_DEVICE, self.clock()))


Step = Callable[[Stage, Visit], Awaitable[Any]]


@dataclass(frozen=True)
class Scenario:
    """One action, and what must have happened before. `ends_in`: the class of the refusal or of the view, or the step of a
    recovery, so that what is compared is what was meant."""

    title: str
    action: str  # a service of the portal and its method
    ends_in: str
    act: Step
    before: tuple[Step, ...] = ()
    kinds: tuple[Kind, ...] = BY_PHONE
    breaker_open: bool = False


def refused(step: Step) -> Step:
    """The step, which must be refused."""

    async def run(stage: Stage, visit: Visit) -> None:
        try:
            await step(stage, visit)
        except MedonlineError:
            return
        msg = "it was not refused"
        raise AssertionError(msg)

    return run


def later(**by: float) -> Step:
    async def run(stage: Stage, _visit: Visit) -> None:
        stage.clock.move(**by)

    return run


# --- steps of a sign-in ----------------------------------------------------------------------------------------------


def sign_in(password: str) -> Step:
    async def run(stage: Stage, visit: Visit) -> Any:
        return await stage.portal.login.log_in(visit.visitor, visit.phone, password)

    return run


async def count_a_sign_in(stage: Stage, visit: Visit) -> None:
    with suppress(InvalidCredentials):
        async with stage.portal.login.limits.attempt(visit.phone, Client(), stage.clock()):
            raise InvalidCredentials


# --- steps of a recovery ---------------------------------------------------------------------------------------------


def begin_by(way: ChannelName) -> Step:
    async def run(stage: Stage, visit: Visit) -> Any:
        return await stage.portal.recovery.begin(visit.visitor, visit.phone, way)

    return run


begin = begin_by(CALL)


async def guess_in_network(stage: Stage, visit: Visit) -> None:
    """Somebody behind the same address guesses at other phones."""
    for number in range(7):
        asked = CodeAsked(f"code {number}", CALL, "+79000000000", CROWDED)
        async with stage.portal.recovery.codes.issuer.limits.guess(asked, stage.clock()) as guess:
            guess.wrong = (asked, 1)


async def begin_in_network(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.begin(at(visit.visitor, CROWDED), visit.phone, CALL)


async def call(stage: Stage, visit: Visit) -> None:
    """The vendor has named a number, and has seen the call."""
    statement = update(OneTimeCodeRow).where(col(OneTimeCodeRow.phone) == visit.phone)
    with stage.portal.database.writing() as session:
        session.exec(statement.values(delivery=DeliveryState.DELIVERED, call_number="+78005008275", due_at=None))


async def take_call(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.take_call(visit.visitor)


async def wait_for_call(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.follow(replace(visit.visitor, sitting_key=visit.visitor.visitor_key))


async def meet_the_stop_list(stage: Stage, visit: Visit) -> None:
    """The vendor sends nothing to this number. What other visits have left to be sent would be sent first."""
    others = update(OneTimeCodeRow).where(col(OneTimeCodeRow.phone) != visit.phone)
    with stage.portal.database.writing() as session:
        session.exec(others.values(due_at=None))
    refusing = ScriptedChannel(answers=deque([NumberRefused("sms_ru: 209", code="209")]))
    await dispatch(dispatcher_of(stage.portal, sms=refusing))


async def begin_elsewhere(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.begin(visit.other, visit.phone, CALL)


def resend_by(way: ChannelName) -> Step:
    async def run(stage: Stage, visit: Visit) -> Any:
        return await stage.portal.recovery.resend(visit.visitor, way)

    return run


resend = resend_by(TELEGRAM)


async def look(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.current(visit.visitor)


async def leave(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.leave(visit.visitor)


async def type_wrong_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.confirm_code(visit.visitor, wrong(await stage.code_to(visit.phone)))


async def type_wrong_code_elsewhere(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.confirm_code(visit.other, wrong(await stage.code_to(visit.phone)))


async def type_half_a_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.confirm_code(visit.visitor, "12")


async def type_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.confirm_code(visit.visitor, await stage.code_to(visit.phone))


async def type_code_always(stage: Stage, visit: Visit) -> Any:
    return await stage.always.confirm_code(visit.visitor, await stage.code_to(visit.phone))


async def type_wrong_date(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.confirm_birth_date(visit.visitor, WRONG_DATE)


async def set_password(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.recovery.set_password(visit.visitor, "KorablLipa47")


USE_UP = (refused(type_wrong_code),) * 3
DEAD_CODE_BEFORE = (begin_elsewhere, *(refused(type_wrong_code_elsewhere),) * 3, later(hours=1), begin)
AT_BIRTH_DATE = (begin, type_code)  # while the breaker is open


# --- steps in a chat with a bot --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """What the bot has written."""

    texts: tuple[str, ...]


@dataclass
class Listening:
    """A bot that says nothing to anybody outside."""

    bot: ChatBot
    texts: list[str] = field(default_factory=list)

    async def say(self, _chat_id: int, text: str, *, contact_button: str = "") -> None:
        self.texts.append(f"{text} [{contact_button}]")

    def __getattr__(self, name: str) -> Any:
        return getattr(self.bot, name)


async def _take(stage: Stage, update: ChatUpdate) -> Said:
    chats = stage.portal.chats
    assert chats is not None
    heard = Listening(chats.bot)
    await replace(chats, bot=heard).take(update)
    return Said(tuple(heard.texts))


def _user_of(visit: Visit) -> int:
    return int(visit.visitor.visitor_key[:12], 16)


async def start_chat(stage: Stage, visit: Visit) -> Said:
    view = await stage.portal.recovery.current(visit.visitor)
    assert view is not None
    user = _user_of(visit)
    return await _take(stage, ChatStarted(new_id(), user, user, view.chat_link.rpartition("=")[2]))


def share_contact(of: Callable[[Visit], PhoneNumber | None]) -> Step:
    async def run(stage: Stage, visit: Visit) -> Said:
        user = _user_of(visit)
        return await _take(stage, ContactShared(new_id(), user, user, of(visit)))

    return run


share_own = share_contact(lambda visit: PhoneNumber(visit.phone))
share_others = share_contact(lambda _: PhoneNumber("+79000000007"))
share_nothing = share_contact(lambda _: None)


async def stop_bot(stage: Stage, visit: Visit) -> Said:
    return await _take(stage, ChatStopped(new_id(), _user_of(visit)))


IN_CHAT = (begin_by(ChannelName.MAX), start_chat)

# --- steps in the settings -------------------------------------------------------------------------------------------


async def log_me_in(stage: Stage, visit: Visit) -> None:
    await stage.sign_in(stage.me, visit)


def save_phone_by(way: ChannelName) -> Step:
    async def run(stage: Stage, visit: Visit) -> Any:
        form = SettingsForm(visit.phone, "", stage.me.last_name, stage.me.first_name, "", "")
        return await stage.portal.settings.save(signed_in(visit.key), form, way)

    return run


save_phone = save_phone_by(CALL)


async def look_at_settings(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.settings.current(visit.key)


async def look_at_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.settings.code_of(visit.key)


async def resend_to_new_phone(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.settings.resend(signed_in(visit.key), TELEGRAM)


async def type_wrong_code_to_new_phone(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.settings.confirm_phone(visit.key, wrong(await stage.code_to(visit.phone)))


async def give_phone_up(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.settings.cancel(visit.key)


NEW_PHONE = (log_me_in, save_phone)

# --- steps of a new e-mail address, which is or is not that of another account ---------------------------------------


def mailbox_of(phone: str) -> str:
    """Of the account with this number, if there is one."""
    return f"anna{phone[1:]}@example.ru"


async def log_new_me_in(stage: Stage, visit: Visit) -> None:
    """One gets a mail an hour at most."""
    me = account(_my_phone(visit), Kind.KNOWN, stage.me.password_hash, stage.clock())
    with stage.portal.database.writing() as session:
        session.add(me)
    await stage.sign_in(me, visit)


def _my_phone(visit: Visit) -> str:
    return visit.phone.replace("+7900", "+7901", 1)


async def save_mailbox(stage: Stage, visit: Visit) -> Any:
    form = SettingsForm(
        _my_phone(visit),
        mailbox_of(visit.phone),
        stage.me.last_name,
        stage.me.first_name,
        password="",
        password_confirmation="",
    )
    return await stage.portal.settings.save(signed_in(visit.key), form, CALL)


async def send_mail(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.email_proof.send(visit.key)


async def look_at_mailbox(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.email_proof.view(visit.key)


def _code_in_mail(stage: Stage, visit: Visit) -> str:
    with stage.portal.database.reading() as session:
        proof = session.exec(select(EmailProof).where(col(EmailProof.email) == mailbox_of(visit.phone))).one()
    return stage.portal.email_proof.codes.of(proof.id)


async def type_wrong_code_from_mail(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.email_proof.confirm(visit.key, wrong(_code_in_mail(stage, visit)))


async def type_code_from_mail(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.email_proof.confirm(visit.key, _code_in_mail(stage, visit))


NEW_MAILBOX = (log_new_me_in, save_mailbox)

# --- steps of a passkey, in a browser that named a number ------------------------------------------------------------


def ask_for_passkey(purpose: PasskeyPurpose) -> Step:
    async def run(stage: Stage, visit: Visit) -> Said:
        options = await stage.portal.passkeys.login.begin(visit.visitor, purpose)
        return Said((json.dumps({**options, "challenge": ""}, sort_keys=True),))

    return run


# --- steps of somebody who comes from Gosuslugi ----------------------------------------------------------------------


async def arrive_with_number(stage: Stage, visit: Visit) -> Any:
    """The provider has not verified the number: anybody may have written it there."""
    person = replace(
        VERA, subject=visit.visitor.visitor_key, snils="", oms_policy="", phone=visit.phone, phone_verified=False
    )
    return await arrive(stage.portal, visit.visitor, person)


async def give_consent(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.consent(visit.visitor)


async def have_account(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.have_account(visit.visitor)


async def look_who_waits(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.current(visit.visitor)


def send_proof_code_by(way: ChannelName) -> Step:
    async def run(stage: Stage, visit: Visit) -> Any:
        return await stage.portal.answers.send_code(visit.visitor, visit.phone, way)

    return run


send_proof_code = send_proof_code_by(CALL)


async def type_wrong_proof_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.confirm_code(visit.visitor, wrong(await stage.code_to(visit.phone)))


async def type_proof_code(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.confirm_code(visit.visitor, await stage.code_to(visit.phone))


async def type_proof_code_always(stage: Stage, visit: Visit) -> Any:
    answers = replace(stage.portal.answers, step_up=stage.always.step_up)
    return await answers.confirm_code(visit.visitor, await stage.code_to(visit.phone))


async def prove_by_wrong_password(stage: Stage, visit: Visit) -> Any:
    return await stage.portal.answers.prove_by_password(visit.visitor, visit.phone, WRONG_PASSWORD)


PROVING = (arrive_with_number, have_account)
CODE_SENT = (*PROVING, send_proof_code)

SCENARIOS = (
    Scenario("sign-in, wrong password", "login.log_in", "InvalidCredentials", sign_in(WRONG_PASSWORD), (), BY_PASSWORD),
    Scenario(
        "sign-in, a password longer than any",
        "login.log_in",
        "InvalidCredentials",
        sign_in("ab" * MAX_LENGTH),
        (),
        BY_PASSWORD,
    ),
    Scenario(
        "sign-in, the sixth in a row",
        "login.log_in",
        "TooManySignIns",
        sign_in(WRONG_PASSWORD),
        (count_a_sign_in,) * 5,
        BY_PASSWORD,
    ),
    *(Scenario(f"begin, by {way}", "recovery.begin", "code", begin_by(way)) for way in ChannelName),
    *(
        Scenario(f"resend, by {way}", "recovery.resend", "code", resend_by(way), (begin, later(minutes=2)))
        for way in ChannelName
        if way is not TELEGRAM
    ),
    *(
        Scenario(f"wrong code, by {way}", "recovery.confirm_code", "CodeMismatch", type_wrong_code, (begin_by(way),))
        for way in ChannelName
        if way is not CALL and way not in CALLED
    ),
    Scenario("chat, begun", "chats.take", "Said", start_chat, IN_CHAT[:1]),
    Scenario("chat, another's contact", "chats.take", "Said", share_others, IN_CHAT),
    Scenario("chat, a contact without proof", "chats.take", "Said", share_nothing, IN_CHAT),
    Scenario("chat, the right contact", "chats.take", "Said", share_own, IN_CHAT),
    Scenario("chat, stopped", "chats.take", "Said", stop_bot, IN_CHAT),
    Scenario("polling, chat begun", "recovery.current", "code", look, IN_CHAT),
    Scenario("polling, contact shared", "recovery.current", "code", look, (*IN_CHAT, share_own)),
    Scenario("polling, chat stopped", "recovery.current", "code", look, (*IN_CHAT, stop_bot)),
    Scenario("waiting for a call", "recovery.follow", "code", wait_for_call, (begin_by(CALLED[0]),)),
    Scenario(
        "a call while the screen waits",
        "recovery.follow",
        "birth_date",
        wait_for_call,
        (begin_by(CALLED[0]), call),
        BY_BIRTH_DATE,
    ),
    Scenario("no call yet", "recovery.take_call", "CallNotSeen", take_call, (begin_by(CALLED[0]),)),
    Scenario(
        "a call, too late", "recovery.take_call", "CallOver", take_call, (begin_by(CALLED[0]), call, later(minutes=5))
    ),
    Scenario("a call", "recovery.take_call", "birth_date", take_call, (begin_by(CALLED[0]), call), BY_BIRTH_DATE),
    Scenario(
        "wrong birth date after a call",
        "recovery.confirm_birth_date",
        "BirthDateMismatch",
        type_wrong_date,
        (begin_by(CALLED[0]), call, take_call),
        BY_BIRTH_DATE,
    ),
    Scenario("begin, twice", "recovery.begin", "code", begin, (begin,)),
    Scenario("begin, elsewhere at once", "recovery.begin", "RateLimited", begin_elsewhere, (begin,)),
    Scenario(
        "begin, the fourth in an hour",
        "recovery.begin",
        "TooManyCodes",
        begin_elsewhere,
        (begin, later(minutes=5), begin_elsewhere, later(minutes=5), begin, later(minutes=5)),
    ),
    Scenario("begin, after leaving", "recovery.begin", "code", begin, (begin, leave)),
    Scenario("resend", "recovery.resend", "code", resend, (begin, later(minutes=2))),
    Scenario("resend, too soon", "recovery.resend", "RateLimited", resend, (begin, later(seconds=10))),
    Scenario("polling", "recovery.current", "code", look, (begin,)),
    Scenario("polling, on a stop list", "recovery.current", "code", look, (begin_by(SMS), meet_the_stop_list)),
    Scenario("wrong code", "recovery.confirm_code", "CodeMismatch", type_wrong_code, (begin,)),
    Scenario("wrong code, the third", "recovery.confirm_code", "CodeMismatch", type_wrong_code, (begin, *USE_UP[:2])),
    Scenario("half a code", "recovery.confirm_code", "CodeIncomplete", type_half_a_code, (begin,)),
    Scenario("dead code", "recovery.confirm_code", "CodeUsedUp", type_code, (begin, *USE_UP)),
    Scenario("expired code", "recovery.confirm_code", "CodeExpired", type_code, (begin, later(minutes=6))),
    Scenario("polling, dead code", "recovery.current", "code", look, (begin, *USE_UP)),
    Scenario("new password without a proof", "recovery.set_password", "NoRecoveryInProgress", set_password, (begin,)),
    Scenario("leaving at the code", "recovery.leave", "None", leave, (begin,)),
    Scenario(
        "right code, breaker open", "recovery.confirm_code", "birth_date", type_code, (begin,), BY_BIRTH_DATE, True
    ),
    Scenario(
        "right code, step-up always", "recovery.confirm_code", "birth_date", type_code_always, (begin,), BY_BIRTH_DATE
    ),
    Scenario(
        "right code, a dead one before",
        "recovery.confirm_code",
        "birth_date",
        type_code,
        DEAD_CODE_BEFORE,
        BY_BIRTH_DATE,
    ),
    Scenario(
        "right code, a guesser's network",
        "recovery.confirm_code",
        "birth_date",
        type_code,
        (guess_in_network, begin_in_network),
        BY_BIRTH_DATE,
    ),
    Scenario("right code again", "recovery.confirm_code", "birth_date", type_code, AT_BIRTH_DATE, BY_BIRTH_DATE, True),
    Scenario("polling at the birth date", "recovery.current", "birth_date", look, AT_BIRTH_DATE, BY_BIRTH_DATE, True),
    Scenario(
        "wrong birth date",
        "recovery.confirm_birth_date",
        "BirthDateMismatch",
        type_wrong_date,
        AT_BIRTH_DATE,
        BY_BIRTH_DATE,
        True,
    ),
    Scenario(
        "wrong birth date, the third",
        "recovery.confirm_birth_date",
        "BirthDateMismatch",
        type_wrong_date,
        (*AT_BIRTH_DATE, *(refused(type_wrong_date),) * 2),
        BY_BIRTH_DATE,
        True,
    ),
    Scenario(
        "birth date of a dead recovery",
        "recovery.confirm_birth_date",
        "refused",
        type_wrong_date,
        (*AT_BIRTH_DATE, *(refused(type_wrong_date),) * 3),
        BY_BIRTH_DATE,
        True,
    ),
    Scenario(
        "Telegram instead of the birth date",
        "recovery.resend",
        "code",
        resend,
        (*AT_BIRTH_DATE, later(minutes=2)),
        BY_BIRTH_DATE,
        True,
    ),
    Scenario(
        "new password at the birth date",
        "recovery.set_password",
        "NoRecoveryInProgress",
        set_password,
        AT_BIRTH_DATE,
        BY_BIRTH_DATE,
        True,
    ),
    Scenario("leaving at the birth date", "recovery.leave", "None", leave, AT_BIRTH_DATE, BY_BIRTH_DATE, True),
    *(
        Scenario(f"settings, new phone by {way}", "settings.save", "Saved", save_phone_by(way), (log_me_in,))
        for way in ChannelName
        if way not in CALLED
    ),
    Scenario("settings, saved twice", "settings.save", "Saved", save_phone, NEW_PHONE),
    Scenario("settings, the form again", "settings.current", "SettingsView", look_at_settings, NEW_PHONE),
    Scenario("settings, polling", "settings.code_of", "CodeView", look_at_code, NEW_PHONE),
    Scenario("settings, resend", "settings.resend", "None", resend_to_new_phone, (*NEW_PHONE, later(minutes=2))),
    Scenario("settings, wrong code", "settings.confirm_phone", "CodeMismatch", type_wrong_code_to_new_phone, NEW_PHONE),
    Scenario("settings, phone given up", "settings.cancel", "None", give_phone_up, NEW_PHONE),
    Scenario("mailbox, saved", "settings.save", "Saved", save_mailbox, (log_new_me_in,)),
    Scenario("mailbox, a code", "email_proof.send", "None", send_mail, NEW_MAILBOX),
    Scenario("mailbox, polling", "email_proof.view", "EmailView", look_at_mailbox, (*NEW_MAILBOX, send_mail)),
    Scenario(
        "mailbox, wrong code",
        "email_proof.confirm",
        "CodeMismatch",
        type_wrong_code_from_mail,
        (*NEW_MAILBOX, send_mail),
    ),
    Scenario("mailbox, right code", "email_proof.confirm", "None", type_code_from_mail, (*NEW_MAILBOX, send_mail)),
    *(
        Scenario(f"passkey, asked for to {purpose}", "passkey_login.begin", "Said", ask_for_passkey(purpose), (begin,))
        for purpose in (PasskeyPurpose.SIGN_IN, PasskeyPurpose.RECOVERY)
    ),
    Scenario("Gosuslugi, a number not verified", "identity.finish", "consent", arrive_with_number),
    Scenario("Gosuslugi, consent", "answers.consent", "str", give_consent, (arrive_with_number,)),
    *(
        Scenario(f"proof, a code by {way}", "answers.send_code", "None", send_proof_code_by(way), PROVING)
        for way in ChannelName
        if way not in CALLED
    ),
    Scenario("proof, a code, twice", "answers.send_code", "None", send_proof_code, CODE_SENT),
    Scenario("proof, polling", "answers.current", "PendingView", look_who_waits, CODE_SENT),
    Scenario("proof, wrong code", "answers.confirm_code", "CodeMismatch", type_wrong_proof_code, CODE_SENT),
    Scenario(
        "proof, right code, breaker open",
        "answers.confirm_code",
        "CodeNotEnough",
        type_proof_code,
        CODE_SENT,
        BY_BIRTH_DATE,
        True,
    ),
    Scenario(
        "proof, right code, a dead one before",
        "answers.confirm_code",
        "CodeNotEnough",
        type_proof_code,
        (*DEAD_CODE_BEFORE[:-1], *CODE_SENT),
        BY_BIRTH_DATE,
    ),
    Scenario(
        "proof, right code, step-up always",
        "answers.confirm_code",
        "CodeNotEnough",
        type_proof_code_always,
        CODE_SENT,
        BY_BIRTH_DATE,
    ),
    Scenario(
        "proof, wrong password",
        "answers.prove_by_password",
        "InvalidCredentials",
        prove_by_wrong_password,
        PROVING,
        BY_PASSWORD,
    ),
)


# The token in the link to a chat is another one for each code, of whatever number.
_OF_ONE_CODE = re.compile(r"[0-9a-f]{32}-[0-9a-f]{64}")


# --- playing them ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def staged(folder: Path) -> AsyncIterator[Stage]:
    """A stage over the migrated database in `folder`."""
    clock = MovableClock()
    clock.move(days=1)
    async with opened(folder, clock, code_channels=tuple(ChannelName), **NOT_REACHED) as portal:
        encoded = await portal.hasher.hash(PASSWORD)
        me = account("+79009999999", Kind.KNOWN, encoded, clock.now)
        with portal.database.writing() as session:
            session.add(me)
            # The first row of a journal takes one statement more, whoever it is of.
            portal.email_proof.journal.note(session, JournalNote(JournalEvent.EMAIL_PROVED, me.id))
        yield Stage(with_provider(portal, ScriptedIdentity()), clock, clock.now, me)


def account(phone: str, kind: Kind, encoded: str | None, now: datetime) -> Patient:
    return Patient(
        phone=phone,
        last_name="Жукова",
        first_name="Жанна",
        birth_date=None if kind is Kind.NO_BIRTH_DATE else BORN,
        password_hash=None if kind in (Kind.NO_PASSWORD, Kind.OUT_OF_USE) else encoded,
        recovery_stopped_until=now + timedelta(days=2) if kind is Kind.OUT_OF_USE else None,
        password_changed_at=now,
        created_at=now,
    )


async def make_accounts(stage: Stage, scenario: Scenario, numbers: Sequence[int] = (0,)) -> None:
    """The accounts of these rounds: of every kind that has one, each with a passkey and a mailbox."""
    with stage.portal.database.writing() as session:
        for kind in scenario.kinds:
            if kind is not Kind.UNKNOWN:
                phones = [phone_of(scenario, kind, number) for number in numbers]
                made = [account(phone, kind, stage.me.password_hash, stage.start) for phone in phones]
                for one in made:
                    one.email = one.proved_email = mailbox_of(one.phone)
                    one.email_proved_at = stage.start
                session.add_all(made)
                session.flush()
                session.add_all([_passkey_of(one) for one in made])


def _passkey_of(patient: Patient) -> Passkey:
    return Passkey(
        patient_id=patient.id,
        handle=patient.id,
        credential_id=patient.id,
        public_key="",
        sign_count=0,
        name="Телефон",
        created_at=patient.created_at,
    )


def phone_of(scenario: Scenario, kind: Kind, number: int) -> str:
    """A number of its own for each visit; kinds differ in digits that are never shown."""
    assert number < 10_000
    place = [one.title for one in SCENARIOS].index(scenario.title)
    return f"+7900{1 + list(Kind).index(kind)}{place:02}{number // 100:02}{number % 100:02}"


async def play(stage: Stage, scenario: Scenario, kind: Kind, number: int = 0) -> Outcome:
    """One visit: what was before, and then the action, observed."""
    phone = phone_of(scenario, kind, number)
    visit = Visit(phone, Client(visitor_key=hashlib.sha256(phone.encode()).hexdigest()))
    stage.clock.now = stage.start
    await stage.put_breaker(is_open=scenario.breaker_open)
    for step in scenario.before:
        await step(stage, visit)
    with footprint(stage.portal) as left:
        begun, cpu_begun = time.perf_counter(), time.process_time()
        try:
            came: Any = await scenario.act(stage, visit)
        except MedonlineError as error:
            came = error
        took, cpu_took = time.perf_counter() - begun, time.process_time() - cpu_begun
    shown = shown_of(came, stage).replace(visit.phone, "<the number typed>")
    shown = shown.replace(mailbox_of(visit.phone), "<the address typed>")
    assert scenario.ends_in in shown.split(" | ")[0].split(), f"{scenario.title}, {kind}: {shown}"
    return Outcome(shown, tuple(left.writes), left.commits, left.reads, took * 1000, cpu_took * 1000)


def shown_of(came: Any, stage: Stage) -> str:
    """What a screen is told."""
    if isinstance(came, MedonlineError):
        return f"{type(came).__name__} | {sentence(came, stage.portal.config.zone)}"
    if isinstance(came, StrEnum):
        return came.value
    if is_dataclass(came):
        told = ", ".join(f"{item.name} = {getattr(came, item.name)!s}" for item in fields(came))
        return f"{type(came).__name__} {getattr(came, 'step', '')} | {_OF_ONE_CODE.sub('<token>', told)}"
    # A ticket: random, and shown to no one.
    return "None" if came is None else f"{type(came).__name__} of {len(came)}"


@contextmanager
def footprint(portal: Portal) -> Iterator[Footprint]:
    """What is asked of the database meanwhile, whatever the table."""
    left = Footprint()
    engine = portal.database.engine

    def see(_connection: Any, _cursor: Any, statement: str, values: Any, _context: Any, executemany: bool) -> None:
        text = " ".join(statement.split())
        if text.startswith(("INSERT", "UPDATE", "DELETE")):
            left.writes.extend([text] * (len(values) if executemany else 1))
        elif not text.startswith("BEGIN"):
            left.reads += 1

    def commit(_connection: Any) -> None:
        left.commits += 1

    event.listen(engine, "before_cursor_execute", see)
    event.listen(engine, "commit", commit)
    try:
        yield left
    finally:
        event.remove(engine, "before_cursor_execute", see)
        event.remove(engine, "commit", commit)


def by_table(writes: Sequence[str]) -> str:
    """`2 INSERT one_time_code, 1 UPDATE password_recovery`, in order of appearance."""
    counted: dict[str, int] = {}
    for text in writes:
        words = text.split()
        name = f"{words[0]} {words[1 if words[0] == 'UPDATE' else 2]}"
        counted[name] = counted.get(name, 0) + 1
    return ", ".join(f"{count} {name}" for name, count in counted.items()) or "none"
