"""The command line: what it prints, where, and its exit codes."""

from __future__ import annotations

import getpass
import io
import json
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from medonline.cli.main import HELP_WIDTH, main, medonline
from medonline.config.settings import load_config
from medonline.domain.errors import ProviderDown
from medonline.providers.codes.ucaller import UCaller
from medonline.services.crypto.field_encryption import key_id
from medonline.storage import migrations
from tests.cli.commands import ADD, WHY, every_command, findings
from tests.sandbox.gosuslugi import running_gosuslugi
from tests.sandbox.server import API_ID, KEY, TOKEN, free_port

OPTIONS = {
    "--version",
    "--fix-hints",
    "--force",
    "--as",
    "--reason",
    "--limit",
    "--address",
    "--codes",
    "--ways",
    "--pace",
    "wanted",
    "file",
    "notice",
    "--all",
    "--json",
    "--to",
    "--to-file",
    "--journal-to",
    "--no-migrate",
    "--mode",
    "--port",
    "--host",
    "--phone",
    "--last-name",
    "--first-name",
    "--patronymic",
    "--birth-date",
    "--password-stdin",
    "--password",
    "--yes",
    "--known",
    "--workers",
    "account",
    "phone",
    "number",
    "channel",
    "--hours",
}


# --- accounts ---------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_migrated")
def test_an_account_is_made_and_listed_with_its_phone_masked(run) -> None:
    made = run(*ADD, "--phone", "8 900 000-20-01", "--patronymic", "Ильинична", stdin="Zima2026\n")
    listed = run("accounts", "list")

    assert made == (0, "The account is made; it signs in with +7 900 ***-**-01.\n", "")
    assert listed == (0, "+7 900 ***-**-01  Орлова Анна Ильинична\n", "")


@pytest.mark.parametrize("given", [["--password", "Zima2026"], ["--password=Zima2026"]])
def test_a_password_in_the_command_is_refused_and_not_repeated(run, given: list[str]) -> None:
    code, out, err = run(*ADD, "--phone", "8 900 000-20-01", *given, stdin="Zima2026")

    assert (code, out) == (2, "")
    assert err.startswith("A password does not belong into the command")
    assert "Zima2026" not in err
    assert run("accounts", "list")[1] == "No accounts.\n"


def test_no_command_takes_a_secret_as_an_argument() -> None:
    """What the commands offer, at every depth; `--password` is there to be refused."""
    offered = {
        name
        for command in every_command()
        for parameter in command.params
        for name in (parameter.opts if isinstance(parameter, click.Option) else [str(parameter.name)])
    }

    assert offered == OPTIONS


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        (["Zima2026", "Zima2026"], 0, "The account is made"),
        (["Zima2026", "Zima2027"], 1, "The two passwords differ: nothing was done."),
        (["", ""], 1, "No password was given: nothing was done."),
    ],
)
def test_without_the_flag_it_is_asked_for_twice(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, typed: list[str], code: int, says: str
) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal())
    monkeypatch.setattr(getpass, "getpass", lambda _prompt: typed.pop(0))
    arguments = [one for one in ADD if one != "--password-stdin"]

    assert main([*arguments, "--phone", "8 900 000-20-01"]) == code
    assert says in "".join(capsys.readouterr())


def test_with_nobody_to_ask_the_flag_is_named(run) -> None:
    arguments = [one for one in ADD if one != "--password-stdin"]
    code, out, err = run(*arguments, "--phone", "8 900 000-20-01")

    assert (code, out) == (1, "")
    assert "pipe it in and say --password-stdin" in err


def test_an_empty_list_says_so(run) -> None:
    assert run("accounts", "list") == (0, "No accounts.\n", "")


