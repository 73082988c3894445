"""One request over HTTP/1.1, and every byte that came back with the time of its arrival. It alone imports httpx."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import ssl
import traceback
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from time import perf_counter_ns
from types import TracebackType
from typing import Any, TypeAlias

import httpx

from chatconform.model import Headers, InputError, Place, Response, SuiteError
from chatconform.wire.media import MAX_LINES, lines

HEADER_BYTES = 64 * 1024
"""How many bytes may come before the end of the header, interim answers included."""
INTERIM_ANSWERS = 32
"""How many 1xx answers may come before the answer (RFC 9110 section 15.2 sets no bound)."""
LARGE = 256 * 1024
"""A body of more bytes is large: it is read on only where it may be."""
EVENTS = 50_000
"""How many blank lines, and so events, a body may hold."""
LOWEST_STATUS = 100
"""A lower one is none (RFC 9110 section 15), though it has three digits."""
CONNECT_S = 10.0
"""How many seconds a connection may take, TLS included, where `idle_s` is not less."""
ONE_READ_US = 1_000
"""Pieces that come within so many microseconds of a read's first piece belong to that read."""

HEADERS: Headers = (("Accept", "*/*"), ("Accept-Encoding", "identity"), ("User-Agent", "chatconform"))
"""The fields of every request, where a message has none of the same name."""

_LOGGERS = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.http2", "httpcore.proxy", "httpcore.socks")
_STATUS_LINE = re.compile(rb"^HTTP/(\d\.\d) ([1-9]\d\d)(?: [^\r\n]*)?\r?\n", re.MULTILINE)
_BLANK_LINES = (b"\n\n", b"\n\r\n", b"\r\r")
_LONGEST_NOTE = 300


@dataclass(frozen=True, slots=True)
class Message:
    """A request to the byte. `headers` are sent in this order, after Host; they may hold a credential."""

    method: str
    url: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Limits:
    """What ends an exchange: seconds in all, seconds between two reads, bytes of the body as it is transferred."""

    total_s: float
    idle_s: float
    body_bytes: int


@dataclass(frozen=True, slots=True)
class Received:
    """What came back. `response` is None where no status line came; `end` and its words are those of format 1.

    `note` says more of an end that is not `complete`; it may repeat what the endpoint sent.
    """

    response: Response | None
    end: str
    note: str | None = None


class _Exceeded(Exception):  # noqa: N818
    """A limit is reached; the argument is its name."""


Grow: TypeAlias = Callable[[], Awaitable[str | None]]
"""Waits until a body may be large, and returns None, or the name of the limit that forbids it."""


class _Growth:
    """Lets a body become large when it may; the time that this takes is not the endpoint's."""

    def __init__(self, grow: Grow | None, deadline: asyncio.Timeout) -> None:
        self._grow, self._deadline = grow, deadline

    async def allow(self, length: int) -> None:
        """Raise `_Exceeded` where a body of this length may not go on."""
        if self._grow is None or length <= LARGE:
            return
        grow, self._grow = self._grow, None
        now = asyncio.get_running_loop().time
        ends, begun = self._deadline.when() or 0.0, now()
        self._deadline.reschedule(None)
        limit = await grow()
        self._deadline.reschedule(ends + now() - begun)
        if limit is not None:
            raise _Exceeded(limit)


class _NoCookies(CookieJar):
    """Keeps nothing: each exchange stands alone."""

    def extract_cookies(self, response: Any, request: Any) -> None:  # noqa: ANN401
        """Forget what Set-Cookie says."""


