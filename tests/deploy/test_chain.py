"""The chain of docs/install.md: the wheel, migrate, doctor, serve, nginx with TLS, a patient who asks for a code."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import ClientConnection, connect

from medonline import routes
from medonline.framework.sockets import NAMESPACE
from tests.deploy import nginx_files
from tests.deploy.installed import Installed, checkout, installed, served, wheel
from tests.deploy.nginx_runs import NAME, Front, in_front_of
from tests.e2e.server import plain_http
from tests.patience import PATIENCE
from tests.sandbox.server import KEY, SERVICE_ID, TOKEN, running_sandbox, settings
from tests.state.tab import RECOVERY

__all__ = ["checkout", "installed", "wheel"]
pytestmark = pytest.mark.skipif(nginx_files.program() is None, reason="nginx is not installed")

PHONE = "+79161234567"


def test_from_the_wheel_to_a_code_on_a_patients_phone_over_https(installed: Installed, tmp_path: Path) -> None:
    assert not any(shutil.which(tool, path=str(installed.venv / "bin")) for tool in ("node", "npm", "gcc"))
    with running_sandbox(settings()) as vendors:
        environment = installed.environment(tmp_path, vendors_at(vendors))
        with served(installed, tmp_path, environment) as portal:
            doctor = subprocess.run(
                [installed.command, "doctor"],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert doctor.returncode == 0, doctor.stdout + doctor.stderr
            with in_front_of(int(portal.rsplit(":", 1)[1]), tmp_path) as site:
                page = site.ask("GET", routes.RECOVERY)
                cookies = "; ".join(one.partition(";")[0] for one in page.headers.get_list("set-cookie"))
                with opened_socket(site, cookies) as tab:
                    emit(tab, f"{RECOVERY}.begin", form={"phone": PHONE, "channel": "flash_call"})
                    called = wait_for_a_call(vendors)

    assert page.status_code == 200
    assert "ШАГ 1. УКАЖИТЕ ТЕЛЕФОН" in page.text
    assert "__Host-" in cookies
    assert called["kind"] == "call"


def vendors_at(address: str) -> dict[str, str]:
    """The settings that lead to the stand-ins; on this machine they may speak plain http."""
    return {
        "TELEGRAM_BASE_URL": f"{address}/telegram",
        "TELEGRAM_TOKEN": TOKEN,
        "UCALLER_BASE_URL": f"{address}/ucaller",
        "UCALLER_KEY": KEY,
        "UCALLER_SERVICE_ID": SERVICE_ID,
    }


@contextmanager
def opened_socket(site: Front, cookies: str) -> Iterator[ClientConnection]:
    """A page's socket through nginx, joined. «ws», for TLS has begun on the connection already."""
    address = f"ws://{NAME}:{site.tls}{NAMESPACE}/?EIO=4&transport=websocket&token=a-tab"
    cookie = {"Cookie": cookies}
    with connect(address, sock=site.connection(), origin=f"https://{NAME}", additional_headers=cookie) as tab:  # type: ignore[arg-type]
        assert str(tab.recv(PATIENCE)).startswith("0{")
        tab.send(f"40{NAMESPACE},{{}}")
        while not str(tab.recv(PATIENCE)).startswith(f"40{NAMESPACE},"):
            pass
        yield tab


def emit(tab: ClientConnection, handler: str, **payload: Any) -> None:
    """As a page does it."""
    router = {"pathname": routes.RECOVERY, "query": {}, "asPath": routes.RECOVERY}
    event = ["event", {"name": handler, "payload": payload, "router_data": router}]
    tab.send(f"42{NAMESPACE},{json.dumps(event)}")


def wait_for_a_call(vendors: str) -> dict[str, str]:
    deadline = time.monotonic() + PATIENCE
    while not (heard := plain_http().get(f"{vendors}/phone/{PHONE}/events").json()):
        assert time.monotonic() < deadline, "no call came"
        time.sleep(0.05)
    first: dict[str, str] = heard[0]
    return first
