"""Everything that reads what others wrote, held against bytes that nobody meant: nothing is raised but errors of ours.

`PYTHONPATH=suite python tests/fuzz.py SECONDS [TARGET]...` mutates for that long, goes on from whatever was answered in
a new way, and keeps in tests/corpus/TARGET/ what broke something and the shortest inputs that were answered anew.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import re
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path
from random import Random
from types import MappingProxyType
from typing import Any

from rich.console import Console

from chatconform import assessment, judging, providers
from chatconform.model import Exchange, InputError, Outcome, Provider
from chatconform.recordings import imports, store
from chatconform.reference import good
from chatconform.report import markdown, results, terminal
from chatconform.wire import transcript
from report_sample import sample

CORPUS = Path(__file__).parent / "corpus"
HANGS = 30
"""Seconds after which an input is one that hangs: this ends a run, and decides nothing."""
KEPT, LONGEST = 8, 2_000
"""How many inputs of a target a run leaves beside those that broke something, and their most bytes."""

ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 1.5, 1e308, -(2**63), 10**30, "", "x", "\0", "\ud800", "\u202e", "data: [DONE]",
    "a" * 300, [], [[]], [None], ["x"], {}, {"": {}}, {"__proto__": 1}, [{}], "stop", "tool_calls", "../../x", "{",
    '{"a":1}', float("nan"),
)  # fmt: skip
PIECES = (
    b"\0", b"\r", b"\n", b"\r\n\r\n", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"\\", b"{", b"}", b"[", b"]",
    b":", b",", b"data:", b"data: [DONE]\n\n", b"event: error\n", b"id: \0\n", b"retry: 1\n", b": c\n", b"NaN", b"-0",
    b"1e999", b"9" * 50,
    b"\\ud800", b"null", b"[" * 70, b"&a ", b"*a", b"<<: ", b"!!x ", b"- ", b"? ", b"|\n",
    b"HTTP/1.1 200 OK\r\n", b"\x1f\x8b",
)  # fmt: skip


def _outcomes(exchanges: list[Exchange], contract: str | None) -> Hashable:
    verdicts = list(judging.judge(exchanges, contract))
    errors = [verdict for verdict in verdicts if verdict.outcome is Outcome.ERROR]
    assert [] == errors
    return frozenset((verdict.check, verdict.outcome, verdict.reason) for verdict in verdicts)


def _lines(data: bytes) -> tuple[list[Exchange], list[InputError]]:
    items = list(store.read(["-"], io.BytesIO(data)))
    exchanges = [item for item in items if isinstance(item, Exchange)]
    return exchanges, [item for item in items if not isinstance(item, Exchange)]


def _said(errors: list[InputError]) -> Hashable:
    return frozenset(re.sub(r"\d+|'.*'|\".*\"", "", error.problem)[:60] for error in errors)


def _file(data: bytes, name: str) -> Path:
    path = Path(tempfile.gettempdir()) / f"chatconform-fuzz-{hashlib.sha256(data).hexdigest()[:16]}-{name}"
    path.write_bytes(data)
    return path


def lines(data: bytes) -> Hashable:
    """A JSON lines file."""
    exchanges, errors = _lines(data)
    for exchange in exchanges:
        again, wrong = _lines(json.dumps(store.to_json(exchange)).encode())
        assert ([], store.dump(exchange)) == (wrong, store.dump(again[0]))
    return _said(errors)


def packed(data: bytes) -> Hashable:
    """A file of JSON lines that may be packed."""
    path = _file(data, "x.jsonl.gz")
    try:
        return _said([item for item in store.read([path]) if not isinstance(item, Exchange)])
    finally:
        path.unlink()


def decoded(data: bytes) -> Hashable:
    """The body of a streamed answer and of one in one piece."""
    said = []
    for name in ("stream", "answer"):
        exchange = good.GOOD[name]
        assert exchange.response is not None
        read = transcript.read(replace(exchange, response=replace(exchange.response, body=data, reads=None)))
        said.append((read.kind, len(read.facts.usages)))
    return tuple(said)


def judged(data: bytes) -> Hashable:
    """Recorded exchanges, against both kinds of contract."""
    exchanges, errors = _lines(data)
    return _outcomes(exchanges, None), _outcomes(exchanges, "tooken"), _said(errors)


def reported(data: bytes) -> Hashable:
    """Recorded exchanges through the terminal and Markdown, and results.json back again."""
    exchanges, errors = _lines(data)
    made = assessment.assess(
        [assessment.Subject(Provider("acme", "", "", contract="toapis"), _of_acme(exchanges), "fuzz")],
        run={},
        today=date(2026, 11, 20),
    )
    printed = Console(width=80, file=io.StringIO())
    terminal.render(made, printed, "")
    path = _file(results.dump(made), "results.json")
    try:
        again = results.load(path)
        assert markdown.provider(made, "acme") == markdown.provider(again, "acme")
    finally:
        path.unlink()
    return frozenset((each.check, each.outcome) for each in made.verdicts), _said(errors)


def _of_acme(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Return the exchanges as one provider's, as the command line makes them."""
    return tuple(replace(each, provider="acme") for each in exchanges)


