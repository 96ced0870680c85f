"""How a card of the registry becomes a row: what is taken over, what is kept, whose it is, and what is left when it closes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from medonline.domain.card_access import Basis
from medonline.services.crypto.field_encryption import Sealer
from medonline.services.patient_cards import rows
from medonline.services.patient_cards.rows import OwnNumbers, Whose
from medonline.services.ports import RegistryCard
from medonline.storage.tables.patient_cards import CardAccess, PatientCard
from medonline.storage.tables.patients import Patient
from tests.services.outside import OTHER_SNILS, SNILS
from tests.services.patient_cards.family import MARIAS_BIRTH, OWN, OWN_POLICY, SON, SONS_POLICY

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
POLICIES = Sealer(b"a" * 32, "oms_policy")
MARIA = Patient(id="p1", last_name="Иванова", first_name="Мария", birth_date=MARIAS_BIRTH, created_at=NOW)


def filled(
    card: RegistryCard, basis: Basis | None = Basis.OWN, row: PatientCard | None = None, now: datetime = NOW
) -> PatientCard:
    return rows.filled(row, MARIA, card, now, POLICIES, basis)


# --- from the registry ------------------------------------------------------------------------------------------


def test_a_new_row_says_what_the_registry_said() -> None:
    shown = rows.view_of(filled(OWN))

    assert (shown.ref, shown.number, shown.attached_since, shown.active) == (
        "card-1",
        "А-100/1",
        date(2019, 4, 1),
        True,
    )
    assert (shown.clinic_name, shown.clinic_address, shown.clinic_phone) == (
        "Поликлиника № 1", "ул. Тихая, 1", "8 (487) 000-00-01",
    )  # fmt: skip
    assert (shown.holder, shown.birth_date) == ("Иванова Мария Петровна", MARIAS_BIRTH)
    assert (shown.in_registry, shown.fetched_at, shown.whose) == (True, NOW, Whose.OWN)


def test_a_holder_without_a_patronymic_has_no_gap_in_the_name() -> None:
    assert filled(SON).holder == "Иванов Пётр"


def test_the_policy_is_masked_for_the_screen_sealed_for_the_registry_and_found_by_its_index() -> None:
    row = filled(OWN)

    assert row.policy_masked == f"•••• •••• •••• {OWN_POLICY[-4:]}"
    assert POLICIES.open(row.policy_sealed) == OWN_POLICY
    assert row.policy_index == POLICIES.index(OWN_POLICY)
    assert OWN_POLICY not in repr(row)


def test_cards_without_a_policy_are_not_found_by_each_other() -> None:
    row = filled(replace(OWN, oms_policy=""))

    assert (row.policy_masked, row.policy_sealed, row.policy_index) == ("", "", "")


def test_a_row_is_brought_up_to_the_registrys_next_answer() -> None:
    row = filled(OWN)
    row.in_registry = False
    first = row.id
    again = filled(replace(OWN, clinic_name="Поликлиника № 2", active=False), row=row, now=LATER)

    assert again is row
    assert (row.id, row.clinic_name, row.active, row.in_registry) == (first, "Поликлиника № 2", False, True)
    assert row.fetched_at == LATER


def test_an_answer_of_the_registry_puts_no_unlinked_card_back_on_the_list() -> None:
    row = filled(SON, Basis.REPRESENTATIVE)
    row.unlinked_at = NOW

    assert filled(SON, Basis.REPRESENTATIVE, row, LATER).unlinked_at == NOW
    assert rows.relinked(row).unlinked_at is None


def test_without_a_new_right_a_row_keeps_the_one_it_has() -> None:
    row = filled(SON, Basis.REPRESENTATIVE)
    assert filled(SON, None, row, LATER).basis == Basis.REPRESENTATIVE

    assert filled(SON, Basis.OWN, row, LATER).basis == Basis.OWN
    assert filled(SON, None, row, LATER).whose == Whose.OWN


# --- whose it is ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "whose"),
    [
        (date(2026, 3, 2), Whose.CHILD),
        (date(2008, 3, 3), Whose.CHILD),  # 18 tomorrow
        (date(2008, 3, 2), Whose.OTHER),  # 18 today
        (None, Whose.OTHER),
    ],
)
def test_a_card_that_is_not_ones_own_is_a_childs_until_the_age_of_18(born: date | None, whose: Whose) -> None:
    assert filled(replace(SON, birth_date=born), Basis.CONSENT).whose == whose


def test_ones_own_card_is_ones_own_at_any_age() -> None:
    assert filled(replace(OWN, birth_date=date(2020, 1, 1)), Basis.OWN).whose == Whose.OWN


@pytest.mark.parametrize(
    ("changes", "snils", "own"),
    [
        ({}, SNILS, True),
        ({}, "", True),
        ({"snils": ""}, SNILS, True),
        ({"last_name": "ИВАНОВА", "first_name": "мария"}, SNILS, True),
        ({"patronymic": "Другая"}, SNILS, True),
        ({}, OTHER_SNILS, False),
        ({"last_name": "Петрова"}, SNILS, True),
        ({"birth_date": None}, SNILS, True),
        ({"last_name": "Петрова", "snils": ""}, SNILS, False),
        ({"last_name": "Петрова"}, "", False),
        ({"first_name": "Марина", "snils": ""}, SNILS, False),
        ({"first_name": "Марина"}, "", False),
        ({"birth_date": date(1958, 5, 22)}, SNILS, False),
        ({"birth_date": date(1958, 5, 22)}, "", False),
        ({"birth_date": None, "snils": ""}, SNILS, False),
        ({"birth_date": None}, "", False),
    ],
    ids=str,
)
def test_a_card_is_the_owners_by_snils_or_by_name_and_birth_date_and_nothing_may_say_otherwise(
    changes: dict[str, object], snils: str, own: bool
) -> None:
    assert rows.is_own(MARIA, replace(OWN, **changes), OwnNumbers(snils)) is own  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "numbers", "own"),
    [
        ({"last_name": "Петрова", "snils": ""}, OwnNumbers(SNILS, OWN_POLICY), True),
        ({"last_name": "", "birth_date": None}, OwnNumbers("", OWN_POLICY), True),
        ({"last_name": "Петрова"}, OwnNumbers("", SONS_POLICY), False),
        ({"snils": OTHER_SNILS}, OwnNumbers(SNILS, OWN_POLICY), False),
        ({"birth_date": date(1958, 5, 22)}, OwnNumbers("", OWN_POLICY), False),
    ],
    ids=str,
)
def test_a_card_is_the_owners_by_the_policy_that_gosuslugi_told(
    changes: dict[str, object], numbers: OwnNumbers, own: bool
) -> None:
    assert rows.is_own(MARIA, replace(OWN, **changes), numbers) is own  # type: ignore[arg-type]


def test_an_account_without_a_birth_date_has_no_card_by_its_name() -> None:
    nobodys = Patient(id="p3", last_name="Иванова", first_name="Мария", created_at=NOW)

    assert not rows.is_own(nobodys, OWN, OwnNumbers())
    assert not rows.is_own(nobodys, replace(OWN, birth_date=None), OwnNumbers())


# --- by consent -------------------------------------------------------------------------------------------------

ACCESS = CardAccess(
    id="a1", patient_id="p2", policy_sealed="s", policy_index="i", birth_date=MARIAS_BIRTH, state="granted",
    asked_at=NOW, expires_at=LATER,
)  # fmt: skip


def test_by_a_consent_the_card_is_a_row_of_the_one_who_asked_and_the_owners_stays_as_it_is() -> None:
    card = filled(OWN)
    row = rows.shared(card, None, ACCESS, Whose.OTHER)

    assert (row.patient_id, row.access_id, row.basis, row.whose) == ("p2", "a1", Basis.CONSENT, Whose.OTHER)
    assert row.id != card.id
    assert (row.ref, row.holder, row.number) == (card.ref, card.holder, card.number)
    assert (card.patient_id, card.access_id, card.whose) == ("p1", None, Whose.OWN)


def test_a_consent_fills_the_earlier_row_of_the_same_card_and_puts_it_on_the_list() -> None:
    earlier = PatientCard(
        id="r1", patient_id="p2", ref="card-1", number="", clinic_name="", holder="", whose=Whose.OTHER, active=True,
        fetched_at=NOW, unlinked_at=NOW,
    )  # fmt: skip
    row = rows.shared(filled(OWN, now=LATER), earlier, ACCESS, Whose.OTHER)

    assert row is earlier
    assert (row.id, row.patient_id, row.unlinked_at, row.access_id) == ("r1", "p2", None, "a1")
    assert (row.number, row.fetched_at) == ("А-100/1", LATER)


# --- closed -----------------------------------------------------------------------------------------------------


def test_a_childs_card_is_shown_until_the_fifteenth_birthday() -> None:
    row = filled(SON, Basis.REPRESENTATIVE)

    assert rows.is_shown_today(row, datetime(2030, 8, 31, 23, 59, tzinfo=UTC))
    assert not rows.is_shown_today(row, datetime(2030, 9, 1, tzinfo=UTC))


def test_a_closed_card_keeps_what_its_owner_is_asked_by_and_nothing_else() -> None:
    row = rows.closed(filled(SON, Basis.REPRESENTATIVE))

    assert (row.number, row.holder, row.clinic_name, row.clinic_address, row.clinic_phone) == ("",) * 5
    assert row.attached_since is None
    closed = rows.closed_view_of(row)
    assert (closed.id, closed.birth_date, closed.may_ask) == (row.id, SON.birth_date, True)
    assert closed.policy_masked == f"•••• •••• •••• {SONS_POLICY[-4:]}"


@pytest.mark.parametrize("changes", [{"oms_policy": ""}, {"birth_date": None}])
def test_without_policy_or_birth_date_its_owner_cannot_be_asked(changes: dict[str, object]) -> None:
    row = rows.closed(filled(replace(SON, **changes)))  # type: ignore[arg-type]

    assert not rows.closed_view_of(row).may_ask
