"""What holds patients back and what did not reach them: shown, and ended with a row in the journal."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from medonline.bootstrap import build_portal
from medonline.config.settings import load_config
from medonline.domain.client import Client
from medonline.domain.errors import InvalidCredentials
from medonline.domain.security_journal import JournalEvent
from medonline.services.security_journal.writer import JournalNote
from medonline.storage.queries import patients
from tests.cli.commands import ADD, WHY
from tests.providers.limits.redis_server import redis_server

ANNA, BORIS = "+79000002001", "+79000002002"
HOME = "203.0.113.7"


def change(folder: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(folder / "medonline.sqlite3")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


def events(run) -> list[str]:
    return [json.loads(line)["event"] for line in run("journal", "export")[1].splitlines()]


def moment(**ago: float) -> str:
    return f"{datetime.now(UTC) - timedelta(**ago):%Y-%m-%d %H:%M:%S.%f}"


def test_the_breaker_is_shown_and_closed(run, tmp_path: Path) -> None:
    assert run("breaker", "show")[1].startswith("Closed: ")
    assert run("breaker", "close", *WHY)[1] == "It was closed already.\n"
    change(tmp_path, "UPDATE circuit_breaker SET open_until = ?, times = 2", moment(minutes=-20))
    shown = run("breaker", "show")[1]
    assert shown.startswith("Open until ")
    assert "time 2 in a row" in shown

    assert run("breaker", "close", *WHY) == (0, "It is closed.\n", "")
    assert json.loads(run("breaker", "show", "--json")[1])["open_until"] is None
    assert events(run) == ["breaker_closed"]


def test_a_notice_that_was_given_up_is_sent_once_more(run, tmp_path: Path) -> None:
    run(*ADD, "--phone", ANNA, stdin="Zima2026")
    assert run("notices", "list") == (0, "Every notice was sent.\n", "")
    for number, ago in (("1", {"hours": 1}), ("2", {"days": 2})):
        change(
            tmp_path,
            "INSERT INTO notice (id, patient_id, phone, text, created_at, attempts, kopecks, problem, provider_ref, about) "
            "SELECT ?, id, phone, 'canary', ?, 4, 0, 'down', '', 'password' FROM patient",
            number * 32,
            moment(**ago),
        )
    _, out, _ = run("notices", "list")
    assert [line[:32] for line in out.splitlines()] == ["1" * 32, "2" * 32]
    assert "given up" in out
    assert "canary" not in out

    code, _, err = run("notices", "resend", "2" * 32, *WHY)
    assert (code, "within the last day" in err) == (1, True)
    assert run("notices", "resend", "1" * 32, *WHY)[0] == 0
    first, second = [json.loads(line) for line in run("notices", "list", "--json")[1].splitlines()]
    assert first["due_at"] is not None
    assert second["due_at"] is None
    assert events(run) == ["account_made", "notice_resent"]
    assert run("notices", "resend", "1" * 32, *WHY)[0] == 1  # it waits already
    assert run("notices", "resend", "--all", *WHY) == (0, "0 are sent as soon as the portal that serves looks.\n", "")
    change(tmp_path, "UPDATE notice SET due_at = NULL, problem = 'channel_down'")
    assert run("notices", "resend", "--all", *WHY)[1].startswith("1 are sent")
    for arguments in ((), ("1" * 32, "--all")):
        assert run("notices", "resend", *arguments, *WHY) == (
            1,
            "",
            "Name one notice by its id, or all of them by --all.\n",
        )


# --- wrong passwords ------------------------------------------------------------------------------------------------


@pytest.fixture
def _counted_in_redis(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Five wrong passwords for one account, two for another, from one address."""
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") as server:
        monkeypatch.setenv("MEDONLINE_LIMITS_STORAGE", server.address)
        asyncio.run(_type_wrong_passwords())
        yield


async def _type_wrong_passwords() -> None:
    portal = build_portal(load_config())
    for phone in [ANNA] * 5 + [BORIS] * 2:
        with pytest.raises(InvalidCredentials):
            async with portal.login.limits.attempt(phone, Client(address=HOME), portal.clock()):
                raise InvalidCredentials
    await portal.close()


