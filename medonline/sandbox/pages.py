"""HTML and headers of the sandbox's pages. Each page has the banner that this is a training stand."""

from __future__ import annotations

from string import Template

# For pages with a form and without a script.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
    ),
    # With `no-referrer` a browser posts the form without its Origin, and the portal takes it for another site's form.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
# For pages with a form that a script keeps up to date.
LIVE_HEADERS = HEADERS | {
    "Content-Security-Policy": f"{HEADERS['Content-Security-Policy']}; script-src 'self'; connect-src 'self'"
}
_FRAME = """<!doctype html>
<html lang="ru">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>$title</title>
<link rel="icon" href="static/phone.svg" type="image/svg+xml">
<link rel="stylesheet" href="static/phone.css">
</head>
<body>
<aside class="banner" aria-label="Учебный стенд">Учебный стенд: $banner</aside>
"""
_HEAD = _FRAME.replace("$banner", "настоящих звонков и сообщений нет")

INDEX = Template(
    _HEAD.replace("$title", "Учебный стенд")
    + """<main>
<h1>Учебный стенд</h1>
<p>Здесь вместо настоящих операторов отвечают их учебные копии: Telegram Gateway, uCaller, SMS.ru и Госуслуги.</p>
<p><a class="button" href="phone">Открыть демо-телефон</a> <a href="inbox">Почта</a></p>
$patients
$gosuslugi
</main>
</body>
</html>
"""
)

PHONE = Template(
    _HEAD.replace("$title", "Демо-телефон")
    + """<main>
<h1>Демо-телефон</h1>
<form method="get" action="phone">
<label for="number">Номер телефона</label>
<div class="row">
<input id="number" name="number" type="tel" inputmode="tel" autocomplete="off" required maxlength="64"
 placeholder="+7 900 000-10-01" value="$number" aria-invalid="$invalid" aria-describedby="problem">
<button type="submit">Показать</button>
</div>
<p id="problem" class="problem">$problem</p>
</form>
$patients
$frame
</main>
<script src="static/phone.js" defer></script>
</body>
</html>
"""
)

INBOX = Template(
    _HEAD.replace("$title", "Почта")
    + """<main>
<h1>Почта учебного стенда</h1>
<form method="get" action="inbox">
<label for="address">Адрес электронной почты</label>
<div class="row">
<input id="address" name="address" type="email" autocomplete="off" required maxlength="200"
 placeholder="maria@example.ru" value="$address">
<button type="submit">Показать</button>
</div>
</form>
<ol class="messages" id="mails">$mails</ol>
$empty
<p><a href="phone">Демо-телефон</a></p>
</main>
</body>
</html>
"""
)

_HEAD_BELOW = _HEAD.replace('href="static', 'href="../static')
MAX_OPEN = Template(
    _HEAD.replace("$title", "MAX").replace('href="static', 'href="../../static')
    + """<main>
<h1>MAX: чат с ботом</h1>
<form method="post" action="../chat">
<input type="hidden" name="payload" value="$payload">
<label for="number">Чей это телефон</label>
<div class="row">
<input id="number" name="number" type="tel" inputmode="tel" autocomplete="off" required maxlength="64"
 placeholder="+7 900 000-10-01" value="$number">
<button type="submit" name="act" value="begin">Начать</button>
</div>
</form>
</main>
</body>
</html>
"""
)

MAX_CHAT = Template(
    _HEAD_BELOW.replace("$title", "Чат в MAX").replace(
        "<title>", '<noscript><meta http-equiv="refresh" content="2"></noscript>\n<title>'
    )
    + """<main>
<h1>MAX: $sender</h1>
<p>$shown</p>
<ol class="messages" id="chat">$messages</ol>
<p id="connection" class="connection" role="status"></p>
<form method="post" action="chat">
<input type="hidden" name="number" value="$number">
<p><button type="submit" name="act" value="share">Поделиться контактом</button></p>
<p><button type="submit" name="act" value="by_hand">Свой контакт через скрепку</button>
<button type="submit" name="act" value="foreign">Чужая карточка</button>
<button type="submit" name="act" value="forward">Переслать</button>
<button type="submit" name="act" value="stop">Остановить бота</button></p>
</form>
</main>
<script src="../static/chat.js" defer></script>
</body>
</html>
"""
)

DIALLER = Template(
    _HEAD.replace("$title", "Набор номера")
    + """<main>
<h1>Позвонить на номер</h1>
<p id="said" role="status">$said</p>
<form method="post" action="dialler">
<label for="number">С какого телефона</label>
<input id="number" name="number" type="tel" inputmode="tel" autocomplete="off" required maxlength="64"
 placeholder="+7 900 000-10-01" value="$number">
<label for="to">На какой номер</label>
<input id="to" name="to" type="tel" inputmode="tel" autocomplete="off" required maxlength="32"
 placeholder="+7 800 500-82-75" value="$to">
<p><button type="submit" name="from" value="own">Позвонить</button></p>
<p><button type="submit" name="from" value="other">Позвонить с другого номера</button>
<button type="submit" name="from" value="hidden">Позвонить, скрыв номер</button></p>
</form>
<p><a href="phone">Демо-телефон</a></p>
</main>
</body>
</html>
"""
)

FAULTS = Template(
    _FRAME
    + """<main>
<h1>$title</h1>
<form method="post" action="$path">
$groups
<p><button type="submit">Включить</button></p>
</form>
</main>
</body>
</html>
"""
)

GOSUSLUGI = """<p>Госуслуги: <a href="gosuslugi/people">тестовые люди и учебный пароль</a>,
<a href="gosuslugi/faults">сбои стенда</a>.</p>"""

FRAME = Template("""<section class="phone" data-events="$events" data-shown="$shown"
aria-labelledby="phone-number">
<h2 id="phone-number">$number</h2>
<p id="connection" class="connection" role="status"></p>
<section aria-labelledby="calls-title">
<h3 id="calls-title">Входящие звонки</h3>
<p class="hint">Код — последние четыре цифры номера, с которого звонят.</p>
<ol id="calls" class="calls" aria-live="polite" aria-relevant="additions">$calls</ol>
<p class="empty">Звонков пока нет</p>
</section>
<section aria-labelledby="chat-title">
<h3 id="chat-title">Telegram: «Коды подтверждения»</h3>
<ol id="messages" class="messages" aria-live="polite" aria-relevant="additions">$messages</ol>
<p class="empty">Сообщений пока нет</p>
</section>
<section aria-labelledby="sms-title">
<h3 id="sms-title">SMS</h3>
<ol id="sms" class="messages" aria-live="polite" aria-relevant="additions">$sms</ol>
<p class="empty">SMS пока нет</p>
</section>
<p><a href="dialler?number=$number_quoted">Позвонить на номер…</a></p>
<p><a href="max/chat?number=$number_quoted">Чат в MAX</a></p>
$qr
<noscript><p class="hint">Чтобы увидеть новые звонки и сообщения, обновите страницу.</p></noscript>
</section>
""")

QR = Template("""<section aria-labelledby="qr-title">
<h3 id="qr-title">Вход по QR-коду</h3>
<ol id="qr" aria-live="polite" aria-relevant="additions" data-pending="gosuslugi/qr.json" data-number="$number">$items</ol>
<p class="empty">Подтверждать пока нечего</p>
</section>""")
