"""How values look that people type and paste, and what each means: kind, where it is from, what is written, what is read.

`None` is what no reader may take. The files of tests beside this one, and the walk in a browser, go through the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

PHONE, POLICY, SNILS = "+79001234567", "7707850314000117", "11223344595"
BORN = date(2015, 6, 9)
ADDRESS = "maria.p-1@example.ru"


@dataclass(frozen=True)
class Copied:
    """One spelling; `means` is the value in the form that is stored."""

    source: str
    written: str
    means: Any

    def __str__(self) -> str:
        return f"{self.source}: {self.written!a}"


PHONES = [
    Copied("link of a page", "tel:+79001234567", PHONE),
    Copied("link with dashes", "tel:+7-900-123-45-67", PHONE),
    Copied("link of a messenger", "whatsapp:+79001234567", PHONE),
    Copied("paper form", "моб. +7 900 123-45-67", PHONE),
    Copied("paper form, no space", "моб.тел.:+7(900)1234567", PHONE),
    Copied("word behind", "+7 900 123-45-67 (личный)", PHONE),
    Copied("address book", "\u202a+7 900 123\u201145\u201167\u202c", PHONE),
    Copied("web page, joiner", "+7900\u200c1234567", PHONE),
    Copied("web page, variation selector", "+7900\ufe0d1234567", PHONE),
    Copied("web page, soft hyphens", "+7\u00ad900\u00ad123\u00ad45\u00ad67", PHONE),
    Copied("business card", "+7·900·123·45·67", PHONE),
    Copied("business card, bullets", "+7 \u2022 900 \u2022 1234567", PHONE),
    Copied("full width", "＋７９００１２３４５６７", PHONE),
    Copied("emoji of a telephone", "📱 8 900 123 45 67", PHONE),
    Copied("keycap emoji", "8\ufe0f\u20e3" + "9001234567", PHONE),
    Copied("narrow spaces", "+7\u202f900\u2009123\u00a045\u200a67", PHONE),
    Copied("minus signs", "8\u2212900\u2212123\u221245\u221267", PHONE),
    Copied("plus before the trunk prefix", "+8 900 123-45-67", PHONE),
    Copied("two numbers", "+79001234567, +79001234568", None),
    Copied("two numbers with a slash", "8 900 123-45-67/68", None),
    Copied("one digit too many behind a dot", "+7 900 123 45 67.8", None),
    Copied("extension", "+7 900 123-45-67 доб. 12", None),
    Copied("extension of a link", "tel:+79001234567;ext=12", None),
    Copied("footnote", "+7 900 123-45-6\u00b9", None),
    Copied("letter for a digit", "8900I234567", None),
]
POLICIES = [
    Copied("messenger", f"\u202a{POLICY}\u202c", POLICY),
    Copied("photo of a card", f"№ {POLICY}", POLICY),
    Copied("letter of a clinic", f"№{POLICY}.", POLICY),
    Copied("site of an insurer", "7707\u200b8503\u200b1400\u200b0117", POLICY),
    Copied("printed card", "7707 8503 1400 0117", POLICY),
    Copied("non-breaking", "7707\u00a08503\u00a01400\u00a00117", POLICY),
    Copied("en dashes", "7707\u20138503\u20131400\u20130117", POLICY),
    Copied("dots", "7707.8503.1400.0117", POLICY),
    Copied("full width", "７７０７８５０３１４０００１１７", POLICY),
    Copied("words", f"полис ОМС (ЕНП): {POLICY}", POLICY),
    Copied("byte order mark", f"\ufeff{POLICY}", POLICY),
    Copied("one digit short", POLICY[:-1], None),
    Copied("two numbers", f"{POLICY} {POLICY}", None),
    Copied("with its end", f"{POLICY} до 31.12.2030", None),
    Copied("letter O", POLICY.replace("0", "О"), None),
]
DATES = [
    Copied("keyboard of a telephone", "09062015", BORN),
    Copied("short", "9.6.15", BORN),
    Copied("short, run together", "090615", BORN),
    Copied("en dash", "09\u201306\u20132015", BORN),
    Copied("minus", "09\u221206\u22122015", BORN),
    Copied("document", "09.06.2015 г.", BORN),
    Copied("document, no space", "09.06.2015г.р.", BORN),
    Copied("in words", "9 июня 2015 г.", BORN),
    Copied("in words, quoted", "«09» июня 2015 года", BORN),
    Copied("in words, ordinal", "9-го июня 2015", BORN),
    Copied("old certificate", "09.VI.2015", BORN),
    Copied("messenger", "\u200e09.06.2015", BORN),
    Copied("date field", "2015-06-09", BORN),
    Copied("registry", "2015-06-09T00:00:00+03:00", BORN),
    Copied("full width", "０９．０６．２０１５", BORN),
    Copied("label", "д.р. 09/06/2015", BORN),
    Copied("century unclear", "9.6.20", None),
    Copied("American", "06/29/2015", None),
    Copied("two dates", "09.06.2015 10.06.2015", None),
    Copied("still to come", "09.06.2115", None),
]
SNILS_NUMBERS = [
    Copied("gateway, bare", SNILS, SNILS),
    Copied("printed card", "112-233-445 95", SNILS),
    Copied("non-breaking", "112\u2011233\u2011445\u00a095", SNILS),
    Copied("spaces", "112 233 445 95", SNILS),
    Copied("label", f"СНИЛС: {SNILS}", SNILS),
    Copied("marks", f"\u202a{SNILS}\u202c", SNILS),
    Copied("full width", "１１２２３３４４５９５", SNILS),
    Copied("wrong control number", "112-233-445 96", None),
    Copied("one digit short", "1122334459", None),
]
ADDRESSES = [
    Copied("plain", ADDRESS, ADDRESS),
    Copied("link", f"mailto:{ADDRESS}", ADDRESS),
    Copied("address book", f"Мария Петрова <{ADDRESS}>", ADDRESS),
    Copied("end of a sentence", f"{ADDRESS}.", ADDRESS),
    Copied("messenger", f"\u2068{ADDRESS}\u2069", ADDRESS),
    Copied("word processor", "maria.p\u20111@example.ru", ADDRESS),
    Copied("soft hyphen", "maria.p-1@exam\u00adple.ru", ADDRESS),
    Copied("full width", "ｍａｒｉａ．ｐ－１＠ｅｘａｍｐｌｅ．ｒｕ", ADDRESS),
    Copied("no domain", "maria@example", None),
    Copied("two addresses", f"{ADDRESS}, {ADDRESS}", None),
]
# Surname, given name: as gateways have them.
NAMES = [
    ("Петрова\u2011Водкина", "Анна"),
    ("Петрова\u2013Водкина", "Анна\u2014Мария"),
    ("О`Коннор", "Шон"),
    ("О\u2019Коннор", "Шон"),
    ("О\u02bcКоннор", "Шон"),
    ("Петрова (Иванова)", "Анна"),
    ("Нгуен", "-"),
    ("-", "Сукарно"),
    ("Иванов, мл.", "Иван"),
    ("Иванов 2-й", "Иван"),
    ("Ива\u00adнова", "Ан\u200bна"),
    ("\u202aИванова\u202c", "Анна\ufe0f"),
    ("ИВАНОВА", "АННА"),
    ("Иванoва", "Aнна"),  # with Latin letters
    ("оглы  Мамедов", "Эл\u00a0Чин"),
    ("Д/Артаньян", "И. О."),
]
