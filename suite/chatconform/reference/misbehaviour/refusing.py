"""What ought to be refused and is not, or is answered with 500; and what ought to be answered and is refused."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Kind
from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.answers import speech
from chatconform.reference.misbehaviour.misbehaviour import Turn, misbehaviour
from chatconform.reference.received import MODELS

_BARE = ("model", "messages", "stream", "max_tokens", "max_completion_tokens", "tools", "tool_choice", "top_p",
         "temperature")  # fmt: skip
"""What a gateway knows that refuses other standard parameters."""
_QUESTION: list[JsonValue] = [{"role": "user", "content": "Hello"}]


def _has_code(turn: Turn, code: str) -> bool:
    return turn.refusal is not None and turn.refusal.code == code


def _crash(turn: Turn) -> Exchange:
    return turn.refuse(500, "An exception was not caught.")


@misbehaviour("models.unknown.accepted")
def unknown_accepted(turn: Turn) -> Exchange:
    """A request for a model that does not exist is answered under that model's name."""
    if not (turn.received.is_chat and _has_code(turn, "model_not_found")):
        return turn.answer()
    known = turn.answer(turn.received.with_members(model="reference-1"))
    named = ({**each, "model": turn.received.asked.model} for each in rewrite.messages(known))
    return rewrite.with_messages(known, named)


@misbehaviour("models.unknown.replaced")
def unknown_replaced(turn: Turn) -> Exchange:
    """A request for a model that does not exist is answered by another one."""
    if not (turn.received.is_chat and _has_code(turn, "model_not_found")):
        return turn.answer()
    return turn.answer(turn.received.with_members(model="reference-1"))


@misbehaviour("models.unknown.outage")
def unknown_outage(turn: Turn) -> Exchange:
    """A request for a model that does not exist gets a 503."""
    lost = turn.received.is_chat and _has_code(turn, "model_not_found")
    return turn.refuse(503, "No channel is free for this model.") if lost else turn.answer()


def _is_at_slash(turn: Turn) -> bool:
    return turn.received.request.url.partition("?")[0].endswith(f"{MODELS}/")


@misbehaviour("models.slash.missing")
def slash_missing(turn: Turn) -> Exchange:
    """The list of models is not served under its path with a slash at the end, which is lawful."""
    return turn.refuse(404, "There is nothing at this path.") if _is_at_slash(turn) else turn.answer()


@misbehaviour("models.slash.error")
def slash_error(turn: Turn) -> Exchange:
    """The list of models gets a 500 under its path with a slash at the end."""
    return _crash(turn) if _is_at_slash(turn) else turn.answer()


@misbehaviour("models.slash.page")
def slash_page(turn: Turn) -> Exchange:
    """Under the path of the list of models with a slash at the end stands a page of markup."""
    if not _is_at_slash(turn):
        return turn.answer()
    page = rewrite.with_body(turn.answer(), b"<!DOCTYPE html><title>Models</title>")
    return rewrite.with_header(page, "Content-Type", "text/html")


@misbehaviour("models.header.other")
def header_other(turn: Turn) -> Exchange:
    """With a header field X-Api-Key the list of models has another vendor's shape."""
    asked = any(name.lower() == "x-api-key" for name, _ in turn.received.request.headers)
    if not asked or turn.received.path != MODELS:
        return turn.answer()
    rows: list[JsonValue] = [{"type": "model", "id": "reference-1", "display_name": "Reference 1"}]
    return turn.send(200, {"data": rows, "has_more": False})


@misbehaviour("models.list.other")
def list_other(turn: Turn) -> Exchange:
    """The list of models lacks those that answer, and has one that does not."""
    if turn.received.path != MODELS:
        return turn.answer()
    row: JsonObject = {"id": "no-such-model", "object": "model", "created": 1_700_000_000, "owned_by": "reference"}
    return turn.send(200, {"object": "list", "data": [row]})


@misbehaviour("body.malformed.error")
def malformed_error(turn: Turn) -> Exchange:
    """A body that is no JSON gets a 500."""
    return _crash(turn) if _has_code(turn, "invalid_json") else turn.answer()


@misbehaviour("body.malformed.accepted")
def malformed_accepted(turn: Turn) -> Exchange:
    """A body that is no JSON is answered."""
    if not _has_code(turn, "invalid_json"):
        return turn.answer()
    return turn.answer(turn.received.with_body({"model": "reference-1", "messages": _QUESTION}))


