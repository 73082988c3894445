"""Hostile text made visible: whatever a provider sent is shown as what it is, and acts on nothing.

Control characters are shown by their pictures (U+2400 and up), every other character without a shape of its
own as its number, such as ⟨U+202E⟩. A backslash is left alone, so that an escape that was on the wire, and
the character that it stands for, look different.

A CI system reads commands out of what a job prints: GitHub Actions `::error::x` at the start of a line, spaces
before it or not, and `##[error]x` anywhere; Azure Pipelines `##vso[x]`; TeamCity `##teamcity[x]`. The first sign
of such a command is shown as its number, because nobody knows where a terminal will break the line.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable

SHAPELESS = re.compile(
    "[\\u0000-\\u001f\\u007f-\\u00a0\\u00ad\\u034f\\u061c\\u115f\\u1160\\u1680\\u17b4\\u17b5\\u180b-\\u180f"
    "\\u2000-\\u200f\\u2028-\\u202f\\u205f-\\u206f\\u2800\\u3164\\ud800-\\uf8ff\\ufdd0-\\ufdef\\ufe00-\\ufe0f\\ufeff"
    "\\uffa0\\ufff0-\\ufffb\\ufffe\\uffff\\U0001bca0-\\U0001bca3\\U0001d173-\\U0001d17a\\U000e0000-\\U0010ffff]"
)
"""Controls (bidi too), zero-width and private characters, odd spaces, selectors, surrogates."""

COMMANDS = re.compile(r":(?=:[^\s:]+(?: .*?)?::)|#(?=#(?:vso|teamcity)?\[)", re.DOTALL | re.IGNORECASE)
"""The first sign of what a CI system takes for a command."""

_MARKUP = re.compile(r"[\\`*\[\]~|#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_ENTITIES = re.compile(r"[<>@$]|:(?=//)|(?<=www)\.")
_OPENING = re.compile(r"[-+= ]|\d+(?=[.)])")
_PUNCTUATION = re.compile(r"[!-/:-@\[-`{-~]")
_LONGEST = 1_000


def line(text: str, limit: int) -> str:
    """The text as one line of at most `limit` characters, cut in the middle with a count of what is left out.

    An escape is never cut in two. Where `limit` has no room for anything but the count, the count alone is
    returned.
    """
    if len(text) <= limit and len(shown := escape(text)) <= limit:
        return shown
    room = max(0, limit - len(_cut(len(text))))
    at_end = room // 3
    acting = {match.start() for match in COMMANDS.finditer(text)}
    head = _fitting(_shown(text, range(min(room - at_end, len(text))), acting), room - at_end)
    rest = range(max(len(head), len(text) - at_end), len(text))
    tail = _fitting(_shown(text, reversed(rest), acting), at_end)
    return "".join(head) + _cut(len(text) - len(head) - len(tail)) + "".join(reversed(tail))


def message(place: str, problem: str, remedy: str) -> str:
    """An error of ours in two lines, whatever the names, ids and values in it hold."""
    return f"{line(place, _LONGEST)}: {line(problem, _LONGEST)}\n  {line(remedy, _LONGEST)}"


def escape(text: str) -> str:
    """The text with every shapeless character shown, and no command to a CI system in it; whole."""
    return SHAPELESS.sub(_picture, COMMANDS.sub(lambda match: _number(match[0]), text))


def markdown(text: str) -> str:
    """The text as Markdown that shows it: in a table cell, in prose and at the start of a line.

    It makes no markup, no link, no mention and no formula (GitHub Flavored Markdown 0.29).
    """
    shown = _inline(text)
    opening = _OPENING.match(shown)
    if opening is None:
        return shown
    if opening[0].isdigit():
        return f"{opening[0]}\\{shown[opening.end() :]}"
    return _entity(opening) + shown[1:]


def code(text: str) -> str:
    """The text as a Markdown code span, on one line, whole: backticks and, in tables, pipes survive."""
    shown = escape(text)
    if not shown.strip():
        return f"<code>{shown.replace(' ', '&#32;')}</code>"
    if "|" in shown:
        return f"<code>{_PUNCTUATION.sub(_entity, shown)}</code>"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", shown)), default=0))
    padding = " " if shown[0] in "` " or shown[-1] in "` " else ""
    return f"{fence}{padding}{shown}{padding}{fence}"


def prose(text: str) -> str:
    """A sentence of ours as Markdown: what stands between backticks is code, all else is text."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return markdown(text)
    first, *others = pieces
    return markdown(first) + "".join(_inline(piece) if index % 2 else code(piece) for index, piece in enumerate(others))


def _inline(text: str) -> str:
    """Markdown that shows the text anywhere but at the start of a line."""
    shown = _MARKUP.sub(r"\\\g<0>", escape(text).replace("&", "\0"))
    return _ENTITIES.sub(_entity, shown).replace("\0", "&amp;")


def _shown(text: str, places: Iterable[int], acting: Container[int]) -> list[str]:
    """The characters at these places as they are shown, one by one."""
    return [_number(text[place]) if place in acting else SHAPELESS.sub(_picture, text[place]) for place in places]


def _number(character: str) -> str:
    return f"⟨U+{ord(character):04X}⟩"


def _picture(match: re.Match[str]) -> str:
    number = ord(match[0])
    if number < 0x20:
        return chr(0x2400 + number)
    return "\u2421" if number == 0x7F else _number(match[0])


def _entity(match: re.Match[str]) -> str:
    return f"&#{ord(match[0])};" + ("<!-- -->" if match[0] == "@" else "")


def _cut(count: int) -> str:
    return f"…(+{count})…"


def _fitting(pieces: list[str], room: int) -> list[str]:
    """As many of the first pieces as fit into `room` characters."""
    total = 0
    for count, piece in enumerate(pieces):
        total += len(piece)
        if total > room:
            return pieces[:count]
    return pieces
