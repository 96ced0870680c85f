"""What the tests of Gosuslugi ask of the record, and a person whom the provider and the portal know."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TypeVar

import pytest
from sqlmodel import select

from medonline.bootstrap import Portal
from medonline.domain.client import Client
from medonline.domain.errors import IdentityProblem, IdentityRefused
from medonline.domain.login import Landing
from medonline.services.crypto.tokens import token_hash
from medonline.services.gosuslugi.login import JourneyReturn, Purpose
from medonline.services.login.password_login import OpenedSession
from medonline.storage.tables.patients import Patient
from tests.services.outside import VERA
from tests.services.world import KNOWN

# The provider's word on Мария Иванова, who signs in with KNOWN.
MARIA = replace(
    VERA,
    subject="1000000002",
    last_name="Иванова",
    first_name="Мария",
    patronymic="Петровна",
    birth_date=date(1958, 5, 21),
    phone=KNOWN,
    email="",
)
T = TypeVar("T")
LANDINGS = {
    Purpose.LOGIN: Landing.CARDS,
    Purpose.REGISTRATION: Landing.CARDS,
    Purpose.RECOVERY: Landing.NEW_PASSWORD,
    Purpose.SETTINGS: Landing.SETTINGS,
}


async def all_of(portal: Portal, table: type[T]) -> list[T]:
    with portal.database.reading() as session:
        return list(session.exec(select(table)).all())


async def patient_of(portal: Portal, token: str) -> Patient:
    who = await portal.login.who(token_hash(token))
    assert who is not None
    with portal.database.reading() as session:
        patient = session.get(Patient, who.patient_id)
    assert patient is not None
    return patient


async def session_of(portal: Portal, visitor: Client, ticket: str) -> OpenedSession:
    outcome = await portal.login.open_session(visitor, ticket)
    assert outcome is not None
    return outcome


async def set_facts(portal: Portal, phone: str = KNOWN, **facts: object) -> None:
    with portal.database.writing() as session:
        patient = session.exec(select(Patient).where(Patient.phone == phone)).one()
        for name, value in facts.items():
            setattr(patient, name, value)
        session.add(patient)


async def problem_of(portal: Portal, visitor: Client, back: JourneyReturn) -> IdentityProblem:
    with pytest.raises(IdentityRefused) as refusal:
        await portal.identity.finish(visitor, back)
    return refusal.value.problem
