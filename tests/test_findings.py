"""What a finding says and where it points: the words in a report, the bytes of the body, the number of the event."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatconform.model import Exchange, Finding, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD, contract_of
from outcome_vectors import ruled

ANSWER, STREAM, TWO = GOOD["answer"], GOOD["stream"], GOOD["stream.n2"]
BLOCKS, CHUNKS = rewrite.events(STREAM), rewrite.messages(STREAM)
LINES = [block.decode() for block in BLOCKS]
TEXT = ("choices", 0, "message", "content")
SCORES = ("choices", 0, "logprobs")


def findings(exchange: Exchange, check: str) -> tuple[Finding, ...]:
    """Return the findings of a check under OpenAI's contract, or else under the document that promises it."""
    verdicts = ruled(exchange)
    return next(
        verdicts[key].findings
        for key in (f"openai/{check}", f"{contract_of(exchange)}/{check}")
        if key in verdicts
    )  # fmt: skip


def said(text: str, of: str = "answer") -> Exchange:
    """Return an answer with another text."""
    return rewrite.member(GOOD[of], 0, TEXT, text)


def pieces(*texts: str) -> Exchange:
    """Return the stream with these texts in the place of its own."""
    path = ("choices", 0, "delta", "content")
    return rewrite.with_messages(
        STREAM, [CHUNKS[0], *(rewrite.put(CHUNKS[1], path, text) for text in texts), CHUNKS[-1]]
    )


def body(text: bytes, of: str = "answer") -> Exchange:
    return rewrite.with_body(GOOD[of], text)


def blocks(*texts: bytes) -> Exchange:
    """Return the stream with other blocks."""
    return rewrite.with_events(STREAM, texts)


def with_member(text: bytes) -> Exchange:
    """Return the stream with a member written at the end of its third chunk."""
    return rewrite.replaced(STREAM, 2, BLOCKS[2].removesuffix(b"}") + b"," + text + b"}")


def waiting(value: str) -> Exchange:
    return rewrite.with_header(GOOD["error.limit"], "Retry-After", value)


def scored(value: JsonValue) -> Exchange:
    return rewrite.member(GOOD["answer.logprobs"], 0, SCORES, value)


def held_back(*times: int) -> Exchange:
    """Return the long stream in as many reads as there are times, each after the first of one byte."""
    stream = GOOD["stream.long"]
    response = rewrite.response_of(stream)
    counts = [len(response.body) - len(times) + 1, *[1] * (len(times) - 1)]
    return replace(stream, response=replace(response, reads=tuple(zip(times, counts, strict=True))))


def cut_gzip() -> Exchange:
    response = rewrite.response_of(GOOD["answer.gzip"])
    return replace(GOOD["answer.gzip"], response=replace(response, body=response.body[:-9]))


def called(of: str, name: str) -> Exchange:
    """Return an answer whose first call is of a tool of this name, in a request that declares it beside weather."""
    tools: list[JsonValue] = [{"type": "function", "function": {"name": each}} for each in ("weather", name)]
    path = ("choices", 0, "message", "tool_calls", 0, "function", "name")
    return rewrite.member(rewrite.asked(GOOD[of], tools=tools), 0, path, name)


def undeclared(name: str) -> Exchange:
    return rewrite.asked(called("answer.tools", name), tools=[{"type": "function", "function": {"name": "weather"}}])


def uncalled(tool_choice: JsonValue) -> Exchange:
    """Return an answer in text to a request that asks for a call."""
    return rewrite.asked(GOOD["answer.uncalled"], tool_choice=tool_choice)


def allowed_others() -> Exchange:
    """Return an answer that calls tides where tool_choice allows weather alone."""
    allowed: JsonObject = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]}
    chosen: JsonObject = {"type": "allowed_tools", "allowed_tools": allowed}
    return rewrite.asked(called("answer.tool_required", "tides"), tool_choice=chosen)


WEATHER: JsonObject = {"type": "function", "function": {"name": "weather"}}
CALL = ("choices", 0, "delta", "tool_calls", 0)


def streamed_without(member: str) -> Exchange:
    """Return the stream of one call without a member of that call."""
    return rewrite.no_member(GOOD["stream.tool_allowed"], 1, (*CALL, member))


