"""The reference endpoint: an HTTP/1.1 server that answers a chat completion well, or breaks it as it is told to.

h11 reads the requests; the answers are bytes that we write, since h11 refuses to send what a fault has to send.
Nothing that a client does ends the server: what cannot be read is refused or closed.
"""

from __future__ import annotations

import asyncio
import difflib
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from functools import reduce
from typing import Final, TypeVar
from urllib.parse import urlsplit

import h11

from chatconform.contracts import contract as contracts
from chatconform.model import OPENAI, Exchange, Headers, InputError, Place, Request
from chatconform.reference import delivery as deliveries
from chatconform.reference import replaying
from chatconform.reference.delivery import After, Delivery
from chatconform.reference.fitting import breaking, spoils_framing, wire_faults
from chatconform.reference.house import Answers, House, digest
from chatconform.reference.misbehaviour import all_misbehaviours, misbehaving
from chatconform.reference.received import Received
from chatconform.reference.refusals import MAX_BODY, Door, unreadable_head
from chatconform.reference.replaying import BETWEEN_S, Numbered
from chatconform.reference.sockets import Delivers, all_socket_faults, reset

_PIECE: Final = 65_536
MAX_HEAD: Final = 65_536
"""Bytes of a request's header; a longer one is refused with 431."""
MAX_SKIPPED: Final = 8 * MAX_BODY
"""Bytes of a request's body beyond which the connection is closed rather than read on."""
IDLE_S: Final = 120.0
"""Seconds after which a client that neither sends nor reads is let go."""


def names() -> Mapping[str, str]:
    """Return every name that `faults` may hold, with a sentence: named faults, misbehaviours, faults of the socket."""
    kinds = (wire_faults(), all_misbehaviours(), all_socket_faults())
    return {name: each.says for kind in kinds for name, each in kind.items()}


def _answering(house: House, replay: Sequence[Exchange] | None, numbered: Numbered | None) -> Answers:
    """Return what answers requests: recorded exchanges, or the house itself."""
    if numbered is not None:
        return numbered.answer
    return house.answer if replay is None else replaying.of(house, replay).answer


def _at_work(
    house: House, faults: Sequence[str], replay: Sequence[Exchange] | None, numbered: Numbered | None
) -> tuple[Answers, tuple[Delivers, ...]]:
    """Return what answers requests, and what then changes their delivery.

    Misbehaviours come first, then what rewrites JSON, then what spoils its framing, then the socket's faults.
    """
    answers = _answering(house, replay, numbered)
    for misbehaviour in _named(faults, all_misbehaviours()):
        answers = misbehaving(house, answers, misbehaviour)
    for fault in sorted(_named(faults, wire_faults() if faults else {}), key=spoils_framing):
        answers = breaking(answers, fault)
    delivers: list[Delivers] = [] if replay is None else [lambda each: replace(each, wait_s=(0.0, 0.0, BETWEEN_S))]
    return answers, (*delivers, *(fault.delivers for fault in _named(faults, all_socket_faults())))


_Kind = TypeVar("_Kind")


def _named(faults: Sequence[str], known: Mapping[str, _Kind]) -> list[_Kind]:
    return [known[name] for name in faults if name in known]


def _refuse_unknown(faults: Sequence[str]) -> None:
    for name in faults:
        if name not in names():
            near = difflib.get_close_matches(name[:80], names(), n=1)
            remedy = f"{f'Did you mean {near[0]}? ' if near else ''}`chatconform list faults` prints all names."
            raise InputError(Place("command line"), f"there is no fault {name!r}", remedy)


