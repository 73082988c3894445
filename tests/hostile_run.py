"""A hostile endpoint on a port of its own, and the two faces against it as child processes: how long, and how much."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from hostile import Hostile
from loopback import Connection

KEY = "sk-fake-0123456789abcdef"
MOST_MEMORY_MB = 300
DEADLINE_S = 300
"""Ends a hang, and is no measure of anything."""
_ADDRESS_SPACE = 2 * 1024**3
_MEASURED = """
import json, resource, subprocess, sys, time
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), -1))
begun = time.monotonic()
code = subprocess.call(sys.argv[3:])
taken = time.monotonic() - begun
peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
open(sys.argv[2], "w").write(json.dumps([code, taken, peak]))
"""
"""Runs a command from a small process, as the peak of a child counts what its parent held when it was made."""
_PROVIDER = """
  {name}:
    base_url: "{url}"
    model: reference-1
    key_env: KEY
    default: true
    limits: {{total_s: 4, idle_s: 1, body_mib: 8, per_minute: 60000}}
"""
EXITS = {"conforms": 0, "deviates": 1, "inconclusive": 3}
"""With which code a run ends that concludes so."""


class Servers:
    """Every behaviour on a port of its own, in one thread; `seen` is what came to each."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._listeners: list[asyncio.Server] = []
        self.seen: dict[str, list[bytes]] = {}

    @contextlib.contextmanager
    def running(self) -> Iterator[Servers]:
        self._thread.start()
        try:
            yield self
        finally:
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(60)
            self._loop.close()

    async def _close(self) -> None:
        for listener in self._listeners:
            listener.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def serve(self, hostile: Hostile) -> str:
        """Return the URL at which a behaviour is."""
        requests = self.seen.setdefault(hostile.name, [])
        made = cache(hostile.make)

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, EOFError, asyncio.LimitOverrunError):
                try:
                    request = b"" if hostile.unasked else await _request(reader)
                    requests.append(request)
                    await made()(Connection(request, reader, writer))
                finally:
                    writer.close()
                    await writer.wait_closed()

        started = asyncio.start_server(converse, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(started, self._loop).result(60)
        self._listeners.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def _request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    return head + await reader.readexactly(length)


@dataclass(frozen=True, slots=True)
class Measured:
    """How a face ended: exit code (negative: killed), seconds, MB at its peak, and all that it printed."""

    code: int
    seconds: float
    megabytes: int
    printed: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the suite says of a behaviour, asked and then judged again; `code` is that of a run of it alone.

    Of behaviours that are driven together the two measures are of all of them.
    """

    run: Measured
    judged: Measured
    ends: tuple[str, ...]
    conclusion: str
    again: str
    errors: int

    @property
    def code(self) -> int:
        return EXITS.get(self.conclusion, -1)

    def wrong(self) -> list[str]:
        """Return in what the suite itself did not stand up to the behaviour."""
        both = (self.run, self.judged)
        return [
            *(f"exit code {each.code}" for each in both if each.code not in (0, 1, 3)),
            *("a traceback" for each in both if "Traceback (most recent call last)" in each.printed),
            *(f"{each.megabytes} MB" for each in both if each.megabytes > MOST_MEMORY_MB),
            *(f"{self.errors} errors of checks" for _ in range(self.errors)),
            *(f"{self.again} when judged again" for _ in range(self.again != self.conclusion)),
        ]


def face(folder: Path, environment: Mapping[str, str], name: str, *arguments: str) -> Measured:
    """Run `chatconform ARGUMENTS` in a folder, within bounds."""
    measured, printed = folder / f"{name}.measured", folder / f"{name}.printed"
    command = [sys.executable, "-S", "-E", "-c", _MEASURED, str(_ADDRESS_SPACE), str(measured)]
    with printed.open("wb") as file:
        child = subprocess.Popen(
            [*command, sys.executable, "-m", "chatconform", *arguments],
            cwd=folder,
            env={**environment, "KEY": KEY},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            child.wait(DEADLINE_S)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            return Measured(-9, DEADLINE_S, 0, printed.read_text(errors="replace"))
    code, seconds, peak = json.loads(measured.read_text())
    return Measured(code, seconds, peak // 1024**2, printed.read_text(errors="replace"))


def drive(hostile: Hostile, url: str, folder: Path, environment: Mapping[str, str]) -> Said:
    """Ask a hostile endpoint, then judge the recording that it left."""
    return drive_together({hostile.name: url}, hostile.scenarios, folder, environment)[hostile.name]


def drive_together(
    urls: Mapping[str, str],
    scenarios: Iterable[str],
    folder: Path,
    environment: Mapping[str, str],
    *,
    again: bool = True,
) -> Mapping[str, Said]:
    """Ask hostile endpoints side by side, each a provider of one run, then judge the recordings, if they are to be."""
    folder.mkdir(parents=True)
    blocks = [_PROVIDER.format(name=_provider(name), url=url) for name, url in urls.items()]
    (folder / "providers.yaml").write_text("providers:" + "".join(blocks))
    patterns = [part for name in scenarios for part in ("--scenario", name)]
    run = face(folder, environment, "run", "run", "--live", "--no-boundaries", *patterns)
    judged = face(folder, environment, "judge", "judge", "reports/recordings", "--out", "again") if again else run
    live = _results(folder / "reports")
    second = _results(folder / "again") if again else live
    said = {name: _said(_provider(name), folder, run, judged, live, second) for name in urls}
    shutil.rmtree(folder)
    return said


def _provider(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "-", name)


def _said(provider: str, folder: Path, run: Measured, judged: Measured, live: dict, again: dict) -> Said:
    recorded = sorted((folder / "reports" / "recordings" / provider).rglob("*.json"))
    ends = tuple(sorted({json.loads(file.read_bytes())["end"] for file in recorded}))
    errors = sum(each["outcome"] == "error" and each["provider"] == provider for each in live["verdicts"])
    return Said(run, judged, ends, _conclusion(live, provider), _conclusion(again, provider), errors)


def _conclusion(results: dict, provider: str) -> str:
    return next((each["conclusion"] for each in results["providers"] if each["id"] == provider), "none")


def _results(folder: Path) -> dict:
    file = folder / "results.json"
    return json.loads(file.read_bytes()) if file.exists() else {"verdicts": [], "providers": []}