def _lacks(turn: Turn, name: str) -> bool:
    return turn.received.is_chat and turn.refusal is not None and turn.refusal.param == name


@misbehaviour("messages.missing.accepted")
def messages_accepted(turn: Turn) -> Exchange:
    """A request whose messages are absent, empty or of another type is answered."""
    return turn.answer(turn.received.with_members(messages=_QUESTION)) if _lacks(turn, "messages") else turn.answer()


@misbehaviour("messages.missing.error")
def messages_error(turn: Turn) -> Exchange:
    """A request whose messages are absent, empty or of another type gets a 500."""
    return _crash(turn) if _lacks(turn, "messages") else turn.answer()


@misbehaviour("model.missing.accepted")
def model_accepted(turn: Turn) -> Exchange:
    """A request that names no model is answered."""
    return turn.answer(turn.received.with_members(model="reference-1")) if _lacks(turn, "model") else turn.answer()


@misbehaviour("methods.get.error")
def get_error(turn: Turn) -> Exchange:
    """A method that the path does not have gets a 500."""
    return _crash(turn) if _has_code(turn, "method_not_allowed") else turn.answer()


@misbehaviour("methods.get.answered")
def get_answered(turn: Turn) -> Exchange:
    """A method that the path does not have is answered with 200 and a greeting."""
    return turn.send(200, {"status": "ok"}) if _has_code(turn, "method_not_allowed") else turn.answer()


@misbehaviour("context.length.error")
def length_error(turn: Turn) -> Exchange:
    """A prompt that is longer than the context window gets a 500."""
    return _crash(turn) if _has_code(turn, "context_length_exceeded") else turn.answer()


@misbehaviour("context.length.accepted")
def length_accepted(turn: Turn) -> Exchange:
    """A prompt that is longer than the context window is cut and answered."""
    cut = turn.received.with_members(messages=_QUESTION)
    return turn.answer(cut) if _has_code(turn, "context_length_exceeded") else turn.answer()


def _refused(turn: Turn, names: Iterator[str]) -> Exchange:
    """Refuse a request for the first of these members; answer it where there is none."""
    name = next(names, None)
    return turn.answer() if name is None else turn.refuse(422, f"{name}: extra inputs are not permitted.", name)


@misbehaviour("parameters.standard.refused")
def standard_refused(turn: Turn) -> Exchange:
    """Standard parameters, such as n, user, seed or stream_options, are refused as unknown."""
    return _refused(turn, (name for name in turn.received.body if name not in _BARE))


@misbehaviour("parameters.max_completion_tokens.refused")
def newer_cap_refused(turn: Turn) -> Exchange:
    """max_completion_tokens is refused."""
    return _refused(turn, (name for name in turn.received.body if name == "max_completion_tokens"))


@misbehaviour("parameters.parallel_tool_calls.refused")
def parallel_refused(turn: Turn) -> Exchange:
    """parallel_tool_calls is refused."""
    return _refused(turn, (name for name in turn.received.body if name == "parallel_tool_calls"))


@misbehaviour("parameters.logprobs.refused")
def logprobs_refused(turn: Turn) -> Exchange:
    """logprobs without top_logprobs is refused."""
    alone = turn.received.asked.logprobs and "top_logprobs" not in turn.received.body
    return turn.refuse(400, "logprobs needs top_logprobs.", "top_logprobs") if alone else turn.answer()


@misbehaviour("parameters.response_format.refused")
def format_refused(turn: Turn) -> Exchange:
    """response_format of the type text, which is the default, is refused."""
    is_text = turn.received.body.get("response_format") == {"type": "text"}
    return turn.refuse(400, "response_format: no such type.", "response_format") if is_text else turn.answer()


@misbehaviour("roles.developer.refused")
def developer_refused(turn: Turn) -> Exchange:
    """Messages with the role developer are refused."""
    spoken = any(each.get("role") == "developer" for each in speech.messages(turn.received.body))
    return turn.refuse(400, "No such role: developer.", "messages") if spoken else turn.answer()


@misbehaviour("content.parts.refused")
def parts_refused(turn: Turn) -> Exchange:
    """content as a list of parts is refused."""
    listed = any(isinstance(each.get("content"), list) for each in speech.messages(turn.received.body))
    return turn.refuse(400, "content is no string.", "messages") if listed else turn.answer()


