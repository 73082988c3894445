"""Reading a payload that repeats an earlier one of its stream but for free text, without parsing it again.

The chunks of a stream differ, mostly, in one string: the next piece of text. Where the bytes before and after
that string equal those of a payload that was parsed, and the string's own bytes are those of a JSON string,
the payload has the same structure and the same facts, and only its text is read (RFC 8259 section 7 says what may
stand in a string).
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import repeat, takewhile
from operator import sub

from chatconform.model import JsonObject, Span
from chatconform.wire.fold import Path

FREE_TEXT = ("content", "refusal", "reasoning_content", "reasoning", "arguments", "obfuscation")
"""Members whose text no rule reads one by one: no clause may ask more of them than a type."""
_FREE_TEXT = frozenset(FREE_TEXT)
_DELTA: Path = ("choices", 0, "delta")

Slots = tuple[str, ...]
"""The new texts of a payload, in the order of the template's paths."""

_MAX_SLOTS = 2
"""How many strings of a payload may change: the text, and the obfuscation beside it."""
_FIRST_WINDOW, _MAX_WINDOW = 32, 4096
_KNOWN: dict[bytes, str] = {}
_MAX_KNOWN, _SHORT = 8192, 32
_ESCAPED = re.compile(rb'(?:[ !#-\[\]-~]|\\["\\/bfnrt])+')


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed payload, cut at its free texts, to which `paths` lead: what stands before, between and after them."""

    value: JsonObject
    paths: tuple[Path, ...]
    prefix: bytes
    between: bytes | None
    suffix: bytes

    def follow(self, payloads: list[bytes], number: int, pieces: list[str]) -> int:
        """Add the first text of each payload from a number on that repeats this one; return how many did."""
        after, window = number, _FIRST_WINDOW
        while after < len(payloads) and payloads[after].startswith(self.prefix):
            taken = _add(self._cut(payloads[after : after + window]), pieces)
            after += taken
            if taken < window:
                break
            window = min(2 * window, _MAX_WINDOW)
        return after - number

    def _cut(self, payloads: list[bytes]) -> list[bytes]:
        """Cut the first text out of each payload, up to the first that is unlike this one.

        As few are, and those mostly at the end of a stream, all that are left are cut at once.
        """
        while not payloads[-1].startswith(self.prefix):
            payloads.pop()
        around = len(self.prefix) + len(self.suffix)
        without_prefix = map(bytes.removeprefix, payloads, repeat(self.prefix))
        texts = [*map(bytes.removesuffix, without_prefix, repeat(self.suffix))]
        removed = [*map(sub, map(len, payloads), map(len, texts))]
        if removed.count(around) < len(removed):
            del texts[next(at for at, length in enumerate(removed) if length != around) :]
        if self.between is None:
            return texts
        parts = map(bytes.partition, texts, repeat(self.between))
        return [text for text, _, _ in takewhile(_ends_in_text, parts)]

    def texts(self, data: bytes) -> Slots | None:
        """Return the texts of a payload that repeats this one, or None where it does not."""
        prefix, suffix = self.prefix, self.suffix
        if not (data.startswith(prefix) and data.endswith(suffix)) or len(data) < len(prefix) + len(suffix):
            return None
        inner = data[len(prefix) : -len(suffix)]
        found = [inner] if self.between is None else inner.split(self.between, 1)
        read = tuple([text for text in map(_read, found) if text is not None])
        return read if len(read) == len(self.paths) else None


def _ends_in_text(parts: tuple[bytes, bytes, bytes]) -> bool:
    """Whether the last part is the text of a JSON string. Random padding is not remembered, as it never comes again."""
    return parts[2].isalnum() or _read(parts[2]) is not None


def _add(texts: list[bytes], pieces: list[str]) -> int:
    """Add the texts of JSON strings up to the first that is none; return how many were added."""
    known = [*map(_KNOWN.get, texts)]
    if None not in known:
        pieces.extend(known)  # type: ignore[arg-type]
        return len(known)
    for count, (text, read) in enumerate(zip(texts, known, strict=True)):
        found = read or _read(text)
        if found is None:
            return count
        pieces.append(found)
    return len(texts)


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


def learn(data: bytes, value: JsonObject) -> Template | None:
    """Return a template of a parsed payload where all of its free text stands in one or two strings."""
    found = _free_texts(value)
    if not 0 < len(found) <= _MAX_SLOTS or b"\\" in data:
        return None
    slots = sorted([(*_slot(data, path, text), path) for path, text in found])
    (first, first_end, _), (second, last_end, _) = slots[0], slots[-1]
    if first < 0:
        return None
    between = data[first_end:second] if len(slots) > 1 else None
    return Template(value, tuple([path for _, _, path in slots]), data[:first], between, data[last_end:])


def _slot(data: bytes, path: Path, text: str) -> Span:
    """Return where the text of a member stands; (-1, -1) where its name or its text leaves a doubt.

    As no quotation mark is escaped in `data`, each one begins or ends a string.
    """
    name, written = b'"%b"' % str(path[-1]).encode(), text.encode()
    if data.count(name) == 1:
        for colon in (b':"', b': "'):
            found = data.find(name + colon + written + b'"')
            if found >= 0:
                start = found + len(name) + len(colon)
                return start, start + len(written)
    return -1, -1


def _free_texts(value: JsonObject) -> list[tuple[Path, str]]:
    """Return the free texts of a chunk with one choice that are not empty."""
    choices = value.get("choices")
    choice = choices[0] if isinstance(choices, list) and len(choices) == 1 else None
    delta = choice.get("delta") if isinstance(choice, dict) else None
    if not isinstance(delta, dict):
        return _members(value, ())
    calls = delta.get("tool_calls")
    call = calls[0] if isinstance(calls, list) and len(calls) == 1 else None
    function = call.get("function") if isinstance(call, dict) else None
    said = _members(function, (*_DELTA, "tool_calls", 0, "function")) if isinstance(function, dict) else []
    return [*_members(delta, _DELTA), *said, *_members(value, ())]


def _members(value: JsonObject, path: Path) -> list[tuple[Path, str]]:
    texts = [(name, value[name]) for name in _FREE_TEXT.intersection(value)]
    return [((*path, name), text) for name, text in texts if text and isinstance(text, str)]
