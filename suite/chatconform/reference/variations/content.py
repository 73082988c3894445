"""Variations of content: members added, left out, null or in another order, as working providers send them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from functools import reduce
from typing import Final

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Ids
from chatconform.reference.good import GOOD
from chatconform.reference.rewrite import Path
from chatconform.reference.variations.variation import ANSWERS, STREAMS, TEXT_ANSWERS, TEXT_STREAMS, variation


def _each(exchange: Exchange, reword: Callable[[JsonObject], JsonValue]) -> Exchange:
    return rewrite.with_messages(exchange, [reword(each) for each in rewrite.messages(exchange)])


def _objects(value: JsonValue, reword: Callable[[JsonObject], JsonObject]) -> JsonValue:
    """Return a copy of a value with every object in it reworded."""
    if isinstance(value, dict):
        return reword({key: _objects(member, reword) for key, member in value.items()})
    return [_objects(item, reword) for item in value] if isinstance(value, list) else value


def _spoken(exchange: Exchange, **members: JsonValue) -> Exchange:
    """Set members of every message and every delta."""

    def reword(value: JsonObject) -> JsonObject:
        return {
            key: {**member, **members} if key in ("message", "delta") and isinstance(member, dict) else member
            for key, member in value.items()
        }

    return _each(exchange, lambda each: _objects(each, reword))


@variation("content.extra_members", GOOD)
def extra_members(exchange: Exchange) -> Exchange:
    """Every object has a member that nobody knows."""
    return _each(exchange, lambda each: _objects(each, lambda value: {**value, "x_extra": {"kept": [1]}}))


@variation("content.key_order", GOOD)
def key_order(exchange: Exchange) -> Exchange:
    """The members of every object come in reverse order."""
    return _each(exchange, lambda each: _objects(each, lambda value: dict(reversed(value.items()))))


@variation("content.escaped", GOOD)
def escaped(exchange: Exchange) -> Exchange:
    """Every character beyond ASCII is escaped."""
    texts = [json.dumps(each).encode() for each in rewrite.messages(exchange)]
    if not rewrite.is_stream(exchange):
        return rewrite.with_body(exchange, texts[0])
    return rewrite.with_events(exchange, [*(b"data: " + text for text in texts), rewrite.DONE])


_UNSCORED: Final[Ids] = tuple(name for name in TEXT_ANSWERS if name != "answer.logprobs")
"""The answers in text whose words may change, as no log probabilities stand beside them."""


@variation("content.separators", (*TEXT_STREAMS, *_UNSCORED))
def separators(exchange: Exchange) -> Exchange:
    """The text holds characters that some libraries take for line ends."""
    body = rewrite.body_of(exchange).replace("Zürich".encode(), "Zü\u2028\u2029\u0085rich".encode())
    return rewrite.with_body(exchange, body)


@variation("content.long_line", (*TEXT_STREAMS, *_UNSCORED))
def long_line(exchange: Exchange) -> Exchange:
    """A piece of text is longer than 64 KiB."""
    body = rewrite.body_of(exchange).replace("Zürich".encode(), b"Z" * 70_000)
    return rewrite.with_body(exchange, body)


_NULLABLE: Final[Ids] = (
    "message.refusal.type", "message.tool_calls.type", "message.function_call.type", "message.annotations.type",
    "message.audio.type",
)  # fmt: skip
_OPTIONAL: Final[Ids] = ("envelope.service_tier.*", "envelope.system_fingerprint.type")


@variation("content.null_members", (*TEXT_STREAMS, *TEXT_ANSWERS), passes=_NULLABLE)
def null_members(exchange: Exchange) -> Exchange:
    """What a message does not have is null."""
    return _spoken(exchange, refusal=None, tool_calls=None, function_call=None, annotations=None, audio=None)


@variation("content.null_envelope", (*ANSWERS, *STREAMS), passes=(*_OPTIONAL, "stream.obfuscation.type"))
def null_envelope(exchange: Exchange) -> Exchange:
    """service_tier, system_fingerprint and obfuscation are null."""
    nulls: JsonObject = {"service_tier": None, "system_fingerprint": None, "obfuscation": None}
    return _each(exchange, lambda each: {**each, **nulls})


@variation(
    "content.null_details",
    ANSWERS,
    passes=("usage.prompt_tokens_details.type", "usage.completion_tokens_details.type"),
    other_branch=(
        "usage.cached_tokens.*",
        "usage.prompt_*_tokens.*",
        "usage.reasoning_tokens.*",
        "usage.completion_*_tokens.*",
        "usage.*_prediction_tokens.*",
    ),
)
def null_details(exchange: Exchange) -> Exchange:
    """The details of the usage are null."""
    nulls: JsonObject = {"prompt_tokens_details": None, "completion_tokens_details": None}
    return _each(exchange, lambda each: rewrite.put(each, ("usage",), {**_object(each["usage"]), **nulls}))


def _object(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value


@variation("content.null_deltas", TEXT_STREAMS)
def null_deltas(exchange: Exchange) -> Exchange:
    """Content that is empty is null, and so is the role after the first delta of a choice."""

    def reword(value: JsonObject) -> JsonObject:
        delta = value.get("delta")
        if not isinstance(delta, dict):
            return value
        return {**value, "delta": {"role": None, **delta, "content": delta.get("content") or None}}

    return _each(exchange, lambda each: _objects(each, reword))


@variation(
    "content.bare",
    ("answer.details", "stream.usage"),
    other_branch=(
        "message.refusal.type",
        "envelope.service_tier.*",
        "envelope.system_fingerprint.type",
        "stream.obfuscation.type",
    ),
)
def bare(exchange: Exchange) -> Exchange:
    """refusal, logprobs, service_tier, system_fingerprint and obfuscation are absent."""
    left_out = ("refusal", "logprobs", "service_tier", "system_fingerprint", "obfuscation")
    return _each(
        exchange,
        lambda each: _objects(each, lambda value: {key: value[key] for key in value if key not in left_out}),
    )


@variation(
    "content.logprobs_null",
    TEXT_ANSWERS[:1],
    passes=("logprobs.object.type",),
    appears=("logprobs.object.type",),
)
def logprobs_null(exchange: Exchange) -> Exchange:
    """logprobs is null, though nobody asked for it."""
    return rewrite.member(exchange, 0, ("choices", 0, "logprobs"), None)


@variation("content.tool_calls_empty", (*TEXT_STREAMS, *TEXT_ANSWERS), passes=("message.tool_calls.type",))
def tool_calls_empty(exchange: Exchange) -> Exchange:
    """tool_calls is an empty array on plain text."""
    return _spoken(exchange, tool_calls=[])


@variation("content.reasoning", (*TEXT_STREAMS, *TEXT_ANSWERS), other_branch=("parameters.cap.kept",))
def reasoning(exchange: Exchange) -> Exchange:
    """The message has a reasoning_content beside its content, and nothing says how many tokens it took."""
    return _spoken(exchange, reasoning_content="The user asks for cities.")


@variation("content.usage_alone", ("stream.usage",))
def usage_alone(exchange: Exchange) -> Exchange:
    """Chunks without the usage do not have the member."""
    return _each(exchange, lambda each: each if each["usage"] else rewrite.without(each, ("usage",)))


@variation("content.usage_with_finish", ("stream.usage", "xmsmartlink.stream"))
def usage_with_finish(exchange: Exchange) -> Exchange:
    """The usage stands on the chunk with finish_reason, and there is no chunk without choices."""
    *chunks, last, report = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks, {**last, "usage": report["usage"]}])


@variation("content.obfuscated", STREAMS, passes=("stream.obfuscation.type",))
def obfuscated(exchange: Exchange) -> Exchange:
    """Every chunk has a member that hides its length."""
    return _each(exchange, lambda each: {**each, "obfuscation": "b2f9Zq"})


@variation("content.metadata", STREAMS)
def metadata(exchange: Exchange) -> Exchange:
    """A chunk of metadata comes first: id, object and model are empty, and there are no choices (Azure)."""
    preamble: JsonObject = {
        "id": "",
        "object": "",
        "created": 0,
        "model": "",
        "choices": [],
        "prompt_filter_results": [],
    }
    return rewrite.with_messages(exchange, [preamble, *rewrite.messages(exchange)])


_FINISH: Final[Path] = ("choices", 0, "finish_reason")
_SAID: Final[Path] = ("choices", 0, "delta")
_NAMED: Final[JsonObject] = {"type": "function", "function": {"name": "weather"}}


@variation(
    "content.named_tool",
    ("answer.tools",),
    passes=("message.content.nonempty", "tools.choice.named"),
    other_branch=("choices.finish_reason.called",),
    gone=("choices.finish_reason.tool_calls",),
    appears=("tools.choice.named",),
)
def named_tool(exchange: Exchange) -> Exchange:
    """tool_choice names one function, and the call finishes with stop."""
    return rewrite.asked(rewrite.member(exchange, 0, _FINISH, "stop"), tool_choice=_NAMED)


@variation(
    "content.named_tool_stream",
    ("stream.tools",),
    passes=("message.content.nonempty", "tools.choice.named"),
    other_branch=("choices.finish_reason.called",),
    gone=("choices.finish_reason.tool_calls",),
    appears=("tools.choice.named",),
)
def named_tool_stream(exchange: Exchange) -> Exchange:
    """tool_choice names one function, and the streamed call finishes with stop."""
    return rewrite.asked(rewrite.member(exchange, -1, _FINISH, "stop"), tool_choice=_NAMED)


@variation(
    "content.cut_arguments",
    ("answer.tools",),
    other_branch=(
        "tools.arguments.nonempty",
        "tools.arguments.json",
        "tools.arguments.object",
        "tools.name.declared",
        "choices.finish_reason.called",
    ),
)
def cut_arguments(exchange: Exchange) -> Exchange:
    """The arguments of a call are cut, and finish_reason says length."""
    path: Path = ("choices", 0, "message", "tool_calls", 1, "function", "arguments")
    return rewrite.member(rewrite.member(exchange, 0, path, '{"city":"'), 0, _FINISH, "length")


@variation("content.tool_content_absent", ("answer.tools",), other_branch=("message.content.type",))
def tool_content_absent(exchange: Exchange) -> Exchange:
    """A message with tool calls has no content member."""
    return rewrite.no_member(exchange, 0, ("choices", 0, "message", "content"))


@variation("content.tool_content_empty", ("answer.tools",))
def tool_content_empty(exchange: Exchange) -> Exchange:
    """A message with tool calls has the empty string as its content."""
    return rewrite.member(exchange, 0, ("choices", 0, "message", "content"), "")


@variation("content.reasoning_on_top", ("answer.details",))
def reasoning_on_top(exchange: Exchange) -> Exchange:
    """reasoning_tokens are counted on top of completion_tokens, and the total has them."""
    path: Path = ("usage", "completion_tokens_details", "reasoning_tokens")
    return rewrite.member(rewrite.member(exchange, 0, path, 40), 0, ("usage", "total_tokens"), 61)


@variation("content.finish_omitted", ("stream",), fails=("choices.finish_reason.key",))
def finish_omitted(exchange: Exchange) -> Exchange:
    """The key finish_reason is left out until the last chunk: of this one clause speaks, at the level may."""

    def reword(value: JsonObject) -> JsonObject:
        return {key: value[key] for key in value if key != "finish_reason" or value[key] is not None}

    return _each(exchange, lambda each: _objects(each, reword))


@variation("content.finish_with_text", TEXT_STREAMS[:1])
def finish_with_text(exchange: Exchange) -> Exchange:
    """The last piece of text stands on the chunk with finish_reason."""
    *chunks, text, _last = rewrite.messages(exchange)
    return rewrite.with_messages(exchange, [*chunks, rewrite.put(text, _FINISH, "stop")])


@variation("content.dated_model", ("answer", "stream"))
def dated_model(exchange: Exchange) -> Exchange:
    """model is a dated name of the model that was asked for."""
    return _each(exchange, lambda each: {**each, "model": "reference-1-2026-11-01"})


@variation(
    "content.model_named",
    ("tooken.answer",),
    gone=("extensions.*.present", "extensions.model.resolved"),
)
def model_named(exchange: Exchange) -> Exchange:
    """A model is asked for by its name, so that no alias has to be resolved and no routing to be shown."""
    return rewrite.asked(exchange, model="reference-1")


@variation("content.untraced", ("xmsmartlink.answer",), gone=("extensions.trace_id.accepted",))
def untraced(exchange: Exchange) -> Exchange:
    """The request has no X-Trace-ID."""
    return replace(exchange, request=replace(exchange.request, headers=()))


@variation("content.usage_included", ("stream.usage",), gone=("usage.stream.requested",))
def usage_included(exchange: Exchange) -> Exchange:
    """The usage is asked for by a member of its own, as OpenRouter has it, and comes on a chunk without choices."""
    return rewrite.asked(exchange, stream_options=None, usage={"include": True})


@variation("content.laughter", ("stream",))
def laughter(exchange: Exchange) -> Exchange:
    """Each of three short pieces begins with the one before it by chance."""
    pieces = zip((1, 2, 3), ("ha", "haha", "hahaha"), strict=True)
    return reduce(lambda told, piece: rewrite.member(told, piece[0], (*_SAID, "content"), piece[1]), pieces, exchange)


@variation("content.said_twice", ("stream",))
def said_twice(exchange: Exchange) -> Exchange:
    """The text says a sentence twice, and the last piece is the whole second half."""
    told = rewrite.member(exchange, 2, (*_SAID, "content"), "and Reykjavík. ")
    return rewrite.member(told, 3, (*_SAID, "content"), "Zürich, and Reykjavík. ")


@variation("content.tags_explained", TEXT_ANSWERS[:1])
def tags_explained(exchange: Exchange) -> Exchange:
    """The text explains how a model closes its thoughts, within quoted code."""
    text = "A line closes them:\n```\n</think>\n```\nThen comes <|im_start|>, the next turn."
    return rewrite.member(exchange, 0, ("choices", 0, "message", "content"), text)