def curl(data: bytes) -> Hashable:
    """What `curl -i` printed, imported and judged."""
    exchange = imports.parse_curl(data, {"stream": True}, identifier="x", provider="", url=None, source="x")
    return _outcomes([exchange], None)


def configured(data: bytes) -> Hashable:
    """A providers file."""
    path = _file(data, "providers.yaml")
    try:
        return len(providers.load(path, {"sse.done.present"}))
    finally:
        path.unlink()


def compared(data: bytes) -> Hashable:
    """A results.json that somebody gives as a baseline."""
    path = _file(data, "results.json")
    try:
        read = results.load(path)
        results.dump(read)
        return len(read.verdicts)
    finally:
        path.unlink()


def _as_line(exchange: Exchange) -> bytes:
    return json.dumps(store.to_json(exchange)).encode() + b"\n"


def _printed(exchange: Exchange) -> bytes:
    response = exchange.response
    assert response is not None
    fields = "".join(f"{name}: {value}\r\n" for name, value in response.headers or ())
    return f"HTTP/1.1 {response.status} OK\r\n{fields}\r\n".encode() + response.body


def _results() -> bytes:
    """The part of the sample that is about one provider, which fits together as the whole does."""
    whole = sample()
    exchanges, verdicts, changes = (
        tuple(each for each in part if each.provider == "acme")
        for part in (whole.exchanges, whole.verdicts, whole.changes)
    )
    providers = tuple(each for each in whole.providers if each.id == "acme")
    return results.dump(replace(whole, providers=providers, exchanges=exchanges, verdicts=verdicts, changes=changes))


_LINES = tuple(_as_line(exchange) for exchange in good.GOOD.values())
_BODIES = tuple(exchange.response.body for exchange in good.GOOD.values() if exchange.response)
_YAML = (
    (
        b"providers:\n  acme:\n    base_url: https://acme.example/v1\n    model: m\n    key_env: ACME_KEY\n"
        b"    headers: {X-Team: '${TEAM}'}\n    limits: {concurrency: 2, total_s: 90.5}\n    waivers:\n"
        b"      - {check: sse.done.present, reason: known, until: 2027-01-31, link: 'https://acme.example/1'}\n"
    ),
)
Target = Callable[[bytes], Hashable]
TARGETS: Mapping[str, tuple[Target, tuple[bytes, ...]]] = MappingProxyType(
    {
        "lines": (lines, _LINES),
        "packed": (packed, tuple(gzip.compress(each, mtime=0) for each in _LINES[:6])),
        "decoded": (decoded, _BODIES),
        "judged": (judged, _LINES),
        "reported": (reported, _LINES),
        "curl": (curl, tuple(map(_printed, good.GOOD.values()))),
        "configured": (configured, _YAML),
        "compared": (compared, (_results(),)),
    }
)


def answer(target: str, data: bytes) -> Hashable:
    """Return what a target answers, or what its error of ours says. Whatever else it raises is a bug."""
    try:
        return TARGETS[target][0](data)
    except InputError as error:
        return _said([error])


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every member with what holds it."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield value, key
        yield from _spots(member)


def retyped(text: str, random: Random) -> str:
    """Return a JSON text with one member dropped, replaced, doubled or said under another name."""
    value = json.loads(text)
    spots = list(_spots(value))
    if not spots:
        return json.dumps(random.choice(ODD))
    holder, key = random.choice(spots)
    way = random.randrange(4)
    if way == 0:
        del holder[key]
    elif way == 1 and isinstance(holder, dict):
        holder[str(random.choice(ODD))] = holder[key]
    elif way == 2:
        other, name = random.choice(spots)
        holder[key] = json.loads(json.dumps(other[name]))
    else:
        holder[key] = random.choice(ODD)
    return json.dumps(value)