def run_together() -> Exchange:
    """Return the stream of one call, with the arguments of another one behind its own."""
    stream = GOOD["stream.tool_allowed"]
    first, call, last = rewrite.messages(stream)
    path = (*CALL, "function", "arguments")
    other = rewrite.put(call, CALL, {"index": 0, "function": {"arguments": '{"city":"Bern"}'}})
    return rewrite.with_messages(stream, [first, rewrite.put(call, path, "{}"), other, last])


def named_late() -> Exchange:
    """Return the stream of one call, with the name of a tool that nobody declared in the second delta of the call."""
    stream = GOOD["stream.tool_allowed"]
    first, call, last = rewrite.messages(stream)
    named = rewrite.put(call, CALL, {"index": 0, "function": {"name": "tides"}})
    return rewrite.with_messages(stream, [first, rewrite.without(call, (*CALL, "function", "name")), named, last])


ERROR: JsonObject = {"message": "x"}
SAYS: dict[tuple[str, str], tuple[Exchange, str]] = {
    ("http.body.complete", "cut"): (
        replace(ANSWER, end="truncated"), "289 bytes, and then the exchange ended as: truncated",
    ),
    ("http.body.present", "blank"): (body(b" \n"), "an empty body"),
    ("http.status.error", "200"): (rewrite.member(ANSWER, 0, ("error",), ERROR), "status 200 with an error"),
    ("http.charset.utf8", "latin"): (
        rewrite.with_header(STREAM, "Content-Type", "text/event-stream; charset=latin1"), "charset=latin1",
    ),
    ("envelope.id.present", "none"): (rewrite.no_member(ANSWER, 0, ("id",)), "nothing"),
    ("envelope.id.type", "number"): (rewrite.member(ANSWER, 0, ("id",), 7), "7"),
    ("envelope.model.type", "null"): (rewrite.member(ANSWER, 0, ("model",), None), "null"),
    ("sse.stream.events", "sentinel"): (blocks(rewrite.DONE), "[DONE] and nothing else"),
    ("sse.event.separated", "two"): (
        blocks(BLOCKS[0], BLOCKS[1] + b"\n" + BLOCKS[2], *BLOCKS[3:]), "2 events in one block",
    ),
    ("sse.bom.absent", "lost"): (
        body(b"\xef\xbb\xbf" + rewrite.body_of(STREAM), "stream"), "EF BB BF; openai-python loses 1 of the events",
    ),
    ("sse.bom.absent", "comment"): (body(b"\xef\xbb\xbf: hi\n" + rewrite.body_of(STREAM), "stream"), "EF BB BF"),
    ("sse.block.data", "event"): (
        rewrite.inserted(STREAM, 0, b"event: ping"), "only event; openai-python raises JSONDecodeError at byte 12",
    ),
    ("sse.id.blank", "comment"): (
        blocks(b"id: 1\n" + BLOCKS[0], b": a", *BLOCKS[1:]),
        f"a blank line that ends no event; openai-python raises JSONDecodeError at byte {len(BLOCKS[0]) + 12}",
    ),
    ("sse.done.exact", "case"): (blocks(*BLOCKS[:-1], b"data: [done]"), "'[done]'"),
    ("json.body.valid", "text"): (body(b"[7, x]"), "Expecting value at byte 4"),
    ("json.body.object", "null"): (body(b"null"), "null"),
    ("json.body.object", "boolean"): (body(b"true"), "true or false"),
    ("json.body.object", "number"): (body(b"7"), "a number"),
    ("json.body.object", "string"): (body(b'"{}"'), "a string"),
    ("json.body.object", "array"): (body(b"[1]"), "an array"),
    ("json.keys.unique", "model"): (with_member(b'"model":"x"'), "model more than once"),
    ("stream.choices.order", "second"): (
        rewrite.with_messages(TWO, [*rewrite.messages(TWO)[1::2], *rewrite.messages(TWO)[::2]]),
        "choice 0 after choice 1",
    ),
    ("stream.content.incremental", "long"): (
        pieces("a" * 41, "a" * 41 + "b" * 30, "a" * 41 + "b" * 30 + "c"), f"'{'a' * 40}', then '{'a' * 41 + 'b' * 19}'",
    ),
    ("sse.delivery.progressive", "one"): (held_back(500_000), "all 63 events at 0.500 s"),
    ("sse.delivery.progressive", "two"): (held_back(500_000, 505_000), "all 63 events at 0.500 s and 0.505 s"),
    ("message.content.thoughts", "long"): (said(f"<think>{'x' * 80}"), f"<think>{'x' * 73}"),
    ("message.content.markers", "end"): (said(f"{'y' * 40}<|im_end|>"), f"…{'y' * 30}<|im_end|>"),
    ("message.content.markers", "start"): (said(f"<|im_start|>{'y' * 40}"), f"<|im_start|>{'y' * 28}…"),
    ("message.content.characters", "long"): (
        said(f"{'a' * 40}\ufffd{'b' * 40}"), f"…{'a' * 30}\ufffd{'b' * 29}…",
    ),
    ("message.content.characters", "short"): (said("a\ufffdb"), "…a\ufffdb…"),
    ("structured.content.unfenced", "long"): (
        said(f'```json\n{{"city":"{"z" * 40}"}}\n```', "answer.json"), f'```json\n{{"city":"{"z" * 23}',
    ),
    ("structured.content.whole", "long"): (
        said(f'{{"city":"a{"z" * 40}', "answer.json"), f"…{'z' * 40}",
    ),
    ("structured.content.json", "long"): (said("No, " + "z" * 40, "answer.json"), f"No, {'z' * 36}"),
    ("structured.schema.strict", "whole"): (said("[1]", "answer.schema"), "the whole text: [1]"),
    ("parameters.stop.absent", "long"): (rewrite.asked(said(f"END{'y' * 40}"), stop="END"), f"…{'y' * 40}"),
    ("logprobs.content.present", "none"): (rewrite.no_member(GOOD["answer.logprobs"], 0, SCORES), "no logprobs"),
    ("logprobs.content.present", "legacy"): (scored({"tokens": [], "x": 1}), "logprobs with tokens, x"),
    ("logprobs.content.present", "empty"): (scored({}), "logprobs with nothing in it"),
    ("tools.name.declared", "other"): (undeclared("tides"), '"tides"'),
    ("tools.choice.named", "other"): (called("answer.tool_named", "tides"), '"tides"'),
    ("tools.choice.named", "none"): (uncalled(WEATHER), "no tool call"),
    ("tools.choice.required", "none"): (uncalled("required"), "no tool call"),
    ("tools.choice.allowed", "other"): (allowed_others(), '"tides"'),
    ("tools.choice.none", "one"): (
        rewrite.asked(GOOD["answer.tool_required"], tool_choice="none"), "a call of weather",
    ),
    ("tools.calls.single", "two"): (
        rewrite.asked(GOOD["answer.tools"], parallel_tool_calls=False), "a call of weather as well",
    ),
    ("tools.id.streamed", "none"): (streamed_without("id"), "no id in any delta of the call"),
    ("tools.type.streamed", "none"): (streamed_without("type"), "no type in any delta of the call"),
    ("errors.body.json", "text"): (body(b"No.", "error"), "No."),
    ("errors.body.json", "long"): (body(b"N" + b"o" * 200, "error"), f"N{'o' * 159}"),
    ("errors.body.json", "empty"): (body(b"", "error"), "an empty body"),
    ("errors.retry_after.value", "long"): (waiting("x" * 81), "x" * 80),
    ("errors.retry_after.value", "empty"): (waiting(""), "an empty value"),
    ("errors.retry_after.value", "far"): (waiting(" 1795176020 "), "1795176020 seconds"),
}  # fmt: skip
"""A check and what is found: the exchange, and what its only finding says that it got."""


