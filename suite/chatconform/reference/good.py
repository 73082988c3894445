"""Good exchanges: well-formed in every point that a check or a clause looks at, with everything recorded.

Faults break them and variations reword them. `tooken.*` and `xmsmartlink.*` also keep what those documents say.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from chatconform.model import Exchange, Headers, JsonObject, JsonValue, Origin, Request, Response
from chatconform.reference import rewrite

BASE_URL: Final = "http://127.0.0.1/v1"
MODEL: Final = "reference-1"
RECORDED_AT: Final = "2026-11-20T12:00:00Z"
CREATED: Final = 1_795_176_000
"""The second of `RECORDED_AT`."""
DOCUMENTED: Final = ("tooken", "xmsmartlink")
"""The providers that good exchanges exist for, besides the reference itself."""

_TEXT: Final = "Zürich, 東京 and Reykjavík 🙂"
_JSON: Headers = (("Content-Type", "application/json"), ("Content-Length", "0"))
_STREAM: Headers = (("Content-Type", "text/event-stream"), ("Cache-Control", "no-cache"))
_MESSAGES: list[JsonValue] = [{"role": "user", "content": "Name three cities."}]
_USAGE: JsonObject = {"prompt_tokens": 12, "completion_tokens": 9, "total_tokens": 21}
_DETAILED: JsonObject = {
    **_USAGE,
    "prompt_tokens_details": {"cached_tokens": 4, "text_tokens": 12, "audio_tokens": 0, "image_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 3,
        "text_tokens": 6,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}
_WEATHER: JsonObject = {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}


def contract_of(exchange: Exchange) -> str | None:
    """Return the document that an exchange is judged against besides OpenAI's contract."""
    return exchange.provider if exchange.provider in DOCUMENTED else None


def _exchange(name: str, request: Request, status: int, headers: Headers, body: bytes) -> Exchange:
    document = name.partition(".")[0]
    empty = Response(status=status, headers=headers, http_version="1.1", headers_after=200_000)
    exchange = Exchange(
        id=name,
        provider=document if document in DOCUMENTED else "reference",
        request=request,
        response=empty,
        scenario=name,
        sample=1,
        attempt=1,
        origin=Origin.REFERENCE,
        recorded_at=RECORDED_AT,
        model=MODEL,
    )
    return rewrite.with_body(exchange, body)


def _post(asked: JsonObject, headers: Headers = ()) -> Request:
    body: JsonObject = {"model": MODEL, "messages": _MESSAGES, **asked}
    return Request("POST", f"{BASE_URL}/chat/completions", (("Content-Type", "application/json"), *headers), body)


def _id(name: str) -> str:
    return f"chatcmpl-{name.replace('.', '')}"


def _answer(name: str, request: Request, choices: list[JsonValue], **members: JsonValue) -> Exchange:
    """Return an exchange with an answer in one piece; `members` are set or replaced in it."""
    answer: JsonObject = {
        "id": _id(name), "object": "chat.completion", "created": CREATED, "model": MODEL,
        "choices": choices, "usage": _USAGE, **members,
    }  # fmt: skip
    return _exchange(name, request, 200, _JSON, rewrite.as_json(answer))


def _choice(index: int = 0, finish: str = "stop", **message: JsonValue) -> JsonObject:
    said: JsonObject = {"role": "assistant", "content": _TEXT, **message}
    return {"index": index, "message": said, "finish_reason": finish}


def _stream(name: str, request: Request, chunks: list[JsonObject]) -> Exchange:
    """Return an exchange with a streamed answer; each chunk is given without its envelope."""
    envelope: JsonObject = {
        "id": _id(name), "object": "chat.completion.chunk", "created": CREATED, "model": MODEL,
    }  # fmt: skip
    blocks = [b"data: " + rewrite.as_json({**envelope, **chunk}) for chunk in chunks]
    return _exchange(name, request, 200, _STREAM, b"".join(block + b"\n\n" for block in [*blocks, rewrite.DONE]))


def _delta(index: int = 0, finish: str | None = None, **delta: JsonValue) -> JsonObject:
    return {"index": index, "delta": delta, "finish_reason": finish}


def _told(*choices: JsonValue, **members: JsonValue) -> JsonObject:
    """Return a chunk of these choices, without its envelope."""
    return {"choices": list(choices), **members}


