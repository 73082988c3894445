"""What capturing costs: the wall time of whole plans against the ideal, and the CPU time of each streamed chunk.

The endpoints run in processes of their own on 127.0.0.1. The ideal is the slowest provider's requests x latency ÷
concurrency; beside it stands a bare loop of httpx that sends the same, for the endpoint takes time as well. CPU is
process time, the median of seven turns, and its baseline a bare loop over httpx's `aiter_raw`.

    python benchmarks/capture.py
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

import httpx

from chatconform.capture.capture import Job, capture, credentials
from chatconform.capture.transport import Limits, Message, Transport
from chatconform.model import Exchange, Provider
from chatconform.recordings import store
from chatconform.scenarios.ask import Ask, Plan
from chatconform.scenarios.plan import plan

TURNS, CHUNKS, LATENCY_S, CONCURRENCY = 7, 4_000, 0.05, 2
KEY = "sk-fake-0123456789abcdef"
LIMITS = {"concurrency": CONCURRENCY, "per_minute": 100_000, "requests": 1000, "output_tokens": 10**6, "total_s": 90,
          "idle_s": 30, "body_mib": 8}  # fmt: skip
ENDPOINT = f"""
import asyncio
from chatconform.reference.endpoint import Endpoint
say = lambda url: print(url, flush=True)
asyncio.run(Endpoint(latency_s={LATENCY_S}).serve("127.0.0.1", 0, say))
"""
STREAM = f"""
import asyncio, json
def chunk(number):
    choice = {{"index": 0, "delta": {{"content": f" word{{number}}"}}, "finish_reason": None}}
    data = {{"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1795176000, "model": "m"}}
    event = b"data: %s\\n\\n" % json.dumps(data | {{"choices": [choice]}}).encode()
    return b"%x\\r\\n%s\\r\\n" % (len(event), event)
async def answer(reader, writer):
    await reader.readuntil(b"\\r\\n\\r\\n")
    writer.write(b"HTTP/1.1 200 OK\\r\\nContent-Type: text/event-stream\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
    for number in range({CHUNKS}):
        writer.write(chunk(number))
        await writer.drain()
        await asyncio.sleep(0)
    writer.write(b"0\\r\\n\\r\\n")
    writer.close()
async def serve():
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print("http://127.0.0.1:%d/v1" % server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(serve())
"""


class Unwatched:
    """A watch that looks away."""

    def planned(self, plan: Plan, have: int) -> None:
        pass

    def started(self, provider: str, ask: Ask) -> None:
        pass

    def finished(self, provider: str, exchange: Exchange) -> None:
        pass

    def skipped(self, provider: str, ask: Ask) -> None:
        pass

    def waiting(self, provider: str, seconds: float, why: str) -> None:
        pass

    def done(self, provider: str) -> None:
        pass


@contextmanager
def serving(program: str) -> Iterator[str]:
    """Run a server in a process of its own and give its base URL."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.kill()


def job(name: str, url: str, folder: Path, asks: tuple[Ask, ...] = ()) -> Job:
    provider = Provider(name, url, "reference-1", "KEY", limits=LIMITS)
    planned = Plan(provider, asks) if asks else plan(provider)
    return Job(planned, credentials(provider, {"KEY": KEY}), folder / name)


async def asked_barely(jobs: list[Job]) -> None:
    """Send what the jobs send first, with httpx alone, and keep nothing."""
    async with httpx.AsyncClient() as client, asyncio.TaskGroup() as group:

        async def one(ask: Ask, slots: asyncio.Semaphore) -> None:
            headers = [*ask.headers, ("Authorization", f"Bearer {KEY}")]
            async with slots, client.stream(ask.method, ask.url, headers=headers, content=ask.body or None) as response:
                async for _ in response.aiter_raw():
                    pass

        for each in jobs:
            slots = asyncio.Semaphore(CONCURRENCY)
            for ask in each.plan.asks:
                if ask.only_if_refused is None:
                    group.create_task(one(ask, slots))


def seconds(work: Coroutine[object, object, None]) -> float:
    start = time.perf_counter()
    asyncio.run(work)
    return time.perf_counter() - start


def walls(providers: int) -> None:
    """Print the seconds that full plans of so many providers take, against the ideal and against httpx alone."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        urls = [stack.enter_context(serving(ENDPOINT)) for _ in range(providers)]
        jobs = [job(f"p{number}", url, folder) for number, url in enumerate(urls)]
        bare, taken = seconds(asked_barely(jobs)), seconds(capture(jobs, Unwatched()))
        requests = max(sum(1 for _ in store.load(each.folder)) for each in jobs)
    ideal = requests * LATENCY_S / CONCURRENCY
    print(f"{providers} provider(s), {requests} requests each at {LATENCY_S * 1000:.0f} ms, {CONCURRENCY} at once:")
    print(f"  {taken:.2f} s, ideal {ideal:.2f} s: ratio {taken / ideal:.2f}; httpx alone {bare / ideal:.2f}")


async def cpu(work: Callable[[], Awaitable[object]]) -> float:
    start = time.process_time()
    await work()
    return time.process_time() - start


async def streamed(url: str, folder: Path) -> dict[str, float]:
    """Return the median CPU seconds of one stream, by who reads it."""
    target = f"{url}/chat/completions"
    ask = Ask("stream", "stream", "GET", target)
    limits = Limits(90, 30, 8 * 1024 * 1024)
    async with httpx.AsyncClient() as client, Transport() as transport:

        async def bare() -> None:
            async with client.stream("GET", target) as response:
                async for _ in response.aiter_raw():
                    pass

        async def transported() -> None:
            received = await transport.exchange(Message("GET", target), limits)
            assert received.end == "complete"

        async def captured() -> None:
            await capture([job("p", url, folder, (ask,))], Unwatched())

        found: dict[str, list[float]] = {"bare": [], "transport": [], "with redaction and file": []}
        for turn in range(TURNS + 1):
            for name, work in zip(found, (bare, transported, captured), strict=True):
                taken = await cpu(work)
                found[name] += [taken] if turn else []
    return {name: median(each) for name, each in found.items()}


def main() -> None:
    for providers in (1, 5):
        walls(providers)
    with serving(STREAM) as url, tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(streamed(url, Path(folder)))
    for name, taken in found.items():
        print(f"{name}: {taken / CHUNKS * 1e6:.1f} µs of CPU a chunk, ratio {taken / found['bare']:.2f}")


if __name__ == "__main__":
    main()