class Transport:
    """Sends requests, each on a connection of its own; use it as an asynchronous context.

    No bytes of one answer can so run into the next. Redirects are not followed, certificates are always verified,
    and the proxy and certificate variables of the environment are honoured as httpx does. While it is open the
    loggers of httpx are off, for they would print what an endpoint echoes.
    """

    def __init__(self) -> None:
        """Raise `InputError` where the environment names certificates or a proxy that cannot be used."""
        self._client = _client()
        self._were_off: dict[str, bool] = {}

    async def __aenter__(self) -> Transport:
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            self._were_off[name], logger.disabled = logger.disabled, True
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
        for name, was_off in self._were_off.items():
            logging.getLogger(name).disabled = was_off

    async def exchange(self, message: Message, limits: Limits, grow: Grow | None = None) -> Received:
        """Send one request and take what comes back, to its end or to a limit.

        A body that is larger than `LARGE` is read on when `grow` has returned, which counts for no limit, and what it
        names is the limit that it meets. Raises `SuiteError` for what should not be, and for nothing that an endpoint
        does.
        """
        arrival = _Arrival(limits)
        try:
            async with asyncio.timeout(limits.total_s) as deadline:
                await self._take(message, arrival, _Growth(grow, deadline))
        except TimeoutError:
            return arrival.received("limit:total_s")
        except _Exceeded as limit:
            return arrival.received(f"limit:{limit}")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return arrival.received(_end(error, arrival), _words(error, limits))
        except Exception as error:  # noqa: BLE001 - the frames of whatever else it is hold a credential
            problem = SuiteError(f"{type(error).__name__} in the transport, at {_innermost(error)}")
        else:
            return arrival.received("complete")
        raise problem

    async def _take(self, message: Message, arrival: _Arrival, growth: _Growth) -> None:
        idle_s = arrival.limits.idle_s
        request = self._client.build_request(
            message.method,
            message.url,
            headers=list(message.headers),
            content=message.body or None,
            timeout=httpx.Timeout(idle_s, connect=min(idle_s, CONNECT_S), pool=None),
            extensions={"trace": arrival.trace},
        )
        response = await self._client.send(request, stream=True)
        try:
            async for piece in response.aiter_raw():
                arrival.take(piece)
                await growth.allow(len(arrival.body))
        finally:
            await response.aclose()


def _client() -> httpx.AsyncClient:
    try:
        return httpx.AsyncClient(
            headers=list(HEADERS),
            cookies=_NoCookies(),
            verify=httpx.create_ssl_context(),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=0),
            event_hooks={"response": [_stay]},
        )
    except OSError:
        problem = "the certificates that SSL_CERT_FILE or SSL_CERT_DIR names cannot be read"
        remedy = "Let it name a file of certificates in PEM, or unset it."
    except (ImportError, ValueError, httpx.InvalidURL):
        problem = "a proxy variable (HTTP_PROXY, HTTPS_PROXY, ALL_PROXY) names no proxy that can be used"
        remedy = "Write it as http://host:port, or unset it."
    raise InputError(Place("the environment"), problem, remedy)


async def _stay(response: httpx.Response) -> None:
    """Take Location from what httpx sees: it would raise for one that is no URL, though it follows none."""
    response.headers.pop("Location", None)


