"""Strict JSON (RFC 8259): what a text says, and the facts that lenient parsers hide.

Duplicate keys, NaN, a byte order mark, lone surrogates, nesting beyond 64, numbers beyond 4,300 digits and more values
than are read are facts of a `Document`, not exceptions. What is not JSON at all is a `Document` with a `fault`.
"""

from __future__ import annotations

import json
import re
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from chatconform.model import JsonObject, JsonValue, Span

MAX_DEPTH = 64
MAX_DIGITS = 4300
MAX_VALUES = 100_000
"""The most values of one text that are read: each takes some hundred bytes, and every rule looks at it."""
_BOM = b"\xef\xbb\xbf"
_STRING = rb'"(?:[^"\\]|\\.)*+"?'
"""A string, or all of an unterminated one: else every escaped quote in it would be tried anew."""
_STRUCTURE = re.compile(_STRING + rb"|[\[{]|[\]}]", re.DOTALL)
_WHOLE_STRING = re.compile(_STRING, re.DOTALL)
_VALUES = re.compile(_STRING + rb"|[,\[{]", re.DOTALL)
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SHORT = 4096
_NUMBER_TOO_LONG = b"0" * (MAX_DIGITS + 1)
_EVERY_64TH = _NUMBER_TOO_LONG[63::64]
"""The fewest of the bytes of such a number that every 64th byte of a text comes upon."""
_DIGITS_AS_ZEROS = bytes.maketrans(b"0123456789", b"0" * 10)
_CONTAINERS = frozenset((dict, list))
_DECODER = json.JSONDecoder()
_TOKEN = re.compile(r'[ \t\n\r]*("(?:[^"\\]|\\.)*+"?|[\[\]{},:]|[^\s\[\]{},:"]+)', re.DOTALL)


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text is not JSON, and at which byte."""

    offset: int
    problem: str


class Document(NamedTuple):
    """A JSON text, read once. `value` is None where there is a `fault` or a `limit`."""

    value: JsonValue
    fault: Fault | None = None
    limit: str | None = None
    bom: bool = False
    duplicate_keys: tuple[str, ...] = ()
    constants: tuple[str, ...] = ()
    lone_surrogates: bool = False

    @property
    def readable(self) -> bool:
        """Whether there is a value to judge."""
        return self.fault is None and self.limit is None

    @property
    def is_plain(self) -> bool:
        """Whether nothing stands in the text that another parser would read otherwise."""
        return not (self.bom or self.duplicate_keys or self.constants or self.lone_surrogates)

    @property
    def object(self) -> JsonObject | None:
        """The value, where it is an object."""
        return self.value if isinstance(self.value, dict) else None


class _Hooks:
    """What the parser's hooks saw in one text."""

    def __init__(self) -> None:
        self.duplicates: list[str] = []
        self.constants: list[str] = []
        self.decoder = json.JSONDecoder(object_pairs_hook=self.pairs, parse_constant=self.constant)

    def pairs(self, pairs: list[tuple[str, JsonValue]]) -> JsonObject:
        value = dict(pairs)
        if len(value) != len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.duplicates.extend(key for key, count in counts.items() if count > 1)
        return value

    def constant(self, name: str) -> float:
        self.constants.append(name)
        return float(name)


class _OfThread(threading.local):
    """The hooks are made once a thread: making a decoder costs more than reading a chunk."""

    def __init__(self) -> None:
        self.hooks = _Hooks()


_HOOKS = _OfThread()


