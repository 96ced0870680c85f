"""The family whose cards the tests add: Мария with her account, her son, a friend; and what tests ask of «Мои карты»."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain import oms_policy
from medonline.domain.security_journal import JournalEvent
from medonline.services.patient_cards.service import CardsView, LinkedCards
from medonline.services.ports import RegistryCard
from medonline.storage.tables.patient_cards import CardAttempt
from medonline.storage.tables.patients import Patient
from tests.services.outside import SNILS
from tests.services.world import KNOWN

MARIAS_BIRTH = date(1958, 5, 21)


def policy_of(number: int) -> str:
    first = f"{number:015d}"
    return first + oms_policy.check_digit(first)


OWN_POLICY, SONS_POLICY, FRIENDS_POLICY = (
    policy_of(770000000000001),
    policy_of(770000000000002),
    policy_of(770000000000003),
)
OWN = RegistryCard(
    ref="card-1",
    number="А-100/1",
    clinic_name="Поликлиника № 1",
    clinic_address="ул. Тихая, 1",
    clinic_phone="8 (487) 000-00-01",
    last_name="Иванова",
    first_name="Мария",
    patronymic="Петровна",
    birth_date=MARIAS_BIRTH,
    snils=SNILS,
    oms_policy=OWN_POLICY,
    attached_since=date(2019, 4, 1),
    active=True,
)
SON = replace(
    OWN,
    ref="card-2",
    number="Б-200",
    first_name="Пётр",
    last_name="Иванов",
    patronymic="",
    birth_date=date(2015, 9, 1),
    snils="",
    oms_policy=SONS_POLICY,
)
FRIEND = replace(
    SON, ref="card-3", number="В-300", first_name="Олег", birth_date=date(1990, 1, 1), oms_policy=FRIENDS_POLICY
)


async def know(portal: Portal, *, snils: str = "", policy: str = "", phone: str = KNOWN) -> None:
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == phone)).one()
        patient.snils_sealed = portal.cards.snils.seal(snils)
        patient.oms_policy_sealed = portal.cards.policies.seal(policy)
        session.add(patient)


def refs(view: CardsView) -> list[str]:
    return [card.ref for card in view.cards]


async def card_id(portal: Portal, key: str, ref: str) -> str:
    return next(card.id for card in (await portal.cards.kept(key)).cards if card.ref == ref)


async def link_son(portal: Portal, key: str) -> LinkedCards:
    outcome = await portal.cards.link(key, SONS_POLICY, "01.09.2015", representative=True)
    assert isinstance(outcome, LinkedCards)
    return outcome


async def attempts_of(portal: Portal) -> int:
    with portal.database.reading() as session:
        return len(session.exec(select(CardAttempt)).all())


async def events_of(portal: Portal, key: str) -> list[JournalEvent]:
    """What the patient reads in «Журнал» of cards, the newest first."""
    page = await portal.journal.mine(key)
    return [row.event for row in page.rows if row.event.value.startswith("card")]
