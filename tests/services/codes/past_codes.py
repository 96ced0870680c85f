"""Codes of the past in the record, whose fate is known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from medonline.bootstrap import Portal
from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.delivery import DeliveryState
from medonline.storage.tables.codes import OneTimeCodeRow
from tests.services.world import CALL


async def add_codes(
    portal: Portal,
    entered: Sequence[bool],
    channel: ChannelName = CALL,
    addresses: int = 1000,
    begin: int = 0,
    **facts: object,
) -> None:
    """Codes whose fate is known, asked for one after another until now, from so many addresses in turn; the first to the number that
    ends with `begin`."""
    now = portal.clock()
    with portal.database.writing() as session:
        for number, is_entered in enumerate(entered, begin):
            usual: dict[str, object] = {
                "confirmed_at": now if is_entered else None,
                "replaced_at": None if is_entered else now,
                "delivery": DeliveryState.SENT,
            }
            session.add(
                OneTimeCodeRow(
                    flow_id=f"flow {number}",
                    purpose="test",
                    phone=f"+7900{number:07d}",
                    channel=channel,
                    digest="0" * 64,
                    client_ip=f"192.0.{number % addresses // 250}.{number % addresses % 250}",
                    issued_at=now - timedelta(seconds=begin + len(entered) - number),
                    expires_at=now + timedelta(minutes=5),
                    **(usual | facts),
                )
            )