def parse(data: bytes, most_values: int = MAX_VALUES) -> Document:
    """Return what a JSON text says. Never raises: what is wrong is in the document."""
    hooks = _HOOKS.hooks
    hooks.duplicates, hooks.constants = [], []
    document = _parse(data, most_values, hooks.decoder)
    may_be_lone = b"\\u" in data and _SURROGATE_ESCAPE.search(data)
    if not (may_be_lone or hooks.duplicates or hooks.constants) or not document.readable:
        return document
    if hooks.duplicates and _depth(data) > MAX_DEPTH:
        return Document(None, limit="depth", bom=document.bom)
    return document._replace(
        duplicate_keys=tuple(hooks.duplicates),
        constants=tuple(hooks.constants),
        lone_surrogates=bool(may_be_lone) and any(map(_LONE_SURROGATE.search, strings(document.value))),
    )


def parse_value(data: bytes, most_values: int = MAX_VALUES) -> Document:
    """Return what a JSON text says, without the facts that lenient parsers hide: in half the time."""
    return _parse(data, most_values, _DECODER)


def _parse(data: bytes, most_values: int, decoder: json.JSONDecoder) -> Document:
    bom = data.startswith(_BOM)
    shift = len(_BOM) if bom else 0
    try:
        text = data[shift:].decode("utf-8") if bom else data.decode("utf-8")
    except UnicodeDecodeError as error:
        return Document(None, Fault(error.start + shift, "not UTF-8"), bom=bom)
    limit = _limit(data, most_values)
    if limit:
        return Document(None, limit=limit, bom=bom)
    try:
        value = _read(decoder, text)
    except json.JSONDecodeError as error:
        if _depth(data) > MAX_DEPTH:
            return Document(None, limit="depth", bom=bom)
        return Document(None, Fault(len(text[: error.pos].encode()) + shift, error.msg), bom=bom)
    except RecursionError:
        return Document(None, limit="depth", bom=bom)
    return Document(None, limit="depth", bom=bom) if _is_deep(data, value) else Document(value, bom=bom)


def _read(decoder: json.JSONDecoder, text: str) -> JsonValue:
    """Read one value between white space of RFC 8259 section 2, which is narrower than Python's."""
    start = 0 if text.startswith("{") else len(text) - len(text.lstrip(" \t\n\r"))
    if start == len(text):
        raise json.JSONDecodeError("no JSON value", text, start)
    value: JsonValue
    value, end = decoder.raw_decode(text, start)
    if end < len(text) and text[end:].strip(" \t\n\r"):
        raise json.JSONDecodeError("more text after the JSON value", text, end)
    return value


def _limit(data: bytes, most_values: int) -> str | None:
    """Name the limit that a text exceeds so that it cannot be parsed: `values`, `depth` or `digits`."""
    if _end_of_values(data, most_values) is not None:
        return "values"
    if len(data) > MAX_DIGITS and _has_long_number(data):
        return "depth" if _depth(data) > MAX_DEPTH else "digits"
    return None


def readable(data: bytes, most_values: int) -> bytes:
    """Return as much of one text, or of several in a row, as holds no more values than these."""
    end = _end_of_values(data, most_values)
    return data if end is None else data[:end]


def _end_of_values(data: bytes, most: int) -> int | None:
    """Return where more values begin than these: at a comma or an opening bracket that stands in no string."""
    if len(data) <= most or data.count(b",") + data.count(b"[") + data.count(b"{") <= most:
        return None
    begins = (match.start() for match in _VALUES.finditer(data) if data[match.start()] in b",[{")
    return next(islice(begins, most, None), None)


def _depth(data: bytes) -> int:
    """Return the deepest nesting, or MAX_DEPTH + 1 as soon as it is exceeded."""
    depth = deepest = 0
    for match in _STRUCTURE.finditer(data):
        first = data[match.start()]
        if first in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in b"]}":
            depth -= 1
        if deepest > MAX_DEPTH:
            break
    return deepest


def _is_deep(data: bytes, value: JsonValue) -> bool:
    """Whether a value is nested too deeply. Of a long text the brackets in its strings are too many to count."""
    if len(data) <= _SHORT and data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        members = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        within = [each for each in members if not _CONTAINERS.isdisjoint(map(type, each))]
        if not within:
            return False
        level = [member for each in within for member in each if member.__class__ in _CONTAINERS]
    return True