class _Arrival:
    """What has come of one answer so far, and when. Times are of the monotonic clock, in nanoseconds."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.sent_at = self.came_at = perf_counter_ns()
        self.stage = ""
        self.head = bytearray()
        self.in_head = self.to_proxy = False
        self.at_end = False
        self.opening: tuple[str, int, Headers, int] | None = None
        self.body = bytearray()
        self.reads: list[tuple[int, int]] = []
        self.blank_lines = self.lines = 0

    async def trace(self, event: str, info: dict[str, Any]) -> None:
        """Follow the request by httpx's trace extension."""
        owner, _, step = event.partition(".")
        self.stage = step.partition(".")[0] or owner
        if step in ("connect_tcp.complete", "start_tls.complete"):
            self._watch(info["return_value"])
        elif step == "send_request_headers.started":
            self.head.clear()
            self.in_head, self.to_proxy = True, info["request"].method == b"CONNECT"
        elif step in ("send_request_body.complete", "send_request_body.failed"):
            self.sent_at = perf_counter_ns()
        elif step == "receive_response_headers.complete":
            self.in_head = False
            version, status, _, fields = info["return_value"]
            if status < LOWEST_STATUS:
                raise httpx.RemoteProtocolError(f"the status is {status:03}")
            headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields)
            self.opening = version.decode("ascii").removeprefix("HTTP/"), status, headers, self._microseconds()

    def _watch(self, stream: Any) -> None:  # noqa: ANN401
        """See every read of a connection, for bytes of interim answers and of a broken header come in no event."""
        read = stream.read

        async def watched(max_bytes: int, timeout: float | None = None) -> bytes:
            self._before_read()
            data: bytes = await read(max_bytes, timeout)
            self.came_at = perf_counter_ns()
            self.at_end = not data
            if self.in_head:
                self.head += data
            return data

        stream.read = watched

    def _before_read(self) -> None:
        if self.in_head and self.head:
            if len(self.head) > HEADER_BYTES:
                raise _Exceeded("header_bytes")
            if len(_STATUS_LINE.findall(self.head)) > INTERIM_ANSWERS:
                raise _Exceeded("interim")

    def _microseconds(self) -> int:
        return max(0, (self.came_at - self.sent_at) // 1000)

    def take(self, piece: bytes) -> None:
        """Add bytes of the body. Raises `_Exceeded` where they are more than may come."""
        room = self.limits.body_bytes - len(self.body)
        kept = piece[:room]
        at = self._microseconds()
        if self.reads and at - self.reads[-1][0] < ONE_READ_US:
            self.reads[-1] = (self.reads[-1][0], self.reads[-1][1] + len(kept))
        elif kept:
            self.reads.append((at, len(kept)))
        before = bytes(self.body[-2:])
        self.body += kept
        self.blank_lines += _blank_lines(before + kept) - (before in _BLANK_LINES)
        self.lines += lines(kept) - (before[-1:] + kept[:1] == b"\r\n")
        if len(piece) > room:
            raise _Exceeded("body_mib")
        if self.blank_lines > EVENTS:
            raise _Exceeded("events")
        if self.lines > MAX_LINES:
            raise _Exceeded("lines")

    def received(self, end: str, note: str | None = None) -> Received:
        """Return what came, ended by this."""
        return Received(self._response(), end, note)

    def _response(self) -> Response | None:
        if self.to_proxy:
            return None
        if self.opening is not None:
            version, status, headers, after = self.opening
            return Response(status, headers, bytes(self.body), version, after, tuple(self.reads))
        final = [line for line in _STATUS_LINE.finditer(self.head) if not line[2].startswith(b"1")]
        return Response(int(final[0][2]), http_version=final[0][1].decode()) if final else None


def _blank_lines(text: bytes) -> int:
    return sum(map(text.count, _BLANK_LINES))


def _end(error: Exception, arrival: _Arrival) -> str:
    """Return the word of format 1 for what ended an exchange."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        return f"unreachable:{_why_unreachable(error, arrival)}"
    if isinstance(error, httpx.ProxyError):
        return "unreachable:proxy"
    if isinstance(error, httpx.TimeoutException):
        return "timeout"
    if arrival.in_head and len(arrival.head) > HEADER_BYTES:
        return "limit:header_bytes"
    if isinstance(error, httpx.RemoteProtocolError):
        return "truncated" if arrival.at_end else "malformed"
    if isinstance(error, httpx.NetworkError | OSError):
        return "reset"
    return "unreachable:url" if arrival.opening is None else "malformed"


def _why_unreachable(error: Exception, arrival: _Arrival) -> str:
    causes = tuple(_causes(error))
    if any(isinstance(cause, socket.gaierror) for cause in causes):
        return "dns"
    if isinstance(error, httpx.ConnectTimeout):
        return "timeout"
    if arrival.stage == "start_tls" or any(isinstance(cause, ssl.SSLError) for cause in causes):
        return "tls"
    return "refused" if any(isinstance(cause, ConnectionRefusedError) for cause in causes) else "network"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and all that led to it, those of a group too."""
    yield error
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            yield from _causes(each)
    cause = error.__cause__ or error.__context__
    if cause is not None:
        yield from _causes(cause)


def _words(error: Exception, limits: Limits) -> str:
    """Return what an error says, in one line."""
    if isinstance(error, httpx.ReadTimeout | httpx.WriteTimeout):
        return f"nothing moved for {limits.idle_s:g} s"
    return " ".join(str(error).split())[:_LONGEST_NOTE] or type(error).__name__


def _innermost(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"
