"""Media types (RFC 9110 section 8.3) and content codings (section 8.4)."""

from __future__ import annotations

import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice

from chatconform.model import Headers

MAX_DECODED = 16 * 1024 * 1024
"""The most bytes that a coded body may decode to."""
MAX_CODINGS = 8
"""The most content codings of one body that are undone: each of them may take as long as the first."""
MAX_LINES = 250_000
"""The most lines of an event stream that are read, some five for each event that a live run takes."""

_PIECE = 4096
"""How many coded bytes are undone at a time: what follows a gzip member is copied once for each member."""
_TYPE = re.compile(r"\s*([!#$%&'*+.^_`|~0-9A-Za-z-]+/[!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*(?=[;,]|\Z)")
_PARAMETER = re.compile(r';\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s;]*)\s*')
_LINE_END = re.compile(rb"\r\n|\n|\r")
GZIP_MAGIC = b"\x1f\x8b"
"""How every gzip member begins (RFC 1952 section 2.3.1)."""


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type: `type/subtype` and parameter names in lower case, values without their quotes."""

    essence: str
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_json(self) -> bool:
        """Whether a body of this type is JSON (RFC 6839 section 3.1)."""
        return self.essence == "application/json" or self.essence.endswith("+json")

    @property
    def is_event_stream(self) -> bool:
        """Whether a body of this type is an event stream (WHATWG HTML 9.2.1)."""
        return self.essence == "text/event-stream"


@lru_cache(maxsize=256)
def media_type(value: str) -> MediaType | None:
    """Parse the value of a Content-Type field; None where it is no media type.

    Of parameters with one name the first counts (WHATWG MIME Sniffing 4.4).
    """
    match = _TYPE.match(value)
    if not match:
        return None
    found = reversed(_PARAMETER.findall(value, match.end()))
    return MediaType(match[1].lower(), {name.lower(): _unquoted(text) for name, text in found})


def _unquoted(text: str) -> str:
    """Undo quotes and quoted pairs (RFC 9110 section 5.6.4)."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text.strip('"')


def header(headers: Headers | None, name: str) -> str | None:
    """Return a field's value, or None; repeated fields are joined by a comma (RFC 9110 section 5.3)."""
    wanted = name.lower()
    values = [value for key, value in headers or () if key.lower() == wanted]
    return ", ".join(values) if values else None


def lines(body: bytes) -> int:
    """Count the ends of lines, be they LF, CR or both (WHATWG HTML 9.2.5)."""
    return body.count(b"\n") + body.count(b"\r") - body.count(b"\r\n")


def readable_lines(body: bytes) -> bytes:
    """Return the lines of a body that are read: all of them, unless they are more than MAX_LINES."""
    if len(body) <= MAX_LINES or lines(body) <= MAX_LINES:
        return body
    last = next(islice(_LINE_END.finditer(body), MAX_LINES - 1, None))
    return body[: last.end()]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A body after its content codings, whole unless `limit` or `fault`, which says why it ends early."""

    body: bytes
    fault: str | None = None
    limit: bool = False


def codings(headers: Headers | None) -> tuple[str, ...]:
    """Return the content codings in the order in which they were applied, without identity."""
    value = header(headers, "Content-Encoding")
    if value is None:
        return ()
    return tuple(name for name in (part.strip().lower() for part in value.split(",")) if name not in ("", "identity"))


def decode(body: bytes, names: tuple[str, ...], ceiling: int = MAX_DECODED) -> Decoded:
    """Undo content codings, at most `ceiling` bytes of output."""
    if len(names) > MAX_CODINGS:
        return Decoded(b"", limit=True)
    for name in reversed(names):
        step = _undo(body, name, ceiling)
        if step.fault or step.limit:
            return step
        body = step.body
    return Decoded(body)


def _undo(body: bytes, name: str, ceiling: int) -> Decoded:
    if name in ("gzip", "x-gzip"):
        return _inflate(body, zlib.MAX_WBITS | 16, ceiling)
    if name == "deflate":
        return _inflate_either(body, ceiling)
    return Decoded(b"", f"the content coding {name} is not one that this suite can undo")


def _inflate_either(body: bytes, ceiling: int) -> Decoded:
    """Undo deflate with its zlib header, or without, as some servers send it (RFC 9110 section 8.4.1.2)."""
    wrapped = _inflate(body, zlib.MAX_WBITS, ceiling)
    raw = _inflate(body, -zlib.MAX_WBITS, ceiling) if wrapped.fault else wrapped
    return wrapped if raw.fault else raw


def _inflate(body: bytes, window: int, ceiling: int) -> Decoded:
    """Undo zlib, raw deflate or gzip, member after member."""
    out = bytearray()
    member, start = zlib.decompressobj(window), 0
    while start < len(body):
        if member.eof:
            member = zlib.decompressobj(window)
        piece = body[start : start + _PIECE]
        try:
            out += member.decompress(piece, ceiling + 1 - len(out))
        except zlib.error as error:
            return Decoded(bytes(out), f"the content coding does not decode: {error}")
        if len(out) > ceiling:
            return Decoded(bytes(out[:ceiling]), limit=True)
        start += len(piece) - len(member.unused_data)
    if body and not member.eof:
        return Decoded(bytes(out), "the coded body ends before its coding does")
    return Decoded(bytes(out))
