"""The reply of one choice: text, calls or JSON, within the cap and before the stop strings."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Final

from chatconform.model import JsonObject, JsonValue
from chatconform.reference.answers import calls, speech, tokens
from chatconform.reference.answers.calls import Call
from chatconform.reference.answers.values import Maker
from chatconform.wire.asked import Asked

_EFFORTS: Final = {"minimal": 4, "low": 8, "medium": 16, "high": 32, "xhigh": 48, "max": 64}
"""Tokens of reasoning by reasoning_effort; without it there is no reasoning."""
_THOUGHT: Final = "First the question, then what is known, then what follows from it."


@dataclass(frozen=True, slots=True)
class Reply:
    """What one choice says. `content` is None beside calls; `finish` is its finish_reason."""

    content: str | None
    calls: tuple[Call, ...] = ()
    reasoning: str = ""
    finish: str = "stop"

    @property
    def tokens(self) -> int:
        """The output tokens, reasoning among them."""
        return self.reasoning_tokens + tokens.count(self.content or "") + sum(call.tokens for call in self.calls)

    @property
    def reasoning_tokens(self) -> int:
        """The tokens that went into reasoning."""
        return tokens.count(self.reasoning)


def replies(asked: Asked) -> tuple[Reply, ...]:
    """Return the replies to a request, one for each of `n`."""
    return tuple(_reply(asked, number) for number in range(asked.n))


def _reply(asked: Asked, number: int) -> Reply:
    cap = asked.cap
    reasoning = _reasoning(asked.body, cap)
    left = None if cap is None else cap - tokens.count(reasoning)
    made = calls.made(asked.body)
    reply = _calling(made, asked.body, left) if made else _telling(_content(asked, number), asked.stops, left)
    return replace(reply, reasoning=reasoning)


def _reasoning(body: JsonObject, cap: int | None) -> str:
    """Return the reasoning: as much as the effort asks for, and half of the cap at most."""
    effort = _EFFORTS.get(str(body.get("reasoning_effort")), 0)
    return tokens.exactly(_THOUGHT, effort if cap is None else min(effort, cap // 2))


def _content(asked: Asked, number: int) -> str:
    if asked.json_format is None:
        return speech.said(asked.body, number)
    said = speech.prompt(asked.body)
    names = speech.names(said)
    value: JsonValue
    if asked.json_schema is None:
        value = {name: names[at % len(names)] for at, name in enumerate(speech.wanted_members(said))}
    else:
        value = Maker(asked.json_schema, names).value(asked.json_schema)
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _telling(text: str, stops: tuple[str, ...], left: int | None) -> Reply:
    """Return a text that ends before the first stop string, or where the cap cuts it."""
    ends = [at for at in (text.find(stop) for stop in stops) if at >= 0]
    whole = text[: min(ends)] if ends else text
    if left is None or tokens.count(whole) <= left:
        return Reply(whole)
    return Reply(tokens.cut(whole, left), finish="length")


def _calling(made: tuple[Call, ...], body: JsonObject, left: int | None) -> Reply:
    """Return calls; the cap may cut the last one's arguments, and a call that it leaves no room for does not come."""
    kept: list[Call] = []
    for call in made:
        room = None if left is None else left - sum(each.tokens for each in kept) - tokens.count(call.tool.name)
        if room is not None and room < tokens.count(call.arguments):
            cut = replace(call, arguments=tokens.cut(call.arguments, room))
            return Reply(None, (*kept, cut) if room > 0 else tuple(kept), finish="length")
        kept.append(call)
    if made[0].tool.kind == "legacy":
        return Reply(None, tuple(kept), finish="function_call")
    return Reply(None, tuple(kept), finish="stop" if calls.wish(body).is_named else "tool_calls")
