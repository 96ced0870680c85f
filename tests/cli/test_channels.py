"""Ways of getting a code by command: off with a reason, never the last one, and how well they work."""

from __future__ import annotations

import json

import pytest

REASON = ["--as", "Орлова", "--reason", "Звонки не доходят"]


def test_a_way_is_switched_off_with_its_reason_and_on_again(run) -> None:
    assert run("channels", "list")[1].startswith("flash_call: on\n  asked 0 → sent 0 → delivered 0 → entered 0\n")
    assert run("channels", "off", "flash_call", *REASON) == (
        0,
        "flash_call is off. Codes that are on their way can still be entered.\n",
        "",
    )
    assert ": Звонки не доходят\n" in run("channels", "list")[1]
    facts = [json.loads(line) for line in run("channels", "list", "--json")[1].splitlines()]
    assert [(one["channel"], one["on"], one["reason"]) for one in facts] == [
        ("flash_call", False, "Звонки не доходят"),
        ("telegram", True, ""),
        ("sms", True, ""),
        ("max", True, ""),
        ("inbound_call", True, ""),
    ]
    assert run("channels", "on", "flash_call", "--reason", "снова доходят") == (0, "flash_call is on.\n", "")
    assert run("channels", "list")[1].startswith("flash_call: on\n")

    rows = [json.loads(line) for line in run("journal", "export")[1].splitlines()]
    assert [(row["event"], row["details"]["channel"], row["details"]["switched"]) for row in rows] == [
        ("channel_switched", "flash_call", "off"),
        ("channel_switched", "flash_call", "on"),
    ]
    assert "Орлова" in rows[0]["details"].values()
    assert [row["details"]["reason"] for row in rows] == ["Звонки не доходят", "снова доходят"]


def test_the_last_way_stays_on_where_there_is_no_gosuslugi(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_IDENTITY_PROVIDER", "none")
    for channel in ("flash_call", "sms", "max", "inbound_call"):
        assert run("channels", "off", channel, *REASON)[0] == 0
    code, out, err = run("channels", "off", "telegram", *REASON)

    assert (code, out) == (1, "")
    assert err.startswith("It is the last way that is on")


ALONE = (
    "Patients could only call then, and a call proves a number weakly: the birth date is always asked after it. Who has none on "
    "record could not recover a password by phone, and would have {}. Nobody could put another phone on record"
)


@pytest.mark.parametrize(
    ("gosuslugi", "instead"),
    [
        (True, "Gosuslugi or the desk"),
        (False, "the desk alone, for there is no sign-in through Gosuslugi"),
    ],
)
def test_calls_of_patients_are_left_alone_by_who_knows_what_it_means(
    run, monkeypatch: pytest.MonkeyPatch, gosuslugi: bool, instead: str
) -> None:
    if not gosuslugi:
        monkeypatch.setenv("MEDONLINE_IDENTITY_PROVIDER", "none")
    for channel in ("flash_call", "sms", "max"):
        assert run("channels", "off", channel, *REASON)[0] == 0
    code, out, err = run("channels", "off", "telegram", *REASON)
    assert (code, out) == (1, "")
    assert err.startswith(ALONE.format(instead))
    assert err.endswith("; or add --force, if telegram must be off all the same.\n")
    assert "\ntelegram: on\n" in run("channels", "list")[1]

    assert run("channels", "off", "telegram", "--force", *REASON)[::2] == (0, "")
    assert "\ntelegram: OFF" in run("channels", "list")[1]
    # The very last way is another matter: --force does not leave patients without any.
    assert run("channels", "off", "inbound_call", "--force", *REASON)[0] == (0 if gosuslugi else 1)


def test_a_call_of_the_patients_beside_another_way_is_switched_off_without_a_word(run) -> None:
    assert run("channels", "off", "inbound_call", *REASON)[::2] == (0, "")
    for channel in ("flash_call", "sms", "max", "telegram"):
        assert run("channels", "off", channel, *REASON)[::2] == (0, "")


def test_a_way_that_is_not_set_up_or_unknown_is_refused_by_name(run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEDONLINE_CODE_CHANNELS", "telegram")
    assert run("channels", "off", "flash_call", *REASON)[::2] == (
        1,
        "flash_call is not set up here: MEDONLINE_CODE_CHANNELS does not name it.\n",
    )
    assert run("channels", "off", "pigeon", *REASON)[0] == 2
    assert run("channels", "off", "telegram")[0] == 2
