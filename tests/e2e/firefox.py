"""Debian's Firefox, driven over WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/). It acts like a patient, by role and name."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.patience import PATIENCE

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")
_LISTENING = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """One tab. Each method waits until what it needs is there."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = count(1)
        self._call("session.new", capabilities={})
        self._tab = self._call("browsingContext.getTree")["contexts"][0]["context"]

    def open(self, url: str) -> None:
        self._call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def wait_for(self, role: str, name: str) -> dict[str, Any]:
        """The element with this role and name, as soon as it appears."""
        return self._found({"type": "accessibility", "value": {"role": role, "name": name}})

    def wait_for_text(self, text: str) -> None:
        """Wait until the page shows this text."""
        shown = f"document.body.innerText.includes({json.dumps(text)})"
        self._until(lambda: self._evaluate(shown), text)

    def shows(self, role: str, name: str) -> bool:
        """Whether an element with this role and name is there now."""
        locator = {"type": "accessibility", "value": {"role": role, "name": name}}
        return bool(self._call("browsingContext.locateNodes", context=self._tab, locator=locator)["nodes"])

    def press(self, role: str, name: str) -> None:
        self._point_at(self.wait_for(role, name))

    def type_into(self, label: str, text: str) -> None:
        """Type into the field with this label. It is found by label because a password field has no role."""
        self._point_at(self._found({"type": "xpath", "value": f"//*[@id=//label[normalize-space()='{label}']/@for]"}))
        keys = [{"type": kind, "value": letter} for letter in text for kind in ("keyDown", "keyUp")]
        self._perform({"type": "key", "id": "keys", "actions": keys})

    def wait_for_path(self, path: str) -> None:
        self._until(lambda: self._evaluate("location.pathname.replace(/(.)\\/$/, '$1')") == path, f"the page {path}")

    def _found(self, locator: dict[str, Any]) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def look() -> bool:
            found[:] = self._call("browsingContext.locateNodes", context=self._tab, locator=locator)["nodes"]
            return bool(found)

        self._until(look, json.dumps(locator, ensure_ascii=False))
        return {"sharedId": found[0]["sharedId"]}

    def _point_at(self, element: dict[str, Any]) -> None:
        shown = "(element) => element.scrollIntoView({ block: 'center', behavior: 'instant' })"
        target = {"context": self._tab}
        self._call(
            "script.callFunction", functionDeclaration=shown, arguments=[element], target=target, awaitPromise=False
        )
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        self._perform({"type": "pointer", "id": "mouse", "actions": [move, *press]})

    def _perform(self, source: dict[str, Any]) -> None:
        self._call("input.performActions", context=self._tab, actions=[source])

    def _evaluate(self, expression: str) -> Any:
        target = {"context": self._tab}
        answer = self._call("script.evaluate", expression=expression, target=target, awaitPromise=False)
        return answer["result"].get("value")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            answer = json.loads(self._socket.recv(PATIENCE))
            if answer.get("id") == number:
                assert answer["type"] == "success", f"{method}: {answer}"
                result: dict[str, Any] = answer["result"]
                return result

    @staticmethod
    def _until(holds: Any, what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < deadline, f"Firefox does not show {what}"
            time.sleep(0.1)


@contextmanager
def firefox(profile: Path, **preferences: bool) -> Iterator[Firefox]:
    """A Firefox without a window and with an empty profile. It ends with the block. `preferences`: `__` stands for a dot."""
    assert FIREFOX is not None
    lines = [f'user_pref("{name.replace("__", ".")}", {json.dumps(value)});\n' for name, value in preferences.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [FIREFOX, "--headless", "--no-remote", "--profile", str(profile), "--remote-debugging-port", "0"]
    log = profile / "firefox.log"
    with log.open("wb") as output, subprocess.Popen(command, stdout=output, stderr=output) as process:
        try:
            with connect(_address(process, log), max_size=None, proxy=None) as socket:
                yield Firefox(socket)
        finally:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    deadline = time.monotonic() + PATIENCE
    while not (found := _LISTENING.search(log.read_text(errors="replace"))):
        assert process.poll() is None, log.read_text(errors="replace")
        assert time.monotonic() < deadline, log.read_text(errors="replace")
        time.sleep(0.1)
    return f"{found[1]}/session"
