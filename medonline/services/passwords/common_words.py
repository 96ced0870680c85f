"""Russian words as people type them in passwords of Latin letters: transliterated, or typed blindly in the English layout.

The project chose the words itself. No list of real passwords was used.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice, product

SHORTEST = 3
_MOST_SPELLINGS = 96

# The spelling of Russian passports (ICAO Doc 9303) comes first, and then other usual spellings.
_LATIN = {
    **dict(zip("абвгдзиклмнопрстуфэ", "abvgdziklmnoprstufe", strict=True)),
    "е": ("e", "ye"),
    "ё": ("e", "yo", "jo"),
    "ж": ("zh", "j"),
    "й": ("i", "y", "j"),
    "х": ("kh", "h"),
    "ц": ("ts", "c"),
    "ч": ("ch",),
    "ш": ("sh",),
    "щ": ("shch", "sch"),
    "ъ": ("ie", ""),
    "ы": ("y", "i"),
    "ь": ("", "j"),
    "ю": ("iu", "yu", "ju", "u"),
    "я": ("ia", "ya", "ja", "a"),
}
_LAYOUT = dict(zip("йцукенгшщзхъфывапролджэячсмитьбюё", "qwertyuiop[]asdfghjkl;'zxcvbnm,.`", strict=True))

_RUSSIAN = """
пароль привет любовь люблю солнце солнышко счастье удача победа мечта жизнь надежда весна лето осень зима
мама папа мамочка папочка мамапапа семья дочка дочь сын сынок сыночек внук внучка внуки бабушка дедушка муж жена
медицина медицинаонлайн медонлайн здоровье поликлиника больница аптека доктор врач медсестра пациент полис карта
медкарта рецепт клиника здоров
россия москва питер родина самара казань омск томск пермь урал сибирь байкал
портал кабинет личныйкабинет вход логин админ госуслуги почта компьютер телефон интернет секрет ключ
кот котик кошка котенок собака барсик мурка рыжик зайка зайчик малыш малышка лапочка красотка принцесса
спартак зенит динамо цска локомотив футбол хоккей дача огород машина
александр саша алексей андрей сергей дмитрий дима максим иван ваня евгений женя николай коля михаил миша владимир вова
виктор артем никита денис павел роман игорь олег юрий антон
наталья наташа елена лена ольга оля татьяна таня светлана света ирина ира марина анна аня мария маша катя екатерина
юлия юля настя анастасия виктория вика людмила люда галина галя валентина валя нина вера любовь надя лариса тамара
йцукен йцукенг йцукенгшщз фывапр фывапролдж ячсмить йфяцыч
"""
_LATIN_WORDS = ("medonline", "medicina", "medecina", "zdorovje", "password", "qwerty", "admin", "login", "parol")


def spellings(word: str) -> Iterator[str]:
    """The word in lower-case Latin letters, in all usual spellings, the most usual ones first."""
    word = word.lower()
    forms = [word]
    if word.endswith(("ий", "ый")):
        forms.append(f"{word[:-2]}ы")  # Dmitry
    for form in forms:
        for parts in islice(product(*(_LATIN.get(letter, (letter,)) for letter in form)), _MOST_SPELLINGS):
            spelled = "".join(parts)
            yield spelled
            if "ks" in spelled:
                yield spelled.replace("ks", "x")


def twins(word: str) -> tuple[str, str]:
    """The word as it appears when the keyboard is in the English layout: with its signs, and with letters only."""
    typed = "".join(_LAYOUT.get(letter, letter) for letter in word.lower())
    return typed, "".join(filter(str.isalnum, typed))


def typed_forms(words: Iterable[str]) -> list[str]:
    """All forms in which these words are typed, each once, in the order of the words."""
    found: dict[str, None] = {}
    for word in words:
        for form in (*spellings(word), *twins(word)):
            if len(form) >= SHORTEST and form.isascii():
                found[form] = None
    return list(found)


COMMON_WORDS = typed_forms((*_LATIN_WORDS, *_RUSSIAN.split()))
