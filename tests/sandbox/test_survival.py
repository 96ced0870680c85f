"""What the sandbox answered is still known after its process was killed."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.patience import PATIENCE
from tests.sandbox.server import KEY, SERVICE_ID, TOKEN, free_port, wait_until_healthy

_SERVE = """
import sys
from pathlib import Path
import uvicorn
from medonline.sandbox.app import create_sandbox
from tests.sandbox.server import settings

app = create_sandbox(settings(store=Path(sys.argv[2])))
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_config=None)
"""


@contextmanager
def killed_afterwards(store: Path) -> Iterator[httpx.Client]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _SERVE, str(port), str(store)])
    try:
        wait_until_healthy(f"http://127.0.0.1:{port}")
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=PATIENCE) as http:
            yield http
    finally:
        process.kill()
        process.wait()


def test_events_calls_and_messages_outlive_a_killed_server(tmp_path: Path) -> None:
    store = tmp_path / "var" / "sandbox.sqlite3"
    call = {"phone": 79461234501, "code": "1234", "unique": "once"}
    ucaller = {"Authorization": f"Bearer {KEY}.{SERVICE_ID}"}
    message = {"phone_number": "+79461234501", "code": "123456", "ttl": 60}
    telegram = {"Authorization": f"Bearer {TOKEN}"}

    with killed_afterwards(store) as http:
        first = http.post("/ucaller/v1.0/initCall", json=call, headers=ucaller).json()
        sent = http.post("/telegram/sendVerificationMessage", json=message, headers=telegram).json()["result"]
    with killed_afterwards(store) as http:
        again = http.post("/ucaller/v1.0/initCall", json=call, headers=ucaller).json()
        status = http.post(
            "/telegram/checkVerificationStatus", json={"request_id": sent["request_id"]}, headers=telegram
        ).json()
        events = http.get("/phone/79461234501/events").json()

    assert again == first | {"exists": True}
    assert status["result"]["delivery_status"]["status"] == "read"
    assert [event["kind"] for event in events] == ["call", "telegram"]
