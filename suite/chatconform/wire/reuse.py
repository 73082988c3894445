"""Reading a payload that repeats an earlier one of its stream but for free text, without parsing it again.

The chunks of a stream differ, mostly, in one string: the next piece of text. Where the bytes before and after
that string equal those of a payload that was parsed, and the string's own bytes are those of a JSON string
without escapes, the payload has the same structure and the same facts, and only its text is read
(RFC 8259 section 7 says what may stand in a string).
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from chatconform.model import JsonObject, JsonValue
from chatconform.wire.fold import Path
from chatconform.wire.sse import Event

FREE_TEXT = ("content", "refusal", "reasoning_content", "reasoning", "arguments", "obfuscation")
"""Members whose text no rule reads one by one: no clause may ask more of them than a type."""
MAX_SLOTS = 2
"""How many strings of a payload may change: the text and the obfuscation beside it."""

_ESCAPED = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\/bfnrt])+')

_KNOWN: dict[bytes, str] = {}
_MAX_KNOWN, _SHORT = 8192, 32

Slots = tuple[str, ...]
"""The new texts of a payload, in the order of the template's paths."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed payload, cut at its quotation marks, and which of the pieces are free text."""

    value: JsonObject
    paths: tuple[Path, ...]
    pieces: tuple[bytes, ...]
    slots: tuple[int, ...]
    prefix: bytes
    suffix: bytes

    def follow(self, events: Sequence[Event], number: int, pieces: list[str]) -> int:
        """Add the first text of each payload from a number on that repeats this one; return how many did."""
        if len(self.slots) > 1:
            return self._follow_several(events, number, pieces)
        prefix, suffix = self.prefix, self.suffix
        start, end = len(prefix), len(suffix)
        count = 0
        for event in islice(events, number, None):
            data = event.data
            if not data.startswith(prefix) or not data.endswith(suffix):
                break
            text = data[start:-end]
            read = _KNOWN.get(text) or _read(text)
            if read is None or len(data) < start + end or event.type == "error":
                break
            pieces.append(read)
            count += 1
        return count

    def _follow_several(self, events: Sequence[Event], number: int, pieces: list[str]) -> int:
        count = 0
        for event in islice(events, number, None):
            texts = self.texts(event)
            if texts is None:
                break
            pieces.append(texts[0])
            count += 1
        return count

    def texts(self, event: Event) -> Slots | None:
        """Return the texts of a payload that repeats this one, or None where it does not."""
        if event.type == "error":
            return None
        if len(self.slots) > 1:
            return self._several(event.data)
        return self._one(event.data)

    def _one(self, data: bytes) -> Slots | None:
        prefix, suffix = self.prefix, self.suffix
        if not (data.startswith(prefix) and data.endswith(suffix)):
            return None
        if len(data) < len(prefix) + len(suffix):
            return None
        read = _read(data[len(prefix) : -len(suffix)])
        return None if read is None else (read,)

    def _several(self, data: bytes) -> Slots | None:
        pieces = data.split(b'"')
        if len(pieces) != len(self.pieces) or b"\\" in data:
            return None
        start = 0
        for slot in self.slots:
            if tuple(pieces[start:slot]) != self.pieces[start:slot]:
                return None
            start = slot + 1
        if tuple(pieces[start:]) != self.pieces[start:]:
            return None
        read = [_plain(pieces[slot]) for slot in self.slots]
        return None if None in read else tuple(text for text in read if text is not None)


def _read(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes; what is short is remembered, as models repeat their tokens."""
    read = _escaped(text) if b"\\" in text or b'"' in text else _plain(text)
    if read is not None and len(text) <= _SHORT:
        if len(_KNOWN) >= _MAX_KNOWN:
            _KNOWN.clear()
        _KNOWN[text] = read
    return read


def _plain(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes that need no parser: not empty, well-formed, without controls."""
    if not text:
        return None
    try:
        read = text.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return read if read.isprintable() or min(read) >= " " else None


def _escaped(text: bytes) -> str | None:
    """Return the text of a JSON string's bytes with escapes; those by code unit are left to the parser."""
    return str(json.loads(f'"{text.decode()}"')) if _ESCAPED.fullmatch(text) else None


def learn(before: bytes, earlier: JsonObject, data: bytes, value: JsonObject) -> Template | None:
    """Return a template where two parsed payloads differ in free text alone."""
    pieces, others = data.split(b'"'), before.split(b'"')
    if len(pieces) != len(others) or b"\\" in data or b"\\" in before:
        return None
    slots = [number for number, (piece, other) in enumerate(zip(pieces, others, strict=True)) if piece != other]
    if not 0 < len(slots) <= MAX_SLOTS or any(slot % 2 == 0 for slot in slots):
        return None
    found: list[tuple[Path, str]] = []
    if not _compare(earlier, value, (), found) or [text for _, text in found] != [
        pieces[slot].decode() for slot in slots
    ]:
        return None
    prefix = b'"'.join(pieces[: slots[0]]) + b'"'
    suffix = b'"' + b'"'.join(pieces[slots[-1] + 1 :])
    return Template(value, tuple(path for path, _ in found), tuple(pieces), tuple(slots), prefix, suffix)


def _compare(earlier: JsonValue, value: JsonValue, path: Path, found: list[tuple[Path, str]]) -> bool:
    if earlier == value and type(earlier) is type(value):
        return True
    if isinstance(earlier, dict) and isinstance(value, dict):
        return list(earlier) == list(value) and all(
            _compare(earlier[key], member, (*path, key), found) for key, member in value.items()
        )
    if isinstance(earlier, list) and isinstance(value, list):
        return len(earlier) == len(value) and all(
            _compare(one, other, (*path, number), found)
            for number, (one, other) in enumerate(zip(earlier, value, strict=True))
        )
    if isinstance(earlier, str) and isinstance(value, str) and earlier and value and path[-1] in FREE_TEXT:
        found.append((path, value))
        return True
    return False
