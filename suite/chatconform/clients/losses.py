"""What a client lost of an answer, in words: what it did is held against what was there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from chatconform.clients.child import Testimony
from chatconform.clients.told import MAX_MESSAGE, Call, Said, Told, by_client
from chatconform.model import JsonValue

FINE: Final = "fine"
NOTICED: Final = "noticed"
"""A client that raises where there is an error, an answer that is cut, or none."""
HUNG: Final = "hung"
CRASHED: Final = "crashed"
"""A client whose process ended."""
AS_SENT: Final = "as sent"
"""A client that hands over what the bytes say, where what they say is wrong."""
NOT_ASKED: Final = "asked nothing"
"""A client that refused to send the request."""
UNNOTICED: Final = "noticed nothing"
"""A client that hands over an answer, where there is an error, an answer that is cut, or none."""
_SILENT: Final[tuple[object, ...]] = (None, "", (), [], {})


def outcome(testimony: Testimony, wanted: Told) -> tuple[str, ...]:
    """Return what a client did with an answer, beside what it says: a word of the above, `raised X`, or losses."""
    if testimony.end is not None:
        return (testimony.end,)
    told = by_client(testimony.answer or {})
    fails = wanted.error is not None or wanted.is_cut or wanted.is_nothing
    if testimony.raised is not None:
        if not fails:
            return (f"raised {testimony.raised}",)
        lost = bool(wanted.error) and (wanted.error or "")[:MAX_MESSAGE] not in testimony.says
        return ("lost the message",) if lost else (NOTICED,)
    return (UNNOTICED,) if fails else tuple(dict.fromkeys(losses(told, wanted))) or (FINE,)


def losses(told: Told, wanted: Told) -> Iterator[str]:
    """Yield what is lost, changed or made up in what a client hands over.

    Left out: the order of calls, `total_tokens`, the envelope, and white space around a text; a role that is absent is
    that of the assistant.
    """
    if told.other is not None:
        yield f"returned {told.other}"
        return
    if wanted.models is not None and told.models != wanted.models:
        yield _word(told.models, "models")
    for said in wanted.choices:
        found = [each for each in told.choices if each.index == said.index]
        if found or len(wanted.choices) == 1:
            yield from _of_choice(found[0] if found else Said(said.index), said)
        else:
            yield "lost a choice"
    yield from _of_usage(told, wanted)


def _of_usage(told: Told, wanted: Told) -> Iterator[str]:
    if wanted.usage is None:
        if told.usage and any(told.usage):
            yield "made up usage"
    elif told.usage is None or tuple(map(_count, told.usage)) != wanted.usage:
        yield "changed usage" if told.usage and any(told.usage) else "lost usage"


def _count(value: JsonValue) -> JsonValue:
    """Return a count as it is meant: 5 for "5" and 5.0."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _of_choice(told: Said, wanted: Said) -> Iterator[str]:
    if _bare(told.text) != _bare(wanted.text):
        is_part = isinstance(told.text, str) and told.text in str(wanted.text)
        yield "lost text" if is_part else _word(told.text, "text")
    if told.role is not None and told.role != (wanted.role or "assistant"):
        yield "changed role"
    if (told.finish_reason or None) != (wanted.finish_reason or None):
        made_up = not wanted.finish_reason
        yield "made up finish_reason" if made_up else _word(told.finish_reason, "finish_reason")
    if len(told.calls) < len(wanted.calls) or (wanted.function_call and not told.function_call):
        yield "lost tool call"
    elif len(told.calls) > len(wanted.calls):
        yield "made up tool call"
    else:
        pairs = zip(sorted(told.calls, key=_order), sorted(wanted.calls, key=_order), strict=True)
        if any(_differs(call, meant) for call, meant in pairs) or _is_other(told, wanted):
            yield "changed tool call"


def _bare(text: JsonValue) -> JsonValue:
    return text.strip() if isinstance(text, str) else text or ""


def _is_other(told: Said, wanted: Said) -> bool:
    """Whether the one function that was called before there were tools is another."""
    call, meant = told.function_call, wanted.function_call
    return bool(call and meant and _differs(replace(call, id=meant.id), meant))


def _order(call: Call) -> str:
    """Return what calls are sorted by: in which order a client hands them over does not matter."""
    return repr((call.id or "", call.name or "", call.means))


def _differs(call: Call, wanted: Call) -> bool:
    named = (call.id or "", call.name or "") == (wanted.id or "", wanted.name or "")
    return not named or call.means != wanted.means


def _word(value: object, what: str) -> str:
    return f"lost {what}" if value in _SILENT else f"changed {what}"
