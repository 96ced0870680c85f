"""What the fuzzer says: whole lives of sockets, each made from the run's seed and its own number alone, so that any can be replayed.

Most frames are those of real pages with something wrong inside, because they get furthest. A life says what must come of it where
that is known: a page must be served, a forged `connect` must end the socket.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from random import Random
from typing import Any

from reflex_base.registry import RegistrationContext

import medonline.medonline  # registers every state
from medonline import routes
from medonline.state.socket_server import callable_handlers
from tests.attacks.raw import HYDRATE, NAMESPACE, SHOW, STATE
from tests.state.tab import LOGIN

assert medonline.medonline.app

CANARY = "canary-f02e"
N = NAMESPACE
MOST_OF_A_PAGE = 50  # frames; 60 are let through at once, and some are needed to ask whether the socket is served
TEXT, BINARY, CONTINUATION, PING, PONG = 1, 2, 0, 9, 10


class Outcome(StrEnum):
    """What must come of a life."""

    SERVED = "served"
    CLOSED = "closed"
    REFUSED = "refused"  # no socket at all
    ANY = "any"  # one of the others


@dataclass(frozen=True)
class Life:
    """One socket. `frames` are bytes as they are on the wire.

    joins: the body of the packet that enters the namespace; None enters nothing.
    reads: whether it reads what the server says before it is done.
    """

    number: int
    manner: str
    frames: tuple[bytes, ...]
    outcome: Outcome = Outcome.ANY
    joins: str | None = ""
    reads: bool = True
    origin: str | None = ""
    path: str = f"{N}/?EIO=4&transport=websocket&token={{token}}"
    cookie: str = ""
    token: str = ""


def wire(payload: bytes, opcode: int = TEXT, *, last: bool = True, announced: int | None = None) -> bytes:
    """A websocket frame, masked with zeros. `announced`: the length that it claims to have."""
    length = len(payload) if announced is None else announced
    head = bytes([(0x80 if last else 0) | opcode])
    if length < 126:
        head += bytes([0x80 | length])
    elif length < 1 << 16:
        head += bytes([0x80 | 126]) + length.to_bytes(2, "big")
    else:
        head += bytes([0x80 | 127]) + length.to_bytes(8, "big")
    return head + bytes(4) + payload


def text(frame: str) -> bytes:
    return wire(frame.encode("utf-8", "surrogatepass"))


def event(*data: Any) -> str:
    return f"42{N},{json.dumps(data)}"


# Each handler and the names of its parameters.
_HANDLERS = {
    name: tuple(inspect.signature(RegistrationContext.get().event_handlers[name].handler.fn).parameters)[1:]
    for name in sorted(callable_handlers())
    if "medonline___" in name
}
_FIELDS = ("phone", "code", "password", "channel", "new_password", "birth_date", "policy", "page", "email")
# Nothing here is a whole phone: a handler that is called as it should be may have an effect.
_ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1e308,
    10**40,
    "",
    [],
    {},
    CANARY,
    f"\x1b[31m{CANARY}\x1b[0m\r\nERROR forged {CANARY}\x00",
    f"{CANARY}\u2028\u202e\U0001f600",
    [CANARY, [CANARY, [CANARY]]],
    {CANARY: {CANARY: CANARY}},
    {"event": CANARY, "HTTP_COOKIE": f"medonline_session={'c' * 43}"},
    f"javascript:{CANARY}",
    f"//{CANARY}.example/",
    "__class__",
    "\ud800",
]
_NO_HANDLERS = [
    CANARY,
    f"{STATE}.{CANARY}",
    f"{STATE}.setvar",
    f"{STATE}.hydrate",
    f"{LOGIN}.setvar",
    f"{STATE}.reflex___state____update_vars_internal_state.update_vars_internal",
    f"{SHOW}\x00",
    SHOW.upper(),
    "_redirect",
]
_FORGED = {"HTTP_COOKIE": f"medonline_session={CANARY}", "REMOTE_ADDR": CANARY, "asgi.scope": {"client": [CANARY, 1]}}
_NO_EVENTS: list[list[Any]] = [
    ["connect", _FORGED],
    ["connect", _FORGED, {"event": {"name": HYDRATE, "payload": {}}}],
    ["disconnect", CANARY],
    ["on_connect", _FORGED],
    ["trigger_event", "connect"],
    [CANARY, {}],
    ["reload", {}],
    ["ping", CANARY],
    ["event"],
    ["event", None],
    ["event", {}, CANARY],
    [["event"], {}],
    [],
]
_NO_FRAMES = [
    "",
    "0",
    "2probe",
    "4",
    "42",
    "x",
    f"40/{CANARY},",
    f"40{N}",
    f"42{N},{{}}",
    f"42{N},[",
    f'42{N},7["event",{{}}]',
    f'43{N},1["{CANARY}"]',
    f'451-{N},["{CANARY}",{{"_placeholder":true,"num":0}}]',
    f"42{N},[NaN]",
    f"42{N},{'[' * 60_000}",
    f"42{N},{'[' * 20_000}{']' * 20_000}",
    f"42{N},[{'9' * 5000}]",
    f'42{N},["\\ud800"]',
    "4" + "1" * 5000,
    "bAAAA",
    "٤٢",
]
_NO_WEBSOCKET = [
    b"\x81\x05Hello",  # not masked
    b"\x83\x80" + bytes(4),  # an opcode that is reserved
    b"\xc1\x80" + bytes(4),  # a reserved bit
    b"\x89\xfe\x00\xff" + bytes(4) + b"p" * 255,  # a ping too long for a ping
    wire(b"", announced=(1 << 64) - 1),
    wire(b"\xc3\x28"),  # text that is no UTF-8
    wire(b"x", CONTINUATION),
    f"GET /{CANARY} HTTP/1.1\r\n\r\n".encode(),
]
_ORIGINS = [None, "null", "https://evil.example", "{url}.evil.example", "{url}/", "file://", f"http://{CANARY}"]
_PATHS = [
    f"/{CANARY}",
    f"{N}/{CANARY}",
    f"{N}/?EIO=4&transport=polling",
    f"{N}/?EIO=4&transport=websocket&sid={CANARY}",
]
_COOKIES = [
    "",
    "",
    f"medonline_visitor={'v' * 43}",
    # A session may have five sockets: each life claims one of its own.
    f"medonline_visitor={'v' * 43}; medonline_session={{token:s>43}}",
    f"medonline_session={CANARY}",
    f"{CANARY * 200}; =; ;;; medonline_visitor",
]
Manner = Callable[["_Maker"], Life]


def life_of(seed: int, number: int) -> Life:
    """The life with this number of a run with this seed."""
    maker = _Maker(Random(f"{seed}/{number}"), number)
    (manner,) = maker.random.choices(list(MANNERS), list(MANNERS.values()))
    return manner(maker)


class _Maker:
    """Draws everything for one life from one source."""

    def __init__(self, random: Random, number: int) -> None:
        self.random = random
        self._number = number

    def life(self, manner: str, frames: list[bytes], outcome: Outcome = Outcome.ANY, **more: Any) -> Life:
        token = f"{self.random.getrandbits(64):016x}"
        more = {"cookie": self.random.choice(_COOKIES).format(token=token), "token": token} | more
        return Life(self._number, manner, tuple(frames), outcome, **more)

    def some(self, most: int, make: Callable[[], str]) -> list[bytes]:
        return [text(make()) for _ in range(self.random.randint(1, most))]

    def address(self) -> dict[str, Any]:
        path = self.random.choice(routes.PAGES)
        return {"pathname": path, "asPath": f"{path}?{CANARY}={CANARY}", "query": {CANARY: CANARY}}

    def odd(self) -> Any:
        if self.random.random() < 0.02:
            return (CANARY * 6000)[: self.random.randrange(20_000)]  # three fit into a frame
        return self.random.choice(_ODD)

    def call(self) -> dict[str, Any]:
        """A call as pages make it, with values of any kind."""
        handler = self.random.choice(list(_HANDLERS))
        payload = {name: self.odd() for name in _HANDLERS[handler]}
        if "form" in payload and self.random.random() < 0.7:
            payload["form"] = {name: self.odd() for name in self.random.sample(_FIELDS, 3)}
        return {"name": handler, "payload": payload, "router_data": self.address()}

    def shallow(self, value: Any) -> Any:
        """A text where a page would have one: odd values may be too deep for a frame that must be taken."""
        return value if not isinstance(value, list | dict) else CANARY

    def page_frame(self) -> str:
        """A frame that a page sends, and that must be taken."""
        kind = self.random.random()
        if kind < 0.1:
            return "3"
        if kind < 0.2:
            return event("ping")
        if kind < 0.22:
            return event("client_error", {"message": CANARY})
        if kind < 0.3:
            return event("event", {"name": HYDRATE, "payload": {}, "router_data": self.address()})
        call = self.call()
        call["payload"] = {
            name: {key: self.shallow(one) for key, one in value.items()}
            if isinstance(value, dict)
            else self.shallow(value)
            for name, value in call["payload"].items()
        }
        return event("event", call).replace("\\ud800", "")

    def mutated(self, frame: str) -> str:
        """A frame with one thing wrong: in its structure where it has one, or anywhere in its text."""
        head, comma, body = frame.partition(",")
        if comma and body and self.random.random() < 0.7:
            return f"{head},{json.dumps(self.mutated_value(json.loads(body)))}"
        return self.mutated_text(frame)

    def mutated_value(self, value: Any) -> Any:
        """Somewhere in it something is replaced, left out, doubled, added or wrapped."""
        if isinstance(value, dict) and value and self.random.random() < 0.8:
            key = self.random.choice(list(value))
            match self.random.randrange(6):
                case 0:
                    return {name: one for name, one in value.items() if name != key}
                case 1:
                    return value | {str(self.odd())[:200]: self.odd()}
                case 2:
                    return {(CANARY if name == key else name): one for name, one in value.items()}
                case _:
                    return value | {key: self.mutated_value(value[key])}
        if isinstance(value, list) and value and self.random.random() < 0.8:
            at = self.random.randrange(len(value))
            match self.random.randrange(5):
                case 0:
                    return value[:at] + value[at + 1 :]
                case 1:
                    return [*value, value[at]]
                case _:
                    return [*value[:at], self.mutated_value(value[at]), *value[at + 1 :]]
        for _ in range(self.random.choice([0, 0, 1, 12, 300])):
            value = [value]
        return value if isinstance(value, list) else self.odd()

    def mutated_text(self, frame: str) -> str:
        at, end = sorted(self.random.randrange(len(frame) + 1) for _ in range(2))
        match self.random.randrange(6):
            case 0:
                return frame[:at]
            case 1:
                return frame[:at] + frame[end:]
            case 2:
                return frame[:end] + frame[at:end] * self.random.randint(1, 3) + frame[end:]
            case 3:
                return (
                    frame[:at]
                    + self.random.choice(["\x00", "\r\n", "\x1b[31m", ",", "[", "}", '"', "/", "9"])
                    + frame[at:]
                )
            case 4:
                return f"{self.random.choice('0123456789b')}{frame[1:]}"
            case _:
                return f"{frame[:2]}{self.random.choice(['', '/', '/x', N + '?a=b', N.upper()])}{frame[2 + len(N) :]}"


# --- manners ----------------------------------------------------------------------------------------------------------


def _page(maker: _Maker) -> Life:
    first = {"name": HYDRATE, "payload": {}, "router_data": maker.address()}
    joins = maker.random.choice(["", "{}", json.dumps({"event": first})])
    return maker.life("a page", maker.some(MOST_OF_A_PAGE, maker.page_frame), Outcome.SERVED, joins=joins)


def _mutant(maker: _Maker) -> Life:
    return maker.life("a page's frames, mutated", maker.some(40, lambda: maker.mutated(maker.page_frame())))


def _mutant_join(maker: _Maker) -> Life:
    first = {"event": {"name": HYDRATE, "payload": {}, "router_data": maker.address()}, "state_schema": "1"}
    joins = json.dumps(maker.mutated_value(first))
    return maker.life("a first packet, mutated", maker.some(3, maker.page_frame), joins=joins)


def _after_some(maker: _Maker, manner: str, last: bytes) -> Life:
    """A page that goes wrong: the last frame must end its socket."""
    return maker.life(manner, [*maker.some(12, maker.page_frame), last], Outcome.CLOSED)


def _no_frame(maker: _Maker) -> Life:
    return _after_some(maker, "a malformed frame", text(maker.random.choice(_NO_FRAMES)))


def _malformed_mutant(maker: _Maker) -> Life:
    return maker.life(
        "malformed frames, mutated", maker.some(6, lambda: maker.mutated_text(maker.random.choice(_NO_FRAMES)))
    )


def _no_event(maker: _Maker) -> Life:
    return _after_some(maker, "a forged connect or another event", text(event(*maker.random.choice(_NO_EVENTS))))


def _no_handler(maker: _Maker) -> Life:
    call = maker.call() | {"name": maker.random.choice(_NO_HANDLERS)}
    return _after_some(maker, "an unknown handler", text(event("event", call)))


def _binary(maker: _Maker) -> Life:
    payload = maker.random.choice(
        [b"", b"4", maker.random.randbytes(500), maker.page_frame().encode("utf-8", "replace")]
    )
    return _after_some(maker, "binary", wire(payload, BINARY))


def _large(maker: _Maker) -> Life:
    size = maker.random.choice([64 * 1024 + 1, 100_000, 1 << 20])
    call = {"name": SHOW, "payload": {"number": (CANARY * (size // len(CANARY) + 1))[:size]}}
    return _after_some(maker, "over 64 KB", text(event("event", call)))


def _fragments(maker: _Maker) -> Life:
    """One frame in pieces, with pings between them; or too much in small pieces; or never finished."""
    payload = maker.page_frame().encode("utf-8", "surrogatepass")
    outcome = maker.random.choice([Outcome.SERVED, Outcome.CLOSED, Outcome.ANY])
    if outcome is Outcome.CLOSED:
        payload = text(event("event", {"name": SHOW, "payload": {"number": "9" * 80_000}}))[14:]
    cuts = sorted(maker.random.randrange(len(payload) + 1) for _ in range(maker.random.randint(1, 8)))
    parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    frames = [wire(part, TEXT if at == 0 else CONTINUATION, last=False) for at, part in enumerate(parts)]
    if outcome is not Outcome.ANY:
        frames[-1] = wire(parts[-1], CONTINUATION)
    return maker.life("fragments", [one for frame in frames for one in (frame, wire(CANARY.encode(), PING))], outcome)


def _no_websocket(maker: _Maker) -> Life:
    return _after_some(maker, "bytes that are no websocket", maker.random.choice(_NO_WEBSOCKET))


def _cut_off(maker: _Maker) -> Life:
    whole = text(maker.page_frame())
    return maker.life(
        "a frame cut off", [*maker.some(5, maker.page_frame), whole[: maker.random.randrange(1, len(whole))]]
    )


def _unjoined(maker: _Maker) -> Life:
    return maker.life(
        "events before joining", [text(event("ping")), *maker.some(3, maker.page_frame)], Outcome.CLOSED, joins=None
    )


def _silent(maker: _Maker) -> Life:
    return maker.life("never joins", [text("3")] * maker.random.randrange(3), Outcome.CLOSED, joins=None)


def _in_and_out(maker: _Maker) -> Life:
    frames = [f"41{N},", f"40{N},"] * maker.random.randint(1, 20)
    return maker.life("leaves and joins again", [text(frame) for frame in frames])


def _twice(maker: _Maker) -> Life:
    return _after_some(maker, "joins twice", text(f"40{N},"))


def _flood(maker: _Maker) -> Life:
    """Whether it is refused depends on how fast the server reads: a frame is counted when it is read."""
    frame = text(maker.random.choice(["3", event("ping"), maker.page_frame()]))
    return maker.life("a flood", [frame] * maker.random.randint(90, 160))


def _half_read(maker: _Maker) -> Life:
    call = {"name": HYDRATE, "payload": {}, "router_data": maker.address()}
    return maker.life(
        "asks and does not read", [text(event("event", call))] * maker.random.randint(20, 120), reads=False
    )


def _foreign(maker: _Maker) -> Life:
    return maker.life("a foreign Origin", [], Outcome.REFUSED, origin=maker.random.choice(_ORIGINS))


def _elsewhere(maker: _Maker) -> Life:
    return maker.life("another address", [], Outcome.ANY, path=maker.random.choice(_PATHS), joins=None)


MANNERS: dict[Manner, int] = {
    _page: 200,
    _mutant: 250,
    _mutant_join: 30,
    _no_frame: 60,
    _malformed_mutant: 30,
    _no_event: 60,
    _no_handler: 40,
    _binary: 30,
    _large: 15,
    _fragments: 40,
    _no_websocket: 30,
    _cut_off: 20,
    _unjoined: 20,
    _silent: 2,
    _in_and_out: 20,
    _twice: 10,
    _flood: 25,
    _half_read: 8,
    _foreign: 40,
    _elsewhere: 20,
}
