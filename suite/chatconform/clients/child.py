"""The witnesses' processes: one for each client library, asked line by line, and ended where it does not answer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final

from chatconform.model import InputError, JsonObject, JsonValue, Place
from chatconform.wire import strict_json

SCRIPT: Final = Path(__file__).with_name("witness.py")
BESIDE: Final = Path(".venv-clients/bin/python")
"""Where `make clients` puts the interpreter that has the clients."""
IDLE_S: Final = 5.0
"""Seconds without a byte after which a client gives up."""
START_S: Final = 300.0
"""Seconds after which a client that is not imported yet is given up: a cold disk takes one."""
DEADLINE_S: Final = 60.0
"""Seconds after which a witness that has not answered is ended."""
WAYS: Final = {
    "openai-python": "openai",
    "openai-python-stream": "openai",
    "langchain-openai": "langchain-openai",
    "litellm": "litellm",
}
"""The ways of reading an answer, by the keys of the catalogue's clients, and the package that has each."""
_QUIET: Final = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    "LITELLM_MODE": "PRODUCTION",
    "LANGSMITH_TRACING": "false",
    "LANGCHAIN_TRACING_V2": "false",
    "NO_PROXY": "*",
    "PYTHONUTF8": "1",
}
"""What keeps the clients from speaking to anybody but the endpoint.

litellm fetches its list of prices when it is imported, and reads a .env above its own folder, unless it is told not to.
"""
_REMEDY: Final = "`make clients` installs openai beside the suite; --python names an interpreter that has clients."


@dataclass(frozen=True, slots=True)
class Testimony:
    """What a client did with an answer: the exception that it raised, or what it handed over.

    `end` is the word for a client that came to no end of its own: `hung`, where its patience and not the answer ended
    it, or `crashed`, where its process ended.
    """

    raised: str | None
    says: str
    answer: JsonObject | None
    end: str | None = None


def interpreter(named: Path | None) -> Path:
    """Return the interpreter that has the clients: the named one, that of `make clients`, else our own."""
    return named or (BESIDE if BESIDE.exists() else Path(sys.executable))


def installed(python: Path) -> dict[str, str]:
    """Return the versions of the clients that an interpreter has. Raises `InputError` where it has none, or is none."""
    place = Place(str(python))
    try:
        done = subprocess.run(  # noqa: S603  what the caller named, and our own script
            _command(python), capture_output=True, check=True, env=_environment(), timeout=START_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise InputError(place, f"cannot be run as a Python interpreter: {type(error).__name__}", _REMEDY) from error
    found = strict_json.parse(done.stdout).object
    if found is None:
        raise InputError(place, "is no Python interpreter: it does not run a script", _REMEDY)
    if not found:
        raise InputError(place, "has none of the clients: openai, langchain-openai, litellm", _REMEDY)
    return {name: str(version) for name, version in found.items()}


def _command(python: Path, *arguments: str) -> list[str]:
    return [str(python), "-I", str(SCRIPT), *arguments]


def _environment() -> Mapping[str, str]:
    """Return an environment without proxies, keys, a home and whatever else the clients would read."""
    kept = ("PATH", "LANG", "TMPDIR", "SYSTEMROOT", "LD_LIBRARY_PATH")
    return {**{name: os.environ[name] for name in kept if name in os.environ}, **_QUIET}


class Witness:
    """One client library in a process of its own, as a context manager. A process that ended is started anew.

    Raises `InputError` where the library cannot be imported.
    """

    def __init__(self, python: Path, client: str) -> None:
        """Start nothing yet."""
        self._python, self._client = python, client
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Witness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()

    def ask(self, way: str, base_url: str, body: JsonObject | None) -> Testimony:
        """Return what the client does with the answer that it gets to a request for a chat completion.

        Without a body the models are asked for.
        """
        process = self._process = self._process or self._started()
        told, expired = _asked(process, {"way": way, "base_url": base_url, "body": body, "idle_s": IDLE_S}, DEADLINE_S)
        if told is not None:
            return _testimony(told)
        self.close()
        return Testimony(None, "", None, "hung" if expired else "crashed")

    def _started(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(  # noqa: S603  likewise
            _command(self._python, self._client),
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=_environment(),
        )  # fmt: skip
        told, expired = _asked(process, None, START_S)
        failed = told.get("failed") if told else "it takes too long" if expired else "its process ended"
        if failed is not None:
            process.kill()
            process.communicate()
            raise InputError(Place(str(self._python)), f"{self._client} cannot be imported: {failed}", _REMEDY)
        return process


def _asked(
    process: subprocess.Popen[bytes], question: JsonObject | None, seconds: float
) -> tuple[JsonObject | None, bool]:
    """Return the next line of a witness, or None, and whether time ran out. Without a question it is its first line."""
    assert process.stdin is not None
    assert process.stdout is not None
    timer = threading.Timer(seconds, process.kill)
    timer.start()
    try:
        if question is not None:
            process.stdin.write(json.dumps(question).encode() + b"\n")
            process.stdin.flush()
        told = process.stdout.readline()
    except OSError:
        told = b""
    expired = timer.finished.is_set()
    timer.cancel()
    return (strict_json.parse(told).object or {} if told.endswith(b"\n") else None, expired)


def _testimony(told: JsonObject) -> Testimony:
    raised = told.get("raised")
    answer = told.get("answer")
    kind: JsonValue = raised.get("type") if isinstance(raised, dict) else None
    says: JsonValue = raised.get("says") if isinstance(raised, dict) else None
    return Testimony(
        None if kind is None else str(kind), str(says or ""), answer if isinstance(answer, dict) else None,
        "hung" if told.get("hung") is True else None,
    )  # fmt: skip
