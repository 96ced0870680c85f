"""The first visit on a slow phone: when something is seen, when «Войти» answers, and how many bytes it takes.

    python -m benchmarks.first_load [CHECKOUT] [--rounds 7] [--paths / /recovery]

Chromium runs with a cold cache, a slow line (150 ms, 1.6 Mbit/s) and a quarter of its processor, as Chrome's DevTools emulate them. Each
round loads a bare page and the portal's pages in turn, each in its own browser context. The bare page has the same texts in the same order,
but no style and no script: no page can be painted sooner. So compare ratios within one run; the times themselves depend on this machine.

«Войти» is tapped as soon as the first frame is reported; `dialog` is when the dialog was open. `shift` is the cumulative layout shift until
the app has taken over the page and the line is silent. Exit code 1 when a tap opened nothing.
"""

from __future__ import annotations

import gzip
import re
import shutil
import statistics
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.load.options import checkout_parser, positive
from benchmarks.load.report import print_table, write
from benchmarks.load.servers import servers

LATENCY_MS, BITS_PER_S, CPU_RATE = 150, 1_600_000, 4
PATIENCE_MS = 60_000
BARE = "bare page"
_WATCH = """
window.seen = { shift: 0, dialog: null };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.seen.shift += entry.value;
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(() => {
    if (window.seen.dialog === null && document.querySelector("dialog[open]")) window.seen.dialog = performance.now();
  }).observe(document.body, { subtree: true, attributes: true, attributeFilter: ["open"] });
});
"""
_PAINTED = "() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime"
_SEEN = "() => [window.seen.shift, window.seen.dialog]"
# React marks the elements that it has taken over.
_TAKEN_OVER = "() => Object.keys(document.querySelector('main')).some((key) => key.startsWith('__reactProps'))"


@dataclass
class Loads:
    """The results of loading one page several times."""

    painted: list[float] = field(default_factory=list)
    dialog: list[float] = field(default_factory=list)
    shift: list[float] = field(default_factory=list)
    kilobytes: list[float] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)


def bare(page: str) -> str:
    """The texts of a built page in their elements and nothing else: no attribute, style, script or drawing."""
    body = page[page.index("<body") :]
    for element in ("script", "style", "svg", "template"):
        body = re.sub(rf"<{element}\b.*?</{element}>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<dialog\b.*?</dialog>", lambda match: f"<dialog>{_texts(match[0])}</dialog>", body, flags=re.DOTALL)
    body = re.sub(r"<(?!/|dialog)(\w+)[^>]*?/?>", r"<\1>", body)
    return f'<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>Текст</title><link rel="icon" href="data:,"></head>{body}'


def _texts(markup: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


@contextmanager
def bare_server(page: str) -> Iterator[str]:
    """The address of a server with one page. It compresses like a proxy in front of the portal."""
    content = gzip.compress(page.encode())

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """The page at every path."""
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()


def load(browser: Browser, address: str, found: Loads, *, taps: bool, is_app: bool) -> None:
    """Load a page in a browser that was never here."""
    context = browser.new_context(
        viewport={"width": 412, "height": 840}, is_mobile=True, has_touch=True, locale="ru-RU"
    )
    try:
        page = context.new_page()
        received = _slow_down(page)
        page.add_init_script(_WATCH)
        page.goto(address, wait_until="commit", timeout=PATIENCE_MS)
        page.wait_for_function(_PAINTED, polling=10, timeout=PATIENCE_MS)
        if taps:
            page.get_by_role("banner").get_by_role("button", name="Войти", exact=True).tap()
        if is_app:
            page.wait_for_function(_TAKEN_OVER, timeout=PATIENCE_MS)
        page.wait_for_load_state("networkidle", timeout=PATIENCE_MS)
        found.painted.append(page.evaluate(_PAINTED))
        shift, dialog = page.evaluate(_SEEN)
        found.shift.append(shift)
        if dialog is not None:
            found.dialog.append(dialog)
        found.kilobytes.append(sum(received) / 1000)
        found.requests.append(len(received))
    finally:
        context.close()


def _slow_down(page: Page) -> list[float]:
    """Slow the line and the processor down. Returns a list that collects the bytes of each answer, including its headers."""
    session = page.context.new_cdp_session(page)
    rate = BITS_PER_S / 8
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": False})
    conditions = {"offline": False, "latency": LATENCY_MS, "downloadThroughput": rate, "uploadThroughput": rate}
    session.send("Network.emulateNetworkConditions", conditions)
    session.send("Emulation.setCPUThrottlingRate", {"rate": CPU_RATE})
    received: list[float] = []
    session.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    return received


def table(found: dict[str, Loads]) -> list[tuple[str, str, str, str, str, str, str]]:
    """One row per page: medians, and the paint as a multiple of the bare page's in the same round."""
    rows = []
    for name, loads in found.items():
        ratios = [one / bare for one, bare in zip(loads.painted, found[BARE].painted, strict=True)]
        dialog = f"{statistics.median(loads.dialog):.0f}" if loads.dialog else "-"
        rows.append(
            (
                name,
                f"{statistics.median(loads.painted):.0f}",
                f"{statistics.median(ratios):.2f}",
                dialog,
                f"{statistics.median(loads.kilobytes):.1f}",
                f"{statistics.median(loads.requests):.0f}",
                f"{max(loads.shift):.3f}",
            )
        )
    return rows


def run(portal_url: str, paths: list[str], rounds: int) -> dict[str, Loads]:
    """Load the bare page and each path of the portal once per round."""
    found: dict[str, Loads] = defaultdict(Loads)
    text = bare(httpx.get(portal_url, trust_env=False).text)
    with sync_playwright() as playwright, bare_server(text) as bare_url:
        system = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
        browser = playwright.chromium.launch(executable_path=system, args=["--no-sandbox", "--disable-gpu"])
        try:
            load(browser, bare_url, Loads(), taps=False, is_app=False)  # not counted: the browser itself starts slowly
            for _ in range(rounds):
                load(browser, bare_url, found[BARE], taps=False, is_app=False)
                for path in paths:
                    load(browser, f"{portal_url}{path}", found[path], taps=path == "/", is_app=True)
        finally:
            browser.close()
    return found


def numbers_of(found: dict[str, Loads]) -> dict[str, Any]:
    """Every single load, for programs."""
    return {name: vars(loads) for name, loads in found.items()}


def main() -> int:
    """Exit code: 1 when a tap right after the first paint opened nothing."""
    parser = checkout_parser(__doc__)
    parser.add_argument("--rounds", type=positive, default=7)
    parser.add_argument("--paths", nargs="+", default=["/", "/recovery"])
    parser.add_argument("--json", type=Path, help="the file of the numbers; var/benchmarks/first_load.json without it")
    arguments = parser.parse_args()
    with servers(arguments.checkout) as started:
        found = run(started.portal_url, arguments.paths, arguments.rounds)
    file = write("first_load", {"rounds": arguments.rounds, "loads": numbers_of(found)}, arguments.json)
    print_table(("medians", "painted ms", "× bare", "dialog ms", "kB", "requests", "shift"), table(found))
    print(f"numbers: {file}")
    return 0 if len(found["/"].dialog) == len(found["/"].painted) else 1


if __name__ == "__main__":
    sys.exit(main())
