"""Operators find, show and import accounts, and are in the journal with their reasons."""

from __future__ import annotations

import asyncio
import getpass
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from medonline.bootstrap import build_portal
from medonline.config.settings import load_config
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.notices.texts import Text
from medonline.wording import notices as wording
from tests.cli.commands import ADD, WHY
from tests.services.notices.phone import told

ANNA = "+79000002001"
HEAD = "phone;last_name;first_name;patronymic;birth_date\n"


def add(run, phone: str = ANNA, *more: str) -> None:
    assert run(*ADD, "--phone", phone, *more, stdin="Zima2026")[0] == 0


def journal(run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run("journal", "export")[1].splitlines()]


def change(folder: Path, statement: str, *values: str) -> None:
    connection = sqlite3.connect(folder / "medonline.sqlite3")
    connection.execute(statement, values)
    connection.commit()
    connection.close()


# --- told to the patient ----------------------------------------------------------------------------------------


def sent_by_the_portal() -> dict[str, str]:
    """What the portal of this folder tells phones, once it serves."""

    async def look() -> list[tuple[str, str]]:
        portal = build_portal(load_config())
        try:
            return await told(portal)
        finally:
            await portal.close()

    return dict(asyncio.run(look()))


def test_what_an_operator_does_is_left_for_the_portal_to_tell(run) -> None:
    add(run)
    assert run("accounts", "set-phone", ANNA, "+79000002002", *WHY)[0] == 0
    (waiting, more) = [json.loads(line) for line in run("notices", "list", "--json")[1].splitlines()]
    assert {waiting["problem"], more["problem"], waiting["attempts"], more["attempts"]} == {"", 0}
    texts = sent_by_the_portal()

    assert {number: text.partition(" Это не вы? ")[0] for number, text in texts.items()} == {
        ANNA: wording.text(Text.DESK_PHONE_CHANGED),
        "+79000002002": wording.text(Text.DESK_NUMBER),
    }
    assert all(text.partition("#")[0].endswith(f"{load_config().origin}/not-me") for text in texts.values())


@pytest.mark.parametrize("provider", ["none", "sms_ru"])
def test_where_nobody_is_told_anything_nothing_is_left(run, monkeypatch: pytest.MonkeyPatch, provider: str) -> None:
    monkeypatch.setenv("MEDONLINE_NOTICE_PROVIDER", provider)
    add(run)
    assert run("accounts", "set-phone", ANNA, "+79000002002", *WHY)[0] == 0

    assert len(run("notices", "list", "--json")[1].splitlines()) == (0 if provider == "none" else 2)


# --- who, and why -----------------------------------------------------------------------------------------------


def test_every_act_names_its_operator_and_the_reason(run) -> None:
    add(run, ANNA, "--as", "Петрова")
    acts = {
        "data_shown": ["show", ANNA],
        "data_exported": ["export", ANNA],
        "sessions_ended_at_desk": ["end-sessions", ANNA],
        "phone_set_at_desk": ["set-phone", ANNA, "+79000002002"],
        "data_erased": ["erase", "+79000002002", "--yes"],
    }
    for arguments in acts.values():
        assert run("accounts", *arguments, "--reason", "asked at the desk", "--as", "Белова  А.")[0] == 0
    rows = journal(run)

    assert [row["event"] for row in rows] == ["account_made", *acts]
    assert {(row["details"]["operator"], row["details"]["reason"]) for row in rows[1:]} == {
        ("Белова А.", "asked at the desk")
    }
    assert rows[0]["details"] == {"operator": "Петрова", "reason": "her own wish"}
    assert run("journal", "verify")[0] == 0


