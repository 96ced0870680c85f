"""Who is at the other end of a socket. The server learns it from the real handshake, never from what the client says later.

Reflex believes an emitted Socket.IO event named `connect` and takes its headers for the client's. This server lets only Reflex's own
events and the portal's handlers through (`web.sockets.frames`). It reads the cookies once, at the handshake, and hides them from
Reflex. Before it, `web.sockets.gate` limits the number of sockets and frames.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias
from urllib.parse import parse_qsl, urlencode

from medonline.domain.client import Client
from medonline.framework.sockets import SocketServer, scope_of
from medonline.web.cookies import cookie_value, marks_in, region_code_in, session_key_in, sitting_key_in, visitor_key_in
from medonline.web.devices import device_of
from medonline.web.edge.client_address import client_address
from medonline.web.sockets.frames import MAX_FRAME, Handlers, Refused, check_join, check_packet

log = logging.getLogger(__name__)

# The only headers of a handshake that Reflex sees: it makes the page's own address of them. No cookie, no Authorization.
_HEADERS_KEPT = frozenset({b"host", b"origin"})
_ENVIRON_KEPT = frozenset({"HTTP_HOST", "HTTP_ORIGIN", "HTTP_UPGRADE", "HTTP_CONNECTION"})
MAX_UNREAD = 256  # answers that wait for a tab to read them; a page reads as fast as it asks
MAX_ENDED = 64  # states kept for tabs whose sockets ended; each takes some 190 KB


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor(Client):
    """The client behind a socket. `session_key` is also empty when the session was over at the handshake.

    region_code: the chosen region, unchecked; empty before the choice.
    """

    region_code: str = ""


UNKNOWN_VISITOR = Visitor()


class Followed(Protocol):
    """A change that the server follows until it calls `close`."""

    @property
    def has_heard(self) -> bool: ...

    def close(self) -> None: ...


When: TypeAlias = Callable[[str, Callable[[], None]], Followed]


class GuardedServer(SocketServer):
    """The Socket.IO server given to Reflex.

    handlers: the names that clients may call.
    forget: drops the state of a token. Returns False while a handler uses the state.
    is_open: whether the session with this key is still open. Asking does not count as use.
    when_over: calls back when the session with this key ends.
    when_renamed: calls back when the browser with this visitor key gets a new one.
    """

    def __init__(
        self,
        json: Any,
        handlers: Handlers,
        forget: Callable[[str], bool],
        is_open: Callable[[str], Awaitable[bool]],
        when_over: When,
        when_renamed: When,
    ) -> None:
        super().__init__(
            async_mode="asgi",
            cors_allowed_origins=[],  # the Origin is checked before the handshake gets here (web.edge.boundary)
            max_http_buffer_size=MAX_FRAME,
            ping_interval=10,
            ping_timeout=10,
            json=json,
            allow_upgrades=False,
            transports=["websocket"],
            async_handlers=False,
            # The libraries' default loggers would print payloads past the portal's filter (logs.setup.WithoutPayloads).
            logger=logging.getLogger("socketio"),
            engineio_logger=logging.getLogger("engineio"),
        )
        self._visitors: dict[str, Visitor] = {}
        self._connections: dict[str, asyncio.Task[Any]] = {}
        self._closing: set[asyncio.Task[None]] = set()
        self._handlers = handlers
        self._forget = forget
        self._is_open = is_open
        self._when_over = when_over
        self._when_renamed = when_renamed
        self._followed: dict[
            str, list[Followed]
        ] = {}  # by socket: the end of its session, and the change of its visitor key
        self._ended: dict[str, None] = {}  # the tokens of tabs that may come back, the oldest first

    def visitor(self, sid: str) -> Visitor:
        """The visitor behind a socket id of this server; UNKNOWN_VISITOR for an unknown id."""
        return self._visitors.get(self.eio_sid_of(sid), UNKNOWN_VISITOR)

    def _close_soon(self, eio_sid: str) -> None:
        """Close a socket after its handshake, without waiting. Its page reconnects, and the server reads its cookies again."""
        if eio_sid in self._visitors:
            task = asyncio.get_running_loop().create_task(self._close(eio_sid))
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    async def _close(self, eio_sid: str) -> None:
        await self.end(eio_sid, self._connections.pop(eio_sid, None))

    async def take_handshake(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        """Learn who the client is, and leave Reflex only the headers of which it makes a page's address."""
        scope = scope_of(environ)
        cookies = cookie_value(scope)
        address = client_address(scope)
        visitor_key, session_key = visitor_key_in(cookies), await self._open_session(eio_sid, session_key_in(cookies))
        visitor = Visitor(
            visitor_key=visitor_key,
            sitting_key=sitting_key_in(cookies),
            session_key=session_key,
            address=address,
            device=device_of(str(environ.get("HTTP_USER_AGENT", "")), address),
            marks=marks_in(cookies),
            region_code=region_code_in(cookies),
        )
        self._visitors[eio_sid] = visitor
        if visitor_key:
            self._follow(eio_sid, self._when_renamed, visitor_key)
        connection = asyncio.current_task()
        if connection is not None:
            self._connections[eio_sid] = connection
        environ["QUERY_STRING"] = _own_token(environ.get("QUERY_STRING", ""), visitor)
        for name in [name for name in environ if name.startswith("HTTP_") and name not in _ENVIRON_KEPT]:
            del environ[name]
        scope["headers"] = [(name, value) for name, value in scope.get("headers", []) if name in _HEADERS_KEPT]
        return await super().take_handshake(eio_sid, environ)

    async def _open_session(self, eio_sid: str, session_key: str) -> str:
        """The session's key, or nothing when the session is over. Otherwise the tab would show what its state still holds, because no
        handler asks before that."""
        if not session_key:
            return ""
        # The server follows the session before it checks it, so that it cannot miss an end in between.
        followed = self._follow(eio_sid, self._when_over, session_key)
        try:
            is_open = await self._is_open(session_key)
        except BaseException:
            self._follow_no_more(eio_sid)
            raise
        if is_open and not followed.has_heard:
            return session_key
        # The end may be announced again, and that must not close the page that tells the patient about it.
        self._follow_no_more(eio_sid)
        return ""

    def _follow(self, eio_sid: str, when: When, key: str) -> Followed:
        followed = when(key, lambda: self._close_soon(eio_sid))
        self._followed.setdefault(eio_sid, []).append(followed)
        return followed

    def _follow_no_more(self, eio_sid: str) -> None:
        for followed in self._followed.pop(eio_sid, ()):
            followed.close()

    async def take_packet(self, eio_sid: str, data: Any) -> None:
        """Close the socket on a packet that no page sends."""
        try:
            if not isinstance(data, str):
                raise Refused("a packet that is no text")
            await super().take_packet(eio_sid, data)
        except (Refused, ValueError, RecursionError) as error:
            # The text of any other error might quote what the client sent.
            log.warning("Socket closed: %s", error if isinstance(error, Refused) else "a packet that cannot be read")
            await self._close(eio_sid)

    async def take_join(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        """Check the event in the connect packet like any other."""
        check_join(data, self._handlers())
        try:
            await super().take_join(eio_sid, namespace, data)
        except Exception as error:
            # The connect packet carries the first event. After a failure the socket would stay open with nothing to serve it.
            log.warning("Socket closed: its first packet failed with %s", type(error).__name__)
            await self._close(eio_sid)
        self._ended.pop(self.token_of(eio_sid), None)

    async def take_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        """Let an event through if the portal's pages send such events.

        Raises:
            Refused: no page sends such an event, or this tab asks faster than it reads.
        """
        check_packet(data, self._handlers())
        if id is not None:
            raise Refused("an event that wants an acknowledgement")
        if self.unread_of(eio_sid) > MAX_UNREAD:
            raise Refused("a tab that asks but does not read")
        await super().take_event(eio_sid, namespace, id, data)

    async def take_end(self, eio_sid: str, reason: str) -> Any:
        """Forget the visitor of a socket that has ended."""
        self._visitors.pop(eio_sid, None)
        self._follow_no_more(eio_sid)
        self._connections.pop(eio_sid, None)
        return await super().take_end(eio_sid, reason)

    async def take_leave(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> Any:
        """Keep the state of the tab for a while."""
        token = self.token_of(eio_sid)  # read first, because the call below makes Reflex forget it
        result = await super().take_leave(eio_sid, namespace, reason)
        if token:
            self._keep_for_a_while(token)
        return result

    def _keep_for_a_while(self, token: str) -> None:
        """Keep the state of a tab that may come back, and drop the oldest.

        Reflex keeps every state for an hour, so a client that opens and closes sockets would fill the memory. If 64 other tabs have ended
        since, a tab that comes back gets a blank state. Its page's load then fills the state from the database.
        """
        self._ended.pop(token, None)
        self._ended[token] = None
        for oldest in list(self._ended)[: max(0, len(self._ended) - MAX_ENDED)]:
            del self._ended[oldest]
            if not self._forget(oldest):
                self._ended[oldest] = None


def _own_token(query: str, visitor: Visitor) -> str:
    """The handshake's query, with a token that only this browser in this session can have.

    Reflex finds a tab's state by a token that the client chooses and keeps after a sign-out. Here the token is hashed together with the
    cookies. So it cannot lead to what another person saw: neither in the same tab after the session, nor by guessing.
    """
    fields = dict(parse_qsl(query))
    owner = f"{fields.get('token', '')}|{visitor.visitor_key}|{visitor.sitting_key}|{visitor.session_key}"
    return urlencode(fields | {"token": hashlib.sha256(owner.encode()).hexdigest()})
