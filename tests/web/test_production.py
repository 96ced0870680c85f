"""In production nothing of the stand-ins is there, and the process does not start when a provider points at them."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from medonline import bootstrap
from medonline.bootstrap import Portal, build_portal
from medonline.config.settings import Config, ConfigurationError, load_config
from medonline.demo import demo_routes
from medonline.web.edge.boundary import Boundary
from medonline.web.routes.table import with_routes
from tests.e2e.server import MEDONLINE, environment, free_port
from tests.services.world import MovableClock
from tests.web.production import ORIGIN, SETTINGS

SMS_RU = {"FLASH_CALL_PROVIDER": "sms_ru", "SMS_RU_BASE_URL": "https://sms.ru", "SMS_RU_API_ID": "an-id"}
NOTICES = {"NOTICE_PROVIDER": "sms_ru", "SMS_RU_BASE_URL": "https://sms.ru", "SMS_RU_API_ID": "an-id"}
NOTICES_BY_AERO = {
    "NOTICE_PROVIDER": "sms_aero",
    "SMS_AERO_BASE_URL": "https://gate.smsaero.ru",
    "SMS_AERO_EMAIL": "desk@clinic.example",
    "SMS_AERO_API_KEY": "a-key",
    "SMS_AERO_SIGN": "clinic",
}
SMS_AERO = {
    "CODE_CHANNELS": "flash_call,telegram,sms",
    "SMS_PROVIDER": "sms_aero",
    "SMS_AERO_BASE_URL": "https://gate.smsaero.ru",
    "SMS_AERO_EMAIL": "desk@clinic.example",
    "SMS_AERO_API_KEY": "a-key",
    "SMS_AERO_SIGN": "clinic",
}
MAX = {
    "CODE_CHANNELS": "flash_call,telegram,max",
    "MAX_BASE_URL": "https://platform-api2.max.ru",
    "MAX_TOKEN": "a-token",
    "MAX_BOT": "clinic_bot",
}
ESIA = {
    "IDENTITY_PROVIDER": "esia",
    "ESIA_CLIENT_ID": "MEDONLINE",
    "ESIA_SIGNER_URL": "https://signer.example.ru",
    "ESIA_CERTIFICATE_HASH": "A" * 64,
}
# What switches each provider on, and the setting with its address.
PROVIDERS: dict[str, dict[str, str]] = {
    "TELEGRAM_BASE_URL": {},
    "UCALLER_BASE_URL": {},
    "SMS_RU_BASE_URL": SMS_RU,
    "SMS_AERO_BASE_URL": SMS_AERO,
    "MAX_BASE_URL": MAX,
    "MAX_LINK_URL": MAX,
    "OIDC_ISSUER": {},
    "ESIA_BASE_URL": ESIA,
    "ESIA_SIGNER_URL": ESIA,
    "CARD_REGISTRY_URL": {},
    "BREACHED_PASSWORDS_URL": {},
}
MAY_BE_ALLOWED = [name for name in PROVIDERS if name not in ("OIDC_ISSUER", "ESIA_BASE_URL")]
STAND_INS = [
    "http://127.0.0.1:8000/sandbox/x",
    "http://localhost:8000/sandbox",
    "https://portal.example.ru/sandbox/gosuslugi",
    "https://other.example/sandbox/",
]
PATHS = [
    "/sandbox",
    "/sandbox/",
    "/sandbox/phone",
    "/sandbox/gosuslugi/aas/oauth2/v2/ac",
    "/sandbox/gosuslugi/aas/oauth2/v3/te",
    "/sandbox/gosuslugi/oidc/token",
    "/sandbox/gosuslugi/oidc/.well-known/openid-configuration",
    "/sandbox/fhir/Patient",
    "/sandbox/telegram/sendVerificationMessage",
    "/sandbox/ucaller/initCall",
    "/sandbox/sms_ru/code/call",
    "/sandbox/static/sandbox.css",
    "/sandbox/%2e%2e/sandbox/phone",
    "/sandbox//phone",
]


@pytest.fixture(autouse=True)
def _nothing_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("MEDONLINE_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """Read settings from the environment, as a process does."""

    def reading(**changes: str):
        keys = tmp_path / "esia.pem"
        keys.touch()
        settings = SETTINGS | {"ESIA_KEYS": str(keys), "DATA_DIR": str(tmp_path)} | changes
        for name, value in settings.items():
            monkeypatch.setenv(f"MEDONLINE_{name}", value)
        return load_config()

    return reading


# --- the site ---------------------------------------------------------------------------------------------------


async def anything(request: Request) -> Response:
    """A page for every address: what the portal's own routes let through would be seen."""
    return HTMLResponse("<!doctype html>the pages", 200)


@pytest.fixture
async def portal(read: Callable[..., object], folder: Path, clock: MovableClock) -> AsyncIterator[Portal]:
    config = read(DATA_DIR=str(folder))
    portal = build_portal(config, clock)  # type: ignore[arg-type]
    yield portal
    await portal.close()


