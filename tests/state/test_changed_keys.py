"""The secret key is changed while two servers serve, one after the other, as docs/operations.md says."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from medonline.bootstrap import DEMO_ACCOUNTS, Portal, build_portal
from medonline.config.settings import load_config
from medonline.services.crypto.field_encryption import key_id
from tests.e2e.server import Server, ensure_pages
from tests.patience import PATIENCE
from tests.providers.limits.redis_server import redis_server
from tests.state.servers import code_to, seen_at, sign_in
from tests.state.steps import begin, wait_for_step
from tests.state.tab import ACCOUNT, RECOVERY, Tab, visitor_cookies
from tests.storage.postgresql_server import address_of, administer

OLD, NEW = "3f9a1c7e5b2d8064" * 4, "7d05c2e9a18b46f3" * 4
KNOWN = DEMO_ACCOUNTS[1].phone
STAYS = DEMO_ACCOUNTS[0]


@pytest.fixture(scope="module")
def shared(postgresql_server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    ensure_pages()
    asyncio.run(administer(postgresql_server, "CREATE DATABASE of_changed_keys"))
    with redis_server(tmp_path_factory.mktemp("redis")) as redis:
        yield {"DATABASE_URL": address_of(postgresql_server, "of_changed_keys"), "LIMITS_STORAGE": redis.address}
    asyncio.run(administer(postgresql_server, "DROP DATABASE of_changed_keys WITH (FORCE)"))


def give(server: Server, **keys: str) -> None:
    """Start it again with these keys and no others."""
    server.stop()
    kept = {name: value for name, value in server.settings.items() if not name.endswith(("SECRET_KEY", "SECRET_KEYS"))}
    server.settings = kept | keys
    server.start()


def is_signed_in(server: Server, cookies: dict[str, str]) -> bool:
    with seen_at(server, cookies, "/cards") as tab:
        tab.call(f"{ACCOUNT}.load_home")
        return bool(tab.wait_for(ACCOUNT, "signed_in"))


async def _keys_of_journal(portal: Portal) -> list[str]:
    found = await portal.journal_keeper.examine()
    assert found.fault == ""
    keys = [str(row["key_id"]) async for row in portal.journal_keeper.everything()]
    return [key for number, key in enumerate(keys) if keys[number - 1 : number] != [key]]


def keys_of_journal(server: Server) -> list[str]:
    """The keys of its rows in order, each once for rows that follow each other; the journal verifies."""

    async def read() -> list[str]:
        settings = {name.lower(): value for name, value in server.settings.items()}
        portal = build_portal(load_config(mode="demo", data_dir=server.data_dir, port=server.port, **settings))
        try:
            return await _keys_of_journal(portal)
        finally:
            await portal.close()

    return asyncio.run(read())


def recover(begun_at: Server, typed_at: Server) -> None:
    """A code that one server makes and sends, and the other one takes."""
    cookies = visitor_cookies(begun_at.url)
    with seen_at(begun_at, cookies) as tab:
        begin(tab, KNOWN)
        code = code_to(begun_at, KNOWN)
        with seen_at(typed_at, cookies) as there:
            there.call(f"{RECOVERY}.load")
            wait_for_step(there, "code")
            there.call(f"{RECOVERY}.confirm_code", form={"code": code})
            wait_for_step(there, "new_password")


def closes_at(here: Server, there: Server) -> None:
    """A session that ends at one server closes its socket at the other."""
    cookies = sign_in(here, STAYS)
    over: Tab = seen_at(there, cookies, "/cards").open()
    with httpx.Client(base_url=here.url, cookies=cookies, trust_env=False, timeout=PATIENCE) as browser:
        assert browser.post("/session/close", headers={"Origin": here.url}).status_code < 400
    over.wait_until_closed()


def test_keys_change_node_by_node_and_no_one_is_signed_out(shared: dict[str, str], tmp_path: Path) -> None:
    first, second = (
        Server(tmp_path / "var", tmp_path / f"{name}.log", {**shared, "SECRET_KEY": OLD}) for name in ("1", "2")
    )
    old, new = key_id(OLD.encode()), key_id(NEW.encode())
    try:
        first.start()
        second.start()
        stays = sign_in(first, STAYS)

        for server in (first, second):  # 1: both know the next key
            give(server, SECRET_KEY=OLD, NEXT_SECRET_KEY=NEW)
            assert is_signed_in(server, stays)
        assert keys_of_journal(second) == [old]

        give(first, SECRET_KEY=NEW, OLD_SECRET_KEYS=OLD)  # 2: one of them uses it
        for here, there in ((first, second), (second, first)):
            assert is_signed_in(here, stays)
            closes_at(here, there)
        recover(begun_at=second, typed_at=first)
        assert keys_of_journal(first) == keys_of_journal(second) == [old, new]

        give(second, SECRET_KEY=NEW, OLD_SECRET_KEYS=OLD)
        assert is_signed_in(second, stays)
        assert keys_of_journal(second) == [old, new]

        for server in (first, second):  # the old key is gone; the journal's old rows need it, patients do not
            give(server, SECRET_KEY=NEW)
            assert is_signed_in(server, stays)
            assert httpx.get(f"{server.url}/health/ready", trust_env=False, timeout=PATIENCE).status_code == 200
    finally:
        for server in (first, second):
            server.stop()


def test_a_server_that_was_left_on_the_old_key_says_so_and_refuses(shared: dict[str, str], tmp_path: Path) -> None:
    """The journal of this database is of the new key by now (the test above), or becomes it here."""
    changed = Server(tmp_path / "new", tmp_path / "new.log", {**shared, "SECRET_KEY": NEW, "OLD_SECRET_KEYS": OLD})
    changed.start()
    try:
        sign_in(changed, STAYS)
        left = Server(tmp_path / "old", tmp_path / "old.log", {**shared, "SECRET_KEY": OLD})
        left.launch()
        assert left._process is not None
        assert left._process.wait(PATIENCE) == 1
        left._process = None
        assert "which is not configured" in left.log.read_text()
        assert keys_of_journal(changed)[-1] == key_id(NEW.encode())
    finally:
        changed.stop()
