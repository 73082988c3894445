"""Ask providers side by side what their plans say, and keep every exchange as soon as it ends."""

from __future__ import annotations

import asyncio
import json
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, Protocol

from chatconform.capture.credentials import Credentials, Hidden, credentials, require_unshown
from chatconform.capture.pacing import Budget, Pace, retry_after
from chatconform.capture.transport import HEADERS, Limits, Message, Received, Transport
from chatconform.model import Exchange, Headers, JsonValue, Origin, Request, SuiteError
from chatconform.recordings import disk, redact, store
from chatconform.scenarios.ask import Ask, Key, Plan
from chatconform.wire import strict_json
from chatconform.wire.asked import WRONG_KEY

__all__ = ["Credentials", "Hidden", "Job", "Watch", "capture", "credentials", "require_unshown"]

REFUSALS = (400, 404, 413, 415, 422, 500)
"""The statuses that refuse a request for what it asks, or with which a server fails at it."""
LARGE_AT_ONCE = 2
"""So many large answers are in memory at once, of all providers together; the others wait where they are."""
BYTES_A_REQUEST = 256 * 1024
"""A provider's answers may come to as many bytes for each request of its plan, and to one of the largest besides."""
GIVEN_UP_AFTER = 3
"""After so many requests without any answer of the provider's, the others are not sent."""

_RECORDED = frozenset(("accept", "accept-encoding", "authorization", "content-type"))
"""The fields that are recorded beside those of the ask itself: an allow-list."""
_MIB = 1024 * 1024


class Watch(Protocol):
    """Who is told how a capture goes; every method is called in the event loop's thread."""

    def planned(self, plan: Plan, have: int) -> None:
        """Begin with a provider, of whose exchanges some are recorded already."""

    def started(self, provider: str, ask: Ask) -> None:
        """A request is about to go out, for the first time or again."""

    def finished(self, provider: str, exchange: Exchange) -> None:
        """An exchange is on disk; also one that was not sent, and an attempt before the last."""

    def skipped(self, provider: str, ask: Ask) -> None:
        """A request is not needed: the one that it depends on was not refused."""

    def waiting(self, provider: str, seconds: float, why: str) -> None:
        """Nothing is sent for a while."""

    def done(self, provider: str) -> None:
        """A provider is through."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one provider is asked. Each exchange becomes a file of `folder`; the ids in `have` stand there already."""

    plan: Plan
    credentials: Credentials
    folder: Path
    have: frozenset[str] = frozenset()


async def capture(jobs: Sequence[Job], watch: Watch) -> None:
    """Ask all providers side by side. Whatever has ended when this is cancelled is on disk, whole.

    Raises `InputError` where a file cannot be written, or the environment names certificates or a proxy that
    cannot be used.
    """
    room = _Room()
    async with Transport() as transport:
        try:
            async with asyncio.TaskGroup() as group:
                for job in jobs:
                    group.create_task(_Asking(job, transport, room, watch).run())
        except BaseExceptionGroup as failures:
            _raise_first(failures)


def _raise_first(failures: BaseExceptionGroup[BaseException]) -> NoReturn:
    """Raise what failed first, without its frames: they hold what came before anything in it was overwritten."""
    first: BaseException = failures
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    frame = traceback.extract_tb(first.__traceback__)[-1]
    first.add_note(f"raised at {Path(frame.filename).name}:{frame.lineno}")
    raise first.with_traceback(None) from None


class _Room:
    """Where large answers are taken up, few at a time, and kept one after another by one thread.

    Each thread of the interpreter keeps memory of its own for what it once held.
    """

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(LARGE_AT_ONCE)
        self.thread = ThreadPoolExecutor(1)


class _Growing:
    """An answer that may become large, or large once it is decoded: then it has a place of the room until it is kept.

    Use it as a context.
    """

    def __init__(self, places: asyncio.Semaphore, budget: Budget) -> None:
        self._places, self._budget = places, budget
        self.is_large = False

    async def __aenter__(self) -> _Growing:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.is_large:
            self._places.release()

    async def grow(self) -> str | None:
        """Wait for a place; return the name of the limit where there is nothing left for a large answer."""
        if not self.is_large:
            await self._places.acquire()
            self.is_large = True
        return "answer_bytes" if self._budget.answer_bytes <= 0 else None