@pytest.mark.parametrize(
    ("phone", "password", "words"),
    [
        ("8 495 123-45-67", "Zima2026", "Это городской телефон"),
        ("+7 701 123-45-67", "Zima2026", "Это номер Казахстана"),
        ("8 900 000-20-01", "Zima", "Пароль слишком короткий: нужно не меньше 6 символов."),
        ("8 900 000-20-01", "Зима2026", "В пароле русские буквы"),
    ],
)
def test_a_refused_account_is_explained_in_words(run, phone: str, password: str, words: str) -> None:
    code, out, err = run(*ADD, "--phone", phone, stdin=password)

    assert (code, out) == (1, "")
    assert words in err
    assert password not in err
    assert "Traceback" not in err
    assert run("accounts", "list")[1] == "No accounts.\n"


def test_a_phone_that_is_taken_is_told_masked(run) -> None:
    run(*ADD, "--phone", "8 900 000-20-01", stdin="Zima2026")
    again = run(*ADD, "--phone", "+79000002001", stdin="Zima2026")

    assert again == (1, "", "Another account signs in with +7 900 ***-**-01.\n")


def test_a_wrong_call_is_exit_code_two(run) -> None:
    for arguments in ([], ["fly"], ["accounts"], ["accounts", "add"], [*ADD]):
        code, out, err = run(*arguments)
        assert (code, out) == (2, "")
        assert "Usage: medonline" in err