def _spoken(index: int = 0) -> list[JsonObject]:
    """Return the chunks of a choice that is plain text."""
    pieces: list[JsonObject] = [_told(_delta(index, content=piece)) for piece in ("Zürich, ", "東京 ", "🙂")]
    return [_told(_delta(index, role="assistant", content="")), *pieces, _told(_delta(index, finish="stop"))]


def _plain_answer() -> Exchange:
    return _answer("answer", _post({}), [_choice()])


def _coded_answer() -> Exchange:
    plain = _answer("answer.gzip", _post({}), [_choice()])
    body = rewrite.body_of(plain)
    return rewrite.with_body(rewrite.with_header(plain, "Content-Encoding", "gzip"), body)


def _tools_answer() -> Exchange:
    calls: list[JsonValue] = [
        {"id": f"call_{city}", "type": "function", "function": {"name": "weather", "arguments": arguments}}
        for city, arguments in (("zurich", '{"city":"Zürich"}'), ("tokyo", '{"city":"東京"}'))
    ]
    asked: JsonObject = {"tools": [_WEATHER], "tool_choice": "auto"}
    return _answer("answer.tools", _post(asked), [_choice(finish="tool_calls", content=None, tool_calls=calls)])


def _call(**members: JsonValue) -> JsonObject:
    function: JsonObject = {"name": "weather", "arguments": '{"city":"Zürich"}'}
    return {**members, "id": "call_zurich", "type": "function", "function": function}


def _required_answer() -> Exchange:
    asked: JsonObject = {"tools": [_WEATHER], "tool_choice": "required", "parallel_tool_calls": False}
    choice = _choice(finish="tool_calls", content=None, tool_calls=[_call()])
    return _answer("answer.tool_required", _post(asked), [choice])


def _named_answer() -> Exchange:
    chosen: JsonObject = {"type": "function", "function": {"name": "weather"}}
    choice = _choice(finish="stop", content=None, tool_calls=[_call()])
    return _answer("answer.tool_named", _post({"tools": [_WEATHER], "tool_choice": chosen}), [choice])


def _uncalled_answer() -> Exchange:
    return _answer("answer.uncalled", _post({"tools": [_WEATHER], "tool_choice": "none"}), [_choice()])


_FUNCTIONS: JsonObject = {"functions": [{"name": "weather", "parameters": {"type": "object"}}]}


def _function_answer() -> Exchange:
    called: JsonObject = {"name": "weather", "arguments": '{"city":"Zürich"}'}
    choice = _choice(finish="function_call", content=None, function_call=called)
    return _answer("answer.function", _post({**_FUNCTIONS, "function_call": "auto"}), [choice])


def _named_function() -> Exchange:
    called: JsonObject = {"name": "weather", "arguments": "{}"}
    choice = _choice(finish="stop", content=None, function_call=called)
    return _answer("answer.function_named", _post({**_FUNCTIONS, "function_call": {"name": "weather"}}), [choice])


def _uncalled_function() -> Exchange:
    return _answer("answer.function_none", _post({**_FUNCTIONS, "function_call": "none"}), [_choice()])


def _token(text: str) -> JsonObject:
    ranked: JsonObject = {"token": text, "logprob": -0.25, "bytes": list[JsonValue](text.encode())}
    return {**ranked, "top_logprobs": [ranked, {"token": "?", "logprob": -2.5, "bytes": [63]}]}


def _logprobs_answer() -> Exchange:
    choice: JsonObject = {
        **_choice(content="Zürich"),
        "logprobs": {"content": [_token("Zü"), _token("rich")], "refusal": None},
    }
    return _answer("answer.logprobs", _post({"logprobs": True, "top_logprobs": 2}), [choice])


def _two_answers() -> Exchange:
    return _answer("answer.n2", _post({"n": 2}), [_choice(0), _choice(1)])


def _detailed_answer() -> Exchange:
    choice = _choice(refusal=None, tool_calls=None, function_call=None, annotations=[], audio=None)
    return _answer(
        "answer.details", _post({}), [choice],
        usage=_DETAILED, service_tier="default", system_fingerprint="fp_reference",
    )  # fmt: skip


def _refusal_answer() -> Exchange:
    choice: JsonObject = {
        **_choice(content=None, refusal="I cannot help with that."),
        "logprobs": {"content": None, "refusal": [_token("I"), _token(" cannot")]},
    }
    return _answer("answer.refusal", _post({"logprobs": True, "top_logprobs": 2}), [choice])


