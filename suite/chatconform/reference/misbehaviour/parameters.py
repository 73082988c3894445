"""Parameters that are accepted and not honoured."""

from __future__ import annotations

from chatconform.model import Exchange, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.misbehaviour.misbehaviour import Turn, misbehaviour
from chatconform.wire.asked import Target


@misbehaviour("stop.ignored")
def stop_ignored(turn: Turn) -> Exchange:
    """The text runs on past the stop strings."""
    return turn.without("stop") if turn.received.asked.stops else turn.answer()


@misbehaviour("stop.kept")
def stop_kept(turn: Turn) -> Exchange:
    """The text ends with the stop string instead of before it."""
    stops = turn.received.asked.stops
    if not stops or turn.received.asked.target is Target.STREAM:
        return turn.answer()
    exchange, path = turn.answer(), ("choices", 0, "message", "content")
    told = rewrite.value_at(rewrite.messages(exchange)[0], path) if rewrite.response_of(exchange).status == 200 else ""
    return rewrite.member(exchange, 0, path, f"{told}{stops[0]}") if told else exchange


@misbehaviour("stop.early")
def stop_early(turn: Turn) -> Exchange:
    """A request with stop strings gets no text but the first characters of its answer."""
    return turn.answer(turn.received.with_members(stop=" ")) if turn.received.asked.stops else turn.answer()


@misbehaviour("n.ignored")
def n_ignored(turn: Turn) -> Exchange:
    """n is accepted, and a single choice comes back."""
    return turn.without("n") if turn.received.asked.n > 1 else turn.answer()


@misbehaviour("cap.ignored")
def cap_ignored(turn: Turn) -> Exchange:
    """max_tokens and max_completion_tokens have no effect."""
    return turn.answer() if turn.received.asked.cap is None else turn.without("max_tokens", "max_completion_tokens")


@misbehaviour("cap.newer_ignored")
def newer_cap_ignored(turn: Turn) -> Exchange:
    """max_completion_tokens has no effect."""
    newer = turn.received.asked.max_completion_tokens
    return turn.answer() if newer is None else turn.without("max_completion_tokens")


@misbehaviour("cap.silent")
def cap_silent(turn: Turn) -> Exchange:
    """A text that the cap cuts has the finish_reason stop."""
    exchange = turn.answer()
    body = rewrite.body_of(exchange).replace(b'"finish_reason":"length"', b'"finish_reason":"stop"')
    return rewrite.with_body(exchange, body)


@misbehaviour("format.ignored")
def format_ignored(turn: Turn) -> Exchange:
    """response_format has no effect."""
    return turn.answer() if turn.received.asked.json_format is None else turn.without("response_format")


@misbehaviour("format.schema_ignored")
def schema_ignored(turn: Turn) -> Exchange:
    """The answer is a JSON object, but no schema that was sent is kept."""
    if turn.received.asked.json_schema is None:
        return turn.answer()
    return turn.answer(turn.received.with_members(response_format={"type": "json_object"}))


@misbehaviour("logprobs.ignored")
def logprobs_ignored(turn: Turn) -> Exchange:
    """logprobs has no effect."""
    return turn.without("logprobs", "top_logprobs") if turn.received.asked.logprobs else turn.answer()


@misbehaviour("include_usage.ignored")
def include_usage_ignored(turn: Turn) -> Exchange:
    """stream_options has no effect."""
    return turn.without("stream_options") if turn.received.asked.include_usage else turn.answer()


@misbehaviour("stream.ignored")
def stream_ignored(turn: Turn) -> Exchange:
    """A request for a stream is answered in one piece."""
    return turn.without("stream") if turn.received.asked.target is Target.STREAM else turn.answer()


def _choosing(turn: Turn, choice: JsonValue) -> Exchange:
    return turn.answer(turn.received.with_members(tool_choice=choice))


@misbehaviour("tool_choice.required_ignored")
def required_ignored(turn: Turn) -> Exchange:
    """tool_choice is required, or allows some tools, and the answer is text."""
    forced = turn.received.asked.tool_choice in ("required", "allowed_tools")
    return _choosing(turn, "none") if forced else turn.answer()


@misbehaviour("tool_choice.named_ignored")
def named_ignored(turn: Turn) -> Exchange:
    """tool_choice names a tool, and the answer is text."""
    return _choosing(turn, "none") if turn.received.asked.tool_choice == "named" else turn.answer()


@misbehaviour("tool_choice.none_ignored")
def none_ignored(turn: Turn) -> Exchange:
    """tool_choice is none, and a tool is called."""
    return _choosing(turn, "required") if turn.received.asked.tool_choice == "none" else turn.answer()


@misbehaviour("tool_choice.other")
def other_tool(turn: Turn) -> Exchange:
    """tool_choice names or allows one of several tools, and the last that is declared is called."""
    body, tools = turn.received.body, turn.received.body.get("tools")
    if not isinstance(body.get("tool_choice"), dict) or not isinstance(tools, list):
        return turn.answer()
    return turn.answer(turn.received.with_members(tools=tools[-1:], tool_choice="required"))


@misbehaviour("tool_choice.parallel")
def parallel(turn: Turn) -> Exchange:
    """parallel_tool_calls is false, and two tools are called at once."""
    return (
        turn.without("parallel_tool_calls")
        if turn.received.body.get("parallel_tool_calls") is False
        else (turn.answer())
    )


@misbehaviour("tools.stream.dropped")
def calls_dropped(turn: Turn) -> Exchange:
    """Tools are called in answers of one piece alone; a stream is text."""
    asked = turn.received.asked
    return turn.without("tools", "tool_choice") if asked.has_tools and asked.target is Target.STREAM else turn.answer()


@misbehaviour("trace_id.refused")
def trace_id_refused(turn: Turn) -> Exchange:
    """A request with the header field X-Trace-ID is refused."""
    if turn.received.asked.trace_id is None:
        return turn.answer()
    return turn.refuse(400, "X-Trace-ID is not allowed.")