def calls_for_help(group: click.Group = medonline, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    yield above
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from calls_for_help(command, (*above, name))
        else:
            yield (*above, name)


@pytest.mark.parametrize("path", [*calls_for_help()], ids=" ".join)
def test_help_fits_a_narrow_terminal_and_is_whole(run, path: tuple[str, ...]) -> None:
    code, out, err = run(*path, "--help")

    assert (code, err) == (0, "")
    assert max(map(len, out.splitlines())) <= HELP_WIDTH
    assert "..." not in out.partition("Usage:")[2].partition("\n")[2]  # cut short; a usage line says so of arguments
    assert run(*path, "-h") == (0, out, "")


def test_the_version_is_told(run) -> None:
    code, out, err = run("--version")

    assert (code, err) == (0, "")
    assert re.fullmatch(r"medonline \d+\.\d+\.\d+\n", out)


def test_a_fault_of_the_program_is_a_line_of_the_log_and_a_hint(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ValueError("canary")

    monkeypatch.setattr("medonline.cli.migrating.load_config", fail)
    code, out, err = run("migrate")

    assert (code, out) == (1, "")
    assert "ValueError" in err
    assert "medonline doctor" in err
    assert "Traceback" not in err


def test_a_file_that_cannot_be_read_is_a_sentence(run, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError(28, "No space left on device", "/data")

    monkeypatch.setattr("medonline.cli.migrating.load_config", fail)

    assert run("migrate") == (1, "", "/data: No space left on device.\n")


@pytest.mark.parametrize("arguments", [["accounts", "list"], ["keys", "list"], ["doctor"]])
def test_a_listing_is_json_where_it_is_asked_for(run, arguments: list[str]) -> None:
    run(*ADD, "--phone", "8 900 000-20-01", stdin="Zima2026\n")
    _, out, _ = run(*arguments, "--json")

    assert all(isinstance(json.loads(line), dict) for line in out.splitlines())
    assert out
    assert "9000002001" not in out


def test_a_fault_of_the_settings_is_a_sentence(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_CODE_GUESSES", "7")

    for arguments in (["doctor"], ["migrate"], ["accounts", "list"], ["serve"]):
        code, out, err = run(*arguments)
        assert (code, out) == (1, "")
        assert err.startswith("MEDONLINE_CODE_GUESSES: ")
        assert "Traceback" not in err


def test_the_sandbox_alone_is_refused_in_production(run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "MODE": "production",
        "TRUSTED_PROXY_HOPS": "1",
        "PUBLIC_URL": "https://portal.example.ru",
        "SECRET_KEY": "2b7e151628aed2a6abf7158809cf4f3c",
        "CODE_CHANNELS": "telegram",
        "TELEGRAM_BASE_URL": "https://gatewayapi.telegram.org",
        "TELEGRAM_TOKEN": "x",
    }.items():
        monkeypatch.setenv(f"MEDONLINE_{name}", value)

    code, _, err = run("sandbox")
    assert code == 1
    assert "demo mode only" in err


# --- who may read the data ------------------------------------------------------------------------------------------


def open_to_others(folder: Path) -> list[str]:
    return sorted(str(path) for path in (folder, *folder.rglob("*")) if path.stat().st_mode & 0o077)


def test_what_the_process_makes_is_its_owners_alone(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "var"
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(folder))
    run("migrate")
    # Before the next command, which would close what this one left open.
    assert open_to_others(folder) == []
    with sqlite3.connect(folder / "medonline.sqlite3") as connection:  # so that the files beside it are there, too
        connection.execute("SELECT count(*) FROM patient")
        assert run("accounts", "list")[0] == 0
        assert open_to_others(folder) == []

    assert {path.name for path in folder.iterdir()} >= {"medonline.sqlite3", "demo.key", "demo-keys"}


def test_an_older_folder_is_made_private_at_the_start(run, tmp_path: Path) -> None:
    run("accounts", "list")
    tmp_path.chmod(0o755)
    for path in tmp_path.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
    run("doctor")
    looked_at = open_to_others(tmp_path)
    _, _, err = run("accounts", "list")

    assert len(looked_at) >= 4  # the doctor looks and changes nothing
    assert (open_to_others(tmp_path), err) == ([], "")


def test_a_folder_with_foreign_things_in_it_is_told_of_and_its_own_files_are_closed(run, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "report.txt").touch(mode=0o644)
    (tmp_path / "medonline.sqlite3").chmod(0o644)
    _, _, err = run("accounts", "list")

    assert err == f"{tmp_path} can be read by other users (0755): run `chmod 700 {tmp_path}`\n"
    assert open_to_others(tmp_path) == [str(tmp_path), str(tmp_path / "report.txt")]


@pytest.mark.usefixtures("_providers")
def test_the_doctor_says_who_can_read_the_data_and_how_to_close_it(run, tmp_path: Path) -> None:
    database = tmp_path / "medonline.sqlite3"
    database.chmod(0o640)
    code, out, _ = run("doctor")

    assert code == 1
    text = f"{database} can be read by other users (0640): run `chmod 600 {database}`"
    assert findings(out)["files"] == ("FAIL", text)


@pytest.mark.usefixtures("_providers")
def test_a_database_elsewhere_is_looked_at_too(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    database = tmp_path / "elsewhere" / "patients.sqlite3"
    monkeypatch.setenv("MEDONLINE_DATABASE_URL", f"sqlite:///{database}")
    run("migrate")
    database.chmod(0o644)
    _, out, _ = run("doctor")
    run("accounts", "list")

    assert f"{database} can be read by other users (0644)" in findings(out)["files"][1]
    assert database.stat().st_mode & 0o777 == 0o600


# --- doctor -----------------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("nothing_migrated", "_providers")
def test_the_doctor_finds_a_healthy_portal_healthy(run) -> None:
    assert run("migrate") == (0, "The database is up to date.\n", "")
    code, out, _ = run("doctor")

    found = findings(out)
    assert code == 0
    assert list(found) == [
        "settings", "regions", "key", "files", "database", "migrations", "limits", "flash_call", "telegram",
        "sms", "max", "inbound_call", "identity", "cards", "notices", "links in texts",
        "mail", "breached passwords", "traces",
    ]  # fmt: skip
    assert {mark for mark, _ in found.values()} == {"ok"}
    assert "provider ucaller at http://127.0.0.1:" in found["flash_call"][1]
    assert "provider telegram_gateway at http://127.0.0.1:" in found["telegram"][1]


@pytest.mark.usefixtures("_providers")
def test_the_doctor_fails_on_a_key_that_repeats_itself(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate")
    monkeypatch.setenv("MEDONLINE_SECRET_KEY", "k" * 40)
    code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["key"][0] == "FAIL"
    assert "repeats itself, so it can be guessed" in findings(out)["key"][1]


@pytest.mark.usefixtures("_providers")
def test_the_doctor_names_an_older_key_that_repeats_itself_and_lets_it_be(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate")
    monkeypatch.setenv("MEDONLINE_OLD_SECRET_KEYS", f"{'k' * 40} 2b7e151628aed2a6abf7158809cf4f3c")
    code, out, _ = run("doctor")

    assert code == 0
    assert "1 of MEDONLINE_OLD_SECRET_KEYS can be guessed: run `medonline keys reseal`" in findings(out)["key"][1]


@pytest.mark.usefixtures("_providers")
def test_the_doctor_says_which_provider_is_in_force(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run("migrate")
    monkeypatch.setenv("MEDONLINE_FLASH_CALL_PROVIDER", "sms_ru")
    monkeypatch.setenv("MEDONLINE_CODE_CHANNELS", "flash_call")
    code, out, _ = run("doctor")

    assert code == 0
    assert "provider sms_ru at" in findings(out)["flash_call"][1]
    assert findings(out)["telegram"] == ("ok", "switched off (MEDONLINE_CODE_CHANNELS)")


@pytest.mark.usefixtures("_providers")
def test_the_doctor_fails_on_a_provider_that_is_down_and_checks_the_others(run, monkeypatch) -> None:
    run("migrate")
    monkeypatch.setenv("MEDONLINE_UCALLER_BASE_URL", f"http://127.0.0.1:{free_port()}")
    code, out, _ = run("doctor")

    found = findings(out)
    assert code == 1
    assert found["flash_call"][0] == "FAIL"
    assert "does not answer: ProviderDown" in found["flash_call"][1]
    assert {mark for subject, (mark, _) in found.items() if subject != "flash_call"} == {"ok"}


@pytest.mark.usefixtures("_providers")
def test_the_doctor_tries_gosuslugi_and_the_registry_too(run, monkeypatch) -> None:
    run("migrate")
    with running_gosuslugi() as url:
        monkeypatch.setenv("MEDONLINE_IDENTITY_PROVIDER", "oidc")
        monkeypatch.setenv("MEDONLINE_OIDC_ISSUER", f"{url}/gosuslugi/oidc")
        _, healthy, _ = run("doctor")
        monkeypatch.setenv("MEDONLINE_OIDC_ISSUER", f"{url}/gosuslugi/nowhere")
        monkeypatch.setenv("MEDONLINE_CARD_REGISTRY_TOKEN", "of-somebody-else")
        code, out, _ = run("doctor")

    assert findings(healthy)["identity"][0] == "ok"
    assert "speaks FHIR R4 and takes the token" in findings(healthy)["cards"][1]
    assert code == 1
    assert findings(out)["identity"][0] == "FAIL"
    assert findings(out)["cards"][0] == "FAIL"


@pytest.mark.usefixtures("nothing_migrated", "_providers")
def test_the_doctor_asks_for_a_migration_that_is_missing(run) -> None:
    load_config()  # a demo that was begun: its keys are there
    code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["migrations"][0] == "FAIL"
    assert "run `medonline migrate`" in findings(out)["migrations"][1]


@pytest.mark.usefixtures("_providers")
def test_the_doctor_fails_on_a_database_that_is_none(run, tmp_path: Path) -> None:
    (tmp_path / "medonline.sqlite3").write_bytes(b"no database" * 1000)
    code, out, _ = run("doctor")

    assert code == 1
    assert findings(out)["database"][0] == "FAIL"
    assert "migrations" not in findings(out)


@pytest.mark.usefixtures("_providers")
@pytest.mark.parametrize(
    "address",
    [
        "nonsense",
        "mysql://x/y",
        "postgresql://x/y",
        "postgresql+psycopg://u:canary@h:port/y",
        "postgresql+asyncpg://u:canary@h/y",
        "sqlite+aiosqlite:///x",
    ],
)
def test_a_database_address_that_cannot_be_used_is_a_sentence(run, monkeypatch, address: str) -> None:
    monkeypatch.setenv("MEDONLINE_DATABASE_URL", address)
    code, out, err = run("doctor")

    assert code == 1
    assert err.startswith("MEDONLINE_DATABASE_URL is not a database the portal works with")
    assert out == ""
    assert "canary" not in err


@pytest.mark.usefixtures("_providers")
def test_the_doctor_shows_no_secret_and_sends_nothing(run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async def refuse(*_: object) -> None:
        raise ProviderDown("a code was sent")

    monkeypatch.setattr(UCaller, "send_code", refuse)
    run("migrate")
    _, out, err = run("doctor")

    demo_key = (tmp_path / "demo.key").read_text()
    assert all(secret not in out + err for secret in (demo_key, TOKEN, KEY, API_ID))


@pytest.mark.usefixtures("nothing_migrated")
def test_migrate_makes_the_database(run, tmp_path: Path) -> None:
    assert run("migrate")[0] == 0
    assert run("migrate")[0] == 0
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        version = connection.execute("SELECT version_num FROM alembic_version").fetchone()[0]
    connection.close()

    assert version
    assert migrations.alembic_config("sqlite://").get_main_option("sqlalchemy.url") == "sqlite://"


# --- what is kept -----------------------------------------------------------------------------------------------


def test_a_new_key_is_printed_with_its_id_and_what_to_do(run) -> None:
    code, out, _ = run("keys", "new")
    key = out.splitlines()[0].removeprefix("MEDONLINE_NEXT_SECRET_KEY=")

    assert code == 0
    assert len(key) == 64
    assert key_id(key.encode()) in out
    assert run("keys", "new")[1] != out


def test_keys_are_listed_and_everything_can_be_sealed_anew(run) -> None:
    code, out, _ = run("keys", "list")
    assert code == 0
    assert "current" in out
    assert run("keys", "reseal")[:2] == (0, "Everything is sealed with the current key.\n")
    assert run("retention")[:2] == (0, "Nothing is past its time.\n")


def test_a_patients_data_is_given_out_as_json_and_erased_only_for_sure(run) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    code, out, _ = run("accounts", "export", "8 900 000-20-01", *WHY)
    assert code == 0
    assert json.loads(out)["patient"]["last_name"] == "Орлова"
    assert "argon2" not in out
    code, _, err = run("accounts", "erase", "+79000002001", *WHY)
    assert (code, "--yes" in err) == (2, True)
    assert run("accounts", "erase", "+79000002001", "--yes", *WHY)[:2] == (0, "patient: 1 deleted\n")
    assert run("accounts", "export", "+79000002001", *WHY)[::2] == (1, "No account has this phone or id.\n")


def test_accounts_at_gosuslugi_are_listed_and_taken_off(run, tmp_path: Path) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    assert run("accounts", "identities", "+79000002001")[:2] == (0, "No account at Gosuslugi opens it.\n")
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        connection.execute(
            "INSERT INTO linked_identity (issuer, subject, patient_id, how, filled, linked_at, last_used_at) "
            "SELECT 'https://esia.example', '1000000001', id, 'password', '', '2026-03-01 12:00:00', '2026-03-02 12:00:00' "
            "FROM patient"
        )
    connection.close()
    code, out, _ = run("accounts", "identities", "+79000002001")
    line = re.fullmatch(
        r"(\w{12})  linked 2026-03-01 12:00 UTC by password  last used 2026-03-02 12:00 UTC  https://esia\.example\n",
        out,
    )
    assert code == 0
    assert line is not None
    code, _, err = run("accounts", "unlink", "+79000002001", "0" * 12, *WHY)
    assert (code, "accounts identities" in err) == (1, True)
    code, out, _ = run("accounts", "unlink", "+79000002001", line[1], *WHY)

    assert (code, out) == (0, "It opens the account no more. Sessions through Gosuslugi ended: 0\n")
    assert run("accounts", "identities", "+79000002001")[1] == "No account at Gosuslugi opens it.\n"
    assert '"identity_unlinked"' in run("journal", "export")[1]


def test_passkeys_are_listed_and_taken_off(run, tmp_path: Path) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
    assert run("accounts", "passkeys", "+79000002001")[:2] == (0, "No passkey opens it.\n")
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        connection.execute(
            "INSERT INTO passkey (id, patient_id, handle, credential_id, public_key, sign_count, transports, aaguid, "
            "device_type, backed_up, name, created_at) SELECT '0123456789abcdef', id, 'h', 'c', 'secret-looking', 0, '', '', '', "
            "0, 'Телефон', '2026-03-01 12:00:00' FROM patient"
        )
    connection.close()
    code, out, _ = run("accounts", "passkeys", "+79000002001")
    assert (code, out) == (0, "0123456789abcdef  added 2026-03-01 12:00 UTC  never used  Телефон\n")
    listed = json.loads(run("accounts", "passkeys", "+79000002001", "--json")[1])
    assert (listed["number"], listed["last_used_at"], "public_key" in listed) == ("0123456789abcdef", None, False)
    assert "secret-looking" not in run("accounts", "export", "+79000002001", *WHY)[1]
    code, _, err = run("accounts", "remove-passkey", "+79000002001", "0" * 16, *WHY)
    assert (code, "accounts passkeys" in err) == (1, True)
    assert run("accounts", "remove-passkey", "+79000002001", "0123456789abcdef")[0] == 2  # without a reason
    code, out, _ = run("accounts", "remove-passkey", "+79000002001", "0123456789abcdef", *WHY)

    assert (code, out) == (0, "It opens the account no more. Sessions by passkey ended: 0\n")
    assert run("accounts", "passkeys", "+79000002001")[1] == "No passkey opens it.\n"
    assert '"passkey_removed"' in run("journal", "export")[1]


# --- the security journal ---------------------------------------------------------------------------------------


def test_a_whole_journal_is_said_to_be_whole_with_the_line_to_keep(run) -> None:
    add_somebody(run)
    code, out, _ = run("journal", "verify")
    known = re.search(r"It ends with (\d+:[0-9a-f.]{71})$", out, re.MULTILINE)

    assert (code, "The journal is whole: 1 rows." in out) == (0, True)
    assert known is not None
    assert run("journal", "verify", "--known", known[1])[0] == 0
    code, _, err = run("journal", "verify", "--known", f"2:{'.'.join(['0' * 8] * 8)}")
    assert (code, err) == (1, "The journal is broken. Row 2 was known and is gone: the journal ends with row 1.\n")


def test_a_changed_journal_is_said_to_be_broken(run, tmp_path: Path) -> None:
    add_somebody(run)
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        connection.execute("DROP TRIGGER security_journal_never_changes")
        connection.execute("UPDATE security_journal SET event = 'signed_in'")
    connection.close()

    assert run("journal", "verify")[::2] == (1, "The journal is broken. Row 1 was changed.\n")
    with sqlite3.connect(tmp_path / "medonline.sqlite3") as connection:
        assert connection.execute("SELECT whole FROM journal_examination").fetchall() == [(0,)]
    connection.close()


@pytest.mark.parametrize("known", ["", "1", "0:" + ".".join(["0" * 8] * 8), "1:xyz", f"1:{'0' * 64}"])
def test_a_line_that_is_no_line_of_the_journal_is_refused(run, known: str) -> None:
    assert run("journal", "verify", f"--known={known}")[0] == 2


def test_every_row_is_printed_as_json(run) -> None:
    add_somebody(run)
    code, out, _ = run("journal", "export")
    (row,) = map(json.loads, out.splitlines())

    assert code == 0
    assert (row["seq"], row["event"], row["phone_tail"]) == (1, "account_made", "01")
    assert "79000002001" not in out


def add_somebody(run) -> None:
    run(*ADD, "--phone", "+79000002001", stdin="Zima2026")
