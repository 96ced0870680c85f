"""The browser's part of the portal: built once per change of its sources, and then served as files.

Reflex builds an absolute address of the server and a few English sentences into the bundle. And when a server goes away, all its pages come
back at the same moment. The build patches these things afterwards. It fails when there is nothing to patch, so that a new version of Reflex
cannot bring them back unnoticed.

The portal's own scripts are small modules in `browser/`. The build joins each entry with its imports into one file, so a page asks for no
more files than it has entries (docs/decisions/0024).
"""

from __future__ import annotations

import fcntl
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import brotli

from medonline import installed
from medonline.config.settings import ConfigurationError
from medonline.first_paint import UnexpectedPage, with_first_frame

ROOT = installed.ROOT
BUILT = ROOT / installed.BUILT
# Beside .web and not inside it, because a first build empties that folder.
_BUILDING = ROOT / ".build"
_UNDER_WAY = _BUILDING / "under-way"
STAMP = ROOT / installed.STAMP
# Entries in browser/. A page asks for them under these names.
EARLY = "early.js"  # is part of each page
SCRIPTS = (EARLY, "portal.js", "leaving.js", "passkeys.js")
_BAKED_ORIGIN = re.compile(r"""(["`'])(ws|http)://localhost:\d+(/[^"`']*)\1""")
# A patient sees this when the page is older than the server.
_RUSSIAN = {
    "A new version of this app is available.": "Портал обновился. Обновите страницу, чтобы продолжить.",
}
# When a page tries again after its socket ended: at once after the first end, and then after 200 ms more with each failure, at most 2 s.
_AGAIN = re.compile(
    r"""200\*(?P<failures>\w+)\)\};(?P<socket>\w+)\.current\.on\([`"']connect_error[`"'],(?P<retry>\w+)\),"""
    r"""(?P=socket)\.current\.on\([`"']disconnect[`"'],\(\w+,(?P<details>\w+)\)=>\{"""
    r""".{0,800}?&&(?P<now>(?P=socket)\.current\.reconnect\(\))\}\)""",
    re.DOTALL,
)
SERVICE_RESTART = 1012
# The stylesheet is inside each page (medonline/first_paint.py), so the app must not look for a link to it.
_LINKED_STYLES = re.compile(
    r"""[\w$]+\([`"']link[`"'],\{as:[`"']style[`"'],href:[\w$]+,rel:[`"']preload[`"']\}\),"""
    r"""[\w$]+\([`"']link[`"'],\{href:[\w$]+,rel:[`"']stylesheet[`"'],type:[`"']text/css[`"']\}\)"""
)
_BUTTON = re.compile(r"(textContent\s*=\s*)([`\"'])Reload\2")


def is_fresh() -> bool:
    """Whether the bundle was built from the current sources. In a wheel it always was (setup.py)."""
    return installed.FROM_WHEEL or installed.is_fresh(ROOT)


def build() -> None:
    """Export the pages, patch the bundle, and join the portal's own scripts.

    Raises:
        ConfigurationError: the build failed. The tool's own words are above on the terminal.
    """
    _BUILDING.mkdir(exist_ok=True)
    with (_BUILDING / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two starts at the same time build only once
        if not is_fresh():
            _build(lock.fileno())


def _build(lock: int) -> None:
    STAMP.unlink(missing_ok=True)
    if _UNDER_WAY.exists():  # the last build was interrupted: npm would take half-written packages for complete ones
        shutil.rmtree(ROOT / ".web" / "node_modules", ignore_errors=True)
        (ROOT / ".web" / "reflex.install_frontend_packages.cached").unlink(missing_ok=True)
    _UNDER_WAY.touch()
    _settle_manifest()
    built_from = installed.fingerprint(ROOT)
    environment = os.environ | {
        "REFLEX_USE_NPM": "1",
        "REFLEX_TELEMETRY_ENABLED": "false",
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}",
        "CI": "1",
        # Lock files contain versions and hashes, never addresses.
        "npm_config_omit_lockfile_registry_resolved": "true",
    }
    command = [sys.executable, "-m", "reflex", "export", "--frontend-only", "--no-zip"]
    _run(command, environment, lock)
    if not (BUILT / "index.html").exists():
        msg = "The pages could not be built: the build wrote no index.html."
        raise ConfigurationError(msg)
    _settle_manifest()
    _patch()
    for script in SCRIPTS:
        _join(script, environment, lock)
    _make_first_frames()
    STAMP.write_text(built_from)
    _UNDER_WAY.unlink()


