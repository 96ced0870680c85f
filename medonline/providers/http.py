"""One JSON request to a provider: short, bounded, and silent about what it carries.

All errors leave this module as a `DeliveryFailed`. No exception text and no log line of this module contains a code, a phone number,
a key, or a piece of the answer. The texts are the project's own, and causes are cut (`from None`), because a chained httpx error would
print its request.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
import socket
import ssl
import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from time import perf_counter
from typing import Any, TypeVar, cast

import httpx

from medonline.domain.errors import DeliveryFailed, ProviderDown, ProviderRefused
from medonline.metrics import names as metrics
from medonline.providers.outgoing import DIRECT, Outgoing
from medonline.providers.unpacking import TooLarge, Unpacked
from medonline.traces.spans import SpanKind, span

MAX_TIMEOUT = 5.0
MAX_ANSWER_BYTES = 64 * 1024
MAX_BRACKETS = 500
# Tokens and reports depend on the clock. If the two clocks differ by more, the vendor refuses the portal's, or the reverse.
MOST_SKEW = timedelta(seconds=60)
_PAUSES = (0.1, 0.4)  # seconds before the second and the third attempt of an idempotent request
# The part of the timeout in which a connection must be made. If it is not, the request was certainly not sent.
_CONNECTING = 0.6
_NEVER_ASKED = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
    ValueError,
)
Answer = TypeVar("Answer")

# httpx logs the address of each request, and an address may hold secrets.
logging.getLogger("httpx").addFilter(lambda record: record.levelno > logging.INFO)


class JsonClient:
    """An HTTP client of one provider.

    A request, from the first byte sent to the last byte read, takes at most `timeout` seconds (never more than 5). An idempotent
    request is tried up to three times. The first use opens the connection pool, which belongs to its event loop. Another loop opens a
    new pool. `outgoing` names the proxy and the trusted certificates. The environment has no influence on them.
    `max_answer_bytes` (counted after a gzip answer is unpacked) and `max_brackets` (`[` and `{` of a JSON answer) limit the cost of an
    answer. Raise them only for a provider whose good answers are larger. `compressed` asks for gzip. Without it, the provider is asked
    not to compress.
    """

    def __init__(
        self,
        base_url: str,
        *,
        name: str,
        headers: Mapping[str, str] | None = None,
        timeout: float = MAX_TIMEOUT,
        outgoing: Outgoing = DIRECT,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        max_brackets: int = MAX_BRACKETS,
        compressed: bool = False,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._name = name
        self._compressed = compressed
        encoding = "gzip" if compressed else "identity"
        self._headers = {"Accept": "application/json", "Accept-Encoding": encoding, **(headers or {})}
        self._timeout = min(timeout, MAX_TIMEOUT)
        self._outgoing = outgoing
        self._max_answer_bytes = max_answer_bytes
        self._max_brackets = max_brackets
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._skew: timedelta | None = None  # how far the provider's clock was ahead in the last answer

    async def post(
        self,
        path: str,
        *,
        json: Mapping[str, object] | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> Any:
        """Post one request and return the parsed JSON, for any 2xx or 4xx status.

        Raises:
            ProviderDown: no answer in time, a connection error, 5xx, a redirect, too large an answer, or no JSON.
            ProviderRefused: 401, 403, 404 or 405 without JSON. The key or the base URL is wrong.
        """
        _, answer = await self._persist("POST", path, idempotent, json=json, data=form, headers=headers)
        return answer

    async def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = True,
    ) -> tuple[int, Any]:
        """The status and the parsed JSON of a GET, for any 2xx or 4xx status.

        Raises:
            ProviderDown, ProviderRefused: as `post`.
        """
        return await self._persist("GET", path, idempotent, params=params, headers=headers)

    async def delete(self, path: str, *, params: Mapping[str, str]) -> tuple[int, Any]:
        """The status and the parsed JSON of a DELETE, for any 2xx or 4xx status.

        Raises:
            ProviderDown, ProviderRefused: as `post`.
        """
        return await self._persist("DELETE", path, idempotent=True, params=params)

    async def post_form(
        self,
        path: str,
        form: Mapping[str, str],
        *,
        headers: Mapping[str, str] | None = None,
        idempotent: bool = False,
    ) -> tuple[int, Any]:
        """The status and the parsed JSON of a POST of a form, for any 2xx or 4xx status.

        Raises:
            ProviderDown, ProviderRefused: as `post`.
        """
        return await self._persist("POST", path, idempotent, data=form, headers=headers)

    async def post_form_bytes(self, path: str, form: Mapping[str, str]) -> tuple[int, bytes]:
        """The status and the body of one POST of a form, for any 2xx or 4xx status. The request is never repeated.

        Raises:
            ProviderDown: no answer in time, connection error, 5xx, redirect, or too large.
        """
        status, body = await self._exchange("POST", path, data=form)
        self._refuse_broken(status)
        return status, body

    async def post_bytes(self, path: str, content: bytes) -> tuple[int, bytes]:
        """The status and the body of one POST of raw bytes, for any status. The request is never repeated.

        Raises:
            ProviderDown: no answer in time, connection error, or over 64 KB.
        """
        return await self._exchange(
            "POST",
            path,
            content=content,
            headers={"Content-Type": "application/octet-stream", "Accept": "application/octet-stream"},
        )

    async def get_bytes(self, path: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, bytes]:
        """The status and the body of one GET, for any 2xx or 4xx status. The request is never repeated.

        Raises:
            ProviderDown: no answer in time, connection error, 5xx, redirect, or too large.
        """
        status, body = await self._exchange("GET", path, headers=headers)
        self._refuse_broken(status)
        return status, body

    async def get_text(self, path: str, *, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """The status and the text of one GET whose answer is not JSON, for any 2xx or 4xx status.

        Raises:
            ProviderDown: no answer in time, connection error, 5xx, redirect, or too large.
        """
        status, body = await self.get_bytes(path, headers=headers)
        return status, body.decode("utf-8", errors="replace")

    async def _persist(self, method: str, path: str, idempotent: bool, **parts: Any) -> tuple[int, Any]:
        async def attempt() -> tuple[int, Any]:
            return await self._attempt(method, path, **parts)

        return await persistently(attempt) if idempotent else await attempt()

    async def reach(self, method_path: str = "") -> str:
        """Request the base URL, or a method without its parameters. That costs nothing at any vendor. Returns an English sentence about the
        answer.

        Raises:
            ProviderDown: no answer, or 5xx.
            ProviderRefused: the method does not exist, or the clocks differ by more than `MOST_SKEW`.
        """
        status, body = await self._exchange("GET", method_path)
        if status >= 500:
            raise ProviderDown(f"{self._name}: HTTP {status}", code=f"HTTP {status}")
        if status == 404 and method_path and not _is_json(body):
            what = f"{self._name}: HTTP 404: there is no {method_path} at {self._base_url}, so the address is another one's"
            raise ProviderRefused(what, code="HTTP 404")
        if self._skew is not None and abs(self._skew) > MOST_SKEW:
            what = f"{self._name}: its clock and this machine's differ by {abs(self._skew).total_seconds():.0f} s"
            raise ProviderRefused(what, code="clock")
        return f"{self._name} answers at {self._base_url} (HTTP {status})."

    async def close(self) -> None:
        """Close the connections. A later request opens new ones."""
        client, self._client = self._client, None
        if client is not None and self._loop is asyncio.get_running_loop():
            await client.aclose()

    async def _attempt(self, method: str, path: str, **parts: Any) -> tuple[int, Any]:
        status, body = await self._exchange(method, path, **parts)
        self._refuse_broken(status)
        try:
            return status, parse_json(body, self._max_brackets)
        except ValueError:
            raise without_json(self._name, status) from None

    def _refuse_broken(self, status: int) -> None:
        if _is_broken(status):
            raise ProviderDown(f"{self._name}: HTTP {status}", code=f"HTTP {status}")

    async def _exchange(self, method: str, path: str, **parts: Any) -> tuple[int, bytes]:
        began, outcome = perf_counter(), "unreachable"
        # The span does not name the path, because some vendors' paths hold a key or a phone number.
        with span(f"{method} {self._name}", SpanKind.CLIENT, medonline__vendor=self._name) as part:
            try:
                status, body = await self._send(method, path, **parts)
                outcome = "broken" if _is_broken(status) else "answered"
                part.set_attribute("http.response.status_code", status)
            except ProviderDown as error:
                outcome = "timeout" if error.code == "timeout" else "unreachable"
                raise
            finally:
                metrics.PROVIDER.observe(perf_counter() - began, self._name, outcome)
                part.set_attribute("medonline.outcome", outcome)
        return status, body

    async def _send(self, method: str, path: str, **parts: Any) -> tuple[int, bytes]:
        try:
            async with (
                asyncio.timeout(self._timeout),
                self._open_client().stream(method, self._base_url + path, **parts) as response,
            ):
                self._skew = _skew(response.headers.get("Date", ""))
                return response.status_code, await self._read_bounded(response)
        except (TimeoutError, httpx.TimeoutException) as error:
            asked = not isinstance(error, _NEVER_ASKED)
            what = f"no answer within {self._timeout:g} s" if asked else "no connection in time"
            raise ProviderDown(f"{self._name}: {what}", code="timeout", may_have_gone_out=asked) from None
        # ValueError: a key or a URL does not fit into a request. RuntimeError: the pool was closed during the request.
        except (httpx.HTTPError, httpx.InvalidURL, OSError, RuntimeError, ValueError) as error:
            code, why = _trouble(error)
            asked = not isinstance(error, _NEVER_ASKED)
            raise ProviderDown(f"{self._name}: {why}", code=code, may_have_gone_out=asked) from None

    async def _read_bounded(self, response: httpx.Response) -> bytes:
        codings = [coding.strip().lower() for coding in response.headers.get("Content-Encoding", "").split(",")]
        codings = [coding for coding in codings if coding not in ("", "identity")]
        if codings and not (self._compressed and codings in (["gzip"], ["x-gzip"])):
            raise ProviderDown(f"{self._name}: an answer in a coding that was not asked for")
        reader = Unpacked(self._max_answer_bytes, packed=bool(codings))
        try:
            # The raw stream, because httpx would unpack a whole chunk before its size can be checked.
            async for chunk in cast("httpx.AsyncByteStream", response.stream):
                reader.take(chunk)
            return reader.whole()
        except TooLarge:
            raise ProviderDown(f"{self._name}: the answer is over {self._max_answer_bytes // 1024} KB") from None
        except zlib.error:
            raise ProviderDown(f"{self._name}: an answer that is no whole gzip") from None

    def _open_client(self) -> httpx.AsyncClient:
        loop = asyncio.get_running_loop()
        if self._client is None or self._loop is not loop:
            self._client = httpx.AsyncClient(
                headers=self._headers,
                timeout=httpx.Timeout(self._timeout, connect=self._timeout * _CONNECTING),
                verify=self._outgoing.trust,
                proxy=self._outgoing.through,
                mounts=self._outgoing.mounts,
                transport=self._transport,
                follow_redirects=False,
                trust_env=False,
                # A cookie from one patient's request must not be sent with another's.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            )
            self._loop = loop
        return self._client


async def persistently(ask: Callable[[], Awaitable[Answer]]) -> Answer:
    """Ask up to three times while the provider is down. Use it only for requests that may be repeated. The final error says whether any
    attempt may have arrived, even if the last one was refused.

    Raises:
        DeliveryFailed: the error of the last attempt.
    """
    may_have_arrived = False
    for pause in (*_PAUSES, None):
        try:
            return await ask()
        except DeliveryFailed as error:
            may_have_arrived = error.may_have_gone_out = may_have_arrived or error.may_have_gone_out
            if pause is None or not isinstance(error, ProviderDown):
                raise
            await asyncio.sleep(pause)
    raise AssertionError("the last attempt answers or raises")


def _trouble(error: BaseException) -> tuple[str, str]:
    """A code and an English text that say why there was no answer. They repeat no text of a library, which may quote the request."""
    for one in _with_causes(error):
        if isinstance(one, httpx.ProxyError):
            status = re.match(r"\d{3}\b", str(one))  # the text begins with the status; the rest is the proxy's own text
            return "proxy", f"the proxy refuses the way{f' (HTTP {status.group()})' if status else ''}"
        if isinstance(one, socket.gaierror):
            return "dns", "its name has no address (DNS)"
        if isinstance(one, ssl.SSLCertVerificationError):
            return "tls", f"TLS: its certificate is not trusted ({one.verify_message})"
        if isinstance(one, ssl.SSLError):
            return "tls", f"TLS: {one.reason or 'the handshake failed'}"
        if isinstance(one, ConnectionRefusedError):
            return "refused", "the connection is refused"
    return "", type(error).__name__


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        one = waiting.pop(0)
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]


def _skew(date: str) -> timedelta | None:
    try:
        told = parsedate_to_datetime(date)
    except ValueError:
        return None
    return None if told.tzinfo is None else told - datetime.now(UTC)


def _is_json(body: bytes) -> bool:
    try:
        parse_json(body)
    except ValueError:
        return False
    return True


def _is_broken(status: int) -> bool:
    return status >= 500 or 300 <= status < 400


def parse_json(body: bytes, max_brackets: int = MAX_BRACKETS) -> Any:
    """Parse a provider's JSON.

    Raises:
        ValueError: this is no JSON, or it has more brackets than any honest answer.
    """
    # Counted first, because deep nesting would make the parser hit the interpreter's recursion limit.
    if body.count(b"[") + body.count(b"{") > max_brackets:
        raise ValueError("too many brackets")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("nested too deep") from None


def without_json(provider: str, status: int) -> DeliveryFailed:
    """The error that an answer without JSON means: a wrong key or base URL, or a provider in trouble."""
    what, code = f"{provider}: HTTP {status} without JSON", f"HTTP {status}"
    if status in (401, 403, 404, 405):
        return ProviderRefused(what, code=code, of_key=status in (401, 403))
    return ProviderDown(what, code=code)
