"""Statements that are built once: what SQLAlchemy would do to the session with their parameters, and that none of ours lets it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Delete, Update, bindparam
from sqlalchemy.sql.dml import UpdateBase
from sqlmodel import Session, col, update

from medonline.bootstrap import Portal
from medonline.storage import queries
from medonline.storage.engine import Database
from medonline.storage.queries import codes, password_recovery, patients
from medonline.storage.statements import UNSYNCHRONISED, new_facts, new_values
from medonline.storage.tables.codes import CircuitBreaker
from medonline.storage.tables.password_recovery import PasswordRecovery
from medonline.storage.tables.patients import Patient

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = datetime(2026, 3, 2, 10, tzinfo=UTC)


def constants() -> Iterator[tuple[str, UpdateBase]]:
    """Each UPDATE and DELETE that a module of questions keeps, and those that it keeps by the facts that change."""
    for found in pkgutil.iter_modules(queries.__path__, queries.__name__ + "."):
        for name, value in vars(importlib.import_module(found.name)).items():
            if isinstance(value, Update | Delete):
                yield f"{found.name}.{name}", value
    yield "codes._delivery_with", codes._delivery_with(("due_at",))
    yield "password_recovery._move_with", password_recovery._move_with(("proved_at",))


def test_there_are_some() -> None:
    assert len(list(constants())) >= 20


@pytest.mark.parametrize("statement", [pytest.param(statement, id=name) for name, statement in constants()])
def test_no_constant_is_repeated_on_the_objects_of_the_session(statement: UpdateBase) -> None:
    assert statement.get_execution_options().get("synchronize_session") is False


@pytest.fixture
def database(portal: Portal) -> Database:
    return portal.database


@pytest.fixture
def patient(database: Database) -> Patient:
    person = Patient(last_name="Ким", first_name="Вера", phone="+79000000077", password_hash="old", created_at=NOW)
    with database.writing() as session:
        session.add(person)
    return person


def test_sqlalchemy_would_take_a_parameter_for_none(database: Database, patient: Patient) -> None:
    """Why the rule exists. Red: SQLAlchemy has learnt it, and the rule may go."""
    statement = update(Patient).where(col(Patient.last_name) == "Ким").values(email=bindparam("address"))
    with database.writing() as session:
        read = session.get_one(Patient, patient.id)
        session.exec(statement, params={"address": "vera@example.ru"})
        assert read.email is None
    with database.reading() as session:
        assert session.get_one(Patient, patient.id).email == "vera@example.ru"


def test_what_was_read_before_is_left_alone(database: Database, patient: Patient) -> None:
    with database.writing() as session:
        read = session.get_one(Patient, patient.id)
        patients.set_password(session, patient.id, "new", LATER)
        assert (read.password_hash, read.password_version) == ("old", 0)
    with database.reading() as session:
        read = session.get_one(Patient, patient.id)
        assert (read.password_hash, read.password_version, read.password_changed_at) == ("new", 1, LATER)


def test_a_move_is_seen_by_who_read_the_recovery_before(database: Database) -> None:
    row = PasswordRecovery(visitor_key="anna", phone="+79000000077", step="code", created_at=NOW)
    with database.writing() as session:
        session.add(row)
    with database.writing() as session:
        read = session.get_one(PasswordRecovery, row.id)
        assert password_recovery.move(session, row.id, ("code",), "new_password", proved_at=LATER, sitting_key="s")
        assert (read.step, read.proved_at, read.sitting_key) == ("new_password", LATER, "s")
        assert not password_recovery.move(session, row.id, ("code",), "abandoned")
        assert password_recovery.add_birth_date_miss(session, row.id, "new_password", 3) == 1
        password_recovery.record_taken_off(session, row.id, identities=2, passkeys=1)
        assert (read.step, read.birth_date_misses, read.identities_unlinked) == ("new_password", 1, 2)


def test_facts_are_bound_with_the_types_of_their_columns(database: Database) -> None:
    """A time without a zone is refused, as everywhere."""
    statement = update(CircuitBreaker).values(**new_facts(["open_until"])).execution_options(**UNSYNCHRONISED)
    with database.writing() as session:
        _send(session, statement, LATER)
        assert session.get_one(CircuitBreaker, "codes").open_until == LATER
        with pytest.raises(Exception, match="a naive datetime"):
            _send(session, statement, LATER.replace(tzinfo=None))


def _send(session: Session, statement: Update, moment: datetime) -> None:
    session.exec(statement, params=new_values({"open_until": moment}))