def _has_long_number(data: bytes) -> bool:
    """Whether a run of digits that is too long stands outside strings.

    Of such a run every 64th byte is a digit as well, so that mostly no more than these are looked at.
    """
    if _EVERY_64TH not in data[::64].translate(_DIGITS_AS_ZEROS):
        return False
    if _NUMBER_TOO_LONG not in data.translate(_DIGITS_AS_ZEROS):
        return False
    return _NUMBER_TOO_LONG in _WHOLE_STRING.sub(b'""', data).translate(_DIGITS_AS_ZEROS)


def strings(value: JsonValue) -> Iterator[str]:
    """Yield every string of a value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, member in value.items():
            yield key
            yield from strings(member)
    elif isinstance(value, list):
        for member in value:
            yield from strings(member)


def pointer(path: tuple[str | int, ...]) -> str:
    """Return a JSON pointer (RFC 6901) for the steps from the root."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def at(value: JsonValue, path: tuple[str | int, ...]) -> JsonValue:
    """Return the value at the end of a path, or None where the path leaves the value."""
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            return None
    return value


def line_and_column(data: bytes, offset: int) -> tuple[int, int]:
    """Return where a byte stands in a text: its line, and its column in bytes, both from 1."""
    return data.count(b"\n", 0, offset) + 1, offset - data.rfind(b"\n", 0, offset)


def locate(data: bytes, path: tuple[str | int, ...]) -> Span | None:
    """Return where the value at a path stands in valid JSON, in bytes; its nearest parent where it is absent.

    The last of duplicate keys counts, as in `parse`. None where the bytes are not UTF-8 or hold no value.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return None
    shift = len(_BOM) if data.startswith(_BOM) else 0
    found = _Locator(text).find(list(path))
    if found is None:
        return None
    start, end = (len(text[:offset].encode()) + shift for offset in found)
    return start, end


class _Locator:
    """Walks the tokens of a valid JSON text to the value at a path."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.token = _TOKEN.match(text)

    def find(self, path: list[str | int]) -> tuple[int, int] | None:
        before = self.token
        if path:
            inner = self._step(path)
            if inner:
                return inner
            self.token = before
        return self._skip() if before else None

    def _peek(self) -> str:
        return self.token[1] if self.token else ""

    def _next(self) -> None:
        self.token = _TOKEN.match(self.text, self.token.end()) if self.token else None

    def _skip(self) -> tuple[int, int]:
        """Pass over one value and return its span: quickly, unless the parser has no room or no liking for it."""
        if self.token is not None:
            start = self.token.start(1)
            try:
                _, end = _DECODER.raw_decode(self.text, start)
            except (ValueError, RecursionError):
                return self._skip_tokens()
            self.token = _TOKEN.match(self.text, end)
            return start, end
        return 0, 0

    def _skip_tokens(self) -> tuple[int, int]:
        start = end = self.token.start(1) if self.token else 0
        depth = 0
        while self.token:
            mark = self.token[1]
            depth += (mark in ("[", "{")) - (mark in ("]", "}"))
            end = self.token.end()
            self._next()
            if depth <= 0:
                break
        return start, end

    def _step(self, path: list[str | int]) -> tuple[int, int] | None:
        """Enter the container and go on to the last member with the first step's name or number."""
        opening = self._peek()
        if opening not in ("{", "["):
            return None
        self._next()
        found, number = None, 0
        while self._peek() not in ("}", "]", ""):
            if self._peek() == ",":
                self._next()
                continue
            name: str | int = self._key() if opening == "{" else number
            number += 1
            if name == path[0]:
                before = self.token
                found = self.find(path[1:])
                if opening == "[":
                    return found
                self.token = before
            self._skip()
        return found

    def _key(self) -> str:
        key = json.loads(self._peek())
        self._next()
        self._next()
        return str(key)
