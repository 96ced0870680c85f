"""Questions about ways of getting a code: which are switched off, and what happened to their codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, String, and_, bindparam, or_
from sqlalchemy import select as sa_select  # SQLModel's own takes four columns
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select, update

from medonline.domain.codes.channels import CALLED
from medonline.storage.statements import UNSYNCHRONISED
from medonline.storage.tables.channel_switches import ChannelSwitch
from medonline.storage.tables.codes import OneTimeCodeRow
from medonline.storage.tables.columns import UtcDateTime


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one code: the phone it was asked for, and whether it was typed correctly."""

    client_ip: str
    entered: bool


@dataclass(frozen=True, slots=True)
class CodeFact:
    """One code of a way, for the statistics. Times are UTC. `seconds`: from the request to the typing, None when it was not typed.
    `provider`: the vendor that was asked last, empty when none was."""

    channel: str
    provider: str
    delivery: str
    seconds: float | None


_ISSUED, _CHANNEL = col(OneTimeCodeRow.issued_at), col(OneTimeCodeRow.channel)
_KNOWN = or_(
    col(OneTimeCodeRow.confirmed_at).is_not(None),
    col(OneTimeCodeRow.replaced_at).is_not(None),
    col(OneTimeCodeRow.expires_at) <= bindparam("now", type_=UtcDateTime()),
    col(OneTimeCodeRow.delivery) == bindparam("failed", type_=String()),
)
# A code whose reader has not opened a chat was never sent, so it says nothing about the way. The same holds for a call that nobody made.
_TRIED = and_(
    or_(col(OneTimeCodeRow.delivery) != "queued", col(OneTimeCodeRow.due_at).is_not(None)),
    or_(
        _CHANNEL.not_in(CALLED),
        and_(col(OneTimeCodeRow.delivery) != "sent", col(OneTimeCodeRow.problem) != "not_answered"),
    ),
)
_OUTCOMES = (
    sa_select(col(OneTimeCodeRow.client_ip), col(OneTimeCodeRow.confirmed_at).is_not(None))
    .where(bindparam("since", type_=UtcDateTime()) <= _ISSUED, bindparam("channel") == _CHANNEL, _KNOWN, _TRIED)
    .order_by(_ISSUED.desc())
    .limit(bindparam("limit", type_=Integer()))
)
_OTHER = aliased(OneTimeCodeRow)
_SPEAKS = or_(
    col(OneTimeCodeRow.confirmed_at).is_not(None),
    col(OneTimeCodeRow.problem) == bindparam("trouble", type_=String()),
    and_(
        or_(
            col(OneTimeCodeRow.replaced_at).is_not(None),
            col(OneTimeCodeRow.expires_at) <= bindparam("now", type_=UtcDateTime()),
        ),
        sa_select(col(_OTHER.id))
        .where(
            col(_OTHER.phone) == col(OneTimeCodeRow.phone),
            col(_OTHER.issued_at) >= bindparam("since", type_=UtcDateTime()),
            col(_OTHER.confirmed_at).is_not(None),
        )
        .exists(),
    ),
)
_OUTCOMES_THAT_SPEAK = (
    sa_select(col(OneTimeCodeRow.client_ip), col(OneTimeCodeRow.confirmed_at).is_not(None))
    .where(bindparam("since", type_=UtcDateTime()) <= _ISSUED, bindparam("channel") == _CHANNEL, _TRIED, _SPEAKS)
    .order_by(_ISSUED.desc())
    .limit(bindparam("limit", type_=Integer()))
)
_FACTS = sa_select(
    _CHANNEL, col(OneTimeCodeRow.provider), col(OneTimeCodeRow.delivery), _ISSUED, col(OneTimeCodeRow.confirmed_at)
).where(bindparam("since", type_=UtcDateTime()) <= _ISSUED)
_TAKE_TRIAL = (
    update(ChannelSwitch)
    .where(
        col(ChannelSwitch.channel) == bindparam("of_channel"),
        col(ChannelSwitch.off).is_(True),
        col(ChannelSwitch.next_trial_at) <= bindparam("now", type_=UtcDateTime()),
    )
    .values(next_trial_at=bindparam("next_at", type_=UtcDateTime()))
    .returning(col(ChannelSwitch.channel))
    .execution_options(**UNSYNCHRONISED)
)


def all_of(session: Session) -> Sequence[ChannelSwitch]:
    """The last switch of each way that was ever switched."""
    return session.exec(select(ChannelSwitch).order_by(col(ChannelSwitch.channel))).all()


def record(session: Session, switch: ChannelSwitch) -> None:
    """Replace the last switch of its way with this one."""
    session.merge(switch)
    session.flush()


def take_trial(session: Session, channel: str, now: datetime, next_at: datetime) -> bool:
    """Whether a code may go out on trial now. The next one may at `next_at` (UTC). Exact under parallel calls."""
    params = {"of_channel": channel, "now": now, "next_at": next_at}
    return session.exec(_TAKE_TRIAL, params=params).first() is not None


def outcomes(session: Session, channel: str, since: datetime, now: datetime, failed: str, limit: int) -> list[Outcome]:
    """The codes of a way since a moment (UTC) whose outcome is known, newest first.

    Unlike the circuit breaker's, these include codes that did not go out: `failed` is the delivery state of those.
    """
    params = {"since": since, "channel": channel, "now": now, "failed": failed, "limit": limit}
    return [Outcome(ip, bool(entered)) for ip, entered in session.execute(_OUTCOMES, params).all()]


def outcomes_that_speak(
    session: Session, channel: str, since: datetime, now: datetime, trouble: str, limit: int
) -> list[Outcome]:
    """Of the codes of a way since a moment (UTC), the newest first, those that were typed, those that its vendor could not send
    (`trouble` names that problem), and of the others those to a number whose holder typed another one since then."""
    params = {"since": since, "channel": channel, "now": now, "trouble": trouble, "limit": limit}
    return [Outcome(ip, bool(entered)) for ip, entered in session.execute(_OUTCOMES_THAT_SPEAK, params).all()]


def facts(session: Session, since: datetime) -> list[CodeFact]:
    """Every code since a moment (UTC)."""
    return [
        CodeFact(channel, provider, delivery, None if entered is None else (entered - issued).total_seconds())
        for channel, provider, delivery, issued, entered in session.execute(_FACTS, {"since": since}).all()
    ]
