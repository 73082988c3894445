"""Variations near structured output, parameters, log probabilities and what a text may lawfully hold."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Ids
from chatconform.reference.rewrite import Path
from chatconform.reference.variations.variation import variation

_MESSAGE: Final[Path] = ("choices", 0, "message")
_CONTENT: Final[Path] = (*_MESSAGE, "content")
_FINISH: Final[Path] = ("choices", 0, "finish_reason")
_DELTA: Final[Path] = ("choices", 0, "delta", "content")
_OF_JSON: Final[Ids] = ("structured.content.*", "structured.schema.*")
_OF_TEXT: Final[Ids] = ("message.content.thoughts", "message.content.markers", "message.content.characters")


def _said(exchange: Exchange, text: str) -> Exchange:
    return rewrite.member(exchange, 0, _CONTENT, text)


def _prompted(exchange: Exchange, *messages: JsonValue) -> Exchange:
    return rewrite.asked(exchange, messages=list(messages))


def _user(text: str) -> JsonObject:
    return {"role": "user", "content": text}


@variation(
    "content.json_refused",
    ("answer.schema",),
    other_branch=(*_OF_JSON, *_OF_TEXT),
    passes=("message.refusal.type",),
)
def json_refused(exchange: Exchange) -> Exchange:
    """A refusal stands in the place of the JSON that was asked for."""
    refused: JsonValue = {"role": "assistant", "content": None, "refusal": "I cannot help with that."}
    return rewrite.member(exchange, 0, _MESSAGE, refused)


@variation("content.json_cut", ("answer.json", "answer.schema"), other_branch=(*_OF_JSON, "message.content.nonempty"))
def json_cut(exchange: Exchange) -> Exchange:
    """The JSON that was asked for is cut, and finish_reason says length."""
    return rewrite.member(_said(exchange, '{"city":"Zür'), 0, _FINISH, "length")


@variation("content.json_stopped", ("answer.json", "answer.schema"), other_branch=_OF_JSON,
           appears=("parameters.stop.absent",), passes=("parameters.stop.absent",))  # fmt: skip
def json_stopped(exchange: Exchange) -> Exchange:
    """The JSON that was asked for ends before a stop string of the caller's, and finish_reason says stop."""
    return _said(rewrite.asked(exchange, stop=["ü"]), '{"city":"Z')


@variation("content.json_filtered", ("answer.json",), other_branch=(*_OF_JSON, "message.content.nonempty"))
def json_filtered(exchange: Exchange) -> Exchange:
    """A filter cut the JSON that was asked for, and finish_reason says so."""
    return rewrite.member(_said(exchange, '{"city":'), 0, _FINISH, "content_filter")


@variation("content.json_spaced", ("answer.json", "answer.schema"))
def json_spaced(exchange: Exchange) -> Exchange:
    """White space stands around the JSON and in it, and its members come in another order."""
    return _said(exchange, '\n{\n  "visitors": null,\n  "city": "```json"\n}\n\n')


@variation("content.schema_definitions", ("answer.schema",))
def schema_definitions(exchange: Exchange) -> Exchange:
    """The schema that was sent refers to its own definitions, and names a property `pattern`."""
    schema: JsonObject = {
        "type": "object",
        "properties": {"city": {"$ref": "#/$defs/text"}, "pattern": {"$ref": "#/$defs/text"}},
        "required": ["city"],
        "$defs": {"text": {"type": "string", "format": "date-time"}},
    }
    wanted: JsonObject = {"name": "city", "schema": schema, "strict": True}
    return rewrite.asked(exchange, response_format={"type": "json_schema", "json_schema": wanted})


@variation("content.cap_reached", ("answer.schema",))
def cap_reached(exchange: Exchange) -> Exchange:
    """The answer has just as many tokens as its cap allows, and finishes with stop."""
    usage: JsonValue = {"prompt_tokens": 12, "completion_tokens": 64, "total_tokens": 76}
    return rewrite.member(exchange, 0, ("usage",), usage)


@variation(
    "content.cap_reasoned",
    ("answer.schema",),
    passes=("usage.completion_tokens_details.type", "usage.reasoning_tokens.*"),
)
def cap_reasoned(exchange: Exchange) -> Exchange:
    """Reasoning tokens are counted above the cap, which holds for the text."""
    usage: JsonValue = {
        "prompt_tokens": 12,
        "completion_tokens": 109,
        "total_tokens": 121,
        "completion_tokens_details": {"reasoning_tokens": 100},
    }
    return rewrite.member(exchange, 0, ("usage",), usage)


@variation("content.stop_begun", ("stream.long",))
def stop_begun(exchange: Exchange) -> Exchange:
    """The text holds the beginning of a stop string, and one in small letters."""
    return rewrite.member(exchange, 3, _DELTA, "## the end of the first part, ")


