"""Every refusal has a Russian sentence that says what to do, without machine words."""

from __future__ import annotations

import re
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medonline.domain import errors
from medonline.domain.codes.channels import GUIDE_CHANNELS, ChannelName
from medonline.domain.errors import MedonlineError, PasswordProblem, PhoneProblem
from medonline.services.codes.delivery import DeliveryProblem
from medonline.wording.errors import (
    PHONE,
    attempts_left,
    closed_sentence,
    delivery_failed,
    duration,
    linking_sentence,
    plural,
    proof_sentence,
    sentence,
    session_idle,
    sign_in_sentence,
)
from medonline.wording.regions import Help
from tests.wording.refusals import NOW, OPERATORS_ONLY, examples, leaves

BRANDS = {"MAX", "Telegram", "Caps", "Lock", "PIN", "SMS"}  # as devices themselves say


def is_for_a_patient(text: str) -> bool:
    latin = set(re.findall(r"[A-Za-z_]+", text)) - BRANDS
    return not latin and bool(re.match(r"[А-ЯЁ«]|Telegram |SMS |MAX ", text)) and text.endswith((".", "!"))


@pytest.mark.parametrize("error", examples(), ids=lambda error: f"{type(error).__name__}-{error}")
def test_each_refusal_has_a_russian_sentence(error: MedonlineError) -> None:
    assert is_for_a_patient(sentence(error)), sentence(error)


# Met only where Gosuslugi is on: on the way through it, or by somebody who has it linked.
_THERE = (errors.IdentityRefused, errors.TooManyJourneys, errors.NoPendingIdentity, errors.AccountOfAnother)
_LINKED = (errors.LastWayIn, errors.NoSuchIdentity, errors.ReauthenticationNeeded)


@pytest.mark.parametrize("error", examples(), ids=lambda error: f"{type(error).__name__}-{error}")
def test_a_refusal_names_the_desk_of_the_region_and_no_gosuslugi_where_there_is_none(error: MedonlineError) -> None:
    text = sentence(error, help=Help("единый центр записи", gosuslugi=False))

    assert "егистратур" not in text, text
    if not isinstance(error, _THERE):
        assert "обратитесь в" not in text or "обратитесь в единый центр записи" in text, text
    if not isinstance(error, _THERE + _LINKED):
        assert "Госуслуг" not in text, text
    assert is_for_a_patient(text)


def test_the_examples_cover_every_leaf_of_the_tree() -> None:
    ours = {leaf.__name__ for leaf in leaves() if leaf.__module__.startswith("medonline.")}

    assert {type(error).__name__ for error in examples()} | OPERATORS_ONLY == ours
    assert len(ours) > 15


def test_each_phone_problem_has_a_sentence_of_its_own() -> None:
    assert set(PHONE) == set(PhoneProblem)
    assert len(set(PHONE.values())) == len(PhoneProblem)


@pytest.mark.parametrize("problem", PhoneProblem)
def test_a_sign_in_with_a_password_is_told_of_no_code(problem: PhoneProblem) -> None:
    text = sign_in_sentence(errors.InvalidPhone(problem))

    assert is_for_a_patient(text)
    assert not re.search(r"\bкод", text.lower())


def test_what_is_no_phone_is_told_as_everywhere() -> None:
    assert sign_in_sentence(errors.InvalidCredentials()) == sentence(errors.InvalidCredentials())


@pytest.mark.parametrize("channel", ChannelName)
@pytest.mark.parametrize("problem", DeliveryProblem)
def test_each_failed_delivery_has_a_sentence(problem: DeliveryProblem, channel: ChannelName) -> None:
    assert is_for_a_patient(delivery_failed(problem, channel))


@pytest.mark.parametrize("channel", ChannelName)
def test_a_failure_without_a_reason_counts_as_the_way_being_down(channel: ChannelName) -> None:
    assert delivery_failed("", channel) == delivery_failed("channel_down", channel)


def test_an_unknown_phone_and_a_wrong_password_share_a_sentence_that_names_neither() -> None:
    text = sentence(errors.InvalidCredentials())

    assert "не найден" not in text
    assert "не зарегистрирован" not in text


@pytest.mark.parametrize(
    ("count", "form"),
    [
        (0, "попыток"),
        (1, "попытка"),
        (2, "попытки"),
        (4, "попытки"),
        (5, "попыток"),
        (11, "попыток"),
        (12, "попыток"),
        (14, "попыток"),
        (21, "попытка"),
        (22, "попытки"),
        (111, "попыток"),
        (121, "попытка"),
    ],
)
def test_a_number_takes_the_right_form_of_its_noun(count: int, form: str) -> None:
    assert plural(count, "попытка", "попытки", "попыток") == f"{count} {form}"


