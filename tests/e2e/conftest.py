"""Servers, browsers and patients for the browser tests. Artefacts go to test-results/."""

from __future__ import annotations

import fcntl
import inspect
import os
import re
import time
from collections.abc import Callable, Generator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, Playwright, expect

from medonline.services.desk.accounts import NewAccount
from tests.e2e.patients import DemoPhone, Patient, fresh_phone, patient_with
from tests.e2e.portal_in_browser import Portal
from tests.e2e.server import Server, ensure_pages, plain_http
from tests.e2e.watching import Watch
from tests.patience import PATIENCE

ARTEFACTS = Path("test-results")
PATIENCE_MS = 60_000
# Phones run in Chromium with touch, and with their own screen sizes and user agents.
PROFILES: dict[str, str | None] = {"desktop": None, "pixel": "Pixel 7", "iphone": "iPhone 13"}
# Tests walk every row of the guide on these.
GUIDE_PROFILES = ("desktop", "pixel")
# Longer than the time in which two requests for a code count as one double click.
SHORT_PAUSES = {"RESEND_PAUSES": "6 s, 6 s"}

_FAILED = pytest.StashKey[bool]()

StartServer = Callable[..., Server]
NewPortal = Callable[..., Portal]
NewPatient = Callable[..., Patient]

expect.set_options(timeout=PATIENCE_MS)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """When only pictures are taken, run only the tests that look at a screen, on a desktop: the views add the other widths."""
    if config.getoption("--screens"):
        items[:] = [item for item in items if isinstance(item, pytest.Function) and _looks(item)]


def _looks(item: pytest.Function) -> bool:
    profile = item.callspec.params.get("profile", "desktop") if hasattr(item, "callspec") else "desktop"
    return profile == "desktop" and "look(" in inspect.getsource(item.function)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a test's fixtures know that it failed."""
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


