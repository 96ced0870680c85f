"""What no page may do: complain in the console, show English, or need sideways scrolling."""

from __future__ import annotations

import re

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, WebError

# Names and abbreviations that are written in Latin letters in Russian.
LATIN_ALLOWED = frozenset({"MAX", "Telegram", "Caps", "Lock", "PIN", "SMS", "Email", "QR"})
_LATIN = re.compile(r"[A-Za-z]{2,}")
_ADDRESS = re.compile(r"\S+@\S+")
_LOST_CONNECTION = re.compile(r"net::ERR_|WebSocket connection to", re.I)
# Browsers do not always print what the Content-Security-Policy stops.
_REPORT_VIOLATIONS = """document.addEventListener("securitypolicyviolation", (event) =>
  console.error(`Content Security Policy: ${event.effectiveDirective} stopped ${event.blockedURI || "something inline"}`));"""
_READABLE = """() => {
  const seen = (element) => element.checkVisibility({ visibilityProperty: true });
  const named = [...document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")].filter(seen);
  const names = named.flatMap((e) => ["aria-label", "placeholder", "title", "alt"].map((a) => e.getAttribute(a) ?? ""));
  return [document.title, document.body.innerText, ...names].join("\\n");
}"""


class Watch:
    """Collects what the pages of a test complain about. Lost connections count unless the test causes them."""

    def __init__(self) -> None:
        self._complaints: list[str] = []
        self._allowed: list[re.Pattern[str]] = []

    def over(self, context: BrowserContext) -> None:
        context.add_init_script(_REPORT_VIOLATIONS)
        context.on("console", self._on_console)
        context.on("weberror", self._on_error)

    def allow_lost_connection(self) -> None:
        """This test kills the server or cuts the browser off."""
        self._allowed.append(_LOST_CONNECTION)

    def allow_missing_page(self) -> None:
        """This test asks for an address that does not exist."""
        self._allowed.append(re.compile(r"status of 404"))

    def allow_form_not_taken(self) -> None:
        """This test posts a form without the page's scripts. The answer is 422 and a page that says what to do."""
        self._allowed.append(re.compile(r"status of 422"))

    def allow_refused_form(self) -> None:
        """This test submits a form of the stand-in. The answer is 400 and a page that says why."""
        self._allowed.append(re.compile(r"status of 400"))

    def allow_failing_server(self) -> None:
        """In this test, a route answers like a server that is full or broken."""
        self._allowed.append(re.compile(r"status of (429|500)"))

    def complaints(self) -> list[str]:
        return [text for text in self._complaints if not any(pattern.search(text) for pattern in self._allowed)]

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self._complaints.append(f"{message.text} ({message.location.get('url', '')})")

    def _on_error(self, error: WebError) -> None:
        self._complaints.append(f"uncaught: {error.error}")


def english_words(page: Page) -> set[str]:
    """Latin words that a patient could see or hear on this screen, without those in e-mail addresses."""
    return set(_LATIN.findall(_ADDRESS.sub("", page.evaluate(_READABLE)))) - LATIN_ALLOWED


def overflow(page: Page) -> int:
    """By how many pixels the page, or the open dialog, is wider than its window."""
    return page.evaluate(
        """() => Math.max(...[document.documentElement, ...document.querySelectorAll("dialog[open]")]
                 .map((box) => box.scrollWidth - box.clientWidth))"""
    )