@given(st.integers(min_value=0, max_value=10**6))
def test_the_form_depends_on_the_last_two_digits_only(count: int) -> None:
    assert plural(count, "a", "b", "c").split()[1] == plural(count % 100, "a", "b", "c").split()[1]


@pytest.mark.parametrize(
    ("of", "words"),
    [
        (timedelta(seconds=-5), "1 секунду"),
        (timedelta(milliseconds=1), "1 секунду"),
        (timedelta(seconds=2), "2 секунды"),
        (timedelta(seconds=59), "59 секунд"),
        (timedelta(seconds=59, milliseconds=1), "1 минуту"),
        (timedelta(seconds=61), "2 минуты"),
        (timedelta(minutes=5), "5 минут"),
    ],
)
def test_a_wait_is_rounded_up(of: timedelta, words: str) -> None:
    assert duration(of) == words


@pytest.mark.parametrize(
    ("count", "text"), [(1, "Осталась 1 попытка."), (2, "Осталось 2 попытки."), (5, "Осталось 5 попыток.")]
)
def test_the_verb_agrees_with_the_count(count: int, text: str) -> None:
    assert attempts_left(count) == text


def test_a_lost_guess_says_how_many_are_left_and_the_last_one_what_to_do() -> None:
    assert "Осталась 1 попытка" in sentence(errors.CodeMismatch(1))
    assert "Получите новый код" in sentence(errors.CodeMismatch(0))


# Of an account, said to anyone who is in it or has its password: there Gosuslugi is no other way, but for the proof.
OF_AN_ACCOUNT = {
    errors.SignedInTooOften: "восстановите пароль по телефону",
    errors.ProvedTooOften: "подтвердите себя через Госуслуги",
    errors.SettingsSavedTooOften: "обратитесь в регистратуру",
    errors.ToldTooOften: "обратитесь в регистратуру",
    errors.EmailCodesTooOften: "подойдёт код из последнего письма",
    errors.NoticesOverBudget: "нажмите «Не могу войти»",
}
LIMITS = [
    leaf for leaf in leaves(errors.LimitReached) if leaf is not errors.ChannelOverBudget and leaf not in OF_AN_ACCOUNT
]


@pytest.mark.parametrize(("leaf", "otherwise"), OF_AN_ACCOUNT.items())
def test_a_limit_of_an_account_says_until_when_and_what_else_can_be_done(
    leaf: type[errors.LimitReached], otherwise: str
) -> None:
    error = leaf(NOW, NOW + timedelta(minutes=31, seconds=10))

    assert "после 15:32." in sentence(error)
    assert "после 22:32." in sentence(error, ZoneInfo("Asia/Vladivostok"))
    assert otherwise in sentence(error)


@pytest.mark.parametrize("leaf", LIMITS)
def test_a_reached_limit_says_until_when_on_the_wall_and_what_else_can_be_done(leaf: type[errors.LimitReached]) -> None:
    error = leaf(NOW, NOW + timedelta(minutes=31, seconds=10))

    assert "после 15:32." in sentence(error) or "после 15:32 или" in sentence(error)  # Moscow, rounded up
    assert "после 22:32" in sentence(error, ZoneInfo("Asia/Vladivostok"))
    assert "Госуслуги" in sentence(error)


def test_a_limit_that_ends_on_another_day_says_which() -> None:
    assert "после 15:00 8 марта" in sentence(errors.TooManyCodes(NOW, NOW + timedelta(days=7)))
    # Midnight has come in Vladivostok already when it has not in Moscow.
    late = errors.TooManyCodes(NOW, NOW + timedelta(hours=2, minutes=30))
    assert "после 00:30 2 марта" in sentence(late, ZoneInfo("Asia/Vladivostok"))
    assert "после 17:30." in sentence(late)


def test_a_way_without_money_is_named_and_the_other_way_offered() -> None:
    midnight = NOW.replace(hour=21)
    call, telegram = (sentence(errors.ChannelOverBudget(channel, NOW, midnight)) for channel in GUIDE_CHANNELS)

    assert call.startswith("Проверочный звонок снова можно будет получить после 00:00 2 марта. Выберите другой способ.")
    assert telegram.startswith("Код в Telegram снова")