@pytest.mark.parametrize("check, case", SAYS)
def test_a_finding_says_what_came(check: str, case: str) -> None:
    exchange, got = SAYS[check, case]
    assert [got] == [finding.got for finding in findings(exchange, check)]


SHOWS: dict[tuple[str, str], tuple[Exchange, str, int | None]] = {
    ("http.body.complete", "cut"): (replace(ANSWER, end="truncated"), "", None),
    ("http.content_encoding.decodes", "cut"): (cut_gzip(), rewrite.body_of(cut_gzip()).decode(), None),
    ("http.body.present", "blank"): (body(b" \n"), " \n", None),
    ("http.answer.single", "stream"): (body(b"data: {}\n\n"), "data: {}\n\n", None),
    ("sse.stream.events", "text"): (body(b"Bad gateway", "stream"), "Bad gateway", None),
    ("sse.stream.events", "sentinel"): (blocks(rewrite.DONE), "[DONE]", None),
    ("sse.event.separated", "two"): (
        blocks(BLOCKS[0], BLOCKS[1] + b"\n" + BLOCKS[2], *BLOCKS[3:]),
        f"{LINES[1].removeprefix('data: ')}\n{LINES[2]}", 2,
    ),
    ("sse.event.separated", "three"): (
        blocks(b"\n".join(BLOCKS[:3]), *BLOCKS[3:]),
        f"{LINES[0].removeprefix('data: ')}\n{LINES[1]}\n{LINES[2]}", 1,
    ),
    ("sse.tail.chunk", "cut"): (body(BLOCKS[0] + b"\n\n" + BLOCKS[1], "stream"), LINES[1], None),
    ("sse.tail.done", "cut"): (body(b"\n\n".join(BLOCKS), "stream"), "data: [DONE]", None),
    ("sse.data.nonempty", "third"): (rewrite.inserted(STREAM, 2, b"data:"), "data:\n\n", 3),
    ("sse.bom.absent", "first"): (body(b"\xef\xbb\xbf" + rewrite.body_of(STREAM), "stream"), "\ufeff", None),
    ("sse.block.data", "third"): (rewrite.inserted(STREAM, 2, b"event: ping"), "event: ping\n\n", None),
    ("sse.id.blank", "third"): (blocks(BLOCKS[0] + b"\nid: 1", b": a", *BLOCKS[1:]), "\n", None),
    ("sse.done.present", "end"): (blocks(*BLOCKS[:-1]), "", None),
    ("sse.done.once", "second"): (blocks(*BLOCKS, rewrite.DONE), "[DONE]", 7),
    ("sse.done.last", "chunk"): (blocks(*BLOCKS, BLOCKS[1]), LINES[1].removeprefix("data: "), 7),
    ("json.body.valid", "long"): (body(b"[" + b"x" * 60), "x" * 40, None),
    ("json.body.valid", "short"): (body(b"[7, x]"), "x]", None),
    ("json.payload.valid", "third"): (rewrite.replaced(STREAM, 2, b"data: {'a': 7}"), "'a': 7}", 3),
    ("json.constants.absent", "nothing else"): (body(b"NaN "), "NaN", None),
    ("json.keys.unique", "escaped"): (body(b'{"a":1,"\\u0061":2}'), '"a"', None),
    ("json.keys.unique", "twice escaped"): (
        body(b'{"\\u0061":1,"\\u0061":2}'), '{"\\u0061":1,"\\u0061":2}', None,
    ),
    ("json.constants.absent", "third"): (with_member(b'"x":NaN'), "NaN", 3),
    ("json.keys.unique", "third"): (with_member(b'"model":"x"'), '"model"', 3),
    ("json.bom.absent", "first"): (body(b"\xef\xbb\xbf" + rewrite.body_of(ANSWER)), "\ufeff", None),
    ("json.body.object", "array"): (body(b"[1]"), "[1]", None),
    ("stream.error", "field"): (rewrite.inserted(STREAM, 2, b"error: x"), "error: x", None),
    ("choices.finish_reason.present", "stream"): (
        blocks(*BLOCKS[:-2], rewrite.DONE), LINES[-3].removeprefix("data: "), 4,
    ),
    ("choices.finish_reason.present", "answer"): (
        rewrite.member(body(b'{"object":"chat.completion","choices":[{"index":0}]}'), 0, ("id",), "x"),
        '{"index":0}', None,
    ),
    ("choices.count.n", "none in the first"): (
        rewrite.with_messages(rewrite.asked(STREAM, n=2), [{**CHUNKS[0], "choices": []}, *CHUNKS[1:]]),
        rewrite.as_json(CHUNKS[1]["choices"]).decode(), 2,
    ),
    ("tools.name.declared", "other"): (undeclared("tides"), '"tides"', None),
    ("tools.choice.named", "other"): (called("answer.tool_named", "tides"), '"tides"', None),
    ("tools.choice.named", "none"): (uncalled(WEATHER), '"stop"', None),
    ("tools.choice.required", "none"): (uncalled("required"), '"stop"', None),
    ("tools.choice.allowed", "other"): (allowed_others(), '"tides"', None),
    ("tools.name.declared", "late"): (named_late(), '"tides"', 3),
    ("tools.index.contiguous", "one"): (
        rewrite.member(GOOD["stream.tool_allowed"], 1, (*CALL, "index"), 1), "1", 2,
    ),
    ("tools.id.once", "two"): (
        rewrite.member(GOOD["stream.tools"], 2, (*CALL, "id"), "call_0"), '"call_0"', 3,
    ),
    ("tools.index.distinct", "arguments"): (run_together(), '"{}"', 2),
    ("tools.index.distinct", "two"): (
        rewrite.member(GOOD["stream.tools"], 2, (*CALL, "id"), "call_9"), '"call_9"', 3,
    ),
    ("errors.body.json", "text"): (body(b"No.", "error"), "No.", None),
    ("extensions.trace_id.accepted", "refused"): (
        rewrite.with_status(body(b'{"error":"trace"}', "xmsmartlink.answer"), 400), '{"error":"trace"}', None,
    ),
    ("usage.stream.requested", "end"): (
        rewrite.with_messages(GOOD["stream.usage"], rewrite.messages(GOOD["stream.usage"])[:-1]), "", None,
    ),
    ("sse.delivery.progressive", "end"): (held_back(500_000), "", None),
}  # fmt: skip
"""A check and what is found: the exchange, the bytes at which its only finding points, and the event's number."""