@variation("content.stop_prefilled", ("stream.long",), gone=("parameters.stop.absent",))
def stop_prefilled(exchange: Exchange) -> Exchange:
    """The request ends with the beginning of the answer, which the answer repeats with the stop string in it."""
    begun: JsonObject = {"role": "assistant", "content": "### Cities"}
    asked = _prompted(exchange, _user("Name cities."), begun)
    return rewrite.member(asked, 1, _DELTA, "### Cities\n")


@variation("content.fewer_top_logprobs", ("answer.logprobs", "stream.logprobs"))
def fewer_top_logprobs(exchange: Exchange) -> Exchange:
    """A token has fewer top_logprobs than were asked for."""
    number, at = (2, 0) if rewrite.is_stream(exchange) else (0, 1)
    return rewrite.no_member(exchange, number, ("choices", 0, "logprobs", "content", at, "top_logprobs", 1))


@variation("content.bytes_null", ("answer.logprobs",), other_branch=("logprobs.content.joined",))
def bytes_null(exchange: Exchange) -> Exchange:
    """A token does not say which bytes it is of."""
    return rewrite.member(exchange, 0, ("choices", 0, "logprobs", "content", 1, "bytes"), None)


@variation("content.token_of_the_end", ("answer.logprobs",))
def token_of_the_end(exchange: Exchange) -> Exchange:
    """The token that ended the text has an entry too, though the text does not show it."""
    path: Path = ("choices", 0, "logprobs", "content")
    tokens = rewrite.value_at(rewrite.messages(exchange)[0], path)
    ended: JsonObject = {"token": "<|end|>", "logprob": -0.5, "bytes": [60, 124], "top_logprobs": []}
    assert isinstance(tokens, list)
    return rewrite.member(exchange, 0, path, [*tokens, ended])


@variation("content.thoughts_asked", ("answer",), gone=("message.content.thoughts",))
def thoughts_asked(exchange: Exchange) -> Exchange:
    """The request asks for raw reasoning, and the text begins with it."""
    return rewrite.asked(_said(exchange, "<think>Hm.</think>Zürich"), reasoning_format="raw")


@variation("content.thoughts_spoken_of", ("answer",))
def thoughts_spoken_of(exchange: Exchange) -> Exchange:
    """The request is about think tags, and the text begins with one."""
    return _prompted(_said(exchange, "<think> opens it."), _user("Which tag opens a thought, <think> or <thought>?"))


@variation("content.markers_spoken_of", ("answer",))
def markers_spoken_of(exchange: Exchange) -> Exchange:
    """The request is about a special token, and the text ends with it."""
    return _prompted(_said(exchange, "A turn ends with <|im_end|>"), _user("Does <|im_end|> or </s> end a turn?"))


@variation("content.markup_struck", ("answer",))
def markup_struck(exchange: Exchange) -> Exchange:
    """The text is markup, and ends with an element that is struck out."""
    return _said(exchange, "<p>Zürich, <s>Bern</s>")


@variation("content.replacement_asked", ("answer",))
def replacement_asked(exchange: Exchange) -> Exchange:
    """The request holds U+FFFD, and the text speaks of it."""
    return _prompted(_said(exchange, "It is \ufffd, U+FFFD."), _user("What does \ufffd mean?"))


@variation("content.character_cut", ("answer",), other_branch=("message.content.nonempty",))
def character_cut(exchange: Exchange) -> Exchange:
    """The limit cut the last character of the text, and finish_reason says length."""
    return rewrite.member(_said(exchange, "Zürich \ufffd"), 0, _FINISH, "length")


@variation("content.growing", ("stream",))
def growing(exchange: Exchange) -> Exchange:
    """Each delta happens to begin with the one before it."""
    changed = exchange
    for number, piece in enumerate(("1", "10", "100"), 1):
        changed = rewrite.member(changed, number, _DELTA, piece)
    return changed


@variation("content.thought_long", ("stream.long",))
def thought_long(exchange: Exchange) -> Exchange:
    """The model thinks for three seconds, and then streams fast."""
    response = rewrite.response_of(exchange)
    late = tuple((3_000_000 + number * 1_500, count) for number, (_, count) in enumerate(response.reads or ()))
    return replace(exchange, response=replace(response, reads=late))


@variation("content.retry_date", ("error.limit",))
def retry_date(exchange: Exchange) -> Exchange:
    """Retry-After is a date."""
    return rewrite.with_header(exchange, "Retry-After", "Fri, 20 Nov 2026 12:00:20 GMT")


@variation("content.retry_absent", ("error.limit",), other_branch=("errors.retry_after.value",))
def retry_absent(exchange: Exchange) -> Exchange:
    """A 429 does not say when to try again."""
    return rewrite.with_header(exchange, "Retry-After", None)


@variation("content.quota", ("error.limit",), other_branch=("errors.retry_after.value",))
def quota(exchange: Exchange) -> Exchange:
    """The quota is used up, and nothing says that waiting helps."""
    spent = rewrite.member(exchange, 0, ("error", "code"), "insufficient_quota")
    return rewrite.with_header(spent, "Retry-After", None)