def scrambled(data: bytes, other: bytes, random: Random) -> bytes:
    """Return bytes with one flipped, a piece put in, cut out, said twice or in another order, or another's tail."""
    start, end = sorted(random.randrange(len(data) + 1) for _ in range(2))
    way = random.randrange(6)
    if way == 0 and data:
        at = random.randrange(len(data))
        return data[:at] + bytes((data[at] ^ 1 << random.randrange(8),)) + data[at + 1 :]
    if way == 1:
        return data[:start] + random.choice(PIECES) + data[start:]
    if way == 2:
        return data[:start] + data[end:]
    if way == 3:
        return data[:end] + data[start:end][:500] + data[end:]
    if way == 4:
        return data[:start] + other[random.randrange(len(other) + 1) :]
    return data + other


def _with_body(line: bytes, other: bytes, random: Random) -> bytes:
    """Return an exchange with the body of its answer scrambled, or with one JSON text in it retyped."""
    exchange, body = json.loads(line), b""
    response = exchange["response"]
    pieces = response.get("body", "")
    body = "".join(pieces).encode("utf-8", "replace")
    texts = list(re.finditer(rb"\{.*\}", body))
    if texts and random.random() < 0.7:
        at = random.choice(texts)
        body = body[: at.start()] + retyped(at[0].decode(), random).encode("utf-8", "replace") + body[at.end() :]
    else:
        body = scrambled(body, b"".join(re.findall(rb"\{.*\}", other)), random)
    response.pop("body", None)
    response["body_base64"] = base64.b64encode(body).decode()
    return json.dumps(exchange).encode() + b"\n"


def mutated(data: bytes, other: bytes, random: Random) -> bytes:
    """Return bytes that differ from a good input in a place or a few."""
    for _ in range(random.choice((1, 1, 2, 4))):
        way = random.random()
        with suppress(ValueError, TypeError, KeyError, AttributeError, RecursionError):
            if way < 0.3:
                data = _with_body(data, other, random)
                continue
            if way < 0.6:
                data = retyped(data.decode(), random).encode("utf-8", "replace")
                continue
        data = scrambled(data, other, random)
    return data


def _hangs(*_: object) -> None:
    raise TimeoutError(f"more than {HANGS} seconds")


def _keep(target: str, name: str, data: bytes) -> None:
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}-{hashlib.sha256(data).hexdigest()[:12]}").write_bytes(data)


def explore(target: str, seconds: float, random: Random) -> tuple[int, int, float]:
    """Mutate for so long; return how many inputs there were, how many broke something, and the slowest in seconds."""
    pool = list(TARGETS[target][1])
    seen: dict[Hashable, bytes] = {answer(target, data): b"" for data in pool}
    count = broken = 0
    slowest, end = 0.0, time.monotonic() + seconds
    while time.monotonic() < end:
        data = mutated(random.choice(pool), random.choice(pool), random)
        if len(data) > 100_000:
            continue
        begun, count = time.monotonic(), count + 1
        signal.alarm(HANGS)
        try:
            said = answer(target, data)
        except Exception as error:  # noqa: BLE001  which bug it is, is what this is for
            broken += 1
            kind = (type(error), str(error)[:40])
            if kind not in seen:
                seen[kind] = b""
                _keep(target, "broke", data)
                print(f"{target}: {type(error).__name__}: {str(error)[:300]}", flush=True)
            continue
        finally:
            signal.alarm(0)
        slowest = max(slowest, time.monotonic() - begun)
        if said not in seen and len(pool) < 2_000:
            pool.append(data)
        if said not in seen or len(data) < len(seen[said]):
            seen[said] = data
    for data in sorted((data for data in seen.values() if 0 < len(data) <= LONGEST), key=len)[:KEPT]:
        _keep(target, "new", data)
    return count, broken, slowest


def main(seconds: float, targets: list[str]) -> None:
    """Explore every target for its share of the time, and say what came of it."""
    signal.signal(signal.SIGALRM, _hangs)
    for target in targets:
        count, broken, slowest = explore(target, seconds / len(targets), Random())
        print(f"{target}: {count} inputs, {broken} broke something, the slowest took {slowest:.2f} s", flush=True)


if __name__ == "__main__":
    main(float(sys.argv[1]), sys.argv[2:] or list(TARGETS))
