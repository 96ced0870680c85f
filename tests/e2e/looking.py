"""Looks at a screen in every view without walking to it again: four widths, light, dark and the low-vision version.

`Portal.look` does this wherever a test reaches a screen on a desktop. With `--screens FOLDER` (`make screens`) the views are kept as
pictures instead, with a page that shows them all.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from tests.e2e.watching import overflow

AXE = Path(__file__).parents[2] / "browser/node_modules/axe-core/axe.min.js"
WIDTHS = (320, 412, 768, 1280)
JUDGED = (320, 375, 412, 768, 1280)
HEIGHT = 860
DESKTOP, PHONE = 1280, 412
TOUCHED = 800  # pixels: narrower screens have touch
TARGET = 44  # CSS pixels
SCHEMES = ("light", "dark")
LOW_VISION = "low"
# Only these depend on colours. Everything else is the same in every scheme.
_OF_COLOURS = ["color-contrast", "link-in-text-block"]
_RUN_AXE = """async (rules) => {
  const options = rules ? { runOnly: { type: "rule", values: rules } }
    : { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] };
  const { violations } = await axe.run(document, { ...options, resultTypes: ["violations"] });
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`));
}"""
# Labels count as targets: a radio button is as large as the card around it, and a checkbox as its line. A link in a sentence is as high as
# the sentence's line.
SMALL_TARGETS = """(least) => [...document.querySelectorAll("a[href], button, summary, input")]
  .filter((e) => !e.matches("[type=hidden], [type=radio], .tick input"))
  .filter((e) => e.checkVisibility({ visibilityProperty: true }) && e.getBoundingClientRect().bottom + scrollY > 0)
  .filter((e) => !e.matches(".visually-hidden") && (!document.querySelector("dialog[open]") || e.closest("dialog[open]")))
  .map((e) => [e.getBoundingClientRect(), e.innerText || e.ariaLabel || e.id,
    /^inline(-block)?$/.test(getComputedStyle(e).display) && e.matches(":is(p, li) > a:not(.button), .error-link")])
  .filter(([box, , inText]) => (inText ? box.height < 24 : box.width < least || box.height < least))
  .map(([box, name]) => `${name}: ${Math.round(box.width)}x${Math.round(box.height)}`)"""
# Finds words of a button, tab or heading that are broken, and buttons that cover the brand.
_BROKEN = """() => {
  const seen = (e) => e.checkVisibility({ visibilityProperty: true });
  const words = [...document.querySelectorAll(".button, .tab, .choice, h1, h2")].filter(seen).flatMap((element) => {
    const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
    const broken = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
      for (const word of text.data.matchAll(/[^\\s/-]+/g)) {
        const range = document.createRange();
        range.setStart(text, word.index); range.setEnd(text, word.index + word[0].length);
        if (new Set([...range.getClientRects()].map((box) => Math.round(box.top))).size > 1) broken.push(`broken: ${word[0]}`);
      }
    }
    return broken;
  });
  const brand = document.querySelector(".brand-name"), button = document.querySelector(".brand ~ button, .brand ~ * button");
  const covered = brand && button && seen(brand) && getComputedStyle(brand).position !== "absolute"
    && brand.getBoundingClientRect().right > button.getBoundingClientRect().left;
  return covered ? [...words, "the brand"] : words;
}"""
_NOT_DARK = """() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)
  .reduce((sum, part) => sum + part) < 150 ? [] : ["the page is not dark"]"""
# Presses the portal's own button for the low-vision version, even behind a dialog, and then gives the focus back. False on pages of others,
# on pages of a server that is gone, and when the wanted version is already on the screen.
_SWITCH_VISION = """async (wanted) => {
  const root = document.documentElement, before = document.activeElement, is = () => "visionScheme" in root.dataset;
  const button = document.querySelector(`button[data-vision][name=version][value=${wanted}]`);
  if (!button || is() === (wanted === "low") || document.querySelector(".connection-banner:not([hidden])")) return false;
  const switched = new Promise((resolve) => new MutationObserver((_, watch) => {
    if (is() === (wanted === "low")) { watch.disconnect(); resolve(true); }
  }).observe(root, { attributes: true }));
  const menus = [...document.querySelectorAll("[data-menu][aria-expanded=true]")];  // a click elsewhere closes them
  const press = () => button.dispatchEvent(new MouseEvent("click", { bubbles: true, cancelable: true }));
  const stop = (event) => event.preventDefault();  // before its script is there, the browser would post the form and load the page
  button.form.addEventListener("submit", stop);
  while (press()) await new Promise((resolve) => setTimeout(resolve, 50));
  button.form.removeEventListener("submit", stop);
  await switched;
  await new Promise((resolve) => setTimeout(resolve));
  for (const menu of menus) menu.click();
  before?.focus({ preventScroll: true });
  return true;
}"""


def look_around(page: Page, name: str, seen: Path) -> dict[str, list[str]]:
    """The faults of this screen by view. Empty if this run has looked at the screen before. `seen`: a folder of this run."""
    if _was_looked_at(name, seen):
        return {}
    try:
        faults = _judge(page)
    except BaseException:
        _look_again(name, seen)
        raise
    if faults:  # a second try of the test must not find the screen in order because it was looked at before
        _look_again(name, seen)
    return faults


def _judge(page: Page) -> dict[str, list[str]]:
    faults: dict[str, list[str]] = {}
    with _as_it_was(page):
        for width in JUDGED:
            _show(page, width, SCHEMES[0])
            faults[f"{width} light"] = _too_wide(page) + page.evaluate(_BROKEN)
            if width < TOUCHED:
                faults[f"{width} light"] += page.evaluate(SMALL_TARGETS, TARGET)
            if width in (PHONE, DESKTOP):
                faults[f"{width} light"] += _axe(page)
        for scheme in SCHEMES[1:]:  # the effect of a scheme does not depend on the width
            _show(page, PHONE, scheme)
            faults[f"{PHONE} {scheme}"] = _axe(page, _OF_COLOURS) + page.evaluate(_NOT_DARK)
        with _low_vision(page) as low:
            for width in (DESKTOP, PHONE) if low else ():
                _show(page, width, SCHEMES[0])
                faults[f"{width} low vision"] = _too_wide(page)
            if low:
                faults[f"{PHONE} low vision"] += _axe(page, _OF_COLOURS)
    return {view: found for view, found in faults.items() if found}


def _was_looked_at(name: str, seen: Path) -> bool:
    """Whether one of this run's processes has looked at the screen. Afterwards it counts as looked at."""
    try:
        _mark(name, seen).touch(exist_ok=False)
    except FileExistsError:
        return True
    return False


def _look_again(name: str, seen: Path) -> None:
    _mark(name, seen).unlink(missing_ok=True)


def _mark(name: str, seen: Path) -> Path:
    return seen / hashlib.sha256(name.encode()).hexdigest()


def _too_wide(page: Page) -> list[str]:
    return [f"{wide} px too wide"] if (wide := overflow(page)) > 0 else []


def _axe(page: Page, rules: list[str] | None = None) -> list[str]:
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(_axe_source())
    found: list[str] = page.evaluate(_RUN_AXE, rules)
    return found


@cache
def _axe_source() -> str:
    assert AXE.exists(), "axe-core is missing: run `npm ci` in browser/"
    return AXE.read_text(encoding="utf-8") + ";undefined"


def picture(page: Page, name: str, folder: Path, seen: Path) -> None:
    """Keep every view of this screen in the folder, and show it on the folder's page."""
    if _was_looked_at(name, seen):
        return
    screen = re.sub(r"[^\w]+", "-", name).strip("-").lower()
    with _as_it_was(page):
        for width in WIDTHS:
            for scheme in SCHEMES:
                _show(page, width, scheme)
                _keep(page, folder / screen / f"{width}-{scheme}.png")
        with _low_vision(page) as low:
            for width in WIDTHS if low else ():
                _show(page, width, SCHEMES[0])
                _keep(page, folder / screen / f"{width}-{LOW_VISION}.png")
    (folder / screen / "name.json").write_text(json.dumps({"name": name}, ensure_ascii=False), encoding="utf-8")
    _write_index(folder)


def _keep(page: Page, path: Path) -> None:
    page.screenshot(path=path, full_page=True, animations="disabled")


def _write_index(folder: Path) -> None:
    names = {path.parent: json.loads(path.read_text(encoding="utf-8"))["name"] for path in folder.glob("*/name.json")}
    views = [f"{width}-{scheme}" for scheme in (*SCHEMES, LOW_VISION) for width in WIDTHS]
    sections = "".join(
        f'<section id="{path.name}"><h2>{html.escape(name)}</h2><div>'
        + "".join(
            f'<figure><a href="{path.name}/{view}.png"><img loading="lazy" src="{path.name}/{view}.png" alt="{view}"></a>'
            f"<figcaption>{view}</figcaption></figure>"
            for view in views
            if (path / f"{view}.png").exists()
        )
        + "</div></section>"
        for path, name in sorted(names.items(), key=lambda item: item[1])
    )
    links = " ".join(
        f'<a href="#{path.name}">{html.escape(name)}</a>' for path, name in sorted(names.items(), key=lambda i: i[1])
    )
    style = (
        "body{font:16px system-ui;margin:1rem}nav a{margin-right:1rem}section div{display:flex;gap:1rem;align-items:start;"
        "overflow:auto}figure{margin:0;flex:none}img{max-height:32rem;border:1px solid #888}"
    )
    (folder / "index.html").write_text(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>Screens</title><style>{style}</style>'
        f"<h1>{len(names)} screens</h1><nav>{links}</nav>{sections}",
        encoding="utf-8",
    )


def _show(page: Page, width: int, scheme: Any) -> None:
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.emulate_media(color_scheme=scheme)


@contextmanager
def _low_vision(page: Page) -> Iterator[bool]:
    """Within the block the page is in «Версия для слабовидящих». False if it has no such version."""
    low: bool = page.evaluate(_SWITCH_VISION, "low")
    try:
        yield low
    finally:
        if low:
            page.evaluate(_SWITCH_VISION, "ordinary")


@contextmanager
def _as_it_was(page: Page) -> Iterator[None]:
    size = page.viewport_size
    scheme: Any = "dark" if page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") else "light"
    at = page.evaluate("scrollY")
    try:
        yield
    finally:
        if size:
            page.set_viewport_size(size)
        page.emulate_media(color_scheme=scheme)
        page.evaluate("(at) => scrollTo(0, at)", at)
