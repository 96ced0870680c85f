"""Settings: nonsense is refused with a sentence that names its variable and says what to do."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.config.limits import GONE
from medonline.config.settings import Config, ConfigurationError, load_config
from medonline.config.types import parse_duration
from medonline.domain.codes.channels import ChannelName
from medonline.domain.codes.sms_text import MOST_SEGMENTS, segments, sms_text
from medonline.wording.channels import SMS_TEXT

KEY = "2b7e151628aed2a6abf7158809cf4f3c"
PRODUCTION = {
    "MODE": "production",
    "TRUSTED_PROXY_HOPS": "1",
    "PUBLIC_URL": "https://portal.example.ru",
    "SECRET_KEY": KEY,
    "TELEGRAM_BASE_URL": "https://gatewayapi.telegram.org",
    "TELEGRAM_TOKEN": "a-token",
    "UCALLER_BASE_URL": "https://api.ucaller.ru",
    "UCALLER_KEY": "a-key",
    "UCALLER_SERVICE_ID": "42",
}
DEMO = {"MODE": "demo", "SECRET_KEY": KEY}


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch):
    """Read settings from the environment, as a process does."""

    def reading(base: dict[str, str], **changes: str | None) -> Config:
        for name, value in (base | changes).items():
            if value is None:
                monkeypatch.delenv(f"MEDONLINE_{name}", raising=False)
            else:
                monkeypatch.setenv(f"MEDONLINE_{name}", value)
        return load_config()

    return reading


def refusal(read, base: dict[str, str], **changes: str | None) -> str:
    with pytest.raises(ConfigurationError) as refused:
        read(base, **changes)
    return str(refused.value)


def test_production_with_all_its_settings_is_accepted(read) -> None:
    config = read(PRODUCTION)

    assert not config.demo
    assert config.https
    assert config.allowed_origins == ("https://portal.example.ru",)
    assert config.telegram_report_url == "https://portal.example.ru/callbacks/telegram"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"PUBLIC_URL": None}, "MEDONLINE_PUBLIC_URL must be the portal's https address"),
        ({"PUBLIC_URL": "http://portal.example.ru"}, "MEDONLINE_PUBLIC_URL must be the portal's https address"),
        ({"SECRET_KEY": None}, "MEDONLINE_SECRET_KEY is missing or shorter than 32 characters"),
        ({"SECRET_KEY": "k" * 31}, "MEDONLINE_SECRET_KEY is missing or shorter than 32 characters"),
        ({"SECRET_KEY": "k" * 40}, "MEDONLINE_SECRET_KEY repeats itself"),
        ({"SECRET_KEY": "0123456789abcdef" * 4}, "MEDONLINE_SECRET_KEY repeats itself"),
        ({"TRUSTED_PROXY_HOPS": None}, "MEDONLINE_TRUSTED_PROXY_HOPS is missing"),
        ({"TELEGRAM_BASE_URL": None}, "MEDONLINE_TELEGRAM_BASE_URL is missing"),
        ({"TELEGRAM_TOKEN": None}, "MEDONLINE_TELEGRAM_TOKEN is missing"),
        ({"UCALLER_BASE_URL": None}, "MEDONLINE_UCALLER_BASE_URL is missing"),
        ({"UCALLER_KEY": None}, "MEDONLINE_UCALLER_KEY is missing"),
        ({"UCALLER_SERVICE_ID": None}, "MEDONLINE_UCALLER_SERVICE_ID is missing"),
        ({"FLASH_CALL_PROVIDER": "sms_ru"}, "MEDONLINE_SMS_RU_BASE_URL is missing"),
        ({"FLASH_CALL_PROVIDER": "ucaller, sms_ru"}, "MEDONLINE_SMS_RU_BASE_URL is missing"),
        ({"FLASH_CALL_PROVIDER": "sms_ru"}, "MEDONLINE_SMS_RU_API_ID is missing"),
        ({"TELEGRAM_BASE_URL": "http://127.0.0.1:8000/sandbox/telegram"}, "MEDONLINE_TELEGRAM_BASE_URL points at the"),
        ({"UCALLER_BASE_URL": "https://x.example/sandbox/ucaller"}, "MEDONLINE_UCALLER_BASE_URL points at the sandbox"),
        ({"TELEGRAM_TOKEN": "demo-telegram-token"}, "MEDONLINE_TELEGRAM_TOKEN holds a demo value"),
        ({"UCALLER_KEY": "demo-ucaller-key"}, "MEDONLINE_UCALLER_KEY holds a demo value"),
        ({"CODE_CHANNELS": ""}, "MEDONLINE_CODE_CHANNELS is empty"),
        ({"RESEND_PAUSES": ""}, "MEDONLINE_RESEND_PAUSES: write pauses longer than nothing"),
        ({"RESEND_PAUSES": "60 s, 0 s"}, "MEDONLINE_RESEND_PAUSES: write pauses longer than nothing"),
    ],
    ids=str,
)
def test_production_refuses_to_start_and_says_why(read, changes: dict[str, str | None], sentence: str) -> None:
    assert sentence in refusal(read, PRODUCTION, **changes)


@pytest.mark.parametrize(
    ("changes", "variable", "words"),
    [
        ({"MODE": "test"}, "MEDONLINE_MODE", "'demo', 'staging' or 'production'"),
        ({"PORT": "0"}, "MEDONLINE_PORT", "greater than or equal to 1"),
        ({"PORT": "many"}, "MEDONLINE_PORT", "integer"),
        ({"PUBLIC_URL": "portal.example.ru"}, "MEDONLINE_PUBLIC_URL", "write it as 'https://portal.example.ru'"),
        ({"PUBLIC_URL": "ftp://portal.example.ru"}, "MEDONLINE_PUBLIC_URL", "is not an address"),
        ({"TELEGRAM_BASE_URL": "https://"}, "MEDONLINE_TELEGRAM_BASE_URL", "is not an address"),
        ({"TELEGRAM_BASE_URL": "https://telegram.example:99999"}, "MEDONLINE_TELEGRAM_BASE_URL", "is not an address"),
        ({"CARD_REGISTRY_URL": "https://cards.example:fhir"}, "MEDONLINE_CARD_REGISTRY_URL", "is not an address"),
        ({"OIDC_ISSUER": "https://oidc.example:0"}, "MEDONLINE_OIDC_ISSUER", "is not an address"),
        ({"OUTGOING_PROXY": "http://proxy.internal:99999"}, "MEDONLINE_OUTGOING_PROXY", "is no proxy"),
        ({"TIME_ZONE": "Moscow"}, "MEDONLINE_TIME_ZONE", "write it as 'Europe/Moscow'"),
        ({"TIME_ZONE": "../../etc/passwd"}, "MEDONLINE_TIME_ZONE", "is not a time zone"),
        ({"LOG_LEVEL": "loud"}, "MEDONLINE_LOG_LEVEL", "pattern"),
        ({"CODE_CHANNELS": "pigeon"}, "MEDONLINE_CODE_CHANNELS", "'telegram', 'sms', 'max' or 'inbound_call'"),
        ({"INBOUND_CALL_PROVIDER": "pigeon"}, "MEDONLINE_INBOUND_CALL_PROVIDER", "'sms_ru' or 'ucaller'"),
        ({"CODE_LIFE_TELEGRAM": "10"}, "MEDONLINE_CODE_LIFE_TELEGRAM", "write it as '60 s', '5 min', '12 h'"),
        ({"CODE_LIFE_TELEGRAM": "0 s"}, "MEDONLINE_CODE_LIFE_TELEGRAM", "longer than nothing"),
        ({"CODE_LIFE_TELEGRAM": "601 s"}, "MEDONLINE_CODE_LIFE_TELEGRAM", "at most 10 min"),
        ({"CODE_LIFE_FLASH_CALL": "1 h"}, "MEDONLINE_CODE_LIFE_FLASH_CALL", "at most 10 min"),
        ({"SESSION_IDLE": "-5 min"}, "MEDONLINE_SESSION_IDLE", "is not a duration"),
        ({"DRAIN": "10 min"}, "MEDONLINE_DRAIN", "at most 5 min"),
        ({"DRAIN": "-1 s"}, "MEDONLINE_DRAIN", "is not a duration"),
        ({"CODE_GUESSES": "4"}, "MEDONLINE_CODE_GUESSES", "less than or equal to 3"),
        ({"CODE_GUESSES": "0"}, "MEDONLINE_CODE_GUESSES", "greater than or equal to 1"),
        ({"PASSWORD_MIN_LENGTH_RECOVERY": "5"}, "MEDONLINE_PASSWORD_MIN_LENGTH_RECOVERY", "greater than or equal to 6"),
        ({"PASSWORD_CHARACTERS": "latin"}, "MEDONLINE_PASSWORD_CHARACTERS", "'guide' or 'ascii'"),
        ({"FLASH_CALL_PROVIDER": "ucaller, bell"}, "MEDONLINE_FLASH_CALL_PROVIDER", "'ucaller' or 'sms_ru'"),
        ({"FLASH_CALL_PROVIDER": "ucaller, ucaller"}, "MEDONLINE_FLASH_CALL_PROVIDER", "each vendor once"),
        ({"FLASH_CALL_PROVIDER": " , "}, "MEDONLINE_FLASH_CALL_PROVIDER", "each vendor once"),
        ({"FLASH_CALL_PROVIDER": "bell"}, "MEDONLINE_FLASH_CALL_PROVIDER", "'ucaller' or 'sms_ru'"),
    ],
    ids=str,
)
@pytest.mark.parametrize("base", [PRODUCTION, DEMO], ids=["production", "demo"])
def test_nonsense_is_refused_by_the_name_of_its_variable(
    read, base: dict[str, str], changes: dict[str, str | None], variable: str, words: str, tmp_path: Path
) -> None:
    text = refusal(read, base, DATA_DIR=str(tmp_path), **changes)

    assert text.startswith(f"{variable}: ")
    assert words in text


def test_every_fault_is_told_at_once(read) -> None:
    text = refusal(read, PRODUCTION, PUBLIC_URL=None, TELEGRAM_TOKEN=None, SECRET_KEY=None)

    assert [line.split()[0] for line in text.splitlines()] == [
        "MEDONLINE_SECRET_KEY",
        "MEDONLINE_PUBLIC_URL",
        "MEDONLINE_TELEGRAM_TOKEN",
    ]


def test_a_misspelt_setting_is_refused(read) -> None:
    assert refusal(read, DEMO, SECRET_KYE="x") == "MEDONLINE_SECRET_KYE is not a setting: check its spelling."


def test_no_refusal_repeats_a_secret(read) -> None:
    text = refusal(read, PRODUCTION, SECRET_KEY="canary-key", UCALLER_KEY="demo-canary", TELEGRAM_TOKEN="demo-canary2")

    assert "canary" not in text


def test_no_text_of_the_settings_shows_a_secret(read) -> None:
    config = read(PRODUCTION, SECRET_KEY=f"canary-{KEY}", TELEGRAM_TOKEN="canary-token", UCALLER_KEY="canary-key")

    assert "canary" not in f"{config!r} {config}"


def test_a_way_that_is_switched_off_needs_no_settings(read) -> None:
    config = read(
        PRODUCTION, CODE_CHANNELS="telegram", UCALLER_BASE_URL=None, UCALLER_KEY=None, UCALLER_SERVICE_ID=None
    )

    assert config.code_channels == (ChannelName.TELEGRAM,)


def test_the_demo_needs_nothing_and_keeps_its_own_key(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("MEDONLINE_MODE", "demo")
    monkeypatch.setenv("MEDONLINE_DATA_DIR", str(tmp_path / "new"))
    first, second = load_config(), load_config()

    assert len(first.key) >= 32
    assert first.key == second.key
    assert (tmp_path / "new" / "demo.key").stat().st_mode & 0o077 == 0
    assert load_config(data_dir=tmp_path / "other").key != first.key


def test_the_demos_stand_ins_are_on_its_own_port(read, tmp_path: Path) -> None:
    config = read(DEMO, PORT="8123", DATA_DIR=str(tmp_path))

    assert config.telegram_base_url == "http://127.0.0.1:8123/sandbox/telegram"
    assert config.ucaller_base_url == "http://127.0.0.1:8123/sandbox/ucaller"
    assert config.origin == "http://localhost:8123"
    assert set(config.allowed_origins) == {"http://localhost:8123", "http://127.0.0.1:8123"}


def test_the_demo_may_use_a_real_provider(read, tmp_path: Path) -> None:
    config = read(DEMO, UCALLER_BASE_URL="https://api.ucaller.ru/", UCALLER_KEY="own", DATA_DIR=str(tmp_path))

    assert config.ucaller_base_url == "https://api.ucaller.ru"
    assert config.ucaller_key.get_secret_value() == "own"
    assert config.telegram_token.get_secret_value().startswith("demo-telegram-")


def test_the_credentials_of_the_demo_are_of_its_installation_and_stay(read, tmp_path: Path) -> None:
    names = ("telegram_token", "ucaller_key", "sms_ru_api_id", "oidc_client_secret", "card_registry_token")

    def credentials(folder: Path) -> list[str]:
        config = read(DEMO, DATA_DIR=str(folder))
        return [getattr(config, name).get_secret_value() for name in names]

    one, again, other = credentials(tmp_path / "one"), credentials(tmp_path / "one"), credentials(tmp_path / "other")

    assert one == again
    assert len({*one, *other}) == 2 * len(names)
    assert all(credential.startswith("demo-") and len(credential) >= 37 for credential in one)


@given(
    st.integers(min_value=1, max_value=10**6), st.sampled_from([("s", 1), ("min", 60), ("h", 3600), ("days", 86400)])
)
def test_a_duration_is_a_number_and_a_unit(number: int, unit: tuple[str, int]) -> None:
    assert parse_duration(f" {number} {unit[0]} ") == timedelta(seconds=number * unit[1])


@given(st.text().filter(lambda text: not text.strip()[:1].isdigit()))
def test_any_other_text_is_no_duration(text: str) -> None:
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


# --- limits ----------------------------------------------------------------------------------------------------------


def test_the_limits_are_those_of_the_table_unless_told_otherwise(read) -> None:
    config = read(PRODUCTION)
    hour, day, minute = timedelta(hours=1), timedelta(days=1), timedelta(minutes=1)

    assert [(limit.count, limit.per) for limit in config.codes_per_phone] == [(3, hour), (5, day), (10, 7 * day)]
    assert [(limit.count, limit.per) for limit in config.unconfirmed_codes_per_network] == [(60, hour), (300, day)]
    assert config.confirmed_codes_percent == 70
    assert [(limit.count, limit.per) for limit in config.unconfirmed_codes_per_block] == [(20, hour)]
    assert [(limit.count, limit.per) for limit in config.codes_per_block] == [(200, hour)]
    assert [(limit.count, limit.per) for limit in config.guesses_without_more_per_network] == [(6, hour), (30, day)]
    assert [(limit.count, limit.per) for limit in config.wrong_codes_per_network] == [(45, hour)]
    assert [(limit.count, limit.per) for limit in config.wrong_passwords_per_account] == [(5, 15 * minute)]
    assert [(limit.count, limit.per) for limit in config.wrong_passwords_per_network] == [(60, minute), (600, hour)]
    assert [(limit.count, limit.per) for limit in config.wrong_passwords_in_all] == [(1000, 5 * minute)]
    assert (config.breaker_misses.count, config.breaker_misses.per) == (50, 10 * minute)
    assert (config.breaker_confirmed_percent, config.breaker_open) == (40, 30 * minute)
    assert (config.step_up, config.step_up_misses_within, config.step_up_proof_age) == ("risk", 30 * day, 90 * day)
    assert config.raised_networks == ()
    assert not any(budget.cap for budget in config.budgets.values())


def test_a_demo_stops_at_once_and_production_drains_first(read, tmp_path: Path) -> None:
    assert read(DEMO, DATA_DIR=str(tmp_path)).drain == timedelta(0)
    assert read(PRODUCTION).drain == timedelta(seconds=5)
    assert read(PRODUCTION, DRAIN="0 s").drain == timedelta(0)


def test_only_the_demo_raises_the_limits_of_its_own_machine(read) -> None:
    assert [str(network) for network in read(DEMO).raised_networks] == ["127.0.0.0/8", "::1/128"]
    assert read(DEMO, RAISED_NETWORKS="192.0.2.0/24").raised_networks != read(PRODUCTION, RAISED_NETWORKS="")


def test_limits_networks_and_money_are_read(read) -> None:
    config = read(
        PRODUCTION,
        CODES_PER_PHONE="4 per 2 h, 6 per day",
        RAISED_NETWORKS="203.0.113.0/24, 2001:db8::/32",
        PRICE_TELEGRAM="1.25",
        DAILY_CAP_TELEGRAM="300",
        STEP_UP="always",
        BREAKER_MISSES="10 per 1 min",
    )

    assert [(limit.count, limit.per) for limit in config.codes_per_phone] == [
        (4, timedelta(hours=2)),
        (6, timedelta(days=1)),
    ]
    assert len(config.raised_networks) == 2
    budget = config.budgets[ChannelName.TELEGRAM]
    assert (budget.price, budget.cap) == (125, 30_000)
    assert (config.step_up, config.breaker_policy.misses.count) == ("always", 10)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("CODES_PER_PHONE", "three an hour", "write it as '5 per 15 min'"),
        ("CODES_PER_PHONE", "0 per 1 h", "write it as '5 per 15 min'"),
        ("WRONG_PASSWORDS_IN_ALL", " ", "name at least one limit"),
        ("CODES_PER_BLOCK", "5 per 1 h, 7 per 60 min", "two limits of one span"),
        ("BREAKER_MISSES", "50", "write it as '5 per 15 min'"),
        ("RAISED_NETWORKS", "203.0.113.7/24", "write them as '203.0.113.0/24"),
        ("STEP_UP", "sometimes", "risk"),
        ("PRICE_TELEGRAM", "-1", "greater than or equal to 0"),
        ("PRICE_TELEGRAM", "0.001", "2 decimal places"),
        ("DAILY_CAP_TELEGRAM", "100", "needs MEDONLINE_PRICE_TELEGRAM"),
        ("LIMITS_STORAGE", "memcached://host", "must be 'memory' or"),
        ("LIMITS_STORAGE", "redis://", "must be 'memory' or"),
        ("LIMITS_STORAGE", "redis://host:port", "must be 'memory' or"),
    ],
)
def test_a_limit_that_cannot_be_used_is_refused_by_its_name(read, name: str, value: str, says: str) -> None:
    text = refusal(read, PRODUCTION, **{name: value})

    assert f"MEDONLINE_{name}" in text
    assert says in text


@pytest.mark.parametrize(
    ("name", "instead"),
    [
        ("CODES_PER_NETWORK", "UNCONFIRMED_CODES_PER_NETWORK"),
        ("PHONES_PER_NETWORK", "UNCONFIRMED_CODES_PER_NETWORK"),
        ("RAISED_SIGN_INS_PER_NETWORK", "RAISED_WRONG_PASSWORDS_PER_NETWORK"),
        ("SIGN_INS_IN_ALL", "WRONG_PASSWORDS_IN_ALL"),
        ("STEP_UP_DEAD_CODE_WITHIN", "STEP_UP_MISSES_WITHIN"),
    ],
)
def test_a_setting_of_before_is_refused_with_the_one_in_its_place(read, name: str, instead: str) -> None:
    text = refusal(read, PRODUCTION, **{name: "5 per 1 h"})

    assert text.startswith(f"MEDONLINE_{name} is not a setting any more")
    assert f"MEDONLINE_{instead}," in text


def test_what_is_named_in_place_of_a_setting_of_before_is_a_setting() -> None:
    assert set(GONE.values()) <= set(Config.model_fields)
    assert not set(GONE) & set(Config.model_fields)


@pytest.mark.parametrize("address", ["redis://:hunter2secret@host:port/0", "rediss//:hunter2secret@host"])
def test_the_password_of_redis_is_never_repeated(read, address: str) -> None:
    assert "hunter2secret" not in refusal(read, PRODUCTION, LIMITS_STORAGE=address)
    good = read(PRODUCTION, LIMITS_STORAGE="rediss://:hunter2secret@host:6379/0")
    assert "hunter2secret" not in repr(good)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"DISPUTE_STOP": "30 min"}, "MEDONLINE_DISPUTE_STOP is shorter than 1 h"),
        (
            {"PUBLIC_URL": f"https://{'a' * 60}.{'b' * 40}.example"},
            "MEDONLINE_PUBLIC_URL is longer than 98 characters",
        ),
    ],
)
def test_a_link_this_is_not_me_must_fit_and_give_time(read, changes: dict[str, str], says: str) -> None:
    assert says in refusal(read, DEMO, **changes)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Код. Никому не сообщайте.", "write {code} once"),
        ("Код {code}, ещё раз {code}.", "write {code} once"),
        ("Код {code}. " + "Никому не сообщайте. " * 8, "makes 3 SMS of one code: shorten it to 2 at most"),
    ],
)
def test_the_text_of_an_sms_holds_the_code_and_is_short(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load_config(mode="demo", data_dir=tmp_path, sms_text=text)

    assert "MEDONLINE_SMS_TEXT" in str(refused.value)
    assert fault in str(refused.value)


def test_the_own_text_of_an_sms_fits_with_the_longest_host_that_is_taken(read) -> None:
    for length in range(60, 100):
        host = f"{'a' * 50}.{'b' * (length - 54)}.ru"
        try:
            config = read(DEMO, PUBLIC_URL=f"http://{host}")
        except ConfigurationError as error:
            assert "MEDONLINE_PUBLIC_URL" in str(error)
        else:
            assert segments(sms_text(SMS_TEXT, "0" * ChannelName.SMS.code_length, config.host_name)) <= MOST_SEGMENTS


def test_a_host_outside_ascii_is_asked_for_as_browsers_write_it(read) -> None:
    assert "'http://xn--e1afmkfd.xn--p1ai'" in refusal(read, DEMO, PUBLIC_URL="http://пример.рф")


MAX_HERE = {
    "CODE_CHANNELS": "max",
    "MAX_BASE_URL": "https://platform-api2.max.ru",
    "MAX_TOKEN": "a-token-of-a-bot",
    "MAX_BOT": "clinic_bot",
}


def test_max_posts_to_port_443_alone(read) -> None:
    other = {**MAX_HERE, "PUBLIC_URL": "https://portal.example.ru:8443"}

    assert "MEDONLINE_MAX_WEBHOOK" in refusal(read, PRODUCTION, **other)
    for address in ("https://portal.example.ru", "https://portal.example.ru:443"):
        assert read(PRODUCTION, **MAX_HERE, PUBLIC_URL=address).max_webhook_url == f"{address}/callbacks/max"
    assert read(PRODUCTION, **other, MAX_WEBHOOK="false").max_webhook_url is None


def test_a_statement_may_not_be_cut_before_it_has_waited_for_a_lock(read) -> None:
    said = refusal(read, DEMO, DATABASE_STATEMENT_TIMEOUT="4 s")

    assert said.startswith("MEDONLINE_DATABASE_STATEMENT_TIMEOUT must be longer than MEDONLINE_DATABASE_LOCK_TIMEOUT: ")
    assert (
        read(DEMO, DATABASE_STATEMENT_TIMEOUT="4 s", DATABASE_LOCK_TIMEOUT="3 s").database_statement_timeout.seconds
        == 4
    )


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"CODE_CHANNELS": "inbound_call"}, "MEDONLINE_CODE_CHANNELS names only a way by which patients call"),
        ({"CODE_LIFE_INBOUND_CALL": "6 min"}, "MEDONLINE_CODE_LIFE_INBOUND_CALL: a vendor waits for a call for 5 min"),
    ],
)
def test_a_call_of_the_patient_is_neither_the_only_way_nor_awaited_for_long(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], fault: str
) -> None:
    for name, value in ({"MODE": "demo"} | settings).items():
        monkeypatch.setenv(f"MEDONLINE_{name}", value)
    with pytest.raises(ConfigurationError) as refusal:
        load_config()

    assert fault in str(refusal.value)


@pytest.mark.parametrize("how", ["all", "email", "none"])
def test_how_a_new_device_is_told_is_a_choice(how: str, tmp_path: Path) -> None:
    config = load_config(mode="demo", data_dir=tmp_path, new_device_notices=how)

    assert (config.new_device_notices.value, config.new_device_notices_per_account[0].count) == (how, 3)


def test_another_word_for_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_NEW_DEVICE_NOTICES"):
        load_config(mode="demo", data_dir=tmp_path, new_device_notices="sms")