@pytest.fixture
async def site(portal: Portal, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    monkeypatch.setattr(bootstrap, "_portal", portal)
    pages = Starlette(routes=[Route("/{path:path}", anything, methods=["GET", "POST", "PUT", "DELETE"])])
    whole = Boundary(with_routes(pages, demo_routes()))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(whole), base_url=ORIGIN) as client:
        yield client


async def test_the_pages_themselves_are_there(site: httpx.AsyncClient) -> None:
    assert (await site.get("/")).text == "<!doctype html>the pages"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE"])
async def test_in_production_every_address_of_the_sandbox_is_404(
    site: httpx.AsyncClient, method: str, path: str
) -> None:
    answer = await site.request(method, path, headers={"Origin": ORIGIN})

    assert answer.status_code == 404
    assert "the pages" not in answer.text


@pytest.mark.parametrize("path", ["/sandbox/telegram/sendVerificationMessage", "/sandbox/gosuslugi/oidc/token"])
async def test_in_production_a_machine_finds_no_stand_in_either(site: httpx.AsyncClient, path: str) -> None:
    assert (await site.post(path, json={})).status_code == 404


async def test_in_production_no_answer_speaks_of_the_sandbox(site: httpx.AsyncClient) -> None:
    for path in ("/sandbox", "/sandbox/phone", "/nowhere"):
        answer = await site.get(path)
        assert "sandbox" not in answer.text.lower()
        assert "sandbox" not in str(answer.headers).lower()


# --- the settings -----------------------------------------------------------------------------------------------


def test_production_with_real_providers_is_accepted(read) -> None:
    assert not read().demo
    assert read(**ESIA).identity_provider == "esia"
    assert read(**SMS_RU).flash_call_provider == ("sms_ru",)


