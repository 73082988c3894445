"""Answers that are each in order, and do not fit together: usage, ids and ends that differ, or are always the same."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import reduce

from chatconform.model import Exchange, JsonObject
from chatconform.reference import rewrite
from chatconform.reference.misbehaviour.misbehaviour import Turn, misbehaviour
from chatconform.reference.refusals import CONTEXT
from chatconform.wire.asked import Target

_SAME_ID = "chatcmpl-000000000000000000000001"
_ALWAYS = 42
_BEHIND = 7


def _each(exchange: Exchange, reword: Callable[[JsonObject], JsonObject]) -> Exchange:
    """Return the exchange with every completion or chunk reworded; what is an error stays."""
    if rewrite.response_of(exchange).status != 200:
        return exchange
    return rewrite.with_messages(exchange, map(reword, rewrite.messages(exchange)))


def _counted(value: JsonObject, prompt: int) -> JsonObject:
    """Return a completion or a chunk whose usage reports another number of prompt tokens."""
    usage = value.get("usage")
    if not isinstance(usage, dict):
        return value
    completion = usage["completion_tokens"]
    assert isinstance(completion, int)
    counts: JsonObject = {"prompt_tokens": prompt, "total_tokens": prompt + completion, "prompt_tokens_details": None}
    return {**value, "usage": {**usage, **counts}}


def _reported(exchange: Exchange) -> int:
    """Return the prompt tokens that an answer reports; 0 where it reports none."""
    usages = [each.get("usage") for each in rewrite.messages(exchange)]
    counts = [usage.get("prompt_tokens") for usage in usages if isinstance(usage, dict)]
    return next((count for count in counts if isinstance(count, int)), 0)


@misbehaviour("usage.stream.differs")
def usage_of_streams(turn: Turn) -> Exchange:
    """The prompt_tokens of a stream are not those of the plain answer to the same prompt."""
    exchange = turn.answer()
    if turn.received.asked.target is not Target.STREAM:
        return exchange
    return _each(exchange, lambda each: _counted(each, _reported(exchange) + _BEHIND))


@misbehaviour("usage.prompt.constant")
def usage_constant(turn: Turn) -> Exchange:
    """Every prompt is counted as the same number of tokens, however long it is."""
    return _each(turn.answer(), lambda each: _counted(each, _ALWAYS)) if turn.received.is_chat else turn.answer()


@misbehaviour("usage.prompt.random")
def usage_random(turn: Turn) -> Exchange:
    """The same prompt is counted as more tokens each time it comes."""
    exchange = turn.answer()
    more = _reported(exchange) + _BEHIND * turn.received.seen if turn.received.is_chat else 0
    return _each(exchange, lambda each: _counted(each, more)) if more else exchange


@misbehaviour("usage.completion.constant")
def completion_constant(turn: Turn) -> Exchange:
    """Every answer is counted as the same number of tokens, however long it is."""

    def reword(value: JsonObject) -> JsonObject:
        usage = value.get("usage")
        if not isinstance(usage, dict):
            return value
        prompt = usage["prompt_tokens"]
        assert isinstance(prompt, int)
        counts: JsonObject = {"completion_tokens": 1, "total_tokens": prompt + 1, "completion_tokens_details": None}
        return {**value, "usage": {**usage, **counts}}

    return _each(turn.answer(), reword) if turn.received.is_chat else turn.answer()


@misbehaviour("id.constant")
def id_constant(turn: Turn) -> Exchange:
    """Every answer has the same id."""
    return _each(turn.answer(), lambda each: {**each, "id": _SAME_ID}) if turn.received.is_chat else turn.answer()


@misbehaviour("tools.id.constant")
def call_id_constant(turn: Turn) -> Exchange:
    """The first tool call of every answer has the same id."""
    exchange = turn.answer()
    for number, each in enumerate(rewrite.messages(exchange) if rewrite.response_of(exchange).status == 200 else []):
        for holder in ("message", "delta"):
            path = ("choices", 0, holder, "tool_calls", 0)
            call = _object_at(each, path)
            if call and call.get("id"):
                return rewrite.member(exchange, number, (*path, "id"), "call_0")
    return exchange


def _object_at(value: JsonObject, path: rewrite.Path) -> JsonObject | None:
    try:
        found = rewrite.value_at(value, path)
    except (KeyError, IndexError, TypeError):
        return None
    return found if isinstance(found, dict) else None


@misbehaviour("finish.stream.differs")
def finish_of_streams(turn: Turn) -> Exchange:
    """A stream that the cap cuts finishes with stop, a plain answer with length."""
    exchange = turn.answer()
    if turn.received.asked.target is not Target.STREAM:
        return exchange
    body = rewrite.body_of(exchange).replace(b'"finish_reason":"length"', b'"finish_reason":"stop"')
    return rewrite.with_body(exchange, body)


@misbehaviour("model.stream.differs")
def model_of_streams(turn: Turn) -> Exchange:
    """A stream names another model than the plain answer to the same request."""
    if turn.received.asked.target is not Target.STREAM:
        return turn.answer()
    return _each(turn.answer(), lambda each: {**each, "model": "reference-2"})


@misbehaviour("models.list.constant")
def list_constant(turn: Turn) -> Exchange:
    """created and owned_by are the same for every model of the list."""
    exchange = turn.answer()
    rows = rewrite.messages(exchange)[0].get("data") if not turn.received.is_chat else None
    if not isinstance(rows, list):
        return exchange
    same = [{**row, "created": 1_626_777_600, "owned_by": "custom"} for row in rows if isinstance(row, dict)]
    return rewrite.member(exchange, 0, ("data",), list(same))


@misbehaviour("text.characters.replaced")
def characters_replaced(turn: Turn) -> Exchange:
    """Characters of more than one byte arrive as U+FFFD, as where a chunk was cut within them."""
    exchange = turn.answer()
    if not turn.received.is_chat:
        return exchange
    text = rewrite.body_of(exchange).decode()
    return rewrite.with_body(exchange, "".join("\ufffd" if ord(each) > 0x7F else each for each in text).encode())


@misbehaviour("tools.id.equal")
def call_ids_equal(turn: Turn) -> Exchange:
    """All tool calls of an answer have one id."""
    exchange = turn.answer()
    ids = list(dict.fromkeys(re.findall(rb'"id":"(call_\w+)"', rewrite.response_of(exchange).body)))
    return rewrite.with_body(
        exchange, reduce(lambda body, each: body.replace(each, ids[0]), ids, rewrite.body_of(exchange))
    )


@misbehaviour("usage.cached.more")
def cached_more(turn: Turn) -> Exchange:
    """More cached_tokens are reported than the prompt has tokens."""
    exchange = turn.answer()
    if not turn.received.is_chat:
        return exchange
    body = rewrite.body_of(exchange)
    return rewrite.with_body(exchange, body.replace(b'"cached_tokens":0', b'"cached_tokens":%d' % CONTEXT))
