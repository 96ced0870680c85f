"""The wheel of this checkout, and a venv with it: fixtures and what runs there."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from medonline.frontend import ROOT
from medonline.routes import HEALTH_READY
from tests.e2e.server import ensure_pages, plain_http
from tests.patience import PATIENCE
from tests.sandbox.server import free_port

# What a checkout has after `medonline build`, less what the build of the wheel does not read.
IN_A_CHECKOUT = (
    *("alembic", "assets", "browser", "medonline", "reflex.lock", "tools", ".web/build/client", ".web/backend"),
    *(".web/medonline.stamp", "alembic.ini", "pyproject.toml", "README.md", "LICENSE", "requirements.lock"),
    *("rxconfig.py", "setup.py"),
)
LEFT_OUT = shutil.ignore_patterns("__pycache__", "external", "node_modules")
PIP = [sys.executable, "-m", "pip", "-q", "--disable-pip-version-check"]


def checkout_in(folder: Path) -> Path:
    """A copy of this one: building leaves files in it."""
    for name in IN_A_CHECKOUT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=LEFT_OUT)
        else:
            shutil.copyfile(source, target)
    return folder


def build_wheel(checkout: Path, into: Path) -> subprocess.CompletedProcess[str]:
    """`pip wheel .`, without the registry."""
    command = [
        *PIP,
        "wheel",
        "--no-index",
        "--no-deps",
        "--no-build-isolation",
        "--wheel-dir",
        str(into),
        str(checkout),
    ]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    ensure_pages()
    return checkout_in(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def wheel(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    built = build_wheel(checkout, folder)
    assert built.returncode == 0, built.stdout + built.stderr
    (found,) = folder.iterdir()
    return found


@dataclass(frozen=True, slots=True)
class Installed:
    """A venv with the wheel in it, and the libraries of this one behind it."""

    venv: Path

    @property
    def package(self) -> Path:
        return (
            self.venv
            / "lib"
            / f"python{sys.version_info.major}.{sys.version_info.minor}"
            / "site-packages"
            / "medonline"
        )

    @property
    def command(self) -> str:
        return str(self.venv / "bin" / "medonline")

    def environment(self, home: Path, changes: Mapping[str, str] | None = None) -> dict[str, str]:
        """Settings of production, with `changes`, and a PATH with nothing but the venv's own programs."""
        settings = {
            "PUBLIC_URL": "https://portal.example.ru",
            "TRUSTED_PROXY_HOPS": "1",
            "SECRET_KEY": secrets.token_hex(32),
            "DATA_DIR": str(home / "data"),
            "TELEGRAM_BASE_URL": "https://telegram.example.ru",
            "TELEGRAM_TOKEN": "token",
            "UCALLER_BASE_URL": "https://ucaller.example.ru",
            "UCALLER_KEY": "key",
            "UCALLER_SERVICE_ID": "100001",
            "DRAIN": "0 s",
            **(changes or {}),
        }
        named = {f"MEDONLINE_{name}": value for name, value in settings.items()}
        return {"PATH": str(self.venv / "bin"), "HOME": str(home), "LANG": "C.UTF-8", **named}


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    venv = tmp_path_factory.mktemp("installed") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    command = [*PIP, "--python", str(venv / "bin" / "python"), "install", "--no-index", "--no-deps", str(wheel)]
    subprocess.run(command, check=True)
    made = Installed(venv)
    # After pip, which would otherwise find the editable install of this checkout there, and leave the wheel out.
    (made.package.parent / "libraries.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return made


@contextmanager
def served(installed: Installed, home: Path, environment: dict[str, str] | None = None) -> Iterator[str]:
    """The address of the installed portal; with the settings of production, or those in `environment`."""
    environment = environment or installed.environment(home)
    (home / "data").mkdir(mode=0o700)
    subprocess.run([installed.command, "migrate"], cwd=home, env=environment, check=True, capture_output=True)
    port = free_port()
    log = home / "log"
    command = [installed.command, "serve", "--no-migrate", "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=output, stderr=output)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(url):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0, log.read_text()


def answers(url: str) -> bool:
    try:
        return plain_http().get(url + HEALTH_READY, timeout=2).status_code == 200
    except httpx.HTTPError:
        return False