class _Asking:
    """One provider being asked."""

    def __init__(self, job: Job, transport: Transport, room: _Room, watch: Watch) -> None:
        limits = job.plan.provider.limits
        self.job, self.transport, self.room, self.watch = job, transport, room, watch
        self.provider = job.plan.provider
        self.limits = Limits(limits["total_s"], limits["idle_s"], int(limits["body_mib"] * _MIB))
        self.budget = Budget(
            int(limits["requests"]),
            int(limits["output_tokens"]),
            job.plan.retries,
            len(job.plan.asks) * BYTES_A_REQUEST + self.limits.body_bytes,
        )
        self.pace = Pace(limits["per_minute"])
        self.slots = asyncio.Semaphore(int(limits["concurrency"]))
        self.answered, self.silences, self.last_end, self.lenient = False, 0, "", True
        self.dependent: dict[str, list[Ask]] = {}
        self.reserved: set[str] = set()

    async def run(self) -> None:
        """Ask for all that is not there yet, in order; what depends on a refusal goes after it."""
        asks = self.job.plan.asks
        self.watch.planned(self.job.plan, sum(ask.id in self.job.have for ask in asks))
        first = [ask for ask in asks if ask.only_if_refused is None]
        for ask in asks:
            if ask.only_if_refused is not None:
                self.dependent.setdefault(ask.only_if_refused, []).append(ask)
        if first:
            disk.make(self.job.folder)
        async with asyncio.TaskGroup() as group:
            for ask in first:
                group.create_task(self._follow(ask, group))
        for ask in (ask for waiting in self.dependent.values() for ask in waiting):
            self.watch.skipped(self.provider.id, ask)
        self.watch.done(self.provider.id)

    async def _follow(self, ask: Ask, group: asyncio.TaskGroup) -> None:
        """Ask, and then for what depends on the answer."""
        if ask.id in self.job.have:
            self._settle(ask, _status(self._recorded(ask)) if ask.id in self.dependent else None, group)
            return
        async with self.slots, _Growing(self.room.places, self.budget) as growing:
            exchange = await self._ask(ask, growing)
            self._settle(ask, _status(exchange), group)
            if exchange.response and redact.codings(exchange.response):
                await growing.grow()
            if growing.is_large:
                await self._keep(exchange, self.room.thread)
        if not growing.is_large:
            await self._keep(exchange)

    def _settle(self, ask: Ask, status: int | None, group: asyncio.TaskGroup) -> None:
        """Go on with what depends on a request, where that was refused."""
        for dependent in self.dependent.pop(ask.id, ()):
            if status in REFUSALS:
                self._reserve(dependent)
                group.create_task(self._follow(dependent, group))
            elif dependent.id not in self.job.have:
                self.watch.skipped(self.provider.id, dependent)

    def _reserve(self, ask: Ask) -> None:
        """Pay for a request before those that wait already: it is worth more than the last of them."""
        if ask.id not in self.job.have and self._withheld(ask) is None:
            self.reserved.add(ask.id)

    def _recorded(self, ask: Ask) -> Exchange | None:
        """Return the exchange of an earlier run, where it can be read."""
        read = next(store.read([store.path_of(ask.id, self.job.folder)]), None)
        return read if isinstance(read, Exchange) else None

    async def _ask(self, ask: Ask, growing: _Growing) -> Exchange:
        """Send a request, again where it is to be retried, and return the last of its exchanges, not kept yet."""
        withheld = self._withheld(ask)
        if withheld is not None:
            return self._exchange(ask, withheld)
        attempt = 0
        while True:
            attempt += 1
            exchange = await self._send(ask, attempt, growing)
            seconds = self._again_in(exchange, attempt)
            if seconds is None:
                return self._concluded(exchange)
            self.pace.hold(time.monotonic() + seconds)
            await self._keep(replace(exchange, id=f"{ask.id}@{attempt}"))

    def _withheld(self, ask: Ask) -> Received | None:
        """Return what is recorded of a request that is not sent; None where it is, and then it is paid for."""
        if ask.id in self.reserved:
            return None
        if not self.answered and self.silences >= GIVEN_UP_AFTER:
            return Received(None, self.last_end, f"not sent: {self.silences} requests before it were not answered")
        ceiling = self.budget.debit(ask.output_tokens)
        return Received(None, f"limit:{ceiling}", "not sent") if ceiling else None

    def _again_in(self, exchange: Exchange, attempt: int) -> float | None:
        """Return in how many seconds a request is sent again, and pay for it; None where it is not.

        Once waiting has not helped one request, no other waits.
        """
        seconds = retry_after(exchange.response, attempt - 1, datetime.now(UTC)) if self.lenient else None
        return seconds if seconds is not None and self.budget.debit_retry() else None

    def _concluded(self, exchange: Exchange) -> Exchange:
        """Take note of how the last attempt went."""
        status = _status(exchange)
        self.answered = self.answered or status is not None
        self.silences += status is None
        self.last_end = exchange.end
        self.lenient = status not in (429, 503)
        return exchange

    async def _send(self, ask: Ask, attempt: int, growing: _Growing) -> Exchange:
        await self._turn()
        self.watch.started(self.provider.id, ask)
        sent_at = datetime.now(UTC)
        received = await self.transport.exchange(self._message(ask), self.limits, growing.grow)
        self.budget.answer_bytes -= len(received.response.body) if received.response else 0
        return replace(self._exchange(ask, received), attempt=attempt, recorded_at=_timestamp(sent_at))

    async def _turn(self) -> None:
        """Wait until a request may go."""
        while (seconds := self.pace.wait(time.monotonic())) > 0:
            held = self.pace.is_held(time.monotonic())
            why = "the provider asks to" if held else f"{self.provider.limits['per_minute']:g} requests a minute"
            self.watch.waiting(self.provider.id, seconds, why)
            await asyncio.sleep(seconds)

    def _message(self, ask: Ask) -> Message:
        if not ask.url.startswith(f"{self.provider.base_url}/"):
            raise SuiteError(f"{ask.id} would carry the key of {self.provider.id} to another place")
        return Message(ask.method, ask.url, self._headers(ask), ask.body)

    def _headers(self, ask: Ask) -> Headers:
        """Return the fields to send: those of a later source replace those of an earlier one."""
        key = {Key.PRESENT: self.job.credentials.key, Key.WRONG: WRONG_KEY, Key.ABSENT: None}[ask.key]
        own = [field for field in self.job.credentials.headers if _may_go(field[0], ask.key)]
        fields = [*HEADERS, *own, *ask.headers, *([("Authorization", f"Bearer {key}")] if key else [])]
        return tuple({name.lower(): (name, value) for name, value in fields}.values())

    def _exchange(self, ask: Ask, received: Received) -> Exchange:
        """Return what is recorded; secrets are in it still."""
        recorded = _RECORDED | {name.lower() for name, _ in ask.headers}
        headers = tuple(field for field in self._headers(ask) if field[0].lower() in recorded)
        return Exchange(
            id=ask.id,
            provider=self.provider.id,
            request=Request(ask.method, ask.url, headers, _body(ask.body)),
            response=received.response,
            scenario=ask.scenario,
            sample=ask.sample,
            origin=Origin.LIVE,
            model=self.provider.model,
            note=received.note,
            end=received.end,
        )

    async def _keep(self, exchange: Exchange, thread: ThreadPoolExecutor | None = None) -> Exchange:
        """Write an exchange without its secrets, also where this is cancelled meanwhile; return what was written."""
        writing = asyncio.get_running_loop().run_in_executor(thread, self._write, exchange)
        try:
            written = await asyncio.shield(writing)
        except asyncio.CancelledError:
            await writing
            raise
        self.watch.finished(self.provider.id, written)
        return written

    def _write(self, exchange: Exchange) -> Exchange:
        written = self.job.credentials.secrets.without(exchange)
        store.add(written, self.job.folder)
        return written


def _may_go(name: str, key: Key) -> bool:
    """Whether a header of the provider's goes with a request: its own credential not where another is asked for."""
    return key is Key.PRESENT or name.lower() != "authorization"


def _status(exchange: Exchange | None) -> int | None:
    return exchange.response.status if exchange and exchange.response else None


def _timestamp(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _body(data: bytes) -> JsonValue | bytes:
    """Return a body as it is recorded: None for none, the JSON value where nothing is lost by it, else the bytes."""
    value = strict_json.parse(data).object
    exact = value is not None and json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() == data
    return value if exact else data or None