@pytest.mark.usefixtures("_counted_in_redis")
def test_wrong_passwords_of_an_account_are_shown_and_forgotten(run) -> None:
    before = run("limits", "show", "8 900 000-20-01", "--address", HOME)[1].splitlines()
    assert f"account, {HOME}: 5 of 5 within 15 min  FULL" in before
    assert f"all accounts, {HOME}: 7 of 60 within 1 min" in before
    assert "all accounts, everywhere: 7 of 1000 within 5 min" in before
    assert run("limits", "reset", ANNA, "--address", HOME, *WHY)[0] == 0

    after = [json.loads(line) for line in run("limits", "show", ANNA, "--address", HOME, "--json")[1].splitlines()]
    assert [(row["of"], row["counted"]) for row in after][:2] == [("account", 0), ("all accounts", 7)]
    assert f"account, {HOME}: 2 of 5" in run("limits", "show", BORIS, "--address", HOME)[1]
    assert events(run) == ["limits_reset"]


def test_what_one_process_counts_for_itself_is_out_of_reach(run) -> None:
    code, out, err = run("limits", "show", ANNA, "--address", HOME)
    assert (code, "MEDONLINE_LIMITS_STORAGE" in err, "Browsers are counted, too" in err) == (0, True, True)
    assert {line.partition(",")[0] for line in out.splitlines()} == {"codes to the number"}  # those are in the record
    code, out, err = run("limits", "reset", *WHY, ANNA, "--address", HOME)
    assert (code, out, "MEDONLINE_LIMITS_STORAGE" in err) == (1, "", True)
    assert events(run) == []


def test_an_address_that_is_none_is_refused(run) -> None:
    assert run("limits", "show", ANNA, "--address", "home")[0] == 2


def test_the_pace_of_an_account_is_shown_and_begun_again(run, tmp_path: Path) -> None:
    def pace() -> dict[str, int]:
        shown = run("limits", "show", ANNA, "--address", HOME, "--json")[1].splitlines()
        rows = [json.loads(line) for line in shown]
        return {row["of"]: row["counted"] for row in rows if "account" in row["of"]}

    reset = ("limits", "reset", ANNA, "--address", HOME, "--pace", *WHY)
    assert run(*reset) == (1, "", "No account has this phone.\n")
    run(*ADD, "--phone", ANNA, stdin="Zima2026")
    asyncio.run(_sign_in())
    assert pace() == {"sign-ins of the account": 1, "proofs in the account": 0, "saves of the account": 0}

    assert run(*reset, "--codes") == (1, "", "--pace stands alone.\n")
    assert run(*reset) == (0, "The account's sign-ins, proofs and saves are counted anew.\n", "")
    assert set(pace().values()) == {0}
    assert events(run) == ["account_made", "signed_in", "pace_reset"]


async def _sign_in() -> None:
    portal = build_portal(load_config())
    with portal.database.writing() as session:
        patient = patients.by_phone(session, ANNA)
        assert patient is not None
        portal.desk.protections.journal.note(session, JournalNote(JournalEvent.SIGNED_IN, patient.id, ANNA))
    await portal.close()


@pytest.mark.usefixtures("_counted_in_redis")
def test_journeys_and_passkey_tries_of_a_network_are_shown_and_forgotten(run) -> None:
    def ways() -> dict[str, int]:
        shown = run("limits", "show", ANNA, "--address", HOME, "--json")[1].splitlines()
        rows = [json.loads(line) for line in shown]
        return {row["of"]: row["counted"] for row in rows if row["of"] in ("journeys to Gosuslugi", "passkey tries")}

    asyncio.run(_leave_and_try())
    assert ways() == {"journeys to Gosuslugi": 2, "passkey tries": 1}
    assert run("limits", "reset", ANNA, "--address", HOME, *WHY)[0] == 0
    assert ways() == {"journeys to Gosuslugi": 2, "passkey tries": 1}
    assert run("limits", "reset", ANNA, "--address", HOME, "--ways", *WHY)[0] == 0
    assert ways() == {"journeys to Gosuslugi": 0, "passkey tries": 0}


async def _leave_and_try() -> None:
    portal = build_portal(load_config())
    protections = portal.desk.protections
    for visitor in ("one", "another"):
        await protections.journeys.admit(Client(address=HOME, visitor_key=visitor), portal.clock())
    await protections.passkeys.admit(Client(address=HOME, visitor_key="one"), portal.clock())
    await portal.close()
