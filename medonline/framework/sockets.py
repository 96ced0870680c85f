"""Socket.IO's server, with hooks under the portal's own names.

Ids: Engine.IO gives each websocket an `eio_sid`. Socket.IO gives each namespace that a websocket joined a `sid`. Reflex has one namespace,
and a `token` for each tab, under which it keeps the tab's state.
"""

from __future__ import annotations

import asyncio
from typing import Any

import socketio

NAMESPACE = "/_event"  # Reflex's; also the path of the websocket


class SocketServer(socketio.AsyncServer):  # type: ignore[misc]  # the library carries no types
    """A server with `take_…` methods that a subclass extends. Each one is called for one kind of act of a client."""

    async def take_handshake(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        """A websocket was opened. `environ` holds its headers in the form of WSGI, and the ASGI scope (`scope_of`)."""
        return await super()._handle_eio_connect(eio_sid, environ)

    async def take_packet(self, eio_sid: str, data: Any) -> None:
        """A packet came, as text or bytes. Calls `take_join` or `take_event` for its content."""
        await super()._handle_eio_message(eio_sid, data)

    async def take_join(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        """The websocket joins a namespace. Reflex handles the first event of a page inside this call."""
        await super()._handle_connect(eio_sid, namespace, data)

    async def take_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        """An event came. `id` is the id of the acknowledgement that the client wants, or None."""
        await super()._handle_event(eio_sid, namespace, id, data)

    async def take_leave(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> Any:
        """The tab leaves the namespace. Either the browser says so when it closes the page, or the websocket ended without a word."""
        return await super()._handle_disconnect(eio_sid, namespace, reason)

    async def take_end(self, eio_sid: str, reason: str) -> Any:
        """The websocket is closed. Calls `take_leave` for a tab that has not left yet."""
        return await super()._handle_eio_disconnect(eio_sid, reason)

    def eio_sid_of(self, sid: str) -> str:
        """The websocket of a `sid`; empty when it is unknown."""
        return self.manager.eio_sid_from_sid(sid, NAMESPACE) or ""

    def token_of(self, eio_sid: str) -> str:
        """The token of the websocket's tab. Empty before the tab joined."""
        reflex = self.namespace_handlers.get(NAMESPACE)
        sid = self.manager.sid_from_eio_sid(eio_sid, NAMESPACE)
        return str(reflex.sid_to_token.get(sid, "")) if reflex is not None else ""

    def unread_of(self, eio_sid: str) -> int:
        """How many answers the client has not read yet."""
        socket = self.eio.sockets.get(eio_sid)
        return socket.queue.qsize() if socket is not None else 0

    async def end(self, eio_sid: str, connection: asyncio.Task[Any] | None) -> None:
        """Close a websocket after sending what is queued for it. `connection` is the task that took its handshake and reads from it."""
        socket = self.eio.sockets.pop(eio_sid, None)
        if socket is None:
            return
        await socket.close(wait=False)
        # Engine.IO alone would leave the websocket open until the next ping fails, and the page would look signed in.
        await socket.queue.put(None)
        await asyncio.sleep(0)  # the writer sends what is queued
        if connection is not None:
            connection.cancel()  # its reader treats that as the end and closes normally

    async def _handle_eio_connect(self, eio_sid: str, environ: dict[str, Any]) -> Any:
        return await self.take_handshake(eio_sid, environ)

    async def _handle_eio_message(self, eio_sid: str, data: Any) -> None:
        await self.take_packet(eio_sid, data)

    async def _handle_connect(self, eio_sid: str, namespace: str | None, data: Any) -> None:
        await self.take_join(eio_sid, namespace, data)

    async def _handle_event(self, eio_sid: str, namespace: str | None, id: int | None, data: Any) -> None:
        await self.take_event(eio_sid, namespace, id, data)

    async def _handle_disconnect(self, eio_sid: str, namespace: str | None, reason: str | None = None) -> Any:
        return await self.take_leave(eio_sid, namespace, reason)

    async def _handle_eio_disconnect(self, eio_sid: str, reason: str) -> Any:
        return await self.take_end(eio_sid, reason)


def scope_of(environ: dict[str, Any]) -> dict[str, Any]:
    """The ASGI scope of a handshake. Reflex reads the headers from this same dictionary."""
    scope: dict[str, Any] = environ.get("asgi.scope", {})
    return scope