class Endpoint:
    """A reference endpoint. `key` is the right key, without it any is; `models` are known besides those of its own.

    `faults` are names out of `names()`; `replay` are recorded exchanges to answer with, each to a request like its own,
    and `numbered` are some to answer any request with, below BASE/0, BASE/1 and so on; `latency_s` is waited before
    each answer; `clock` returns Unix time. Raises `InputError` for a contract or a fault that is not there.
    """

    def __init__(
        self,
        contract: str | None = None,
        faults: Sequence[str] = (),
        replay: Sequence[Exchange] | None = None,
        numbered: Sequence[Exchange] | None = None,
        latency_s: float = 0.0,
        key: str | None = None,
        models: Collection[str] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        if contract is not None:
            contracts.load(contract)
        _refuse_unknown(faults)
        self._house = House(Door(None if contract == OPENAI else contract, key, models), clock)
        self._numbered = None if numbered is None else Numbered(self._house, numbered)
        self._answers, self._delivers = _at_work(self._house, faults, replay, self._numbered)
        self._latency_s = latency_s
        self._seen: Counter[str] = Counter()
        self._connections: set[asyncio.Task[None]] = set()

    @property
    def asked(self) -> frozenset[int]:
        """The numbers of the `numbered` exchanges that were asked for."""
        return frozenset(self._numbered.asked if self._numbered else ())

    async def serve(self, host: str, port: int, ready: Callable[[str], None] = lambda _: None) -> None:
        """Serve until cancelled. `ready` is called with the base URL once connections are accepted.

        Port 0 takes a free one. Raises `OSError` where the address cannot be listened at.
        """
        server = await asyncio.start_server(self._connected, host, port)
        try:
            bound = server.sockets[0].getsockname()[1]
            ready(f"http://{f'[{host}]' if ':' in host else host}:{bound}/v1")
            await asyncio.Event().wait()
        finally:
            server.close()
            for connection in self._connections:
                connection.cancel()

    @contextmanager
    def running(self, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
        """Serve from a thread of its own, as a context manager that gives the base URL."""
        started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None], str]] = Future()
        thread = threading.Thread(target=lambda: asyncio.run(self._until_stopped(host, port, started)), daemon=True)
        thread.start()
        loop, task, base_url = started.result()
        try:
            yield base_url
        finally:
            loop.call_soon_threadsafe(task.cancel)
            thread.join()

    async def _until_stopped(
        self, host: str, port: int, started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Task[None], str]]
    ) -> None:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        try:
            await self.serve(host, port, lambda base_url: started.set_result((loop, task, base_url)))
        except asyncio.CancelledError:
            return
        except OSError as error:
            started.set_exception(error)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection, one after another."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            await self._converse(_Requests(reader, writer), writer)
        except (OSError, TimeoutError, asyncio.CancelledError):
            writer.transport.abort()
        finally:
            self._connections.discard(task)
            writer.close()

    async def _converse(self, requests: _Requests, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                request = await requests.next()
            except h11.RemoteProtocolError as error:
                await _write(self._unreadable(error.error_status_hint), writer)
                return
            if request is None:
                return
            received = self._counted(request)
            delivery = self._delivered(received)
            await asyncio.sleep(self._latency_s)
            if requests.is_old:
                delivery = deliveries.unchunked(delivery)
            elif requests.closes:
                delivery = deliveries.closing(delivery)
            await _write(delivery, writer, without_body=request.method == "HEAD")
            if delivery.after is not After.KEPT:
                await _part(delivery.after, requests, writer)
                return

    def _delivered(self, received: Received) -> Delivery:
        """Return the answer to a request as it is to be written, after all faults."""
        return reduce(lambda delivery, each: each(delivery), self._delivers, deliveries.of(self._answers(received)))

    def _counted(self, request: Request) -> Received:
        name = digest(Received(request))
        self._seen[name] += 1
        return Received(request, self._seen[name] - 1)

    def _unreadable(self, status: int) -> Delivery:
        received = Received(Request("GET", "/"))
        refused = deliveries.of(self._house.refused(received, unreadable_head(status)))
        return deliveries.closing(refused)


class _Requests:
    """The requests of one connection, in turn."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._rest = b""
        self.closes = self.is_old = False

    async def next(self) -> Request | None:
        """Return the next request; None where the client has no more. Raises `h11.RemoteProtocolError`."""
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        if self._rest:
            connection.receive_data(self._rest)
        head: h11.Request | None = None
        body, skipped = bytearray(), 0
        while True:
            event = await self._event(connection)
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                room = MAX_BODY + 1 - len(body)
                body += event.data[:room]
                skipped += len(event.data)
                if skipped > MAX_SKIPPED:
                    return None
            elif isinstance(event, h11.EndOfMessage) and head is not None:
                self._rest = bytes(connection.trailing_data[0])
                return self._request(head, bytes(body))
            else:
                return None

    async def _event(self, connection: h11.Connection) -> object:
        """Return the connection's next event; reads as long as none is whole."""
        while (event := connection.next_event()) is h11.NEED_DATA:
            if connection.they_are_waiting_for_100_continue:
                self._writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                connection.send(h11.InformationalResponse(status_code=100, headers=[]))
            connection.receive_data(await self.read())
        return event

    async def read(self) -> bytes:
        """Return what the client sends next; nothing where it has closed."""
        async with asyncio.timeout(IDLE_S):
            return await self._reader.read(_PIECE)

    def _request(self, head: h11.Request, body: bytes) -> Request:
        headers: Headers = tuple((_text(name), _text(value)) for name, value in head.headers.raw_items())
        fields: Mapping[str, str] = {name.lower(): value for name, value in headers}
        self.is_old = head.http_version < b"1.1"
        self.closes = "close" in fields.get("connection", "").lower()
        target = _text(head.target)
        return Request(_text(head.method).upper(), _url(fields.get("host", ""), target), headers, body or None)


def _url(host: str, target: str) -> str:
    """Return the URL of a request's target (RFC 9112 section 3.3); a host that is none is left out."""
    url = target if "://" in target else f"http://{host}{target}"
    try:
        urlsplit(url)
    except ValueError:
        return f"http://127.0.0.1/{target}"
    return url


def _text(value: bytes) -> str:
    return value.decode("latin-1")


async def _write(delivery: Delivery, writer: asyncio.StreamWriter, *, without_body: bool = False) -> None:
    for wait_s, piece in delivery.writes(without_body=without_body):
        if wait_s:
            await asyncio.sleep(wait_s)
        writer.write(piece)
        async with asyncio.timeout(IDLE_S):
            await writer.drain()


async def _part(after: After, requests: _Requests, writer: asyncio.StreamWriter) -> None:
    """End the connection: at once, by a reset, or not until the client does."""
    if after is After.HELD:
        while await requests.read():
            pass
    elif after is After.RESET:
        reset(writer)
