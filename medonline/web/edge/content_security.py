"""The Content-Security-Policy: what each page may run and load. It is made from the built pages themselves.

The build leaves inline scripts in every page (the theme, React Router's data, React's own glue). Each is allowed by the SHA-256
of its text, so a script that anything else put into a page does not run (CSP Level 3, 6.7.3.2). The policy has neither
`unsafe-inline` nor `unsafe-eval`. Scripts may load only from the portal's own origin.
"""

from __future__ import annotations

import base64
import hashlib
from html.parser import HTMLParser
from pathlib import Path

from medonline.config.settings import ConfigurationError

NOT_FOUND_PAGE = "/404.html"


class PagePolicies:
    """The policy of each path. A path without a page of its own has the policy of the page «Такой страницы нет»."""

    def __init__(self, inline: dict[str, _Inline] | None = None) -> None:
        self._inline = inline or {}
        self._otherwise = self._inline.get(NOT_FOUND_PAGE, _Inline())

    @classmethod
    def of_bundle(cls, folder: Path) -> PagePolicies:
        """Read the built pages.

        Raises:
            ConfigurationError: the folder has no built pages.
        """
        inline: dict[str, _Inline] = {}
        for file in folder.rglob("*.html"):
            found = _Inline()
            # `read_text` turns CR LF into LF, and so does a browser's parser before it hashes a script's text.
            found.feed(file.read_text(encoding="utf-8"))
            path = f"/{file.relative_to(folder).as_posix()}"
            inline[path] = found
            if file.name == "index.html":
                inline[path.removesuffix("index.html")] = inline[path.removesuffix("/index.html") or "/"] = found
        if "/" not in inline:
            msg = "The pages are not built: run `medonline build`."
            raise ConfigurationError(msg)
        return cls(inline)

    def of(self, path: str, origins: tuple[str, ...]) -> str:
        """The header's value for a path. `origins`: the portal's own, because older Safari does not apply 'self' to websockets."""
        inline = self._inline.get(path, self._otherwise)
        sockets = [f"ws{origin.removeprefix('http')}" for origin in origins]
        rules = {
            "default-src": ["'none'"],
            "script-src": ["'self'", *inline.scripts],
            "style-src": ["'self'", *inline.styles],
            "img-src": ["'self'", "data:"],
            "font-src": ["'self'"],
            "connect-src": ["'self'", *sockets],
            "form-action": ["'self'"],
            "frame-ancestors": ["'none'"],
            "base-uri": ["'none'"],
            "object-src": ["'none'"],
        }
        return "; ".join(f"{name} {' '.join(values)}" for name, values in rules.items())


class _Inline(HTMLParser):
    """Collects the hashes of a page's inline scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self._into: list[str] | None = None
        self._text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "style" or (tag == "script" and "src" not in dict(attrs)):
            self._into, self._text = (self.styles if tag == "style" else self.scripts), ""

    def handle_data(self, data: str) -> None:
        self._text += data

    def handle_endtag(self, tag: str) -> None:
        if tag in ("script", "style") and self._into is not None:
            digest = base64.b64encode(hashlib.sha256(self._text.encode()).digest()).decode()
            source = f"'sha256-{digest}'"
            if source not in self._into:
                self._into.append(source)
            self._into = None