def _run(command: list[str], environment: dict[str, str], lock: int) -> None:
    result = subprocess.run(  # noqa: S603 (fixed commands)
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, pass_fds=(lock,)
    )
    if result.returncode != 0:
        sys.stderr.write(result.stdout + result.stderr)
        msg = "The pages could not be built; what the build said is above."
        raise ConfigurationError(msg)


def _join(script: str, environment: dict[str, str], lock: int) -> None:
    """Join one entry with its imports. It uses Rolldown, which comes with Vite, the tool that builds the pages."""
    joined = BUILT / script
    rolldown = str(ROOT / ".web" / "node_modules" / ".bin" / "rolldown")
    entry = str(ROOT / "browser" / script)
    _run([rolldown, entry, "--format", "iife", "--minify", "--file", str(joined)], environment, lock)
    for suffix, data in _compressed(joined.read_bytes()).items():
        joined.with_name(script + suffix).write_bytes(data)


def _settle_manifest() -> None:
    """Sort the manifest's keys. npm and Reflex write them in different orders, so every build would change a tracked file."""
    path = ROOT / "reflex.lock" / "package.json"
    path.write_text(json.dumps(json.loads(path.read_text()), indent=2, sort_keys=True) + "\n")


def _patch() -> None:
    missing = {
        "the baked address",
        "the «Reload» button",
        "when a page connects again",
        "the link to the stylesheet",
        *_RUSSIAN,
    }
    for path in BUILT.rglob("*.js"):
        old = text = path.read_text(encoding="utf-8")
        if _BAKED_ORIGIN.search(text) and path.name.startswith("reflex-env"):
            text = _BAKED_ORIGIN.sub(_from_this_page, text)
            missing.discard("the baked address")
        if _BUTTON.search(text):
            text = _BUTTON.sub(r"\1\2Обновить\2", text)
            missing.discard("the «Reload» button")
        if _LINKED_STYLES.search(text):
            text = _LINKED_STYLES.sub("null,null", text)
            missing.discard("the link to the stylesheet")
        if _AGAIN.search(text):
            text = _AGAIN.sub(_at_moments_of_their_own, text)
            missing.discard("when a page connects again")
        for english, russian in _RUSSIAN.items():
            if english in text:
                text = text.replace(english, russian)
                missing.discard(english)
        if text != old:
            _write_with_compressed(path, text.encode())
    if missing:
        msg = f"The bundle is not what this version expects: not found: {', '.join(sorted(missing))}."
        raise ConfigurationError(msg)


def _make_first_frames() -> None:
    early = (BUILT / EARLY).read_text(encoding="utf-8").strip()
    for path in BUILT.rglob("*.html"):
        try:
            page = with_first_frame(path.read_text(encoding="utf-8"), BUILT, early)
        except UnexpectedPage:
            msg = f"The page {path.name} is not what this version expects: its stylesheet or its scripts are not found."
            raise ConfigurationError(msg) from None
        _write_with_compressed(path, page.encode())


def _from_this_page(match: re.Match[str]) -> str:
    scheme, path = match[2], match[3]
    origin = "location.origin.replace(/^http/,`ws`)" if scheme == "ws" else "location.origin"
    return f"(typeof location==`undefined`?`{scheme}://localhost`:{origin})+`{path}`"


def _at_moments_of_their_own(match: re.Match[str]) -> str:
    """Spread the pages' attempts: each waits 0.5 to 2.5 times as long. An announced restart counts as nine failures, up to 5 s."""
    retry, failures, details, now = match["retry"], match["failures"], match["details"], match["now"]
    restart = f"{details}?.context?.code==={SERVICE_RESTART}"
    text = match[0].replace(f"200*{failures})", f"200*{failures}*(.5+2*Math.random()))", 1)
    return text.replace(f"&&{now}", f"&&({restart}?({failures}=9,{retry}(Error(`service restart`))):{now})", 1)


def _write_with_compressed(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    for suffix, data in _compressed(content).items():
        sibling = path.with_name(path.name + suffix)
        if sibling.exists():
            sibling.write_bytes(data)


def _compressed(content: bytes) -> dict[str, bytes]:
    return {".gz": gzip.compress(content, 9, mtime=0), ".br": brotli.compress(content)}
