"""Facts of Reflex's states: its handlers, its store in memory, its JSON."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from unittest.mock import Mock

import pytest
import reflex as rx
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.redis import StateManagerRedis
from reflex.istate.manager.token import BaseStateToken
from reflex_base.registry import RegistrationContext

from medonline.framework.states import JSON, forget_state_in, handlers_of_pages

TOKEN = "a-tab"
KEY = BaseStateToken(ident=TOKEN, cls=rx.State)


class Asked(rx.State):
    """A state of these tests."""

    @rx.event
    def answer(self) -> None:
        """A handler."""


@pytest.fixture
def registered() -> RegistrationContext:
    return RegistrationContext.get()


def test_a_handler_is_registered_under_the_full_name_of_its_state(registered: RegistrationContext) -> None:
    name = f"{Asked.get_full_name()}.answer"

    assert name in registered.event_handlers
    assert registered.base_states[Asked.get_full_name()] is Asked
    assert name in handlers_of_pages("tests")
    assert name not in handlers_of_pages("medonline")


def test_setvar_is_registered_for_every_state_and_no_page_calls_it(registered: RegistrationContext) -> None:
    assert f"{Asked.get_full_name()}.setvar" in registered.event_handlers
    assert not [name for name in handlers_of_pages("tests") if name.endswith(".setvar")]


@pytest.mark.parametrize("name", ["hydrate_and_load", "on_load_internal", "handle_frontend_exception"])
def test_reflex_registers_the_handler_that_its_pages_call(registered: RegistrationContext, name: str) -> None:
    (handler,) = [known for known in handlers_of_pages("nothing") if known.endswith(f".{name}")]

    assert handler in registered.event_handlers


async def test_a_state_in_memory_is_kept_until_it_is_purged() -> None:
    manager = StateManagerMemory()
    async with manager.modify_state(KEY):
        pass
    assert KEY.cache_key in manager.states

    assert forget_state_in(manager, TOKEN)
    assert KEY.cache_key not in manager.states
    await manager.close()


async def test_a_state_is_locked_under_its_lock_key_while_a_handler_uses_it() -> None:
    manager = StateManagerMemory()
    async with manager.modify_state(KEY):
        assert not forget_state_in(manager, TOKEN)
        assert KEY.cache_key in manager.states
    await manager.close()


def test_a_state_that_was_never_made_is_forgotten_already() -> None:
    assert forget_state_in(StateManagerMemory(), TOKEN)


def test_a_store_outside_is_left_alone() -> None:
    assert forget_state_in(Mock(spec=StateManagerRedis), TOKEN)


def test_reflex_writes_values_that_plain_json_refuses() -> None:
    moment = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
    with pytest.raises(TypeError):
        json.dumps(moment)

    assert JSON.loads(JSON.dumps({"at": moment})) == {"at": str(moment)}
