"""Changes the built pages so that their first frame waits only for the page itself (docs/decisions/0028).

A page as Reflex builds it asks for a stylesheet and a dozen scripts at the same moment, and its first frame waits for some of them behind
all the others. This module puts the stylesheet and the early script into the page. The addresses of everything else go into one inert
element, `#app-start`, and `browser/early/app_start.js` asks for them after the first frame. The policy of each page allows its inline parts
by hash (`web.edge.content_security`).
"""

from __future__ import annotations

import re
from pathlib import Path

# The entry of browser/ for which a page asks after its first frame.
LATER = "/portal.js"
_STYLESHEET = re.compile(r'<link href="(?P<path>/assets/[^"]+\.css)" rel="stylesheet" type="text/css"/>')
_STYLE_PRELOAD = re.compile(r'<link as="style" href="[^"]+" rel="preload"/>')
_MODULE_PRELOAD = re.compile(r'<link rel="modulepreload" href="(?P<path>[^"]+)"/>')
_APP = re.compile(r'<script type="module" async="">(?P<text>.*?)</script>', re.DOTALL)


class UnexpectedPage(ValueError):
    """A built page does not look as this version of Reflex builds it."""


def with_first_frame(page: str, folder: Path, early: str) -> str:
    """The page, changed so that its first frame needs no other file. `folder`: the bundle. `early`: the text of the early script.

    Raises:
        UnexpectedPage: a part is missing that every page has.
    """
    styles, app = _STYLESHEET.search(page), _APP.search(page)
    if styles is None or app is None or not _MODULE_PRELOAD.search(page):
        raise UnexpectedPage
    sheet = (folder / styles["path"].lstrip("/")).read_text(encoding="utf-8").strip()
    if "</" in sheet or "</script" in early.lower() or "<!--" in early:
        raise UnexpectedPage  # it would end its own element
    modules = " ".join(match["path"] for match in _MODULE_PRELOAD.finditer(page))
    start = f'<script type="text/plain" id="app-start" data-script="{LATER}" data-modules="{modules}">'
    page = page.replace(app[0], f"{start}{app['text']}</script>")
    page = page.replace(styles[0], f"<style>{sheet}</style><script>{early}</script>")
    return _MODULE_PRELOAD.sub("", _STYLE_PRELOAD.sub("", page))
