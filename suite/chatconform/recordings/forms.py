"""The forms in which an endpoint may echo a secret, as expressions over bytes."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from functools import cached_property
from html.entities import html5

from chatconform.model import Span

SHORTEST_KEY = 16
"""A secret of fewer characters may stand in an answer by chance; a longer one is found in either case as well."""

_SHORTEST_CORE = 8
"""A shorter run of base64 letters is not taken for a part of a secret."""
_OTHER_LETTERS = {"+": b"\\-", "/": b"_"}
"""What base64url writes instead (RFC 4648 section 5)."""
_TO_FULL_WIDTH = 0xFEE0
"""What lies between a character of ASCII and the same in full width (U+FF01 to U+FF5E)."""

_BACKSLASHES = rb"\\{1,32}+"
_OTHERS = bytes(set(range(256)) - set(b"0123456789abcdefghijklmnopqrstuvwxyz"))
_ESCAPED_GAP = rb"\\{1,32}+(?:[nrt]|u(?:00[01][0-9a-f]|00a0|00ad|200[b-f]|feff))"
_GAPS = re.compile(_ESCAPED_GAP)
_GAP = rb'(?:%b|[^0-9A-Za-z"\\{}\[\]:,\r\n]{1,4})??' % _ESCAPED_GAP
"""What may stand between two characters: a space, a mark, NULs, a character without width; nothing of JSON's."""
_BREAK = rb"(?:(?:%b|[ \t\r\n]){1,4})??" % _ESCAPED_GAP
_HEX_GAP = rb'[^0-9A-Za-z"]{0,40}(?:0?x|u)?[^0-9A-Za-z"]{0,2}(?:00){0,3}'
_NUMBER_GAP = rb'[^0-9A-Za-z"]{1,40}0{0,2}'


