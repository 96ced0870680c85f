"""Two servers over one PostgreSQL and one Redis, as on two machines; and the workers of one server.

The steps of a patient land on either of them: a proxy in front needs no sticky sessions.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import DEMO_ACCOUNTS
from tests.e2e.server import MEDONLINE, Server, ensure_pages, environment
from tests.patience import PATIENCE
from tests.processes import runs
from tests.providers.limits.redis_server import redis_server
from tests.services.world import wrong
from tests.state.servers import code_to, seen_at, sign_in
from tests.state.steps import begin, wait_for_step
from tests.state.tab import ACCOUNT, LOGIN, RECOVERY, visitor_cookies
from tests.storage.postgresql_server import address_of, administer

KNOWN, NEW = DEMO_ACCOUNTS[1].phone, "KorablLipa47"
KEY = "3f9a1c7e5b2d8064" * 4  # one key, as the operator gives it to all


@pytest.fixture(scope="module")
def shared(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The settings of what the processes share; the database is empty."""
    ensure_pages()
    asyncio.run(administer(postgresql_server, "CREATE DATABASE of_several"))
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        address = address_of(postgresql_server, "of_several")
        yield {"DATABASE_URL": address, "LIMITS_STORAGE": redis.address, "SECRET_KEY": KEY}
    asyncio.run(administer(postgresql_server, "DROP DATABASE of_several WITH (FORCE)"))


@pytest.fixture(scope="module")
def two(shared: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Server]]:
    """Both begin at the same moment: they migrate and make the demo patients side by side."""
    folder = tmp_path_factory.mktemp("several")
    first, second = (Server(folder / "var", folder / f"{name}.log", shared) for name in ("first", "second"))
    (folder / "var").mkdir(mode=0o700)
    for one in (first, second):
        one.launch()
    for one in (first, second):
        one.wait_until_ready()
    yield first, second
    for one in (first, second):
        one.stop()


def test_a_recovery_whose_steps_land_on_either_server(two: tuple[Server, Server]) -> None:
    first, second = two
    cookies = visitor_cookies(first.url)
    with seen_at(first, cookies) as tab:
        begin(tab, KNOWN)
        with seen_at(second, cookies) as there:
            there.call(f"{RECOVERY}.load")
            wait_for_step(there, "code")
            code = code_to(second, KNOWN)
            there.call(f"{RECOVERY}.confirm_code", form={"code": wrong(code)})
            while not tab.wait_for(RECOVERY, "screen")["attempts"]:
                pass  # the first server's screen follows what the second one did
            there.call(f"{RECOVERY}.confirm_code", form={"code": code})
            wait_for_step(there, "new_password")
        tab.call(f"{RECOVERY}.change_password", form={"new_password": NEW})
        wait_for_step(tab, "done")
    with seen_at(second, cookies) as there:
        there.call(f"{LOGIN}.log_in", form={"phone": KNOWN, "password": NEW, "page": "p"})
        ticket = there.wait_for(LOGIN, "ticket")
    with httpx.Client(base_url=first.url, cookies=cookies, trust_env=False, timeout=PATIENCE) as browser:
        opened = browser.post("/session/open", data={"ticket": ticket}, headers={"Origin": first.url})
        assert (opened.status_code, opened.headers["location"]) == (303, "/cards")
        assert browser.get("/cards").status_code == 200


def test_a_session_that_ends_at_one_server_closes_its_sockets_at_the_other(two: tuple[Server, Server]) -> None:
    first, second = two
    owner = DEMO_ACCOUNTS[0]
    signed_in = [sign_in(first, owner) for _ in range(2)]
    over, stays = (seen_at(second, cookies, "/cards").open() for cookies in signed_in)
    with httpx.Client(base_url=first.url, cookies=signed_in[0], trust_env=False, timeout=PATIENCE) as browser:
        assert browser.post("/session/close", headers={"Origin": first.url}).status_code < 400

    over.wait_until_closed()
    stays.settle()
    stays.close()


def test_limits_count_over_both(two: tuple[Server, Server]) -> None:
    """Five wrong passwords for one account, whichever server they come to; the sixth is refused at either."""
    first, second = two
    owner = DEMO_ACCOUNTS[2]
    for number in range(5):
        said = _try(two[number % 2], owner.phone, "WrongPassword1")
        assert "Неверный" in said or "пароль" in said.lower()
    texts = {_try(server, owner.phone, owner.password) for server in (first, second)}

    assert all("слишком" in text.lower() or "попыт" in text.lower() for text in texts), texts


def _try(server: Server, phone: str, password: str) -> str:
    """What the dialog says to this password."""
    with seen_at(server, visitor_cookies(server.url)) as tab:
        tab.call(f"{LOGIN}.log_in", form={"phone": phone, "password": password, "page": "p"})
        return str(tab.wait_for(LOGIN, "error"))


# --- workers ------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pool(shared: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("workers")
    server = Server(folder / "var", folder / "workers.log", shared, options=("--workers", "2"))
    server.start()
    yield server
    server.stop()


def workers_of(server: Server) -> set[int]:
    """The process ids of the workers."""
    assert server._process is not None
    path = Path(f"/proc/{server._process.pid}/task/{server._process.pid}/children")
    return set(map(int, path.read_text().split()))


def until(fact: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not fact():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_worker_that_dies_is_replaced_and_the_other_serves_meanwhile(pool: Server) -> None:
    before = workers_of(pool)
    assert len(before) == 2
    os.kill(min(before), signal.SIGKILL)
    until(lambda: min(before) not in workers_of(pool))
    for _ in range(5):
        assert httpx.get(f"{pool.url}/health/live", trust_env=False, timeout=PATIENCE).status_code == 200
    until(lambda: len(workers_of(pool)) == 2)

    assert max(before) in workers_of(pool)
    assert "ALARM worker-ended: a worker ended by signal 9" in pool.log.read_text()


def test_a_session_works_at_whichever_worker_answers(pool: Server) -> None:
    signed_in = sign_in(pool, DEMO_ACCOUNTS[0])
    for _ in range(6):  # each connection goes to either
        with seen_at(pool, signed_in, "/cards") as tab:
            tab.call(f"{ACCOUNT}.load_home")
            assert tab.wait_for(ACCOUNT, "signed_in") is True


def test_workers_do_not_outlive_the_process_that_watches_them(shared: dict[str, str], tmp_path: Path) -> None:
    server = Server(tmp_path / "var", tmp_path / "workers.log", shared, options=("--workers", "2"))
    server.start()
    workers = workers_of(server)
    assert server._process is not None
    os.kill(server._process.pid, signal.SIGKILL)
    server._process.wait(PATIENCE)

    until(lambda: not any(map(runs, workers)))


def test_asked_to_stop_they_end_in_order(shared: dict[str, str], tmp_path: Path) -> None:
    server = Server(tmp_path / "var", tmp_path / "workers.log", shared, options=("--workers", "2"))
    server.start()
    assert server._process is not None
    server._process.terminate()

    assert server._process.wait(PATIENCE) == 0
    server._process = None
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{server.url}/health/live", trust_env=False, timeout=PATIENCE)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "Several workers need PostgreSQL"),
        ({"DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none"}, "Several workers need Redis"),
    ],
    ids=["sqlite", "memory"],
)
def test_workers_that_cannot_share_are_refused(tmp_path: Path, settings: dict[str, str], said: str) -> None:
    done = subprocess.run(
        [str(MEDONLINE), "serve", "--workers", "2"],
        env=environment({"DATA_DIR": str(tmp_path), **settings}),
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert said in done.stderr
