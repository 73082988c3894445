"""Tool calls: what the fold puts together from deltas, what their arguments are, and what is left alone."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform.judging import judge
from chatconform.model import Exchange, Origin, Outcome, Request, Response
from chatconform.reference import rewrite
from chatconform.reference.faults import all_faults
from chatconform.reference.good import GOOD
from chatconform.wire import arguments, sse, strict_json, transcript
from chatconform.wire.arguments import Arguments
from chatconform.wire.fold import Facts, ToolCall, fold

HEAD: dict[str, Any] = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m"}
ASKED: dict[str, Any] = {"model": "m", "messages": [], "stream": True}
WEATHER = {"type": "function", "function": {"name": "weather"}}


def chunk(*calls: Any, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    said = {"tool_calls": list(calls), **delta} if calls else delta
    return {**HEAD, "choices": [{"index": 0, "delta": said, "finish_reason": finish}]}


def delta(index: Any = 0, arguments: Any = None, **members: Any) -> dict[str, Any]:
    function = {key: members.pop(key) for key in ("name",) if key in members}
    if arguments is not None:
        function["arguments"] = arguments
    return {"index": index, **members, "function": function}


def streamed(*chunks: Any, ascii_only: bool = False, **asked: Any) -> Exchange:
    body = b"".join(b"data: " + json.dumps(each, ensure_ascii=ascii_only).encode() + b"\n\n" for each in chunks)
    request = Request("POST", "", (), {**ASKED, **asked})
    response = Response(200, (("Content-Type", "text/event-stream"),), body + b"data: [DONE]\n\n")
    return Exchange("x", "p", request, response, origin=Origin.REFERENCE)


def folded(*chunks: Any) -> dict[int, ToolCall]:
    return transcript.read(streamed(*chunks)).facts.choices[0].tool_calls


def fails(exchange: Exchange) -> set[str]:
    return {each.check for each in judge([exchange]) if each.outcome in (Outcome.FAIL, Outcome.ERROR)}


BEGIN = delta(id="call_0", type="function", name="weather", arguments="")


def test_a_call_is_put_together_from_its_deltas() -> None:
    (call,) = folded(chunk(BEGIN), chunk(delta(arguments='{"a":')), chunk(delta(arguments="1}"))).values()

    assert (0, "call_0", "function", "weather", '{"a":1}') == (
        call.index,
        call.id,
        call.type,
        call.name,
        call.arguments,
    )


def test_every_id_and_name_is_kept_with_its_place() -> None:
    (call,) = folded(chunk(BEGIN), chunk(delta(id="call_0", name="weather", arguments="{}"))).values()

    path = ("choices", 0, "delta", "tool_calls", 0)
    assert [(0, (*path, "id")), (1, (*path, "id"))] == [(seen.where.payload, seen.where.path) for seen in call.ids]
    assert [(*path, "function", "name")] * 2 == [seen.where.path for seen in call.names]


def test_what_is_empty_after_the_first_is_a_blank() -> None:
    (call,) = folded(chunk(BEGIN), chunk(delta(id="", name="", arguments="{}"))).values()

    assert ["id", "name"] == [where.path[-1] for where in call.blanks]


def test_what_is_empty_before_the_first_is_no_blank() -> None:
    (call,) = folded(chunk(delta(id="", name="")), chunk(BEGIN)).values()

    assert ([], "call_0") == (call.blanks, call.id)


def test_arguments_begin_with_the_first_piece_that_is_not_empty() -> None:
    (call,) = folded(chunk(BEGIN), chunk(delta(arguments="{}"))).values()

    assert call.began is not None
    assert 1 == call.began.payload


def test_a_message_numbers_its_calls_by_position_whatever_their_index() -> None:
    answer = rewrite.member(GOOD["answer.tools"], 0, ("choices", 0, "message", "tool_calls", 1, "index"), 0)

    assert [0, 1] == list(transcript.read(answer).facts.choices[0].tool_calls)


def test_the_input_of_a_custom_tool_is_its_arguments() -> None:
    call = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "note", "input": "half {"}}
    (found,) = folded(chunk(call)).values()

    assert (True, "note", "half {") == (found.is_custom, found.name, found.arguments)


def test_a_legacy_function_call_is_no_tool_call_and_no_finding() -> None:
    legacy: list[dict[str, Any]] = [{"name": "weather", "arguments": ""}, {"arguments": '{"a"'}, {"arguments": ":1}"}]
    chunks = [chunk(role="assistant", content=None), *(chunk(function_call=each) for each in legacy)]
    exchange = streamed(*chunks, chunk(finish="function_call"), functions=[{"name": "weather"}])
    findings = {check for check in fails(exchange) if check.startswith(("tools.", "choices.", "message."))}

    assert {} == transcript.read(exchange).facts.choices[0].tool_calls
    assert set() == findings


def function_called(*pieces: dict[str, Any]) -> ToolCall | None:
    chunks = (chunk(function_call=each) for each in pieces)
    return transcript.read(streamed(*chunks)).facts.choices[0].function_call


def test_a_function_call_is_put_together_from_its_deltas() -> None:
    call = function_called({"name": "weather", "arguments": ""}, {"arguments": '{"a":'}, {"arguments": "1}"})

    assert call is not None
    assert ("weather", '{"a":1}', 1) == (call.name, call.arguments, call.began.payload if call.began else None)


def test_every_name_of_a_function_call_is_kept_with_its_place() -> None:
    call = function_called({"name": "weather"}, {"name": ""}, {"name": "weather"})

    path = ("choices", 0, "delta", "function_call", "name")
    assert call is not None
    assert [(0, path), (2, path)] == [(seen.where.payload, seen.where.path) for seen in call.names]


@pytest.mark.parametrize("pieces", [[], [{}, {"name": 7, "arguments": {}}]])
def test_what_is_no_text_is_no_part_of_a_function_call(pieces: list[dict[str, Any]]) -> None:
    call = function_called({}, *pieces)

    assert call is not None
    assert ([], []) == (call.names, call.pieces)


@pytest.mark.parametrize("nothing", [None, "weather", []])
def test_what_is_no_object_is_no_function_call(nothing: Any) -> None:
    assert function_called(nothing) is None


@pytest.mark.parametrize(
    "pieces, expected",
    [
        ([], Arguments.NONE),
        (["", " \n"], Arguments.NONE),
        (["{}"], Arguments.OBJECT),
        (['{"a":', "1}", "\n"], Arguments.OBJECT),
        (['{"a":"\ud83d', '\ude42"}'], Arguments.OBJECT),
        (["null"], Arguments.VALUE),
        (['"{}"'], Arguments.VALUE),
        (["[" * 65], Arguments.UNREAD),
        (['{"a":' + "1" * 5000 + "}"], Arguments.UNREAD),
        (['{"a":', '{"a":1}'], Arguments.CUMULATIVE),
        (["{}", "", "{}"], Arguments.CUMULATIVE),
        (['{"a":1}', '{"b":', "2}"], Arguments.SEVERAL),
        (['{"a":1}', '\n{"b":2}'], Arguments.BROKEN),
        (['{"a":1}{"b":2}'], Arguments.BROKEN),
        (['{"a":1}', "3"], Arguments.BROKEN),
        (['{"a":'], Arguments.BROKEN),
        (["<string>"], Arguments.BROKEN),
    ],
)
def test_what_arguments_are(pieces: list[str], expected: Arguments) -> None:
    assert expected is arguments.read(pieces)


def test_arguments_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    (call,) = folded(chunk(BEGIN), chunk(delta(arguments="{}"))).values()
    first = call.reading
    monkeypatch.setattr(arguments, "read", lambda _pieces: Arguments.BROKEN)

    assert (Arguments.OBJECT, Arguments.OBJECT) == (first, call.reading)


PIECES = st.sampled_from(["", "{", '{"a":', '"', "1}", "世", "\\n", "\n", "x"])
CALLS = st.builds(
    lambda index, piece, members, name: {
        "index": index,
        **members,
        "function": {**name, **({} if piece is None else {"arguments": piece})},
    },
    st.sampled_from([0, 0, 0, 1, None, "0", True]),
    st.none() | PIECES,
    st.sampled_from(
        [{}, {}, {}, {"id": "c"}, {"id": ""}, {"id": None}, {"type": "function"}, {"id": None, "type": ""}]
    ),
    st.sampled_from([{}, {}, {}, {"name": "f"}, {"name": ""}, {"name": None}]),
)
DELTAS = st.one_of(
    CALLS.map(chunk),
    st.lists(CALLS, min_size=2, max_size=2).map(lambda calls: chunk(*calls)),
    st.builds(lambda call, text: chunk(call, content=text), CALLS, st.sampled_from(["", None, "a"])),
    st.sampled_from([chunk(finish="tool_calls"), chunk(content="a"), chunk(content="b")]),
)


@settings(max_examples=400)
@given(st.lists(DELTAS, max_size=14).map(lambda chunks: [each for each in chunks for _ in (0, 1)]), st.booleans())
def test_reuse_puts_calls_together_as_parsing_does(chunks: list[dict[str, Any]], ascii_only: bool) -> None:
    exchange = streamed(*chunks, ascii_only=ascii_only)

    assert comes_to(parsed_one_by_one(exchange)) == comes_to(transcript.read(exchange).facts)


def test_a_long_call_is_put_together_alike_and_read_by_reuse(monkeypatch: pytest.MonkeyPatch) -> None:
    pieces = ['{"text":"', *(f"word{number} " for number in range(200)), '\\"', '"}']
    exchange = streamed(chunk(BEGIN), *(chunk(delta(arguments=piece)) for piece in pieces))
    expected = comes_to(parsed_one_by_one(exchange))
    parsed: list[bytes] = []
    parse = strict_json.parse
    monkeypatch.setattr(strict_json, "parse", lambda data: (parsed.append(data), parse(data))[1])

    assert expected == comes_to(transcript.read(exchange).facts)
    assert len(parsed) < 8


def parsed_one_by_one(exchange: Exchange) -> Facts:
    payloads = [strict_json.parse(event.data).object for event in sse.decode(rewrite.body_of(exchange)).events]
    return fold([(number, payload) for number, payload in enumerate(payloads) if payload is not None], "delta")


def comes_to(facts: Facts) -> object:
    """Return what facts say, whether the chunks of one structure are gathered or not."""
    choices = {index: replace(choice, content=["".join(choice.content)]) for index, choice in facts.choices.items()}
    return sum(group.count for group in facts.groups), replace(facts, groups=[], choices=choices)


MEMBERS = ("index", "id", "type", "function", "name", "arguments", "custom", "input", "tool_calls", "function_call")
ODD = st.recursive(
    st.sampled_from([None, True, 0, -1, 1.5, "", "x", "function"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(MEMBERS), inner, max_size=4),
    max_leaves=8,
)


@settings(max_examples=300)
@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), ODD, max_size=3), max_size=4), ODD, ODD)
def test_nothing_odd_is_an_error_of_the_suite(deltas: list[dict[str, Any]], tools: Any, tool_choice: Any) -> None:
    chunks = [chunk(role="assistant"), *(chunk(**each) for each in deltas), chunk(finish="tool_calls")]
    asked = {"tools": tools or [WEATHER], "tool_choice": tool_choice, "parallel_tool_calls": False}
    outcomes = {each.outcome for each in judge([streamed(*chunks, **asked)])}

    assert Outcome.ERROR not in outcomes


@pytest.mark.parametrize(
    "tools, name, is_found",
    [
        ([WEATHER], "weather", False),
        ([WEATHER], "Weather", True),
        ([{"type": "custom", "custom": {"name": "weather"}}], "weather", False),
        ([{"type": "function", "name": "weather"}], "weather", False),
        ([WEATHER, {"type": "mcp", "name": "weather"}], "other", False),
        ([WEATHER, {"type": "web_search"}], "other", False),
    ],
)
def test_a_name_is_held_against_the_declared_ones(tools: list[Any], name: str, is_found: bool) -> None:
    calls = chunk(delta(id="call_0", type="function", name=name, arguments="{}"), role="assistant", content=None)
    found = fails(streamed(calls, chunk(finish="tool_calls"), tools=tools))

    assert ({"tools.name.declared"} if is_found else set()) == found


def test_two_names_at_one_index_are_two_calls_only_where_both_are_declared() -> None:
    split = [chunk(delta(id="c", type="function", name=name, arguments="{}"), role="assistant") for name in ("a", "b")]
    both = [{"type": "function", "function": {"name": name}} for name in ("a", "b")]
    whole = [{"type": "function", "function": {"name": "ab"}}]

    assert "tools.index.distinct" in fails(streamed(*split, chunk(finish="tool_calls"), tools=both))
    assert "tools.name.whole" in fails(streamed(*split, chunk(finish="tool_calls"), tools=whole))


def test_ids_that_a_recorder_masked_are_no_finding() -> None:
    calls = ("choices", 0, "message", "tool_calls")
    masked = [rewrite.member(GOOD["answer.tools"], 0, (*calls, 0, "id"), "call_REDACTED")]
    masked = [rewrite.member(each, 0, (*calls, 1, "id"), "call_REDACTED") for each in masked]
    outcomes = {
        (str(origin), each.outcome)
        for origin in (Origin.IMPORTED, Origin.LIVE)
        for each in judge([replace(masked[0], origin=origin)])
        if each.check == "tools.id.unique"
    }

    assert {("imported", Outcome.UNPROVEN), ("live", Outcome.FAIL)} == outcomes


@pytest.mark.parametrize(
    "text, is_found",
    [
        ('<tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>', True),
        ('Let me look.\n  <function=weather>{"city": "Zürich"}</function>', True),
        ("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>weather", True),
        ("Models write <tool_call>weather to call a tool.", False),
        ("<tool_call> opens a call.", False),
        ("```\n<tool_call>weather\n```", False),
        ("<tool_call>" + " " * 193 + "weather", True),
        ("<tool_call>" + " " * 194 + "weather", False),
        ('<tool_call>\n{"name": "wea', True),
        ('<tool_call>\n{"name": "sunshine', False),
        ('<tool_call>\n{"name": "', False),
        ('Models write <tool_call> and "name": "wea', False),
        ('<tool_call>\n{"name": "' + " " * 175 + "wea", False),
        ("The weather is fine.", False),
    ],
)
def test_markup_is_found_where_it_is_a_call(text: str, is_found: bool) -> None:
    chunks = [chunk(role="assistant", content=""), *(chunk(content=each) for each in text), chunk(finish="stop")]

    assert ({"tools.markup.absent"} if is_found else set()) == fails(streamed(*chunks, tools=[WEATHER]))


@pytest.mark.parametrize(
    "tool_choice, expected",
    [
        ("auto", set()),
        ("required", {"tools.choice.required"}),
        ({"type": "function", "function": {"name": "weather"}}, {"tools.choice.named"}),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [WEATHER]}}, set()),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required"}}, {"tools.choice.required"}),
        ({"type": "allowed_tools", "mode": "required", "tools": [WEATHER]}, {"tools.choice.required"}),
        ({"type": "any"}, set()),
        ({"type": "tool", "name": "weather"}, set()),
        ("any", set()),
        ("none", set()),
        (None, set()),
    ],
)
def test_text_is_held_against_tool_choice(tool_choice: Any, expected: set[str]) -> None:
    chunks = [chunk(role="assistant", content="Sunny."), chunk(finish="stop")]

    assert expected == fails(streamed(*chunks, tools=[WEATHER], tool_choice=tool_choice))


COUNTS = {
    ("stream.tools", "tools.index.contiguous"): 2,
    ("stream.tools", "tools.index.distinct"): 2,
    ("stream.tools", "tools.id.unique"): 2,
    ("stream.tools", "tools.name.before_arguments"): 2,
    ("stream.tools", "tools.arguments.json"): 2,
    ("stream.tool_allowed", "tools.choice.required"): 1,
    ("stream.tool_allowed", "tools.choice.allowed"): 1,
    ("stream.uncalled", "tools.markup.absent"): 1,
    ("answer.tools", "tools.name.declared"): 2,
    ("answer.tools", "tools.arguments.object"): 2,
    ("answer.tool_required", "tools.calls.single"): 1,
    ("answer.tool_named", "tools.choice.named"): 1,
    ("answer.uncalled", "tools.choice.none"): 1,
}
"""How many targets a check finds in a good exchange, counted by hand."""


@pytest.mark.parametrize("name, check", COUNTS)
def test_a_pass_says_how_many_calls_or_choices_it_examined(name: str, check: str) -> None:
    examined = {each.check: each.examined for each in judge([GOOD[name]])}

    assert COUNTS[name, check] == examined[check]


@pytest.mark.parametrize("name", ["answer", "stream", "stream.usage"])
def test_a_request_without_tools_has_no_verdict_on_calls(name: str) -> None:
    assert set() == {each.check for each in judge([GOOD[name]]) if each.check.startswith("tools.")}


def test_calls_that_nobody_asked_for_are_judged_all_the_same():
    fault = all_faults()["tools.name.repeated"]
    broken = fault.breaks(GOOD[fault.of])
    asked = {key: value for key, value in broken.request.body.items() if not key.startswith("tool")}
    unasked = replace(broken, request=replace(broken.request, body=asked))

    assert {verdict.check for verdict in judge([unasked]) if verdict.findings} == {"tools.name.once"}
