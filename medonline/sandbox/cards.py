"""The made-up clinics and medical cards of the registry's stand-in. Their owners are in `people.py`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from medonline.sandbox.people import PEOPLE, DemoPerson

_BY_POLICY = {person.policy: person for person in PEOPLE}


@dataclass(frozen=True, slots=True)
class DemoClinic:
    """A clinic; `id` is its FHIR id."""

    id: str
    name: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class DemoCard:
    """One person's card in one clinic. `id` is its FHIR id. Not `active` means that the person moved to another clinic."""

    id: str
    number: str
    person: DemoPerson
    clinic: DemoClinic
    attached_since: date
    active: bool = True


CLINICS = (
    DemoClinic(
        "clinic-1",
        "Городская поликлиника № 1 (учебная)",
        "г. Примерск, Садовая улица, дом 12",
        "8 (800) 000-10-01",
    ),
    DemoClinic(
        "clinic-2",
        "Детская поликлиника № 2 (учебная)",
        "г. Примерск, Школьный переулок, дом 3",
        "8 (800) 000-10-02",
    ),
    DemoClinic(
        "clinic-3",
        "Центральная районная больница (учебная)",
        "Примерский район, посёлок Заречный, Больничная улица, дом 1",
        "8 (800) 000-10-03",
    ),
)
_CITY, _CHILDREN, _DISTRICT = CLINICS


def _card(number: int, policy: str, clinic: DemoClinic, attached_since: date, *, active: bool = True) -> DemoCard:
    return DemoCard(f"card-{number}", f"МК-{number:06}", _BY_POLICY[policy], clinic, attached_since, active)


# Новикова has no card, so that the screen without cards can be seen. Соколов has an open and a closed one.
CARDS = (
    _card(1001, "7707850314000117", _CITY, date(2019, 4, 1)),
    _card(1002, "7707850314000117", _DISTRICT, date(2008, 9, 15), active=False),
    _card(1003, "7707791102000218", _CITY, date(2015, 2, 10)),
    _card(1004, "7707580521000317", _CITY, date(2001, 6, 4)),
    _card(1005, "7707470130000512", _DISTRICT, date(1998, 3, 20)),
    _card(1006, "7707720909000618", _CITY, date(2020, 11, 2)),
    _card(1007, "7707170210000719", _CHILDREN, date(2021, 1, 11)),
    _card(1008, "7707661201000817", _DISTRICT, date(2012, 5, 30)),
    _card(1009, "7707810418000918", _CITY, date(2017, 8, 8)),
    _card(1010, "7707930625001010", _DISTRICT, date(2023, 7, 3)),
    _card(1011, "7707690803001113", _CITY, date(2010, 10, 12)),
    _card(1012, "7707161005001210", _CHILDREN, date(2021, 1, 18)),
    _card(1013, "7707540219001316", _CITY, date(1999, 12, 6)),
)
