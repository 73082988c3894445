"""A real gateway in front of a server: `sglang-router`, a child process on 127.0.0.1 that cannot outlive this one."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

TESTS: Final = Path(__file__).parents[1]
TRIES: Final = 500
"""How often it is asked whether it is ready, each time after 20 ms in which it could have ended."""


@contextmanager
def routing(folder: Path, upstream: str) -> Iterator[str]:
    """Route to a server, given its base URL, and give the gateway's own; its log is in a folder; end it at the end.

    Raises `RuntimeError` with the end of the log where it does not get ready.
    """
    (port, metrics), log = _free_ports(), folder / "router.log"
    command = [sys.executable, "-m", "servers.router", upstream.removesuffix("/v1"), str(port), str(metrics)]
    with log.open("wb") as said:
        child = subprocess.Popen(command, cwd=TESTS, stdin=subprocess.PIPE, stdout=said, stderr=subprocess.STDOUT)
    try:
        if not _gets_ready(child, f"http://127.0.0.1:{port}/readiness"):
            raise RuntimeError(f"sglang-router does not get ready: {log.read_text()[-2000:]}")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        child.communicate(timeout=10)


def _free_ports() -> tuple[int, int]:
    """Return two ports that were free a moment ago: the gateway cannot be told to look for one."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def _gets_ready(child: subprocess.Popen[bytes], url: str) -> bool:
    with httpx.Client(trust_env=False, timeout=5) as client:
        for _ in range(TRIES):
            if _is_ready(client, url):
                return True
            try:
                child.wait(0.02)
            except subprocess.TimeoutExpired:
                continue
            return False
    return False


def _is_ready(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).status_code == 200
    except httpx.TransportError:
        return False
