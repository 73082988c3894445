"""The key is in no file, no log, no progress line and no traceback, wherever the endpoint echoes it.

Whoever searches here undoes the forms instead of matching them, and is shown to find the key where nothing was done.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import html
import json
import logging
import re
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes

import pytest

from chatconform import judging
from chatconform.capture.capture import Credentials, Job, capture, credentials
from chatconform.model import InputError, Provider, SuiteError
from chatconform.recordings import store
from chatconform.recordings.redact import Secrets
from chatconform.reference.endpoint import Endpoint, names
from chatconform.scenarios.ask import Plan
from chatconform.scenarios.plan import plan
from loopback import OK, Connection, Server
from test_capture import LIMITS, Log, asks

OURS = str(Path(judging.__file__).parents[1])
KEY = "sk-Test/0123456789+abcdefghijk"
ECHOES = sorted(name for name in names() if name.startswith("echo."))
assert len(ECHOES) > 10


def shows_key(data: bytes) -> bool:
    """Whether the key can be had from a file by undoing what hides it, a few times over."""
    seen, waiting = set(), [data]
    while waiting:
        text = waiting.pop()
        if KEY.lower().encode() in text.lower():
            return True
        if text not in seen and len(seen) < 4000:
            seen.add(text)
            waiting.extend(undone for undone in _undone(text) if undone != text)
    return False


def _undone(data: bytes) -> Iterator[bytes]:
    yield unquote_to_bytes(data)
    yield html.unescape(data.decode("latin-1")).encode("latin-1", "replace")
    yield re.sub(rb"\\+u00([0-9a-fA-F]{2})", lambda found: bytes.fromhex(found[1].decode()), data)
    yield data.replace(b"\\/", b"/")
    if data.startswith(b"\x1f\x8b"):
        with contextlib.suppress(zlib.error):
            yield zlib.decompressobj(31).decompress(data)
    for run in re.findall(rb"[0-9a-fA-F]{40,}", data):
        yield bytes.fromhex(run.decode()[: len(run) // 2 * 2])
    for run in re.findall(rb"[A-Za-z0-9+/_-]{30,}", data):
        for shift in range(4):
            letters = run.translate(bytes.maketrans(b"-_", b"+/"))[shift:]
            with contextlib.suppress(binascii.Error):
                yield base64.b64decode(letters + b"A" * (-len(letters) % 4))


def shown_in(folder: Path) -> list[str]:
    """Return the names of the files from which the key can be had: from the file, a body, or texts put together."""
    return sorted(file.name for file in folder.iterdir() if any(map(shows_key, _texts(file.read_bytes()))))


def _texts(data: bytes) -> Iterator[bytes]:
    response = json.loads(data)["response"] or {}
    body = response.get("body") or ""
    text = body if isinstance(body, str) else "".join(body)
    yield from (data, text.encode(), base64.b64decode(response.get("body_base64") or ""))
    chunks = [json.loads(line[5:]) for line in text.splitlines() if line.startswith("data:") and "[DONE]" not in line]
    for name in ("content", "arguments"):
        yield "".join(_members(chunks, name)).encode()


def _members(value: object, name: str) -> Iterator[str]:
    if isinstance(value, list):
        for member in value:
            yield from _members(member, name)
    elif isinstance(value, dict):
        for key, member in value.items():
            if key == name and isinstance(member, str):
                yield member
            yield from _members(member, name)


SOME = ("basic", "stream", "tools.*", "error.*")


def asked(url: str, folder: Path, secrets: Secrets | None = None, patterns=SOME) -> Log:
    """Ask a few scenarios at a base URL; with other secrets than the key, the key is written."""
    provider = Provider("acme", url, "reference-1", "ACME_KEY", limits={**LIMITS, "output_tokens": 99999})
    secret = credentials(provider, {"ACME_KEY": KEY})
    given = secret if secrets is None else Credentials(secret.key, secret.headers, secrets)
    log = Log()
    asyncio.run(capture([Job(plan(provider, scenarios=patterns, boundaries=False), given, folder)], log))
    return log


@pytest.fixture
def logged(caplog):
    """Everything that is logged at DEBUG, by whomever."""
    caplog.set_level(logging.DEBUG)
    for name in [*logging.root.manager.loggerDict]:
        caplog.set_level(logging.DEBUG, logger=name)
    return caplog


@pytest.mark.parametrize("fault", ECHOES)
def test_an_echoed_key_is_in_no_file_no_log_and_no_progress(tmp_path, logged, fault):
    with Endpoint(faults=[fault], key=KEY).running() as url:
        log = asked(url, tmp_path / "kept")
        asked(url, tmp_path / "blind", Secrets([]), ["basic", "stream", "tools.stream"])
    assert [] == shown_in(tmp_path / "kept")
    assert [] != shown_in(tmp_path / "blind")
    assert (False, False) == (shows_key(logged.text.encode()), shows_key("\n".join(log.lines).encode()))


def test_an_echoed_key_changes_no_outcome(tmp_path):
    with Endpoint(faults=["echo.text", "echo.header"], key=KEY).running() as url:
        asked(url, tmp_path / "kept")
        asked(url, tmp_path / "blind", Secrets([]))
    kept, blind = (
        {
            verdict.key: verdict.outcome
            for verdict in judging.judge(replace(each, recorded_at=None) for each in store.load(tmp_path / name))
        }
        for name in ("kept", "blind")
    )
    assert blind == kept


BODY = b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
RAW = {
    "status text": OK.replace(b"OK", KEY.encode()) + BODY,
    "field that is malformed": OK + b"Bad name " + KEY.encode() + b": 1\r\n" + BODY,
    "status line that is malformed": b"HTTP/9 " + KEY.encode() + b"\r\n\r\n",
    "chunk that is malformed": OK + b"Transfer-Encoding: chunked\r\n\r\n" + KEY.encode() + b"\r\n",
    "location that is no URL": b"HTTP/1.1 302 X\r\nLocation: http://[" + KEY.encode() + b"\r\n" + BODY,
    "body that breaks off": OK + b"Content-Length: 999\r\n\r\n" + KEY.encode(),
    "body of another charset": OK + b"\r\n" + KEY.encode("utf-16"),
    "trailer": OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX-Key: " + KEY.encode() + b"\r\n\r\n",
    "interim answer": b"HTTP/1.1 103 X\r\nLink: " + KEY.encode() + b"\r\n\r\n" + OK + BODY,
    "page of HTML": OK + b"\r\n<p>" + html.escape(KEY).encode() + quote(KEY, safe="").encode() + b"</p>",
    "field, of a form": OK + b"X: key=" + quote(KEY, safe="").lower().encode() + b"\r\n" + BODY,
}


@pytest.mark.parametrize("answer", RAW.values(), ids=RAW)
def test_a_key_in_an_odd_place_is_in_no_file_and_no_log(tmp_path, logged, answer):
    async def run() -> None:
        async with Server([answer]).running() as server:
            provider = Provider("acme", server.url, "m", "ACME_KEY", limits=LIMITS)
            secret = credentials(
                provider, {"ACME_KEY": KEY if b"Echo" not in answer else KEY.replace("/", "").replace("+", "")}
            )
            await capture([Job(Plan(provider, tuple(asks(server.url, "a"))), secret, tmp_path)], Log())

    asyncio.run(run())
    shown = KEY.replace("/", "").replace("+", "")
    assert ["a.json"] == [file.name for file in tmp_path.iterdir()]
    assert ([], False) == (shown_in(tmp_path), shown.encode() in (tmp_path / "a.json").read_bytes())
    assert not shows_key(logged.text.encode())


def rendered(error: BaseException) -> str:
    """Return a traceback with the variables of every frame of ours, as some tools print it."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    inner = [frame for frame in told.stack if frame.filename.startswith(OURS)]
    told.stack[:] = inner
    return "".join(told.format())


