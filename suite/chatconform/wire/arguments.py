"""The arguments of a tool call: what the text is that its pieces come to."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from itertools import accumulate, pairwise

from chatconform.wire import strict_json

_DECODER = json.JSONDecoder()
_WHITE = " \t\n\r"


class Arguments(StrEnum):
    """What the arguments of a call are. The last four are no JSON text."""

    NONE = "nothing"
    OBJECT = "a JSON object"
    VALUE = "JSON, but no object"
    UNREAD = "JSON beyond our limits"
    CUMULATIVE = "pieces that each repeat what came before"
    SEVERAL = "several JSON objects, one after another"
    BROKEN = "no JSON"


def read(pieces: Sequence[str]) -> Arguments:
    """Return what the pieces come to. Half a surrogate pair in a string makes no difference here."""
    text = "".join(pieces)
    if not text.strip(_WHITE):
        return Arguments.NONE
    document = strict_json.parse(text.encode("utf-8", "replace"))
    if document.fault is None:
        readable = Arguments.VALUE if document.object is None else Arguments.OBJECT
        return Arguments.UNREAD if document.limit else readable
    said = [piece for piece in pieces if piece]
    if _is_cumulative(said):
        return Arguments.CUMULATIVE
    return Arguments.SEVERAL if _are_objects(text, said) else Arguments.BROKEN


def _is_cumulative(said: Sequence[str]) -> bool:
    """Whether each piece begins with the whole of the one before it."""
    return len(said) > 1 and all(later.startswith(earlier) for earlier, later in pairwise(said))


def _are_objects(text: str, said: Sequence[str]) -> bool:
    """Whether a text is nothing but objects, each of which begins with a piece of its own."""
    begins = {0, *accumulate(map(len, said))}
    at = 0
    while at < len(text):
        try:
            value, end = _DECODER.raw_decode(text, at)
        except json.JSONDecodeError:
            return False
        if at not in begins or not isinstance(value, dict):
            return False
        at = end + len(text[end:]) - len(text[end:].lstrip(_WHITE))
    return True