def _plain_stream() -> Exchange:
    return _stream("stream", _post({"stream": True}), _spoken())


_WITH_USAGE: JsonObject = {"stream": True, "stream_options": {"include_usage": True}}


def _usage_stream() -> Exchange:
    first = _delta(
        role="assistant",
        content="",
        refusal=None,
        tool_calls=None,
        function_call=None,
        annotations=[],
        audio=None,
    )
    always: JsonObject = {
        "service_tier": "default", "system_fingerprint": "fp_reference", "obfuscation": "k3", "usage": None,
    }  # fmt: skip
    chunks = [_told(first), *_spoken()[1:], _told(usage=_DETAILED)]
    return _stream("stream.usage", _post(_WITH_USAGE), [{**always, **chunk} for chunk in chunks])


def _tools_stream() -> Exchange:
    def begin(index: int) -> JsonObject:
        function: JsonObject = {"name": "weather", "arguments": ""}
        call: JsonObject = {"index": index, "id": f"call_{index}", "type": "function", "function": function}
        return _told(_delta(tool_calls=[call]))

    def go_on(index: int, piece: str) -> JsonObject:
        return _told(_delta(tool_calls=[{"index": index, "function": {"arguments": piece}}]))

    chunks = [
        _told(_delta(role="assistant", content=None)),
        begin(0), go_on(0, '{"city":'), go_on(0, '"Zürich"}'),
        begin(1), go_on(1, '{"city":'), go_on(1, '"東京"}'),
        _told(_delta(finish="tool_calls")),
    ]  # fmt: skip
    asked: JsonObject = {"stream": True, "tools": [_WEATHER], "tool_choice": "auto"}
    return _stream("stream.tools", _post(asked), chunks)


def _function_stream() -> Exchange:
    pieces: list[JsonObject] = [
        {"name": "weather", "arguments": ""},
        {"arguments": '{"city":'},
        {"arguments": '"東京"}'},
    ]
    calls = [_told(_delta(function_call=piece)) for piece in pieces]
    chunks = [_told(_delta(role="assistant", content=None)), *calls, _told(_delta(finish="function_call"))]
    return _stream("stream.function", _post({"stream": True, **_FUNCTIONS}), chunks)


def _allowed_stream() -> Exchange:
    allowed: JsonObject = {"mode": "required", "tools": [{"type": "function", "function": {"name": "weather"}}]}
    chosen: JsonObject = {"type": "allowed_tools", "allowed_tools": allowed}
    chunks = [
        _told(_delta(role="assistant", content=None)),
        _told(_delta(tool_calls=[_call(index=0)])),
        _told(_delta(finish="tool_calls")),
    ]  # fmt: skip
    asked: JsonObject = {"stream": True, "tools": [_WEATHER], "tool_choice": chosen}
    return _stream("stream.tool_allowed", _post(asked), chunks)


def _uncalled_stream() -> Exchange:
    return _stream("stream.uncalled", _post({"stream": True, "tools": [_WEATHER]}), _spoken())


def _two_streams() -> Exchange:
    chunks = [chunk for pair in zip(_spoken(0), _spoken(1), strict=True) for chunk in pair]
    return _stream("stream.n2", _post({"stream": True, "n": 2}), chunks)


def _logprobs_stream() -> Exchange:
    def piece(text: str) -> JsonObject:
        return _told({**_delta(content=text), "logprobs": {"content": [_token(text)], "refusal": None}})

    refused: JsonObject = {**_delta(content=""), "logprobs": {"content": None, "refusal": [_token("I")]}}
    chunks = [
        _told({**_delta(role="assistant", content=""), "logprobs": None}),
        piece("Zü"), piece("rich"), _told(refused), _told(_delta(finish="stop")),
    ]  # fmt: skip
    return _stream("stream.logprobs", _post({"stream": True, "logprobs": True, "top_logprobs": 2}), chunks)


_CITY: Final = '{"city":"Zürich","visitors":3}'
_SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "visitors": {"type": ["integer", "null"], "minimum": 0}},
    "required": ["city", "visitors"],
    "additionalProperties": False,
}


def _structured(*, strict: bool) -> JsonObject:
    wanted: JsonObject = {"name": "city", "schema": _SCHEMA, "strict": strict}
    return {"response_format": {"type": "json_schema", "json_schema": wanted}}


def _json_answer() -> Exchange:
    asked: JsonObject = {"response_format": {"type": "json_object"}}
    return _answer("answer.json", _post(asked), [_choice(content=_CITY)])