@pytest.mark.parametrize("check, case", SHOWS)
def test_a_finding_points_at_the_bytes_and_at_the_event(check: str, case: str) -> None:
    exchange, text, event = SHOWS[check, case]
    whole = rewrite.body_of(exchange)
    pointed = [(whole[slice(*finding.bytes or ())].decode(), finding.event) for finding in findings(exchange, check)]
    assert [(text, event)] == pointed


ENDS = ("http.body.complete", "sse.done.present", "usage.stream.requested", "sse.delivery.progressive")


@pytest.mark.parametrize("check, case", [key for key in SHOWS if key[0] in ENDS])
def test_what_is_missing_is_missing_at_the_end_of_the_body(check: str, case: str) -> None:
    exchange, _, _ = SHOWS[check, case]
    end = len(rewrite.body_of(exchange))
    assert [(end, end)] == [finding.bytes for finding in findings(exchange, check)]


WANTS: dict[tuple[str, str], tuple[Exchange, str]] = {
    ("structured.content.json", "object"): (said("No.", "answer.json"), "a JSON object"),
    ("structured.content.json", "schema"): (said("No.", "answer.schema"), "JSON"),
    ("tools.name.declared", "one"): (undeclared("tides"), "one of weather"),
    ("tools.choice.named", "none"): (uncalled(WEATHER), "a call of weather"),
    ("tools.choice.named", "other"): (called("answer.tool_named", "tides"), "weather, which tool_choice names"),
    ("choices.count.n", "two"): (rewrite.asked(ANSWER, n=2), "2 choices"),
    ("choices.index.contiguous", "one"): (
        rewrite.member(ANSWER, 0, ("choices", 0, "index"), 1), "an index from 0 to 0",
    ),
    ("usage.total.sum", "more"): (rewrite.member(ANSWER, 0, ("usage", "total_tokens"), 22), "12 + 9 = 21"),
    ("usage.cached_tokens.bounded", "more"): (
        rewrite.member(GOOD["answer.details"], 0, ("usage", "prompt_tokens_details", "cached_tokens"), 13),
        "at most 12, the prompt_tokens",
    ),
    ("usage.reasoning_tokens.bounded", "more"): (
        rewrite.member(GOOD["answer.details"], 0, ("usage", "completion_tokens_details", "reasoning_tokens"), 10),
        "at most 9, the completion_tokens",
    ),
    ("parameters.cap.kept", "two"): (rewrite.asked(GOOD["answer.n2"], max_tokens=2, n=2), "at most 4"),
    ("envelope.created.seconds", "none"): (
        rewrite.member(replace(ANSWER, recorded_at=None), 0, ("created",), 1), "from 1000000000 to 9999999999",
    ),
    ("usage.cap.precedence", "two"): (
        rewrite.asked(GOOD["answer.n2"], max_tokens=64, max_completion_tokens=4, n=2), "at most 8",
    ),
    ("errors.retry_after.value", "far"): (waiting("2678401"), "at most 2678400 seconds"),
    ("errors.code.quota", "soon"): (
        rewrite.member(GOOD["error.limit"], 0, ("error", "code"), "insufficient_quota"),
        "rate_limit_exceeded, as Retry-After says 20 seconds",
    ),
}  # fmt: skip
"""A check and what is found: the exchange, and what its only finding says that was wanted."""


@pytest.mark.parametrize("check, case", WANTS)
def test_a_finding_says_what_was_wanted(check: str, case: str) -> None:
    exchange, want = WANTS[check, case]
    assert [want] == [finding.want for finding in findings(exchange, check)]