NO_PASSWORD_NOW = [leaf(NOW, NOW + timedelta(minutes=31)) for leaf in (errors.TooManySignIns, errors.SignInsOverloaded)]
NO_GOSUSLUGI = Help("единый центр записи", gosuslugi=False)


@pytest.mark.parametrize("error", [errors.InvalidCredentials(), *NO_PASSWORD_NOW], ids=repr)
@pytest.mark.parametrize("help", [Help(), NO_GOSUSLUGI], ids=["gosuslugi", "none"])
def test_a_refused_password_names_only_what_its_own_screen_offers(error: MedonlineError, help: Help) -> None:
    linking, proof = (say(error, help=help) for say in (linking_sentence, proof_sentence))

    assert is_for_a_patient(linking)
    assert is_for_a_patient(proof)
    assert "кодом" in linking
    assert "Госуслуги" not in linking
    assert "«Не могу войти»" not in linking
    without_codes = linking_sentence(error, help=help, by_code=False)
    assert is_for_a_patient(without_codes)
    assert "код" not in without_codes
    assert ("Госуслуги" in proof) == help.gosuslugi
    assert "выйдите и нажмите «Не могу войти»" in proof
    assert "Телефон" not in proof


@pytest.mark.parametrize("error", NO_PASSWORD_NOW, ids=repr)
def test_a_closed_entrance_says_until_when_and_leaves_what_works_to_its_buttons(error: MedonlineError) -> None:
    assert closed_sentence(error).endswith("после 15:31.")
    assert "«Не могу войти»" not in closed_sentence(error)


@pytest.mark.parametrize("error", examples(), ids=lambda error: f"{type(error).__name__}-{error}")
def test_any_other_refusal_is_told_as_everywhere(error: MedonlineError) -> None:
    if not isinstance(error, errors.InvalidCredentials | errors.TooManySignIns | errors.SignInsOverloaded):
        assert proof_sentence(error) == closed_sentence(error) == sentence(error)
        assert linking_sentence(error) == sign_in_sentence(error)


@pytest.mark.parametrize(
    ("better", "gosuslugi", "then"),
    [
        (ChannelName.SMS, True, "Получите код в SMS или подождите."),
        (ChannelName.SMS, False, "Получите код в SMS или подождите."),
        (None, True, "Подождите или войдите через Госуслуги."),
        (None, False, "Подождите."),
    ],
)
def test_a_call_that_is_awaited_elsewhere_says_until_when_and_what_works_now(
    better: ChannelName | None, gosuslugi: bool, then: str
) -> None:
    error = errors.CallAwaited(NOW, NOW + timedelta(minutes=5), better)
    text = sentence(error, ZoneInfo("Asia/Vladivostok"), Help(gosuslugi=gosuslugi))

    told = "Звонка с этого номера уже ждут в другом окне или браузере. Этот способ откроется в 22:05."
    assert text == f"{told} {then}"


def test_a_way_that_is_off_sends_to_another_only_where_one_is_open() -> None:
    call = ChannelName.FLASH_CALL

    assert sentence(errors.ChannelUnavailable(call)).endswith("Выберите другой способ.")
    assert "другой" not in sentence(errors.ChannelUnavailable(call, another=False))


def test_a_session_that_is_over_names_the_time_of_this_installation() -> None:
    assert "прошло 12 часов." in session_idle(timedelta(hours=12))
    assert "прошло 45 минут." in session_idle(timedelta(minutes=45))


def test_the_limits_of_a_phone_name_the_clinic_too() -> None:
    for leaf in (errors.TooManyCodes, errors.TooManyRequests, errors.TooManyWrongCodes, errors.NumberBlockBusy):
        assert "регистратуру" in sentence(leaf(NOW, NOW + timedelta(hours=1)))


@pytest.mark.parametrize(
    ("signs", "named"),
    [
        ("-", "Вы ввели «-». "),
        ("-!", "Вы ввели «-» и «!». "),
        ("- \x00", "Вы ввели «-», пробел и невидимый знак. "),
        ("\u00a0", "Вы ввели пробел. "),
        ("", "В пароле бывают"),
    ],
)
def test_a_refused_password_is_told_by_the_sign_that_is_in_the_way(signs: str, named: str) -> None:
    error = errors.InvalidPassword((PasswordProblem.FORBIDDEN_CHARACTERS,), 8, signs)

    assert sentence(error).startswith(named)