@misbehaviour("tools.result.refused")
def result_refused(turn: Turn) -> Exchange:
    """A turn that sends the results of tool calls back is refused."""
    ends = speech.ends_with_result(turn.received.body)
    return turn.refuse(400, "No such role: tool.", "messages") if ends else turn.answer()


@misbehaviour("messages.reasoning.refused")
def reasoning_refused(turn: Turn) -> Exchange:
    """A message that sends the reasoning of an earlier answer back is refused."""
    sent = any("reasoning_content" in each for each in speech.messages(turn.received.body))
    return turn.refuse(400, "reasoning_content: no such member.", "messages") if sent else turn.answer()


def _bounds(turn: Turn) -> Iterator[tuple[str, JsonValue, JsonObject]]:
    """Yield each member of the request with the schema that its contract has for it: the document's, or OpenAI's."""
    schema = contracts.of_requests(turn.house.contract).schemas[Kind.REQUEST].document
    known = schema.get("properties")
    for name, value in turn.received.body.items():
        found = known.get(name) if isinstance(known, dict) else None
        if isinstance(found, dict):
            yield name, value, found


def _at_an_end(value: JsonValue, schema: JsonObject) -> bool:
    ends = [schema[keyword] for keyword in ("minimum", "maximum") if keyword in schema]
    return isinstance(value, int | float) and not isinstance(value, bool) and value in ends


def _at_end(turn: Turn) -> str | None:
    """Return the first member that stands at an end of its range; None where there is none."""
    ends = (name for name, value, schema in _bounds(turn) if _at_an_end(value, schema) and name not in _CAPS)
    return next(ends, None)


@misbehaviour("ranges.ends.refused")
def ends_refused(turn: Turn) -> Exchange:
    """A number that is the lower or the upper end of its documented range is refused."""
    name = _at_end(turn)
    return turn.answer() if name is None else turn.refuse(400, f"{name} is out of range.", name)


@misbehaviour("ranges.ends.error")
def ends_error(turn: Turn) -> Exchange:
    """A number that is the lower or the upper end of its documented range gets a 500."""
    return turn.answer() if _at_end(turn) is None else _crash(turn)


_CAPS = ("max_tokens", "max_completion_tokens", "n")
"""Of these the lower end is what anybody may ask for."""
_OF_A_RANGE = ("below_minimum", "above_maximum", "array_above_max_length")


def _is_outside(turn: Turn) -> bool:
    return turn.received.is_chat and turn.refusal is not None and turn.refusal.code in _OF_A_RANGE


@misbehaviour("ranges.outside.accepted")
def outside_accepted(turn: Turn) -> Exchange:
    """A value outside its documented range is accepted."""
    refusal = turn.refusal
    name = (refusal.param or "").partition(".")[0].partition("[")[0] if refusal else ""
    return turn.without(name) if _is_outside(turn) else turn.answer()


@misbehaviour("ranges.outside.error")
def outside_error(turn: Turn) -> Exchange:
    """A value outside its documented range gets a 500."""
    return _crash(turn) if _is_outside(turn) else turn.answer()


@misbehaviour("ranges.outside.unreadable")
def outside_unreadable(turn: Turn) -> Exchange:
    """A value outside its documented range is refused with a page of markup."""
    if not _is_outside(turn):
        return turn.answer()
    page = rewrite.with_body(turn.answer(), b"<h1>400 Bad Request</h1>")
    return rewrite.with_header(page, "Content-Type", "text/html")


@misbehaviour("types.wrong.accepted")
def types_accepted(turn: Turn) -> Exchange:
    """A parameter of the wrong type, or with a value that is not listed, is accepted as if it were not there."""
    refusal = turn.refusal
    name = (refusal.param or "").partition(".")[0].partition("[")[0] if refusal else ""
    wrong = refusal is not None and refusal.code in ("invalid_type", "invalid_value") and name not in ("", "messages")
    return turn.without(name) if wrong and name != "model" else turn.answer()


@misbehaviour("types.wrong.error")
def types_error(turn: Turn) -> Exchange:
    """A parameter of the wrong type, or with a value that is not listed, gets a 500."""
    wrong = turn.received.is_chat and (_has_code(turn, "invalid_type") or _has_code(turn, "invalid_value"))
    return _crash(turn) if wrong else turn.answer()