def _schema_answer() -> Exchange:
    asked: JsonObject = {**_structured(strict=True), "max_completion_tokens": 64}
    return _answer("answer.schema", _post(asked), [_choice(content=_CITY)])


def _schema_stream() -> Exchange:
    pieces: list[JsonObject] = [_told(_delta(content=piece)) for piece in ('{"city":', '"Zürich",', '"visitors":3}')]
    chunks = [_spoken()[0], *pieces, _spoken()[-1], _told(usage=_USAGE)]
    asked: JsonObject = {**_structured(strict=False), **_WITH_USAGE, "max_tokens": 64}
    return _stream("stream.schema", _post(asked), chunks)


def _long_stream() -> Exchange:
    pieces: list[JsonObject] = [_told(_delta(content=f"Zürich {number}, ")) for number in range(1, 61)]
    return _stream("stream.long", _post({"stream": True, "stop": ["###", "END"]}), [
        _spoken()[0], *pieces, _spoken()[-1],
    ])  # fmt: skip


def _malformed_error() -> Exchange:
    error: JsonObject = {
        "message": "The body is no JSON.", "type": "invalid_request_error", "param": None, "code": None,
    }  # fmt: skip
    request = replace(_post({}), body=b'{"model":"reference-1","messages":[')
    return _exchange("error.malformed", request, 400, _JSON, rewrite.as_json({"error": error}))


def _limit_error() -> Exchange:
    error: JsonObject = {
        "message": "Too many requests.", "type": "requests", "param": None, "code": "rate_limit_exceeded",
    }  # fmt: skip
    headers: Headers = (*_JSON, ("Retry-After", "20"))
    return _exchange("error.limit", _post({}), 429, headers, rewrite.as_json({"error": error}))


def _error() -> Exchange:
    error: JsonObject = {
        "message": "No such value.", "type": "invalid_request_error", "param": "messages", "code": "invalid_value",
    }  # fmt: skip
    return _exchange("error", _post({}), 400, _JSON, rewrite.as_json({"error": error}))


def _models() -> Exchange:
    rows: list[JsonValue] = [
        {"id": name, "object": "model", "created": CREATED, "owned_by": "reference"} for name in (MODEL, "reference-2")
    ]
    body = rewrite.as_json({"object": "list", "data": rows})
    return _exchange("models", Request("GET", f"{BASE_URL}/models"), 200, _JSON, body)


def _tooken_answer() -> Exchange:
    platform: JsonObject = {
        "routed_model": MODEL, "route_reason": "short-question", "credits_consumed": 0.25, "cost_saved_credits": 1.5,
    }  # fmt: skip
    asked: JsonObject = {"model": "auto", "stream": False, "max_tokens": 64}
    return _answer("tooken.answer", _post(asked), [_choice()], platform=platform)


def _tooken_stream() -> Exchange:
    return _stream("tooken.stream", _post({"model": "auto", "stream": True}), _spoken())


_CAPPED: JsonObject = {"max_tokens": 64, "max_completion_tokens": 16}
_TRACED: Headers = (("X-Trace-ID", "trace-1"),)


def _xmsmartlink_answer() -> Exchange:
    return _answer("xmsmartlink.answer", _post(_CAPPED, _TRACED), [_choice()])


def _xmsmartlink_stream() -> Exchange:
    chunks = [*_spoken(), _told(usage=_USAGE)]
    return _stream("xmsmartlink.stream", _post({**_WITH_USAGE, **_CAPPED}, _TRACED), chunks)


_MADE = (
    _plain_answer, _coded_answer, _tools_answer, _logprobs_answer, _two_answers, _detailed_answer, _refusal_answer,
    _plain_stream, _usage_stream, _tools_stream, _two_streams, _logprobs_stream, _error, _models,
    _json_answer, _schema_answer, _schema_stream, _long_stream, _malformed_error, _limit_error,
    _required_answer, _named_answer, _uncalled_answer, _allowed_stream, _uncalled_stream,
    _function_answer, _named_function, _uncalled_function, _function_stream,
    _tooken_answer, _tooken_stream, _xmsmartlink_answer, _xmsmartlink_stream,
)  # fmt: skip

GOOD: Final[Mapping[str, Exchange]] = MappingProxyType(
    {exchange.id: exchange for exchange in (make() for make in _MADE)}
)
"""Every good exchange by its id."""
