"""kill -9 at every write of a recovery, a sign-in, a change and a registration: nothing that was told is lost (I1-I6)."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.errors import InvalidCredentials
from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.dispatcher import LEASE
from medonline.storage.queries import codes
from medonline.storage.tables.gosuslugi import LinkedIdentity, PersonalDataConsent
from medonline.storage.tables.login import AccountSession
from medonline.storage.tables.security_journal import JournalEntry
from tests.attacks.mortal import CHANGED, RECOVERED, VERAS, quick
from tests.conftest import LONG_RUN
from tests.services.outside import VERA, ScriptedIdentity, arrive, dump, with_provider
from tests.services.world import (
    ANNA,
    CALL,
    KNOWN,
    PASSWORD,
    START,
    TELEGRAM,
    MovableClock,
    ScriptedChannel,
    code_in,
    copy_database,
    dispatch,
    dispatcher_of,
    last_code,
    opened,
    patient_with,
    rows_of,
    sign_in,
)

ROOT = Path(__file__).resolve().parents[2]
AFTER_CODE = (RecoveryStep.NEW_PASSWORD, RecoveryStep.DONE)
AFTER_RECOVERY = len((RecoveryStep.CODE, *AFTER_CODE))  # as a number of steps gone
PASSWORDS = [PASSWORD, RECOVERED, CHANGED]


@dataclass
class Life:
    """What is left of a process that died at a point."""

    folder: Path
    told: dict[str, str] = field(default_factory=dict)  # what the patient was told -> the session's key, if any

    @classmethod
    def of(cls, folder: Path) -> Life:
        notes = folder / "told"
        lines = notes.read_text().splitlines() if notes.exists() else []
        return cls(folder, dict(line.partition(" ")[::2] for line in lines))

    def asked(self) -> list[str]:
        notes = self.folder / "asked"
        return notes.read_text().splitlines() if notes.exists() else []


@dataclass(frozen=True)
class Lives:
    """The names of the points, and a folder for each, kept there or left behind by a kill."""

    place: Path
    points: list[str]

    def point(self, folder: Path) -> str:
        number = int(folder.name.partition("-")[2])
        return f"{folder.name}: {self.points[number - 1]}, after {self.points[max(number - 4, 0) : number - 1]}"


@pytest.fixture(scope="module")
def lives(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Lives:
    place = tmp_path_factory.mktemp("lives")
    copy_database(template, place / "template")

    async def make_quick() -> None:
        with quick():
            async with opened(place / "template", MovableClock()) as portal:
                patient = await patient_with(portal)
                with portal.database.writing() as session:
                    patient.password_hash = f"plain:{PASSWORD}"
                    session.merge(patient)

    asyncio.run(make_quick())
    every = "1" if LONG_RUN else "7"
    command = [sys.executable, "-m", "tests.attacks.mortal", str(place), START.isoformat(), every]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return Lives(place, json.loads(done.stdout))


def test_the_way_has_points_at_every_kind_of_write(lives: Lives) -> None:
    tables = (
        "password_recovery one_time_code patient login_ticket account_session linked_identity personal_data_consent"
    )

    assert lives.points.count("before a commit") == lives.points.count("after a commit") > 15
    assert lives.points.count("before a provider") == lives.points.count("after a provider") == 1
    assert set(tables.split()) <= {name.split()[-1] for name in lives.points if name.startswith("INSERT")} | {
        name.split()[1] for name in lives.points if name.startswith("UPDATE")
    }


def test_nothing_that_was_told_is_lost_and_the_patient_goes_on_wherever_the_process_ended(lives: Lives) -> None:
    looked: set[str] = set()
    for number in range(1, len(lives.points) + 1):
        folder = lives.place / f"kept-{number}"
        left = repr((dump(folder), Life.of(folder).told, Life.of(folder).asked()))
        if left not in looked:  # rows of a transaction that was not committed are not there
            look(lives, folder)
        looked.add(left)
    assert len(looked) > 20


def test_a_killed_process_leaves_the_same(lives: Lives) -> None:
    """SIGKILL at one point in seven; in a long run at each."""
    killed = [folder for folder in lives.place.glob("killed-*") if folder.name != "killed-0"]
    assert len(killed) > 9
    for folder in killed:
        kept = lives.place / folder.name.replace("killed", "kept")
        assert {name: len(rows) for name, rows in dump(folder).items()} == {
            name: len(rows) for name, rows in dump(kept).items()
        }
        look(lives, folder)


def look(lives: Lives, folder: Path) -> None:
    copy = folder.with_name(f"{folder.name}-looked-at")

    async def look_around() -> None:
        life, clock = Life.of(folder), MovableClock(START)
        shutil.copytree(folder, copy)
        clock.move(seconds=LEASE.total_seconds() + 45)
        with quick():
            async with opened(copy, clock) as real:
                portal = with_provider(real, ScriptedIdentity())
                await assert_kept(portal, life)
                await assert_written_down(portal)
                await assert_code_counts_once(portal, clock)
                await go_on(portal, life)
                await register(portal, life)

    try:
        asyncio.run(look_around())
    except BaseException as error:
        error.add_note(lives.point(folder))
        raise


async def assert_kept(portal: Portal, life: Life) -> None:
    """I1, I3: what was told is there; of what was not, all or nothing."""
    patient = await patient_with(portal)
    password = (patient.password_hash or "").removeprefix("plain:")
    view = await portal.recovery.current(ANNA)
    steps = [RecoveryStep.CODE, *AFTER_CODE]
    stands = steps.index(view.step) if view else -1
    told = [name in life.told for name in ("begun", "proved", "recovered")]
    if await has_signed_in_again(portal):  # which leaves the browser's recovery, in the same transaction
        assert view is None
        stands = AFTER_RECOVERY
    assert stands >= sum(told) - 1
    assert (stands == AFTER_RECOVERY or (view is not None and view.step is RecoveryStep.DONE)) == (password != PASSWORD)
    assert PASSWORDS.index(password) >= ("recovered" in life.told) + ("changed" in life.told)
    assert (patient.first_name == "Марья") == (password == CHANGED)
    assert (patient.phone_proved_at is not None) == (stands >= 1)
    if old := life.told.get("old-session"):
        assert (await portal.login.who(old) is not None) == (password == PASSWORD)
    if (new := life.told.get("new-session")) and "signed-out" not in life.told:
        assert await portal.login.who(new) is not None or "changed" in life.told
    if "signed-out" in life.told:
        assert await portal.login.who(life.told["new-session"]) is None


async def has_signed_in_again(portal: Portal) -> bool:
    """After the recovery: the walk signs in before it as well."""
    me = await patient_with(portal)
    with portal.database.reading() as session:
        return len(session.exec(select(AccountSession).where(AccountSession.patient_id == me.id)).all()) > 1


async def assert_written_down(portal: Portal) -> None:
    """I5: the journal says of each change what its row says, and its chain is whole."""
    assert (await portal.journal_keeper.examine()).fault == ""
    with portal.database.reading() as session:
        happened = Counter(session.exec(select(JournalEntry.event)).all())
        opened_sessions = len(session.exec(select(AccountSession)).all())
        consents = len(session.exec(select(PersonalDataConsent)).all())
    password = ((await patient_with(portal)).password_hash or "").removeprefix("plain:")
    assert happened["password_recovered"] == (password != PASSWORD)
    assert happened["password_changed"] == (password == CHANGED)
    assert happened["signed_in"] == opened_sessions
    assert happened["registered"] == happened["consent_given"] == consents


async def assert_code_counts_once(portal: Portal, clock: MovableClock) -> None:
    """I2: the code is used up exactly when the recovery moved on; I4: no one was called twice."""
    view = await portal.recovery.current(ANNA)
    moved_on = (view is not None and view.step in AFTER_CODE) or await has_signed_in_again(portal)
    for row in await rows_of(portal):
        assert (row.confirmed_at is not None) == moved_on
        if row.confirmed_at is not None:
            digest = portal.recovery.codes.issuer.digests(row, code_in(portal, row))[0]
            with portal.database.writing() as session:
                assert codes.judge(session, row.id, digest, 3, clock.now) is None


async def go_on(portal: Portal, life: Life) -> None:
    """I6: from its step to the end, and in with the password in force."""
    call, message = ScriptedChannel(), ScriptedChannel(idempotent=False)
    await dispatch(dispatcher_of(portal, flash_call=call, telegram=message))
    asked = life.asked() + [sent.idempotency_key for sent in message.asked]
    assert len(asked) == len(set(asked))
    view = await portal.recovery.current(ANNA)
    if view is None:
        view = await portal.recovery.begin(ANNA, KNOWN, TELEGRAM)
    elif view.step is RecoveryStep.CODE and not view.code_alive:
        assert view.fallback_now
        view = await portal.recovery.resend(ANNA, CALL)
    if view.step is RecoveryStep.CODE:
        view = await portal.recovery.confirm_code(ANNA, await last_code(portal, KNOWN))
    if view.step is RecoveryStep.NEW_PASSWORD:
        view = await portal.recovery.set_password(ANNA, RECOVERED)
    assert view.step is RecoveryStep.DONE
    password = ((await patient_with(portal)).password_hash or "").removeprefix("plain:")
    assert await sign_in(portal, ANNA, KNOWN, password)
    with pytest.raises(InvalidCredentials):
        await portal.login.log_in(ANNA, KNOWN, PASSWORD)


async def register(portal: Portal, life: Life) -> None:
    """An account, its identity and its consent are there together or not at all."""
    with portal.database.reading() as session:
        consents = session.exec(select(PersonalDataConsent)).all()
        identities = session.exec(select(LinkedIdentity)).all()
    assert [one.patient_id for one in consents] == [one.patient_id for one in identities]
    assert len(consents) == 1 or "consented" not in life.told
    if key := life.told.get("registered"):
        assert await portal.login.who(key) is not None
    elif consents:
        assert not isinstance(await arrive(portal, VERAS, VERA), str)  # known: signed in at once
    else:
        await arrive(portal, VERAS, VERA)
        assert await portal.login.open_session(VERAS, await portal.answers.consent(VERAS)) is not None