def unwritable(folder: Path) -> Path:
    folder.write_text("a file is in the way")
    return folder


FAILING = {
    "a folder that is a file": (unwritable, None, InputError),
    "a bug of ours in the transport": (Path, "chatconform.capture.transport._blank_lines", SuiteError),
    "a bug of ours in the redaction": (Path, "chatconform.recordings.redact._merged", RuntimeError),
}


@pytest.mark.parametrize("make, broken, kind", FAILING.values(), ids=FAILING)
def test_no_traceback_shows_the_key(tmp_path, monkeypatch, make, broken, kind):
    def fail(*_: object) -> None:
        raise RuntimeError

    if broken:
        monkeypatch.setattr(broken, fail)
    folder = make(tmp_path / "recording")
    with Endpoint(faults=["echo.text"], key=KEY).running() as url:
        provider = Provider("acme", url, "reference-1", "ACME_KEY", limits=LIMITS)
        job = Job(
            plan(provider, scenarios=["basic"], boundaries=False), credentials(provider, {"ACME_KEY": KEY}), folder
        )
        with pytest.raises(kind) as caught:
            asyncio.run(capture([job], Log()))
    assert not shows_key(rendered(caught.value).encode())


@pytest.mark.parametrize("value", [f"{KEY}\n", KEY[:15]])
def test_the_refusal_of_a_key_shows_it_in_no_traceback(value):
    provider = Provider("acme", "http://127.0.0.1/v1", "m", "ACME_KEY", headers={"X": "${ACME_KEY}"})
    with pytest.raises(InputError) as caught:
        credentials(provider, {"ACME_KEY": value})
    assert value.strip() not in rendered(caught.value)


def test_nothing_that_holds_the_key_shows_it():
    provider = Provider("acme", "http://127.0.0.1/v1", "m", "ACME_KEY", headers={"X": "${ACME_KEY}"})
    secret = credentials(provider, {"ACME_KEY": KEY})
    assert not shows_key(repr([secret, Job(Plan(provider, ()), secret, Path())]).encode())


def test_a_run_that_is_interrupted_leaves_no_key_in_a_file_that_is_half_written(tmp_path):
    async def held(connection: Connection) -> None:
        await connection.say(OK + b"\r\n" + KEY.encode())
        stop()
        await connection.hold()

    async def run() -> None:
        nonlocal stop
        stop = asyncio.current_task().cancel
        async with Server(held).running() as server:
            provider = Provider("acme", server.url, "m", "ACME_KEY", limits=LIMITS)
            secret = credentials(provider, {"ACME_KEY": KEY})
            await capture([Job(Plan(provider, tuple(asks(server.url, "a"))), secret, tmp_path)], Log())

    stop = None
    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert [] == list(tmp_path.iterdir())