class Forms:
    """Every form in which an endpoint may echo secrets.

    As they are (and in either case, if long), percent-encoded, JSON-escaped, as HTML writes them, as other languages
    escape them, in full width, each of these character by character and more than once over; in hexadecimal; in UTF-16;
    in base64 of either alphabet, wherever they begin in what was coded. Long ones also with something between their
    characters, backwards, as numbers in hexadecimal, decimal or octal, in base64 that is broken into lines, or of
    UTF-16 or of base64, in base32 and in base85.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = tuple(secrets)
        self._usual = tuple({form for secret in self._secrets for form in _forms(secret)})
        self._pattern = _any(self._usual)
        self._plain = tuple({text.lower() for secret in self._secrets for text in _plain_forms(secret)})
        self._traces = tuple({trace for secret in self._long for trace in _traces(secret)})
        self._shortest = min(map(len, self._traces), default=0)
        escapes = (b"%", b"&", b"\\/", b"\\u", b"\\x", b"\\0", b"\\1", b"\xef\xbc", b"\xef\xbd")
        self._escapes = (*escapes, b"\\") if any(set('"\\') & set(secret) for secret in self._secrets) else escapes

    @property
    def _long(self) -> Iterator[str]:
        return (secret for secret in self._secrets if len(secret) >= SHORTEST_KEY)

    @cached_property
    def _disguised(self) -> re.Pattern[bytes]:
        """The expression of all forms, the usual ones and the others."""
        return _any((*self._usual, *(form for secret in self._long for form in _disguises(secret))))

    def find(self, data: bytes) -> Iterator[Span]:
        """Yield where secrets stand, the longest first where several begin."""
        lowered = data.lower()
        if self._is_disguised(lowered):
            yield from (match.span() for match in self._disguised.finditer(data))
        elif any(escape in lowered for escape in self._escapes) or any(text in lowered for text in self._plain):
            yield from (match.span() for match in self._pattern.finditer(data))

    def _is_disguised(self, lowered: bytes) -> bool:
        if len(lowered) < self._shortest:
            return False
        letters = (_GAPS.sub(b"", lowered) if b"\\" in lowered else lowered).translate(None, _OTHERS)
        return any(map(letters.__contains__, self._traces))


def _any(forms: Iterable[tuple[int, bytes]]) -> re.Pattern[bytes]:
    longest_first = sorted(forms, key=lambda form: (-form[0], form[1]))
    return re.compile(b"|".join(expression for _, expression in longest_first))


def _plain_forms(secret: str) -> Iterator[bytes]:
    """Yield the forms that hold no escape, of which one is in all data that hold the secret without any."""
    data = secret.encode("utf-8", "surrogatepass")
    yield from (data, data.hex().encode(), b"\0".join(bytes([byte]) for byte in data))
    for core in _base64_forms(data):
        yield from (core.encode(), core.encode().translate(bytes.maketrans(b"+/", b"-_")))


def _forms(secret: str) -> Iterator[tuple[int, bytes]]:
    """Yield expressions, each with about how many bytes it matches."""
    data = secret.encode("utf-8", "surrogatepass")
    plain = b"".join(map(_character, secret))
    yield len(data), b"(?i:%s)" % plain if len(secret) >= SHORTEST_KEY else plain
    yield 2 * len(data), b"(?i:%s)" % data.hex().encode()
    if secret.isascii():
        yield 2 * len(data), b"\\x00".join(re.escape(bytes([byte])) for byte in data)
    for form in _base64_forms(data):
        yield len(form), b"".join(map(_letter, form))


def _disguises(secret: str) -> Iterator[tuple[int, bytes]]:
    """Yield expressions for what is read by taking it apart first, each with about how many bytes it matches."""
    data = secret.encode("utf-8", "surrogatepass")
    for text in (secret, secret[::-1]):
        yield 3 * len(data), b"(?i:%s)" % _GAP.join(map(_character, text))
    yield 5 * len(data), b"(?i:%s)" % _HEX_GAP.join(b"%02x" % byte for byte in data)
    yield 4 * len(data), _NUMBER_GAP.join(b"%d" % byte for byte in data)
    yield 4 * len(data), _NUMBER_GAP.join(b"%o" % byte for byte in data)
    for form in _base64_forms(data):
        yield len(form), _BREAK.join(map(_letter, form))
    for form in _coded_twice(data):
        yield len(form), b"".join(map(_letter, form))
    for form in _other_bases(data):
        yield len(form), b"(?i:%s)" % b"".join(map(_letter, form))


def _traces(secret: str) -> Iterator[bytes]:
    """Yield what is left of the disguises where only letters, in lower case, and digits are: one in all such data."""
    data = secret.encode("utf-8", "surrogatepass")
    hexes = [b"%02x" % byte for byte in data]
    yield from (mark.join(hexes) for mark in (b"", b"x", b"0x", b"u", b"u00", b"u000000", b"00"))
    yield from (b"".join(form % byte for byte in data) for form in (b"%d", b"%o", b"%03o"))
    for text in (secret, secret[::-1], *_base64_cores(data), *_coded_twice(data), *_other_bases(data)):
        if trace := text.encode("utf-8", "surrogatepass").lower().translate(None, _OTHERS):
            yield trace


def _base64_forms(data: bytes) -> Iterator[str]:
    """Yield data in base64, alone and wherever they begin in what is coded."""
    yield base64.b64encode(data).decode()
    yield from _base64_cores(data)


def _base64_cores(data: bytes) -> Iterator[str]:
    """Yield the letters that a text has wherever data begin in it, by the offset modulo 3."""
    for shift in range(3):
        letters = base64.b64encode(bytes(shift) + data).decode()
        core = letters[-(-shift * 8 // 6) : (shift + len(data)) * 8 // 6]
        if len(core) >= _SHORTEST_CORE:
            yield core


def _coded_twice(data: bytes) -> Iterator[str]:
    """Yield data in base64 of its base64, and of UTF-16."""
    text = data.decode("utf-8", "surrogatepass")
    once = [form.encode() for form in _base64_forms(data)]
    for each in (*once, *(text.encode(coding, "surrogatepass") for coding in ("utf-16-le", "utf-16-be"))):
        yield from _base64_forms(each)


def _other_bases(data: bytes) -> Iterator[str]:
    """Yield data in base32, alone and by the offset modulo 5, and in base85."""
    yield base64.b32encode(data).decode().rstrip("=")
    for shift in range(5):
        letters = base64.b32encode(bytes(shift) + data).decode()
        yield letters[-(-shift * 8 // 5) : (shift + len(data)) * 8 // 5]
    yield base64.b85encode(data[: len(data) // 4 * 4]).decode()


def _character(character: str) -> bytes:
    """Return an expression for a character and its escapes: of URLs, JSON, HTML, C, and those escaped again."""
    data = character.encode("utf-8", "surrogatepass")
    number = ord(character)
    percent = b"".join(b"%%(?:25){0,4}%02x" % byte for byte in data)
    units = [b"%04x" % int.from_bytes(pair) for pair in _pairs(character.encode("utf-16-be", "surrogatepass"))]
    escape = _BACKSLASHES + b"(?:%s|u\\{0*%x\\}|U%08x|x%02x|%03o(?![0-7]))" % (
        (_BACKSLASHES.join(b"u" + unit for unit in units), number, number, number, number)
    )
    numbers = b"x0*%x(?:;|(?![0-9a-f]))|0*%d(?:;|(?![0-9]))" % (number, number)
    entity = b"&(?:amp;){0,4}(?:#(?:%s)|%s)" % (numbers, _names(character))
    old = b"".join(b"%u" + unit for unit in units)
    forms = [re.escape(data), b"(?i:%s)" % b"|".join((percent, old, escape, entity))]
    if character in '"/\\':
        forms.append(b"\\\\{1,32}" + re.escape(data))
    if "!" <= character <= "~":
        wide = chr(number + _TO_FULL_WIDTH)
        forms += [wide.encode(), b"(?i:%bu%04x)" % (_BACKSLASHES, ord(wide))]
    return b"(?:%s)" % b"|".join(reversed(forms))


def _pairs(data: bytes) -> Iterator[bytes]:
    return (data[at : at + 2] for at in range(0, len(data), 2))


def _names(character: str) -> bytes:
    """Return an expression for the names that HTML has for a character; one that matches nothing where it has none."""
    names = sorted(name for name, meant in html5.items() if meant == character and name.endswith(";"))
    return b"|".join(map(re.escape, (name.encode() for name in names))) or b"(?!)"


def _letter(letter: str) -> bytes:
    """Return an expression for a letter of base64, of which JSON and URLs escape but the last."""
    if letter.isalnum():
        return letter.encode()
    other = _OTHER_LETTERS.get(letter)
    return b"(?:%s|%s)" % (other, _character(letter)) if other else _character(letter)
