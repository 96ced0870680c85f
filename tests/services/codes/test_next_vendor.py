"""uCaller and SMS.ru over the wire: when one fails, the phone rings by the other, once, and its digits are the code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from medonline.domain.password_recovery import RecoveryStep
from medonline.services.codes.delivery import DeliveryState
from medonline.services.codes.vendors import FAILURES
from tests.sandbox.server import API_ID, KEY, SERVICE_ID, free_port, running_sandbox, settings
from tests.services.world import ANNA, CALL, KNOWN, MovableClock, browser, dispatch, last_row, opened

OTHERS = [f"+7900000210{number}" for number in range(FAILURES)]


@pytest.fixture
def stand_ins() -> Iterator[str]:
    with running_sandbox(settings()) as url:
        yield url


def portal_over(stand_ins: str, folder: Path, clock: MovableClock, **changes: str):
    vendors = {
        "flash_call_provider": "ucaller, sms_ru",
        "ucaller_base_url": f"{stand_ins}/ucaller",
        "ucaller_key": KEY,
        "ucaller_service_id": SERVICE_ID,
        "sms_ru_base_url": f"{stand_ins}/sms_ru",
        "sms_ru_api_id": API_ID,
    }
    return opened(folder, clock, **vendors | changes)


def fail(stand_ins: str, **faults: str) -> None:
    httpx.put(f"{stand_ins}/code-faults.json", json=faults, trust_env=False).raise_for_status()


def rung(stand_ins: str, phone: str = KNOWN) -> list[str]:
    """The last four digits of each call to the phone."""
    events = httpx.get(f"{stand_ins}/phone/{phone}/events", trust_env=False).json()
    return [event["from"][-4:] for event in events if event["kind"] == "call"]


@pytest.mark.parametrize("fault", ["none", "money", "key", "missing", "nobody"])
async def test_the_phone_rings_once_whatever_the_first_vendor_says(
    stand_ins: str, tmp_path: Path, folder: Path, clock: MovableClock, fault: str
) -> None:
    elsewhere = {"ucaller_base_url": f"http://127.0.0.1:{free_port()}"} if fault == "nobody" else {}
    fail(stand_ins, ucaller=fault if fault not in ("none", "nobody") else "none")
    async with portal_over(stand_ins, folder, clock, **elsewhere) as portal:
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        await dispatch(portal.dispatcher)

        row = await last_row(portal)
        assert (row.delivery, row.provider) == (DeliveryState.SENT, "ucaller" if fault == "none" else "sms_ru")
        (digits,) = rung(stand_ins)
        assert (await portal.recovery.confirm_code(ANNA, digits)).step is RecoveryStep.NEW_PASSWORD


async def test_what_may_have_rung_is_not_called_again_and_the_next_patients_do_not_wait(
    stand_ins: str, folder: Path, clock: MovableClock
) -> None:
    fail(stand_ins, ucaller="down")
    async with portal_over(stand_ins, folder, clock) as portal:
        for number, phone in enumerate(OTHERS, start=1):
            await portal.recovery.begin(browser(number), phone, CALL)
            await dispatch(portal.dispatcher)
            assert (await last_row(portal, phone)).delivery == DeliveryState.FAILED
            assert rung(stand_ins, phone) == []
        await portal.recovery.begin(ANNA, KNOWN, CALL)
        await dispatch(portal.dispatcher)

        assert (await last_row(portal, KNOWN)).provider == "sms_ru"
        assert len(rung(stand_ins)) == 1
