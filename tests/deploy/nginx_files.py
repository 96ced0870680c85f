"""nginx's configuration as a tree, and as a file that runs on ports of a test."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
_TOKEN = re.compile(r"""#[^\n]*|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[{};]|[^\s{};"']+""")


@dataclass(frozen=True, slots=True)
class Directive:
    """One directive; `inside` is empty where it ends with a semicolon."""

    name: str
    values: tuple[str, ...]
    inside: tuple[Directive, ...] = ()

    def all(self, name: str, *begin: str) -> list[Directive]:
        """What is directly inside, by its name and the beginning of its values."""
        return [one for one in self.inside if one.name == name and one.values[: len(begin)] == begin]

    def one(self, name: str, *begin: str) -> Directive:
        """The only one of them."""
        (found,) = self.all(name, *begin)
        return found

    def value(self, name: str) -> str:
        """The only value of the only one."""
        (found,) = self.one(name).values
        return found


def read(name: str) -> Directive:
    """A file of deploy/nginx.

    Raises:
        ValueError: a bracket or a semicolon is missing.
    """
    text = (FOLDER / name).read_text(encoding="utf-8")
    tokens = (token for token in _TOKEN.findall(text) if not token.startswith("#"))
    return Directive(name, (), tuple(_block(tokens, top=True)))


def _block(tokens: Iterator[str], *, top: bool) -> Iterator[Directive]:
    words: list[str] = []
    for token in tokens:
        if token == "}":
            if top or words:
                raise ValueError(f"a bracket that closes nothing, or a missing semicolon after {words}")
            return
        if token in ("{", ";"):
            name, *values = words
            yield Directive(name, tuple(values), tuple(_block(tokens, top=False)) if token == "{" else ())
            words = []
        else:
            words.append(token.strip("\"'"))
    if not top or words:
        raise ValueError(f"the file ends inside a block, or after {words}")


def program() -> str | None:
    """Where nginx is; Debian keeps it out of the PATH of most users."""
    return shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")


def at_home(folder: Path, upstream: str, plain: int, tls: int) -> Path:
    """A configuration that includes the files of deploy/nginx, with ports and folders of a test.

    upstream: the text of the upstream file. plain, tls: ports in place of 80 and 443.
    """
    site = (FOLDER / "portal.conf").read_text(encoding="utf-8")
    for old, new in {
        "listen 80": f"listen 127.0.0.1:{plain}",
        "listen [::]:80": f"listen 127.0.0.2:{plain}",
        "listen 443": f"listen 127.0.0.1:{tls}",
        "listen [::]:443": f"listen 127.0.0.2:{tls}",
        "/etc/medonline/tls": str(folder),
        "/var/cache/medonline": str(folder / "cache"),
        "/var/log/nginx": str(folder),
        "/usr/share/medonline": str(FOLDER),
    }.items():
        assert old in site, old
        site = site.replace(old, new)
    (folder / "site.conf").write_text(site, encoding="utf-8")
    (folder / "upstream.conf").write_text(upstream, encoding="utf-8")
    temporary = "\n".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    path = folder / "nginx.conf"
    path.write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\nuser root;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{temporary}\ninclude {folder}/upstream.conf;\ninclude {folder}/site.conf;\n}}\n",
        encoding="utf-8",
    )
    return path