# --- servers ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def pages_built(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Build the pages once, in one process at a time. Does nothing when they are up to date."""
    with (tmp_path_factory.getbasetemp().parent / "medonline-build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        ensure_pages()


@pytest.fixture(scope="module")
def start_server(pages_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StartServer]:
    """Starts servers for one module, each with its own settings: `start_server("expiring", CODE_LIFE_FLASH_CALL="6 s")`."""
    started: list[Server] = []

    def start(name: str, **settings: str) -> Server:
        server = _server(name, tmp_path_factory, settings)
        started.append(server)
        server.start()
        return server

    yield start
    for server in started:
        server.tell_to_end()
    for server in started:
        server.stop()


@pytest.fixture(scope="module")
def server_of_profile(start_server: StartServer, request: pytest.FixtureRequest) -> Callable[[str], Server]:
    """A server for each device of a module, because a test does something to the demo's people once on each device."""
    module = request.module.__name__.rsplit(".", 1)[-1].removeprefix("test_")
    return cache(lambda profile: start_server(f"{module}-{profile}", **SHORT_PAUSES))


@pytest.fixture(scope="session")
def default_server(pages_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = _server("default", tmp_path_factory, SHORT_PAUSES)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def server(default_server: Server) -> Server:
    """The server of the test: the common one with short pauses, unless a module defines its own."""
    default_server.assert_alive()
    return default_server


def _server(name: str, tmp_path_factory: pytest.TempPathFactory, settings: dict[str, str]) -> Server:
    log = ARTEFACTS / "servers" / os.environ.get("PYTEST_XDIST_WORKER", "") / f"{name}.log"
    return Server(tmp_path_factory.mktemp(name, numbered=True) / "var", log.absolute(), settings, cheap=True)


# --- patients --------------------------------------------------------------------------------------------------------


@pytest.fixture
def demo_phone(server: Server) -> DemoPhone:
    return DemoPhone(server.url)


@pytest.fixture
def new_patient(server: Server) -> NewPatient:
    """A patient with an account and their own number. `ending` chooses one of the sandbox's magic numbers."""

    def make(ending: str = "") -> Patient:
        made = patient_with(fresh_phone(ending))
        names = (made.last_name, made.first_name, made.patronymic)
        server.add_account(NewAccount(made.phone, made.password, *names, made.born))
        return made

    return make


@pytest.fixture
def patient(new_patient: NewPatient) -> Patient:
    return new_patient()


# --- browsers --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def base_url() -> None:
    """None, because each test knows its server. This replaces the plugin's fixture, whose declaration makes pytest 9 warn."""


@pytest.fixture(scope="session")
def browser_type_launch_args(
    browser_type_launch_args: dict[str, Any], browser_name: str, playwright: Playwright, system_chromium: str | None
) -> dict[str, Any]:
    if browser_name != "chromium":
        return browser_type_launch_args
    if system_chromium is None and not Path(playwright.chromium.executable_path).exists():
        pytest.fail(
            "The browser tests need Chromium: run `playwright install chromium` or install the system's package."
        )
    # Without a graphics card, a software one would draw each page, which takes a tenth of the browser tests' time.
    args = ["--disable-gpu", "--disable-gpu-rasterization", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return {**browser_type_launch_args, "executable_path": system_chromium, "args": args}


@pytest.fixture
def profile() -> str:
    """The device: one of PROFILES, or a width in pixels. Narrow widths have touch."""
    return "desktop"


@pytest.fixture
def browser_context_args(browser_context_args: dict[str, Any], playwright: Playwright, profile: str) -> dict[str, Any]:
    if profile.isdigit():
        touch = int(profile) < 800
        args = {"viewport": {"width": int(profile), "height": 860}, "has_touch": touch, "is_mobile": touch}
    elif device := PROFILES[profile]:
        args = dict(playwright.devices[device])
        del args["default_browser_type"]
    else:
        args = {"viewport": {"width": 1280, "height": 800}}
    return {**browser_context_args, **args, "locale": "ru-RU", "timezone_id": "Europe/Moscow"}


@pytest.fixture(scope="session")
def looked_at(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share. It records which screens they have looked at."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "looked-at"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture
def watch() -> Iterator[Watch]:
    watch = Watch()
    yield watch
    assert watch.complaints() == []


@pytest.fixture
def new_portal(
    new_context: Any,
    server: Server,
    watch: Watch,
    profile: str,
    looked_at: Path,
    pytestconfig: pytest.Config,
    request: pytest.FixtureRequest,
) -> Iterator[NewPortal]:
    """The portal in a browser that was never here before."""
    pictures = pytestconfig.getoption("--screens")
    pages: list[Page] = []

    def make(**context_args: Any) -> Portal:
        context = new_context(**context_args)
        context.set_default_timeout(PATIENCE_MS)
        watch.over(context)
        pages.append(context.new_page())
        return Portal(
            pages[-1],
            server.url,
            seen=looked_at if profile == "desktop" else None,
            pictures=Path(pictures) if pictures else None,
        )

    yield make
    if request.node.stash.get(_FAILED, False):
        _keep_pictures(request.node.name, pages)
    server.assert_alive()


def _keep_pictures(test: str, pages: list[Page]) -> None:
    """Take pictures of a failed test. The plugin's `--screenshot only-on-failure` takes them in every test and discards them when it
    passes."""
    for number, page in enumerate(page for page in pages if not page.is_closed()):
        page.screenshot(path=ARTEFACTS / "screenshots" / f"{re.sub(r'[^a-z0-9_-]+', '-', test)}-{number}.png")


@pytest.fixture
def portal(new_portal: NewPortal) -> Portal:
    return new_portal()


@pytest.fixture
def mails(server: Server) -> Callable[[str, int], list[dict[str, str]]]:
    """The mails of an address, as soon as there are this many."""

    def read(address: str, count: int) -> list[dict[str, str]]:
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = plain_http().get(f"{server.url}/sandbox/inbox/{address}/events")
            answer.raise_for_status()
            found: list[dict[str, str]] = answer.json()
            if len(found) >= count:
                return found
            assert time.monotonic() < deadline, f"{len(found)} mails came to {address}, not {count}"
            time.sleep(0.05)

    return read
