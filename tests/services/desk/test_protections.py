"""What holds patients back, as an operator sees and ends it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from medonline.bootstrap import Portal
from medonline.domain.errors import CodeMismatch, InvalidCredentials, InvalidPhone
from medonline.domain.security_journal import JournalEvent, details_of
from medonline.storage.queries import codes_circuit_breaker
from tests.services.security_journal.rows import rows
from tests.services.world import ANNA, CALL, KNOWN, OTHER_KNOWN, MovableClock, at, last_code, sign_in, wrong

HOME, WORK = "203.0.113.7", "198.51.100.7"


async def fail(portal: Portal, phone: str, address: str, times: int) -> None:
    for _ in range(times):
        with pytest.raises(InvalidCredentials):
            await sign_in(portal, at(ANNA, address), phone, "Nevernyj1")


async def counted(portal: Portal, phone: str, address: str) -> dict[str, int]:
    found = await portal.desk.protections.wrong_passwords(phone, address)
    return {f"{one.of} {one.network}".strip(): one.count for one in reversed(found)}


async def test_wrong_passwords_are_counted_by_account_and_by_network(portal: Portal) -> None:
    await fail(portal, KNOWN, HOME, 2)
    await fail(portal, OTHER_KNOWN, HOME, 1)

    assert await counted(portal, KNOWN, HOME) == {f"account {HOME}": 2, "all accounts": 3, f"all accounts {HOME}": 3}
    assert await counted(portal, KNOWN, WORK) == {f"account {WORK}": 0, "all accounts": 3, f"all accounts {WORK}": 0}


async def test_one_account_is_forgiven_in_one_network(portal: Portal) -> None:
    for address in (HOME, WORK):
        await fail(portal, KNOWN, address, 2)
    await portal.desk.protections.forgive(KNOWN, HOME)

    assert (await counted(portal, KNOWN, HOME))[f"account {HOME}"] == 0
    assert (await counted(portal, KNOWN, HOME))[f"all accounts {HOME}"] == 2
    assert (await counted(portal, KNOWN, WORK))[f"account {WORK}"] == 2


async def test_a_number_that_is_none_is_refused(portal: Portal) -> None:
    with pytest.raises(InvalidPhone):
        await portal.desk.protections.forgive("+7 900", HOME)


async def test_a_breaker_that_is_closed_begins_with_its_first_opening(portal: Portal, clock: MovableClock) -> None:
    protections = portal.desk.protections
    with portal.database.writing() as session:
        codes_circuit_breaker.open_(session, clock.now, clock.now + timedelta(hours=1), 3)
    assert (await protections.breaker()).open_until == clock.now + timedelta(hours=1)
    assert await protections.close_breaker()
    assert (await protections.breaker()).open_until is None
    assert not await protections.close_breaker()

    with portal.database.reading() as session:
        assert codes_circuit_breaker.state(session).times == 0


async def test_an_opening_that_is_over_is_no_opening(portal: Portal, clock: MovableClock) -> None:
    with portal.database.writing() as session:
        codes_circuit_breaker.open_(session, clock.now, clock.now + timedelta(hours=1), 1)
    clock.move(hours=1, seconds=1)

    assert (await portal.desk.protections.breaker()).open_until is None
    assert not await portal.desk.protections.close_breaker()


async def test_codes_are_counted_by_number_and_by_network_and_the_networks_are_forgiven(portal: Portal) -> None:
    protections = portal.desk.protections
    await portal.recovery.begin(at(ANNA, HOME), KNOWN, CALL)
    with pytest.raises(CodeMismatch):
        await portal.recovery.confirm_code(at(ANNA, HOME), wrong(await last_code(portal)))

    async def network(address: str) -> dict[str, int]:
        found = await protections.codes_from(KNOWN, address)
        return {one.of: one.count for one in reversed(found)}

    assert {one.count for one in await protections.codes_to_phone(KNOWN)} == {1}
    assert {one.count for one in await protections.codes_to_phone(OTHER_KNOWN)} == {0}
    before = await network(HOME)
    assert (before["unconfirmed codes"], before["wrong codes"]) == (1, 1)
    assert (await network(WORK))["wrong codes"] == 0

    await protections.forgive(KNOWN, HOME)
    assert await network(HOME) == before
    await protections.forgive(KNOWN, HOME, codes=True)
    after = await network(HOME)
    assert (after["unconfirmed codes"], after["wrong codes"]) == (0, 0)
    assert after["codes to its block of numbers"] == before["codes to its block of numbers"] == 1
    assert {one.count for one in await protections.codes_to_phone(KNOWN)} == {1}
    details = [details_of(row.details) for row in await rows(portal) if row.event == JournalEvent.LIMITS_RESET]
    assert details == [{"limits": "passwords"}, {"limits": "passwords, codes"}]