def test_without_a_name_it_is_the_user_of_the_system(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SUDO_USER", raising=False)
    add(run)
    monkeypatch.setenv("SUDO_USER", "petrova")
    run("accounts", "end-sessions", ANNA, *WHY)
    first, second = journal(run)

    assert first["details"]["operator"] == getpass.getuser()
    assert second["details"]["operator"] == f"petrova as {getpass.getuser()}"


@pytest.mark.parametrize("reason", [[], ["--reason", ""], ["--reason", "\u200b"], ["--reason", "x" * 201]])
def test_an_act_without_a_reason_is_not_done(run, reason: list[str]) -> None:
    add(run)
    code, out, err = run("accounts", "end-sessions", ANNA, *reason)

    assert (code, out) == (2, "")
    assert "--reason" in err
    assert [row["event"] for row in journal(run)] == ["account_made"]


# --- found ------------------------------------------------------------------------------------------------------


def found(run, *wanted: str) -> set[str]:
    return {json.loads(line)["last_name"] for line in run("accounts", "find", *wanted, "--json")[1].splitlines()}


def test_an_account_is_found_by_phone_name_snils_and_id(run, tmp_path: Path) -> None:
    add(run)
    index = Sealer(load_config().key, "snils").index("11223344595")
    change(tmp_path, "UPDATE patient SET snils_index = ?", index)
    (account,) = [json.loads(line) for line in run("accounts", "list", "--json")[1].splitlines()]

    for wanted in (
        ["8 900 000-20-01"],
        ["112-233-445 95"],
        [account["id"]],
        ["орлова"],
        ["ОРЛОВА"],
        ["Орлова", "анна"],
    ):
        assert found(run, *wanted) == {"Орлова"}, wanted
    for wanted in (["+79000002009"], ["Орлов"], ["Орлова", "Мария"], ["087-654-303 00"], ["0" * 32]):
        assert run("accounts", "find", *wanted)[:2] == (1, ""), wanted
    assert run("accounts", "find", "Орлова")[:2] == (0, "+7 900 ***-**-01  Орлова Анна\n")


@pytest.mark.parametrize(
    "where",
    ["last_name IN ('Орлова') ORDER BY last_name, first_name, id", "(last_name, first_name, id) > ('О', '', '')"],
)
def test_names_are_found_and_paged_by_an_index(tmp_path: Path, where: str) -> None:
    connection = sqlite3.connect(tmp_path / "medonline.sqlite3")
    plan = connection.execute(f"EXPLAIN QUERY PLAN SELECT * FROM patient WHERE {where} LIMIT 50").fetchall()
    connection.close()

    assert "SEARCH patient USING INDEX ix_patient_name" in plan[0][3]


def test_a_listing_of_several_pages_is_whole_and_in_order(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("medonline.services.desk.accounts.PAGE", 2)
    rows = "".join(f"+7900000200{number};{name};Анна;;\n" for number, name in enumerate(("Г", "А", "В", "Б", "А")))
    (tmp_path / "list.csv").write_text(HEAD + rows, encoding="utf-8")
    run("accounts", "import", str(tmp_path / "list.csv"), *WHY)
    names = [line.split()[3] for line in run("accounts", "list")[1].splitlines()]

    assert names == ["А", "А", "Б", "В", "Г"]
    assert len(run("accounts", "list", "--limit", "3")[1].splitlines()) == 3


def test_what_is_shown_holds_no_whole_phone_and_no_secret(run) -> None:
    add(run)
    code, out, _ = run("accounts", "show", ANNA, *WHY)
    shown = json.loads(out)

    assert code == 0
    assert (shown["last_name"], shown["phone"], shown["has_password"]) == ("Орлова", "+7 900 ***-**-01", True)
    assert "79000002001" not in out
    assert "argon2" not in out


# --- import -----------------------------------------------------------------------------------------------------


@pytest.fixture
def importing(run, tmp_path: Path) -> Callable[[str], tuple[int, str, str]]:
    def import_(text: str, encoding: str = "utf-8") -> tuple[int, str, str]:
        file = tmp_path / "list.csv"
        file.write_text(text, encoding=encoding)
        return run("accounts", "import", str(file), *WHY)

    return import_


def test_accounts_are_made_from_a_file_and_the_next_time_are_there(run, importing) -> None:
    text = HEAD + "8 900 000-20-01;Орлова;Анна;Ильинична;05.10.1979\n+79000002002;Белов;Илья;;\n"

    assert importing(text) == (0, "2 rows: 2 made, 0 there already, 0 refused.\n", "")
    more = text + "+79000002003;Чернов;Олег;;1990-01-02\n"
    assert importing(more) == (0, "3 rows: 1 made, 2 there already, 0 refused.\n", "")
    rows = journal(run)
    assert [(row["event"], row["details"]["reason"]) for row in rows] == [("account_made", "asked at the desk")] * 3
    assert json.loads(run("accounts", "show", ANNA, *WHY)[1])["has_password"] is False
    assert json.loads(run("accounts", "show", ANNA, *WHY)[1])["birth_date"] == "1979-10-05"


def test_bad_rows_are_told_by_their_line_and_the_others_are_made(run, importing) -> None:
    add(run)
    rows = [
        "+79000002001;Белов;Илья;;",  # the number is Анна's
        "8 495 123-45-67;Белов;Илья;;",
        "+79000002002;Бел0в;Илья;;",
        "+79000002003;Белов;Илья;;31.02.1990",
        "+79000002004;Белов",
        '+79000002005;"Бело\nв";Илья;;',
        "+79000002006;Белов;Илья;;",
    ]
    code, out, err = importing(HEAD + "\n".join(rows) + "\n")
    told = {line.partition(":")[0] for line in err.splitlines()}

    assert (code, out) == (1, "7 rows: 2 made, 0 there already, 5 refused.\n")
    assert told == {f"Line {number}" for number in range(2, 7)}
    assert "Another account signs in with +7 900 ***-**-01." in err
    assert "79000002" not in err


@pytest.mark.parametrize(
    ("text", "encoding", "says"),
    [
        ("phone,last_name\n", "utf-8", "has the columns phone, last_name; wanted are phone, last_name, first_name"),
        ("phone,last_name,first_name,password\n", "utf-8", "wanted are"),
        ("", "utf-8", "has the columns none"),
        (HEAD + "+79000002001;Орлова;Анна;;\n", "cp1251", "is not in UTF-8"),
        (HEAD + '+79000002001;"Орлова;Анна;;\n', "utf-8", "is no CSV file that can be read"),
    ],
)
def test_a_file_that_is_no_list_is_a_sentence(run, importing, text: str, encoding: str, says: str) -> None:
    code, out, err = importing(text, encoding)

    assert (code, out) == (1, "")
    assert says in err
    assert "Traceback" not in err


def test_a_file_from_a_spreadsheet_is_read(importing) -> None:
    text = "phone,last_name,first_name\r\n+79000002001,Орлова,Анна\r\n"

    assert importing(text, "utf-8-sig")[:2] == (0, "1 rows: 1 made, 0 there already, 0 refused.\n")
