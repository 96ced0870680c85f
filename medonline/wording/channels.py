"""What patients read about the ways of getting a code. Every sentence that differs by way is here, in one value per way."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from medonline.domain.codes.channels import ChannelName
from medonline.services.codes.delivery import DeliveryProblem, DeliveryState

BY_RULE = "коды этим способом сейчас часто не доходят"
SMS_TEXT = "Код {code}. Никому не сообщайте."
FAILING = "Сейчас коды этим способом часто не доходят."
NO_WAYS = "но сейчас коды не отправляются"


@dataclass(frozen=True, slots=True)
class ChannelWords:
    """The words of one way.

    Attributes:
        label: the name of the way on step 1, exactly as in the guide for the guide's ways (G15). It may begin a sentence.
        note: the line below the label.
        icon: the name of the icon in `components/icons.py`.
        what: the name of the way inside a sentence: «запросили …».
        by: the end of «пароль установлен …».
        get: the button that switches to this way: «Получить код …».
        get_it: the same as the beginning of an advice: «Получите код …».
        again: the button for another code by this way.
        where: where the patient finds the code on step 2 (G16, G17).
        where_note: a second line below `where`; may be empty.
        where_begun: replaces `where` once the chat was opened. Only for ways with a chat.
        drawing: the name of the picture in `components/drawings.py`; may be empty.
        not_coming: what to check if no code comes.
        advice: whole sentences for a patient who gets no code by another way; may be empty.
        delivery: the text for each state of the delivery.
        problems: the reason for each problem of the delivery.
        step: the heading of step 2, exactly as in the guide (G16, G17).
        trouble: the question above `not_coming`.
        again_at: the words before the clock time from which another code may be requested.
        fits: says that the code was right, if another proof is still needed.
        accepted, after: say in the journal that the code was right, at the end and in the middle of a sentence.
    """

    label: str
    note: str
    icon: str
    what: str
    by: str
    get: str
    get_it: str
    again: str
    where: str
    not_coming: str
    delivery: Mapping[DeliveryState, str]
    problems: Mapping[DeliveryProblem, str]
    where_note: str = ""
    where_begun: str = ""
    drawing: str = ""
    advice: str = ""
    step: str = "ШАГ 2. ВВЕДИТЕ ПРОВЕРОЧНЫЙ КОД"
    trouble: str = "Код не приходит?"
    again_at: str = "Новый код можно запросить в "
    fits: str = "Код подошёл."
    accepted: str = "введён верный код"
    after: str = "после верного кода"


WORDS: Mapping[ChannelName, ChannelWords] = MappingProxyType(
    {
        ChannelName.FLASH_CALL: ChannelWords(
            label="Проверочный звонок",
            note="Код — последние 4 цифры номера, с которого позвонят",
            icon="phone",
            what="проверочный звонок",
            by="по проверочному звонку",
            get="Получить код звонком",
            get_it="Получите код звонком",
            again="Позвонить ещё раз",
            where=(
                "Вам поступит звонок. Отвечать не нужно: последние 4 цифры номера, "
                "с которого позвонили, — это проверочный код."
            ),
            drawing="call",
            not_coming="Звонок длится пару секунд: посмотрите пропущенные и список заблокированных.",
            delivery={
                DeliveryState.QUEUED: "Звоним…",
                DeliveryState.SENDING: "Звоним…",
                DeliveryState.SENT: "Звоним…",
                DeliveryState.DELIVERED: "Звонок дошёл. Посмотрите номер в пропущенных звонках.",
            },
            problems={
                DeliveryProblem.NUMBER_NOT_REACHABLE: "Не удалось позвонить на этот номер.",
                DeliveryProblem.NUMBER_REFUSED: "Сейчас позвонить на этот номер нельзя.",
                DeliveryProblem.CHANNEL_DOWN: "Звонки сейчас не работают.",
                DeliveryProblem.NOT_ANSWERED: "Не дозвонились. Проверьте, что телефон включён и в сети.",
            },
        ),
        ChannelName.TELEGRAM: ChannelWords(
            label="Код в Telegram",
            note="Код придёт в канал «Коды подтверждения»",
            icon="message",
            what="код в Telegram",
            by="по коду в Telegram",
            get="Получить код в Telegram",
            get_it="Получите код в Telegram",
            again="Отправить новый код в Telegram",
            where="Откройте Telegram и укажите код, который поступил в канал «Коды подтверждения»",
            where_note="Сообщение на английском языке, код в нём — шесть цифр.",
            drawing="chat",
            not_coming="Код в Telegram приходит в канал «Коды подтверждения», а не в SMS.",
            advice="Если звонок не доходит, выберите «Код в Telegram»: он приходит в канал «Коды подтверждения».",
            delivery={
                DeliveryState.QUEUED: "Отправляем…",
                DeliveryState.SENDING: "Отправляем…",
                DeliveryState.SENT: "Отправлено, ждём подтверждения от Telegram…",
                DeliveryState.DELIVERED: "Сообщение доставлено.",
                DeliveryState.READ: "Сообщение прочитано.",
            },
            problems={
                DeliveryProblem.NUMBER_NOT_REACHABLE: "Этот номер не зарегистрирован в Telegram.",
                DeliveryProblem.NUMBER_REFUSED: "Telegram сейчас не принимает сообщения на этот номер.",
                DeliveryProblem.CHANNEL_DOWN: "Отправка через Telegram сейчас не работает.",
                DeliveryProblem.NOT_ANSWERED: "Сообщение в Telegram не дошло.",
            },
        ),
        ChannelName.SMS: ChannelWords(
            label="Код в SMS",
            note="Придёт сообщение с кодом из шести цифр",
            icon="envelope",
            what="код в SMS",
            by="по коду из SMS",
            get="Получить код в SMS",
            get_it="Получите код в SMS",
            again="Отправить новый код в SMS",
            where="На ваш номер придёт SMS. Укажите код из этого сообщения, в нём шесть цифр.",
            not_coming=(
                "SMS с кодом идёт до минуты. Если вы просили оператора не присылать массовые сообщения, "
                "он не пропустит и её: выберите другой способ."
            ),
            advice="Код может прийти и в SMS: выберите «Код в SMS».",
            delivery={
                DeliveryState.QUEUED: "Отправляем SMS…",
                DeliveryState.SENDING: "Отправляем SMS…",
                DeliveryState.SENT: "SMS отправлена, ждём ответа оператора…",
                DeliveryState.DELIVERED: "SMS доставлена.",
            },
            problems={
                DeliveryProblem.NUMBER_NOT_REACHABLE: (
                    "Оператор не доставляет SMS на этот номер: возможно, массовые сообщения отключены по просьбе владельца."
                ),
                DeliveryProblem.NUMBER_REFUSED: (
                    "Сейчас SMS на этот номер не отправить: он в стоп-листе, или за день на него ушло слишком много сообщений."
                ),
                DeliveryProblem.CHANNEL_DOWN: "Отправка SMS сейчас не работает.",
                DeliveryProblem.NOT_ANSWERED: "SMS не дошла. Проверьте, что телефон включён и в сети.",
            },
        ),
        ChannelName.MAX: ChannelWords(
            label="Код в MAX",
            note="Откроется чат в MAX: код придёт туда, когда вы поделитесь своим контактом",
            icon="chat",
            what="код в MAX",
            by="по коду в MAX",
            get="Получить код в MAX",
            get_it="Получите код в MAX",
            again="Получить новый код в MAX",
            where="Откройте чат в MAX, нажмите «Начать» и «Поделиться контактом». Код из шести цифр придёт в этот чат.",
            where_begun="Вернитесь в чат в MAX. Если код ещё не пришёл, нажмите там «Поделиться контактом»: в коде шесть цифр.",
            where_note="Ваш номер в MAX должен быть тем же, что указан здесь. Никому не сообщайте код.",
            not_coming=(
                "Код придёт в чат только после кнопки «Поделиться контактом». Если чат не открывается, установите MAX "
                "или выберите другой способ."
            ),
            advice="Если у вас есть MAX, выберите «Код в MAX».",
            delivery={
                DeliveryState.QUEUED: "Ждём, когда вы поделитесь контактом в чате MAX…",
                DeliveryState.SENDING: "Отправляем код в чат MAX…",
                DeliveryState.SENT: "Код отправлен в чат MAX.",
                DeliveryState.DELIVERED: "Код в чате MAX.",
            },
            problems={
                DeliveryProblem.NUMBER_NOT_REACHABLE: "Чат в MAX не найден: запросите код ещё раз и откройте чат по новой ссылке.",
                DeliveryProblem.NUMBER_REFUSED: "MAX не даёт написать вам: возможно, бот заблокирован.",
                DeliveryProblem.CHANNEL_DOWN: "Отправка через MAX сейчас не работает.",
                DeliveryProblem.NOT_ANSWERED: "Код в MAX не дошёл.",
            },
        ),
        ChannelName.INBOUND_CALL: ChannelWords(
            label="Позвоните нам",
            note="Мы покажем номер, вы позвоните на него с этого телефона. После звонка нужна дата рождения",
            icon="phone-out",
            what="подтверждение вашим звонком",
            by="по вашему звонку",
            get="Подтвердить звонком с телефона",
            get_it="Подтвердите номер звонком с вашего телефона",
            again="Получить номер ещё раз",
            where=(
                "Позвоните со своего телефона на номер, который показан ниже. Говорить и вводить код не нужно: когда увидим "
                "звонок, попросим дату рождения."
            ),
            where_note="Звоните с того номера, который указали, и не скрывайте его.",
            not_coming=(
                "Звонок засчитывается только с номера, который вы указали. Если номер скрыт или в телефоне две сим-карты, "
                "проверьте, с какого номера звоните."
            ),
            delivery={
                DeliveryState.QUEUED: "Получаем номер, на который позвонить…",
                DeliveryState.SENDING: "Получаем номер, на который позвонить…",
                DeliveryState.SENT: "Ждём вашего звонка…",
                DeliveryState.DELIVERED: "Звонок с вашего номера есть.",
            },
            problems={
                DeliveryProblem.NUMBER_NOT_REACHABLE: "Звонок с этого номера принять не получится.",
                DeliveryProblem.NUMBER_REFUSED: "Сейчас звонок с этого номера принять нельзя.",
                DeliveryProblem.CHANNEL_DOWN: "Подтверждение звонком сейчас не работает.",
                DeliveryProblem.NOT_ANSWERED: "Вовремя звонка с вашего номера не было. Получите номер ещё раз.",
            },
            step="ШАГ 2. ПОЗВОНИТЕ НАМ",
            trouble="Звонок не засчитан?",
            again_at="Номер для звонка можно получить ещё раз в ",
            fits="Звонок с вашего номера есть.",
            accepted="принят звонок с вашего номера",
            after="после звонка с вашего номера",
        ),
    }
)


def words_of(channel: str) -> ChannelWords:
    """The words of a way, by its name in the record or in a setting."""
    return WORDS[ChannelName(channel)]


def ways_in_words(channels: Iterable[ChannelName]) -> str:
    """«проверочный звонок или код в Telegram», for the end of a sentence."""
    ways = [WORDS[channel].what for channel in channels]
    return " или ".join(filter(None, (", ".join(ways[:-1]), *ways[-1:]))) or NO_WAYS


def advice_in_words(channels: Iterable[ChannelName]) -> str:
    """What to try if no code comes; empty if the ways have no such advice."""
    return " ".join(filter(None, (WORDS[channel].advice for channel in channels)))


def switched_off(channel: str, reason: str) -> str:
    """Why a way is switched off, in one sentence. `reason`: the operator's text; empty if the rule switched the way off."""
    return f"«{words_of(channel).label}» временно отключён: {_as_reason(reason) or BY_RULE}."


def _as_reason(reason: str) -> str:
    """The reason as the end of a sentence, without the operator's own final punctuation."""
    text = reason.strip().rstrip(".!… ")
    first, rest = text[:1], text[1:]
    return first.lower() + rest if rest[:1].islower() else text