@pytest.mark.parametrize("address", STAND_INS)
@pytest.mark.parametrize(("setting", "switched_on_by"), PROVIDERS.items(), ids=list(PROVIDERS))
def test_production_refuses_a_provider_that_points_at_the_sandbox(
    read, setting: str, switched_on_by: dict[str, str], address: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(**switched_on_by | {setting: address})

    assert f"MEDONLINE_{setting} points at the sandbox: in production a real provider is needed." in str(refusal.value)


@pytest.mark.parametrize(("vendor", "settings"), [("SMS_RU", NOTICES), ("SMS_AERO", NOTICES_BY_AERO)])
def test_production_refuses_notices_that_go_to_the_sandbox_or_nowhere(read, vendor: str, settings) -> None:
    assert read(**settings).notice_provider
    with pytest.raises(ConfigurationError, match=f"MEDONLINE_{vendor}_BASE_URL points at the sandbox"):
        read(**settings | {f"{vendor}_BASE_URL": STAND_INS[0]})
    for name in settings.keys() - {"NOTICE_PROVIDER"}:
        with pytest.raises(ConfigurationError, match=f"MEDONLINE_{name} is missing"):
            read(**settings | {name: ""})


def test_every_address_of_a_vendor_is_among_those_that_are_judged() -> None:
    addresses = {name.upper() for name in Config.model_fields if name.endswith("_url") or name == "oidc_issuer"}

    own = {"PUBLIC_URL", "DATABASE_URL"}
    # Staging alone has stand-ins elsewhere (tests/config/test_staging.py); where traces go is no vendor.
    assert addresses - own - {"SANDBOX_URL", "TRACES_URL"} == {*PROVIDERS}


def test_production_refuses_traces_over_plain_http_to_another_machine(read) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_TRACES_URL must be an https address in production"):
        read(TRACES_URL="http://collector.internal:4318/v1/traces")
    assert read(TRACES_URL="http://127.0.0.1:4318/v1/traces").traces_url


@pytest.mark.parametrize(
    "address", ["http://provider.example.ru", "http://10.0.0.5", "http://192.168.1.7:8080", "http://[fd00::5]/"]
)
@pytest.mark.parametrize("setting", MAY_BE_ALLOWED)
def test_production_refuses_plain_http_unless_its_host_is_allowed_outright(read, setting: str, address: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(**PROVIDERS[setting] | {setting: address})
    host = urlsplit(address).hostname or ""

    assert str(refusal.value) == (
        f"MEDONLINE_{setting} must be an https address in production: what goes there would travel openly. "
        "MEDONLINE_ALLOW_PLAIN_CONNECTIONS can name its host, if that is to be."
    )
    assert read(**PROVIDERS[setting] | {setting: address, "ALLOW_PLAIN_CONNECTIONS": f"other.example, {host}"})


@pytest.mark.parametrize("address", ["http://127.0.0.1:8090/x", "http://localhost:8090", "http://[::1]:8090/x"])
@pytest.mark.parametrize("setting", MAY_BE_ALLOWED)
def test_what_stays_on_the_machine_may_be_plain(read, setting: str, address: str) -> None:
    assert getattr(read(**PROVIDERS[setting] | {setting: address}), setting.lower())


@pytest.mark.parametrize("address", ["http://provider.example.ru", "http://127.0.0.1:8090"])
@pytest.mark.parametrize("setting", ["OIDC_ISSUER", "ESIA_BASE_URL"])
def test_nothing_allows_plain_http_to_who_proves_identity(read, setting: str, address: str) -> None:
    allowed = {"ALLOW_PLAIN_CONNECTIONS": "provider.example.ru, 127.0.0.1"}
    with pytest.raises(ConfigurationError) as refusal:
        read(**PROVIDERS[setting] | allowed | {setting: address})

    assert str(refusal.value) == f"MEDONLINE_{setting} must be an https address in production."


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("LIMITS_STORAGE", "redis://:hunter2secret@redis.internal:6379/0"),
        ("LIMITS_STORAGE", "redis://:hunter2secret@10.0.0.5:6379/0"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@10.0.0.5/portal"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@db.internal/portal?sslmode=prefer"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@db.internal/portal?sslmode=disable"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@/portal?host=db.internal:5432"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@/portal?host=/run&host=db.internal"),
        ("TELEGRAM_PROXY", "http://portal:hunter2secret@proxy.internal:3128"),
        ("OUTGOING_PROXY", "http://portal:hunter2secret@proxy.internal:3128"),
    ],
)
def test_production_refuses_a_way_to_another_machine_without_tls(read, setting: str, address: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        read(**{setting: address})
    text = str(refusal.value)

    assert text.startswith(f"MEDONLINE_{setting} ")
    assert "MEDONLINE_ALLOW_PLAIN_CONNECTIONS can name its host" in text
    assert "hunter2secret" not in text
    allowed = "redis.internal, 10.0.0.5, db.internal, proxy.internal"
    assert read(**{setting: address, "ALLOW_PLAIN_CONNECTIONS": allowed})


@pytest.mark.parametrize(
    ("setting", "address"),
    [
        ("LIMITS_STORAGE", "rediss://:hunter2secret@redis.internal:6379/0"),
        ("LIMITS_STORAGE", "redis://127.0.0.1:6379/0"),
        ("LIMITS_STORAGE", "redis://localhost"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@db.internal/portal?sslmode=verify-full"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@db.internal/portal?sslmode=require"),
        ("DATABASE_URL", "postgresql+psycopg://portal:hunter2secret@127.0.0.1/portal"),
        ("DATABASE_URL", "postgresql+psycopg://portal@/portal?host=/run/postgresql"),
        ("DATABASE_URL", "postgresql+psycopg://portal@/portal"),
        ("TELEGRAM_PROXY", "http://proxy.internal:3128"),
        ("TELEGRAM_PROXY", "https://portal:hunter2secret@proxy.internal:3128"),
    ],
)
def test_a_way_with_tls_or_on_this_machine_is_accepted(read, setting: str, address: str) -> None:
    assert read(**{setting: address})


def test_the_database_that_the_environment_of_the_driver_names_is_judged_too(
    read, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "db.internal")

    with pytest.raises(ConfigurationError, match="MEDONLINE_DATABASE_URL goes to another machine without TLS"):
        read(DATABASE_URL="postgresql+psycopg://portal@/portal")


def test_tls_that_believes_any_certificate_is_refused(read) -> None:
    with pytest.raises(ConfigurationError, match="MEDONLINE_LIMITS_STORAGE switches the check of the certificate off"):
        read(LIMITS_STORAGE="rediss://redis.internal:6379/0?ssl_cert_reqs=none")


@pytest.mark.parametrize("hosts", ["http://redis.internal", "10.0.0.0/8", "*.internal", ".internal", "redis internal"])
def test_only_hosts_can_be_allowed(read, hosts: str) -> None:
    with pytest.raises(ConfigurationError, match=r"MEDONLINE_ALLOW_PLAIN_CONNECTIONS: .* is not a host"):
        read(ALLOW_PLAIN_CONNECTIONS=hosts)


# --- the process ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["TELEGRAM_BASE_URL", "OIDC_ISSUER", "CARD_REGISTRY_URL"])
def test_the_process_does_not_start_when_a_provider_points_at_the_sandbox(tmp_path: Path, setting: str) -> None:
    port = free_port()
    settings = SETTINGS | {setting: STAND_INS[0], "DATA_DIR": str(tmp_path / "var"), "PORT": str(port)}
    done = subprocess.run(
        [str(MEDONLINE), "serve"], env=environment(settings), capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 1
    assert done.stderr.strip() == (
        f"MEDONLINE_{setting} points at the sandbox: in production a real provider is needed."
    )
    assert not (tmp_path / "var").exists()
