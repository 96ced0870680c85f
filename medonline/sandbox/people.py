"""The made-up people of the stand-ins. Gosuslugi and the registry of medical cards have the same ones.

Their phones are +7 900 000-10-xx, which are never magic. Their СНИЛС numbers are below 001-001-998, where no check digit is required. Their
policies have a correct check digit. Every password at the stand-in of Gosuslugi is `PASSWORD`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

PASSWORD = "Gosuslugi2026"  # noqa: S105 (of made-up people)
_THIS_YEAR = datetime.now(UTC).year


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """One person; `story` says in Russian what happens when they sign in.

    Attributes:
        oid: the integer subject at ESIA; 0 for people who have no account there.
        snils: 11 digits; policy: 16 digits; phone: E.164; an empty text where there is none.
        status: REGISTERED or DELETED, as ESIA spells it.
        denies: presses «Отказаться» whenever data is asked for.
    """

    oid: int
    last_name: str
    first_name: str
    patronymic: str
    birth_date: date
    gender: str
    snils: str
    policy: str
    story: str
    phone: str = ""
    phone_verified: bool = True
    email: str = ""
    trusted: bool = True
    status: str = "REGISTERED"
    denies: bool = False


PEOPLE = (
    DemoPerson(
        1000700001,
        "Соколов",
        "Дмитрий",
        "Андреевич",
        date(1985, 3, 14),
        "M",
        "00000070101",
        "7707850314000117",
        "Новый пациент: регистрация, согласие, своя карта.",
        phone="+79000001011",
        email="sokolov@example.com",
    ),
    DemoPerson(
        1000700002,
        "Смирнов",
        "Алексей",
        "Игоревич",
        date(1979, 11, 2),
        "M",
        "00000070202",
        "7707791102000218",
        "Личный кабинет есть, номер подтверждён порталом: входит сразу.",
        phone="+79000001002",
        email="smirnov@example.com",
    ),
    DemoPerson(
        1000700003,
        "Иванова",
        "Мария",
        "Петровна",
        date(1958, 5, 21),
        "F",
        "00000070303",
        "7707580521000317",
        "Личный кабинет есть, но порталом не подтверждён: нужно доказать, что он свой.",
        phone="+79000001001",
        email="ivanova@example.com",
    ),
    DemoPerson(
        1000700004,
        "Новикова",
        "Елена",
        "Павловна",
        date(1990, 7, 7),
        "F",
        "00000070404",
        "7707900707000412",
        "Учётная запись не подтверждена.",
        phone="+79000001012",
        trusted=False,
    ),
    DemoPerson(
        1000700005,
        "Фёдоров",
        "Пётр",
        "Ильич",
        date(1947, 1, 30),
        "M",
        "00000070505",
        "7707470130000512",
        "На Госуслугах нет мобильного телефона.",
        email="fedorov@example.com",
    ),
    DemoPerson(
        1000700006,
        "Морозова",
        "Ирина",
        "Олеговна",
        date(1972, 9, 9),
        "F",
        "00000070606",
        "7707720909000618",
        "Мобильный телефон на Госуслугах не подтверждён.",
        phone="+79000001014",
        phone_verified=False,
    ),
    DemoPerson(
        1000700007,
        "Лебедев",
        "Михаил",
        "Антонович",
        date(_THIS_YEAR - 9, 2, 10),
        "M",
        "00000070707",
        "7707170210000719",
        "Учётная запись ребёнка.",
        phone="+79000001015",
    ),
    DemoPerson(
        1000700008,
        "Орлова",
        "Вера",
        "Николаевна",
        date(1966, 12, 1),
        "F",
        "00000070808",
        "7707661201000817",
        "Отказывается передать данные.",
        phone="+79000001016",
        denies=True,
    ),
    DemoPerson(
        1000700009,
        "Павлов",
        "Сергей",
        "Сергеевич",
        date(1981, 4, 18),
        "M",
        "00000070909",
        "7707810418000918",
        "Учётная запись удалена.",
        phone="+79000001017",
        status="DELETED",
    ),
    DemoPerson(
        1000700010,
        "Волков",
        "Игорь",
        "Денисович",
        date(1993, 6, 25),
        "M",
        "00000071010",
        "7707930625001010",
        "Номер телефона раньше был у другого пациента портала.",
        phone="+79000001003",
    ),
    DemoPerson(
        0,
        "Кузнецова",
        "Ольга",
        "Сергеевна",
        date(1969, 8, 3),
        "F",
        "00000071111",
        "7707690803001113",
        "Пациентка портала без Госуслуг.",
    ),
    DemoPerson(
        0,
        "Соколова",
        "Анна",
        "Дмитриевна",
        date(_THIS_YEAR - 8, 10, 5),
        "F",
        "00000071212",
        "7707161005001210",
        "Ребёнок: карту добавляют по полису.",
    ),
    DemoPerson(
        0,
        "Соколова",
        "Нина",
        "Васильевна",
        date(1954, 2, 19),
        "F",
        "00000071313",
        "7707540219001316",
        "Карту матери добавляют по полису.",
    ),
)


def person_by_oid(oid: int) -> DemoPerson | None:
    """The person with this ESIA subject."""
    return next((person for person in PEOPLE if person.oid == oid and oid), None)


def phones_of_people() -> tuple[str, ...]:
    """The numbers of all people, E.164."""
    return tuple(person.phone for person in PEOPLE if person.phone)
