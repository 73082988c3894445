"""Edges: the last value that passes beside the first that does not, and why there is nothing to judge."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest

from chatconform.model import Exchange, JsonObject, JsonValue, Origin, Outcome
from chatconform.reference import rewrite
from chatconform.reference.good import CREATED, GOOD, contract_of
from chatconform.wire.media import MAX_DECODED
from chatconform.wire.strict_json import MAX_DEPTH
from chatconform.wire.structured import MAX_TEXT
from outcome_vectors import ruled, word

ANSWER, STREAM, TOOLS = GOOD["answer"], GOOD["stream"], GOOD["stream.tools"]
LIMITED, MALFORMED, TRACED = GOOD["error.limit"], GOOD["error.malformed"], GOOD["xmsmartlink.answer"]
CHUNKS = rewrite.messages(STREAM)
DAY = 86_400

PASS, FAIL = "pass", "fail"
OTHER_BRANCH, REFUSED = "not-applicable: other-branch", "not-applicable: refused-typed"
NOTHING, BUDGET = "unproven: nothing-to-examine", "unproven: budget"
RATE_LIMITED, NETWORK, RECORDER = "unproven: rate-limited", "unproven: network", "unproven: recorder"


def outcome(exchange: Exchange, check: str) -> str:
    """Return what a check came to under OpenAI's contract, or else under the document that promises it."""
    verdicts = ruled(exchange)
    keys = (f"openai/{check}", f"{contract_of(exchange)}/{check}")
    return next(word(verdicts[key]) for key in keys if key in verdicts)


def body(text: bytes, of: str = "answer") -> Exchange:
    return rewrite.with_body(GOOD[of], text)


def dated(recorded_at: str | None, created: int) -> Exchange:
    return rewrite.member(replace(ANSWER, recorded_at=recorded_at), 0, ("created",), created)


CLOCKS = [
    ("2026-11-20T12:00:00Z", CREATED - DAY, CREATED + DAY),
    ("2026-11-20T12:00:00", CREATED - DAY, CREATED + DAY),
    ("2026-11-20T14:00:00+02:00", CREATED - DAY, CREATED + DAY),
    (None, 1_000_000_000, 9_999_999_999),
    ("yesterday", 1_000_000_000, 9_999_999_999),
]


@pytest.mark.parametrize("recorded_at, first, last", CLOCKS)
def test_created_is_believed_a_day_around_the_recording_or_else_with_ten_digits(
    recorded_at: str | None, first: int, last: int
) -> None:
    judged = [
        outcome(dated(recorded_at, each), "envelope.created.seconds") for each in (first - 1, first, last, last + 1)
    ]
    assert [FAIL, PASS, PASS, FAIL] == judged


def masked(origin: Origin, identifier: str) -> Exchange:
    return replace(rewrite.member(dated(None, 0), 0, ("id",), identifier), origin=origin)


MASKS = [
    (Origin.IMPORTED, "chatcmpl-REDACTED", RECORDER),
    (Origin.IMPORTED, "chatcmpl-1", FAIL),
    (Origin.LIVE, "chatcmpl-REDACTED", FAIL),
]


@pytest.mark.parametrize("origin, identifier, expected", MASKS)
def test_a_created_of_0_is_a_recorders_beside_an_id_that_it_masked(
    origin: Origin, identifier: str, expected: str
) -> None:
    assert expected == outcome(masked(origin, identifier), "envelope.created.seconds")


STATUSES = [
    (400, PASS), (422, PASS), (428, PASS), (429, RATE_LIMITED), (430, PASS), (499, PASS), (500, FAIL), (501, FAIL),
    (502, NETWORK), (503, NETWORK), (504, NETWORK), (505, FAIL),
]  # fmt: skip


@pytest.mark.parametrize("status, expected", STATUSES)
def test_a_malformed_request_is_refused_with_4xx(status: int, expected: str) -> None:
    assert expected == outcome(rewrite.with_status(MALFORMED, status), "errors.status.malformed")


def test_only_a_request_for_a_chat_completion_can_be_malformed() -> None:
    elsewhere = replace(MALFORMED, request=replace(MALFORMED.request, url="http://127.0.0.1/v1/embeddings"))
    assert OTHER_BRANCH == outcome(elsewhere, "errors.status.malformed")


def test_a_request_that_was_written_down_may_have_gone_out_otherwise() -> None:
    assert RECORDER == outcome(replace(MALFORMED, origin=Origin.IMPORTED), "errors.status.malformed")


TRACES = [
    (400, b"No trace.", FAIL), (429, b"No trace.", FAIL), (500, b"No TRACE.", FAIL), (400, b"No.", REFUSED),
    (428, b"No.", REFUSED), (429, b"No.", RATE_LIMITED), (430, b"No.", REFUSED), (499, b"No.", REFUSED),
    (500, b"No.", NETWORK),
]  # fmt: skip


@pytest.mark.parametrize("status, text, expected", TRACES)
def test_a_trace_is_refused_where_the_error_speaks_of_it(status: int, text: bytes, expected: str) -> None:
    refused = rewrite.with_status(rewrite.with_body(TRACED, text), status)
    assert expected == outcome(refused, "extensions.trace_id.accepted")


BARE: JsonObject = {"message": "No."}
ERRORS: dict[tuple[str, str], tuple[Exchange, str]] = {
    ("errors.object.nonempty", "no object"): (rewrite.with_messages(GOOD["error"], [BARE]), OTHER_BRANCH),
    ("errors.code.quota", "no object"): (rewrite.with_messages(LIMITED, [BARE]), OTHER_BRANCH),
    ("errors.retry_after.value", "no header"): (rewrite.with_header(LIMITED, "Retry-After", None), OTHER_BRANCH),
    ("errors.retry_after.value", "no headers"): (
        replace(LIMITED, response=replace(rewrite.response_of(LIMITED), headers=())), OTHER_BRANCH,
    ),
    ("errors.retry_after.value", "no headers imported"): (
        replace(LIMITED, origin=Origin.IMPORTED, response=replace(rewrite.response_of(LIMITED), headers=None)),
        RECORDER,
    ),
    ("errors.retry_after.value", "imported"): (replace(LIMITED, origin=Origin.IMPORTED), PASS),
    ("errors.body.json", "cut by us"): (replace(body(b"{", "error"), end="limit:bytes"), BUDGET),
}  # fmt: skip


@pytest.mark.parametrize("check, case", ERRORS)
def test_an_error_gives_a_check_its_occasion_or_the_reason_why_not(check: str, case: str) -> None:
    exchange, expected = ERRORS[check, case]
    assert expected == outcome(exchange, check)


def nested(depth: int) -> bytes:
    """Return JSON that nests so deep."""
    return b"[" * depth + b"]" * depth


DEPTHS = [(MAX_DEPTH, "json.body.valid", PASS), (MAX_DEPTH + 1, "json.body.valid", NOTHING)]


@pytest.mark.parametrize("depth, check, expected", DEPTHS)
def test_what_nests_beyond_our_limit_is_not_judged(depth: int, check: str, expected: str) -> None:
    assert expected == outcome(body(nested(depth)), check)


def test_a_body_that_decodes_to_more_than_we_read_is_not_judged() -> None:
    bomb = gzip.compress(bytes(MAX_DECODED + 1), compresslevel=1)
    response = replace(rewrite.response_of(GOOD["answer.gzip"]), body=bomb)
    assert BUDGET == outcome(replace(GOOD["answer.gzip"], response=response), "http.content_encoding.decodes")


def test_a_body_that_we_cut_is_not_called_cut_by_the_provider() -> None:
    assert BUDGET == outcome(replace(ANSWER, end="limit:bytes"), "http.body.complete")


def test_of_two_choices_one_may_call_a_tool_and_the_other_answer() -> None:
    choices: list[JsonValue] = [
        rewrite.value_at(rewrite.messages(GOOD["answer.tools"])[0], ("choices", 0)),
        rewrite.value_at(rewrite.messages(GOOD["answer.n2"])[0], ("choices", 1)),
    ]
    both = rewrite.member(rewrite.asked(GOOD["answer.tools"], n=2), 0, ("choices",), choices)
    assert [] == [key for key, verdict in ruled(both).items() if verdict.outcome is Outcome.FAIL]


TAILS = [b": bye", b"event: end", b"id: 1", b"retry: 10"]


@pytest.mark.parametrize("tail", TAILS)
def test_a_last_line_without_data_loses_nothing(tail: bytes) -> None:
    after = body(rewrite.body_of(STREAM) + tail, "stream")
    assert [] == [key for key, verdict in ruled(after).items() if verdict.outcome is Outcome.FAIL]


def test_a_block_of_an_unknown_field_ends_no_event_either() -> None:
    first, *rest = rewrite.events(STREAM)
    assert FAIL == outcome(
        rewrite.with_events(STREAM, [b"id: 1\n" + first, b"cost: 1", *rest]), "sse.id.blank"
    )  # fmt: skip


def test_json_over_several_data_lines_that_begin_with_braces_is_one_event() -> None:
    first, *rest = rewrite.events(STREAM)
    split = first.replace(b'"choices":[{', b'"choices":[\ndata: {')
    assert split != first
    assert PASS == outcome(rewrite.with_events(STREAM, [split, *rest]), "sse.event.separated")


def with_text(text: str, of: str = "answer") -> Exchange:
    return rewrite.member(GOOD[of], 0, ("choices", 0, "message", "content"), text)


LENGTHS = [(MAX_TEXT, PASS), (MAX_TEXT + 1, BUDGET)]


@pytest.mark.parametrize("length, expected", LENGTHS)
def test_a_text_beyond_our_limit_is_not_held_against_a_schema(length: int, expected: str) -> None:
    text = '{"city":"","visitors":3}'.ljust(length)
    assert expected == outcome(with_text(text, "answer.json"), "structured.content.unfenced")


def pieces(*texts: str) -> Exchange:
    """Return the stream with these texts in the place of its own."""
    first, second, *_, last = rewrite.messages(STREAM)
    path = ("choices", 0, "delta", "content")
    return rewrite.with_messages(STREAM, [first, *(rewrite.put(second, path, text) for text in texts), last])


GROWING = [
    (("a" * 15, "a" * 16, "a" * 17), FAIL),
    (("a" * 14, "a" * 15, "a" * 16), PASS),
    (("a" * 16, "a" * 17), PASS),
    (("a" * 16, "a" * 17, "a" * 17), PASS),
    (("a" * 16, "b" * 17, "b" * 18), PASS),
    (("a" * 16, "a" * 17, "b" * 18), PASS),
    (("a" * 16, "a" * 16 + "b", "a" * 16 + "cc"), PASS),
    (("abc", "abcd", "abcde"), FAIL),
    (("ab", "abc", "abcd"), PASS),
    (("abcd", "abcd", "abcde", "abcdef"), PASS),
    (("What ", "do ", "you ", "What do you "), PASS),
    (("What ", "did ", "you ", "What did you say"), PASS),
    (("What ", "do ", "you say?", "What do you say?"), FAIL),
    (("What do ", "you say?", "What do you say?"), PASS),
    (("What ", "do ", "you say", "What do you say"), PASS),
]


@pytest.mark.parametrize("texts, expected", GROWING)
def test_pieces_that_hold_all_of_the_text_so_far_are_told_from_chance(texts: tuple[str, ...], expected: str) -> None:
    assert expected == outcome(pieces(*texts), "stream.content.incremental")


BLANKS = [(15, FAIL), (16, PASS)]
"""How many pieces of white space stand before the beginning of a text."""


@pytest.mark.parametrize("count, expected", BLANKS)
def test_thoughts_are_looked_for_in_the_first_sixteen_pieces(count: int, expected: str) -> None:
    assert expected == outcome(pieces(*["\n"] * count, "<think>", "Hm."), "message.content.thoughts")


THOUGHTS = [
    ("Hm.\n</think>\nA heron.", FAIL),
    ("A page:\n<think>\nHm.\n</think>\nA heron.", PASS),
    ("```\nHm.\n</think>\n```\nA heron.", PASS),
    ("<thinking>Hm.</thinking>A heron.", FAIL),
]


@pytest.mark.parametrize("text, expected", THOUGHTS)
def test_thoughts_that_no_tag_opens_end_with_a_line_of_their_own(text: str, expected: str) -> None:
    assert expected == outcome(with_text(text), "message.content.thoughts")


SPOKEN_OF = [
    ("<|end|>", "Where does it end?", FAIL),
    ("<|end|>", "What is <|end|> for?", PASS),
    ("<|im_end|>", "What is im_end for?", PASS),
    ("<|im_end|>", "When was I, m, and end?", FAIL),
    ("<｜end▁of▁sentence｜>", "What is end▁of▁sentence for?", PASS),
    ("<｜end▁of▁sentence｜>", "What is at the end of a sentence?", FAIL),
]


@pytest.mark.parametrize("token, question, expected", SPOKEN_OF)
def test_a_token_may_be_in_the_text_where_the_request_speaks_of_it(token: str, question: str, expected: str) -> None:
    asked = rewrite.asked(with_text(f"A heron{token}"), messages=[{"role": "user", "content": question}])
    assert expected == outcome(asked, "message.content.markers")


CHARACTERS = [
    ("\ufffd", "stop", FAIL),
    ("\ufffda", "length", FAIL),
    ("a\ufffd", "length", PASS),
    ("a\ufffd\ufffd", "length", PASS),
    ("a\ufffdb\ufffd", "length", FAIL),
]


@pytest.mark.parametrize("text, finish, expected", CHARACTERS)
def test_the_limit_may_cut_the_last_character_and_no_other(text: str, finish: str, expected: str) -> None:
    cut = rewrite.member(with_text(text), 0, ("choices", 0, "finish_reason"), finish)
    assert expected == outcome(cut, "message.content.characters")


def scored(text: str, *tokens: list[int]) -> JsonObject:
    """Return a choice with this text, and with tokens of these bytes."""
    listed: list[JsonValue] = [
        {"token": "t", "logprob": -1, "bytes": [*each], "top_logprobs": []} for each in tokens
    ]  # fmt: skip
    return {
        "index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop",
        "logprobs": {"content": listed},
    }  # fmt: skip


SPELT: list[tuple[list[JsonObject], str]] = [
    ([scored("ab", [97], [98])], PASS),
    ([scored("ab", [97], [99])], FAIL),
    ([scored("\0b", [0], [98])], PASS),
    ([scored("\0b", [0], [99])], FAIL),
    ([scored("b", [255], [98])], PASS),
    ([scored("b", [255], [99])], FAIL),
    ([scored("\ufffd", [240, 159])], OTHER_BRANCH),
    ([scored("ab", [97, 98]), {**scored("\ufffd", [240, 159]), "index": 1}], PASS),
]


@pytest.mark.parametrize("choices, expected", SPELT)
def test_the_bytes_of_the_tokens_spell_the_text(choices: list[JsonObject], expected: str) -> None:
    asked = rewrite.asked(ANSWER, logprobs=True, n=len(choices))
    assert expected == outcome(rewrite.member(asked, 0, ("choices",), [*choices]), "logprobs.content.joined")


RANKS = [
    ({"logprobs": True, "top_logprobs": 2}, PASS),
    ({"logprobs": True, "top_logprobs": 1}, FAIL),
    ({"logprobs": True, "top_logprobs": 0}, FAIL),
    ({"logprobs": True, "top_logprobs": None}, None),
    ({"logprobs": False, "top_logprobs": 1}, None),
]


@pytest.mark.parametrize("asked, expected", RANKS)
def test_no_more_ranks_come_than_were_asked_for(asked: JsonObject, expected: str | None) -> None:
    verdicts = ruled(rewrite.asked(GOOD["answer.logprobs"], **asked))
    found = verdicts.get("openai/logprobs.top_logprobs.count")
    assert expected == (found and word(found))


OWED = [
    ({}, FAIL),
    ({"top_logprobs": None}, FAIL),
    ({"top_logprobs": 0}, FAIL),
    ({"top_logprobs": 20}, FAIL),
    ({"top_logprobs": -1}, None),
    ({"top_logprobs": 21}, None),
    ({"top_logprobs": "2"}, None),
    ({"top_logprobs": True}, None),
]


@pytest.mark.parametrize("asked, expected", OWED)
def test_log_probabilities_are_owed_where_they_are_asked_for_in_a_way_that_there_is(
    asked: JsonObject, expected: str | None
) -> None:
    found = ruled(rewrite.asked(ANSWER, logprobs=True, **asked)).get("openai/logprobs.content.present")
    assert expected == (found and word(found))


def test_a_cap_of_one_token_is_a_cap() -> None:
    assert FAIL == outcome(rewrite.asked(ANSWER, max_tokens=1), "parameters.cap.kept")


def test_what_is_counted_on_top_of_a_cap_is_added_up() -> None:
    details: JsonObject = {"reasoning_tokens": 40, "rejected_prediction_tokens": 5}
    judged = [
        outcome(
            rewrite.member(
                rewrite.asked(ANSWER, max_tokens=10), 0, ("usage",),
                {"completion_tokens": completion, "completion_tokens_details": details},
            ),
            "parameters.cap.kept",
        )
        for completion in (56, 57)
    ]  # fmt: skip
    assert [PASS, FAIL] == judged


PLACEHOLDERS = [
    (Origin.DOCUMENT, "<string>", "unproven: placeholder"),
    (Origin.DOCUMENT, "<string", PASS),
    (Origin.DOCUMENT, "string>", PASS),
    (Origin.DOCUMENT, "END", PASS),
    (Origin.LIVE, "<string>", PASS),
]


@pytest.mark.parametrize("origin, stop, expected", PLACEHOLDERS)
def test_a_placeholder_that_a_page_prints_is_no_stop_string(origin: Origin, stop: str, expected: str) -> None:
    printed = replace(rewrite.asked(ANSWER, stop=stop), origin=origin)
    assert expected == outcome(printed, "parameters.stop.absent")


COUNTED: list[tuple[str, Exchange, int]] = [
    ("http.body.complete", ANSWER, 1),
    ("http.content_encoding.decodes", GOOD["answer.gzip"], 1),
    ("choices.count.n", rewrite.with_messages(STREAM, [{**each, "choices": []} for each in CHUNKS]), 1),
    ("choices.finish_reason.once", GOOD["stream.n2"], 2),
    ("choices.finish_reason.tool_calls", GOOD["answer.tools"], 1),
    ("choices.finish_reason.called", GOOD["answer.tools"], 1),
    ("stream.payload.chunk", rewrite.inserted(STREAM, 2, b"data: {}"), 6),
    ("parameters.cap.kept", GOOD["answer.schema"], 1),
    ("errors.body.json", GOOD["error"], 1),
    ("errors.object.nonempty", GOOD["error"], 1),
    ("errors.status.malformed", MALFORMED, 1),
    ("errors.retry_after.value", LIMITED, 1),
    ("errors.code.quota", LIMITED, 1),
    ("extensions.trace_id.accepted", TRACED, 1),
]  # fmt: skip


@pytest.mark.parametrize("check, exchange, count", COUNTED)
def test_a_verdict_says_how_many_targets_were_examined(check: str, exchange: Exchange, count: int) -> None:
    verdicts = ruled(exchange)
    keys = (f"openai/{check}", f"{contract_of(exchange)}/{check}")
    assert count == next(verdicts[key].examined for key in keys if key in verdicts)


ROLE, FINISH = ("choices", 0, "delta", "role"), ("choices", 0, "finish_reason")
CALL = ("choices", 0, "delta", "tool_calls", 0)
TWICE: dict[str, Exchange] = {
    "stream.role.once": rewrite.member(STREAM, 1, ROLE, "assistant"),
    "stream.id.constant": rewrite.member(STREAM, 1, ("id",), "chatcmpl-other"),
    "stream.created.constant": rewrite.member(STREAM, 1, ("created",), CREATED + 1),
    "choices.finish_reason.once": rewrite.member(STREAM, 3, FINISH, "stop"),
    "choices.finish_reason.consistent": rewrite.member(STREAM, 3, FINISH, "length"),
    "usage.stream.once": rewrite.member(
        GOOD["stream.usage"], 4, ("usage",), rewrite.value_at(rewrite.messages(GOOD["stream.usage"])[-1], ("usage",))
    ),
    "tools.id.once": rewrite.member(TOOLS, 2, (*CALL, "id"), "call_0"),
    "tools.name.once": rewrite.member(TOOLS, 2, (*CALL, "function", "name"), "weather"),
    "tools.name.whole": rewrite.member(TOOLS, 2, (*CALL, "function", "name"), "_now"),
    "tools.delta.nonempty": rewrite.member(TOOLS, 2, (*CALL, "id"), ""),
    "tools.calls.single": rewrite.asked(TOOLS, parallel_tool_calls=False),
}


@pytest.mark.parametrize("check", TWICE)
def test_a_second_one_is_one_finding(check: str) -> None:
    assert 1 == ruled(TWICE[check])[f"openai/{check}"].found


BESIDE: list[JsonObject] = [
    {"refusal": "I cannot help."},
    {"tool_calls": [{"id": "1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}]},
    {"audio": {"id": "1"}},
]


@pytest.mark.parametrize("members", BESIDE)
def test_a_text_beside_something_else_need_not_be_json(members: JsonObject) -> None:
    message: JsonObject = {"role": "assistant", "content": "See here.", **members}
    beside = rewrite.member(GOOD["answer.json"], 0, ("choices", 0, "message"), message)
    assert OTHER_BRANCH == outcome(beside, "structured.content.json")


def arriving(early: int) -> Exchange:
    """Return the long stream with so many bytes in a read at 0.1 s, and the rest at 0.6 s."""
    stream = GOOD["stream.long"]
    response = rewrite.response_of(stream)
    reads = ((100_000, early), (600_000, len(response.body) - early))
    return replace(stream, response=replace(response, reads=reads))


FIRST_EVENT = len(rewrite.events(GOOD["stream.long"])[0]) + len(b"\n\n")
EARLY = [(FIRST_EVENT, PASS), (FIRST_EVENT - 2, FAIL)]


@pytest.mark.parametrize("early, expected", EARLY)
def test_a_stream_begins_when_its_first_event_is_whole(early: int, expected: str) -> None:
    assert expected == outcome(arriving(early), "sse.delivery.progressive")


UNFINISHED = ("structured.content.unfenced", "structured.content.whole", "structured.content.json")


@pytest.mark.parametrize("check", UNFINISHED)
def test_json_that_no_finish_reason_ends_is_not_judged(check: str) -> None:
    unfinished = rewrite.member(GOOD["answer.json"], 0, ("choices", 0, "finish_reason"), None)
    assert "unproven: choices.finish_reason.present" == outcome(unfinished, check)


HELD = [("answer.schema", 0, "structured.schema.strict"), ("stream.schema", -2, "structured.schema.followed")]


@pytest.mark.parametrize("name, number, check", HELD)
def test_json_that_was_cut_is_not_held_against_its_schema(name: str, number: int, check: str) -> None:
    cut = rewrite.member(GOOD[name], number, ("choices", 0, "finish_reason"), "length")
    assert OTHER_BRANCH == outcome(cut, check)


SCHEMA: JsonObject = {"type": "object", "unheardOf": 7, "$ref": "http://example.com/schema"}


@pytest.mark.parametrize("strict, check", [(True, "strict"), (False, "followed")])
def test_a_schema_on_which_nothing_can_be_decided_leaves_nothing_to_examine(strict: bool, check: str) -> None:
    wanted: JsonObject = {"name": "x", "schema": SCHEMA, "strict": strict}
    asked = rewrite.asked(GOOD["answer.json"], response_format={"type": "json_schema", "json_schema": wanted})
    assert NOTHING == outcome(asked, f"structured.schema.{check}")


REFUSALS = (400, 404, 413, 415, 422)
OTHERS = (401, 402, 403, 405, 406, 407, 408, 409, 410, 412, 414, 416, 417, 421, 423, 428, 430, 499, 500, 503)
REFUSED_BY = [
    *((status, REFUSED) for status in REFUSALS),
    *((status, f"unproven: status {status}") for status in OTHERS),
]


@pytest.mark.parametrize("status, expected", [*REFUSED_BY, (429, RATE_LIMITED)])
def test_only_some_statuses_refuse_a_request(status: int, expected: str) -> None:
    error = rewrite.with_status(GOOD["error"], status)
    keyed = replace(error.request, headers=(*error.request.headers, ("Authorization", "Bearer ****************")))
    assert expected == outcome(replace(error, request=keyed), "choices.count.n")


@pytest.mark.parametrize("key", [(), (("Authorization", "Bearer chatconform-wrong-key-0000000000"),)])
@pytest.mark.parametrize("status", [401, 403])
def test_without_the_right_key_a_refusal_gives_no_occasion(status: int, key: tuple[tuple[str, str], ...]) -> None:
    error = rewrite.with_status(GOOD["error"], status)
    keyed = replace(error.request, headers=(*error.request.headers, *key))
    assert REFUSED == outcome(replace(error, request=keyed), "choices.count.n")


@pytest.mark.parametrize("body", [{"model": "m"}, {"model": "m", "messages": [], "temperature": 3}])
def test_an_error_to_what_may_not_be_asked_gives_no_occasion(body: JsonObject) -> None:
    error = rewrite.with_status(GOOD["error"], 500)
    asked = replace(error, request=replace(error.request, body=body))
    assert "not-applicable: request-outside-document" == outcome(asked, "choices.count.n")


def test_only_a_choice_of_allowed_tools_has_a_mode() -> None:
    chosen: JsonObject = {"type": "function", "function": {"name": "weather"}, "mode": "required", "tools": []}
    verdicts = ruled(rewrite.asked(GOOD["answer.tool_named"], tool_choice=chosen))
    assert set() == {"openai/tools.choice.required", "openai/tools.choice.allowed"} & {*verdicts}


WEATHER: JsonObject = {"type": "function", "function": {"name": "weather"}}
ALLOWED: JsonObject = {
    "type": "allowed_tools",
    "allowed_tools": {"mode": "auto", "tools": [{"type": "function", "function": {"name": "weather"}}]},
}
SEARCH: JsonObject = {"type": "web_search"}
FUNCTION = ("choices", 0, "message", "tool_calls", 0, "function")


def nameless(**asked: JsonValue) -> Exchange:
    """Return an answer whose call has no name."""
    return rewrite.no_member(rewrite.asked(GOOD["answer.tool_named"], **asked), 0, (*FUNCTION, "name"))


CALLS = ("choices", 0, "message", "tool_calls")


def uncalled(tool_choice: JsonValue, path: rewrite.Path, value: JsonValue) -> Exchange:
    """Return an answer in text, with one value replaced, to a request that has tools."""
    return rewrite.member(rewrite.asked(GOOD["answer.uncalled"], tool_choice=tool_choice), 0, path, value)


def without_ids() -> Exchange:
    """Return the stream of two calls without the id of either."""
    bare = rewrite.no_member(rewrite.no_member(TOOLS, 1, (*CALL, "id")), 4, (*CALL, "id"))
    return rewrite.asked(bare, parallel_tool_calls=False)


WAITING: dict[tuple[str, str], tuple[Exchange, str]] = {
    ("tools.choice.named", "no name"): (nameless(tools=[WEATHER, SEARCH]), "tools.name.present"),
    ("tools.choice.allowed", "no name"): (
        nameless(tools=[WEATHER, SEARCH], tool_choice=ALLOWED), "tools.name.present",
    ),
    ("tools.choice.allowed", "undeclared"): (
        rewrite.member(rewrite.asked(GOOD["answer.tool_named"], tool_choice=ALLOWED), 0, (*FUNCTION, "name"), "tides"),
        "tools.name.declared",
    ),
    ("tools.choice.required", "unfinished"): (uncalled("required", FINISH, None), "choices.finish_reason.present"),
    ("tools.choice.required", "no list"): (uncalled("required", CALLS, {}), "message.tool_calls.type"),
    ("tools.choice.named", "unfinished"): (uncalled(WEATHER, FINISH, None), "choices.finish_reason.present"),
    ("tools.choice.named", "no list"): (uncalled(WEATHER, CALLS, {}), "message.tool_calls.type"),
    ("tools.choice.none", "unfinished"): (uncalled("none", FINISH, None), "choices.finish_reason.present"),
    ("tools.choice.none", "no list"): (uncalled("none", CALLS, {}), "message.tool_calls.type"),
    ("tools.id.unique", "error"): (
        rewrite.member(GOOD["answer.tools"], 0, ("error",), {"message": "No."}), "http.status.error",
    ),
    ("tools.calls.single", "no id"): (without_ids(), "tools.id.streamed"),
}  # fmt: skip


@pytest.mark.parametrize("check, case", WAITING)
def test_what_is_not_in_order_is_named_once_and_keeps_the_rest_waiting(check: str, case: str) -> None:
    exchange, prerequisite = WAITING[check, case]
    assert f"unproven: {prerequisite}" == outcome(exchange, check)


def test_a_choice_of_tools_without_tools_asks_for_nothing() -> None:
    asked = rewrite.asked(ANSWER, tool_choice=WEATHER)
    assert [] == [key for key in ruled(asked) if ".choice." in key]


def with_ids(origin: Origin, *identifiers: str) -> Exchange:
    """Return an answer with two calls of these ids."""
    exchange = replace(GOOD["answer.tools"], origin=origin)
    for position, identifier in enumerate(identifiers):
        path = ("choices", 0, "message", "tool_calls", position, "id")
        exchange = rewrite.member(exchange, 0, path, identifier)
    return exchange


IDS = [
    (Origin.IMPORTED, ("call_REDACTED", "call_REDACTED"), RECORDER),
    (Origin.IMPORTED, ("call_1", "call_1"), FAIL),
    (Origin.IMPORTED, ("call_1", "call_2"), PASS),
    (Origin.IMPORTED, ("call_REDACTED_1", "call_REDACTED_2"), PASS),
    (Origin.LIVE, ("call_REDACTED", "call_REDACTED"), FAIL),
]


@pytest.mark.parametrize("origin, identifiers, expected", IDS)
def test_ids_are_unique_but_where_a_recorder_masked_them(
    origin: Origin, identifiers: tuple[str, ...], expected: str
) -> None:
    assert expected == outcome(with_ids(origin, *identifiers), "tools.id.unique")


def test_a_call_that_is_said_twice_under_its_id_is_no_other_call() -> None:
    whole: JsonObject = {
        "index": 0, "id": "call_0", "type": "function", "function": {"name": "weather", "arguments": "{}"},
    }  # fmt: skip
    chunks = rewrite.messages(GOOD["stream.tool_allowed"])
    called = rewrite.put(chunks[1], CALL, whole)
    again = rewrite.put(called, (*CALL, "function", "arguments"), '{"city":"Bern"}')
    twice = rewrite.with_messages(GOOD["stream.tool_allowed"], [chunks[0], called, again, chunks[2]])
    judged = [outcome(twice, check) for check in ("tools.index.distinct", "tools.id.once", "tools.arguments.json")]
    assert [PASS, FAIL, FAIL] == judged


USED = [
    (9, 21, 9, []),
    (9, 21, 10, ["usage.reasoning_tokens.bounded"]),
    (9, 31, 10, []),
    (9, 22, 1, []),
    (9, 23, 1, ["usage.total.sum"]),
    (9, 20, 1, ["usage.total.sum"]),
]


@pytest.mark.parametrize("completion, total, reasoning, expected", USED)
def test_reasoning_is_part_of_the_completion_or_on_top_of_it(
    completion: int, total: int, reasoning: int, expected: list[str]
) -> None:
    usage: JsonObject = {
        "prompt_tokens": 12, "completion_tokens": completion, "total_tokens": total,
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }  # fmt: skip
    judged = ruled(rewrite.member(ANSWER, 0, ("usage",), usage))
    assert expected == [verdict.check for verdict in judged.values() if verdict.outcome is Outcome.FAIL]


CAPS = [({"max_tokens": 64, "max_completion_tokens": 9}, PASS), ({"max_tokens": 64, "max_completion_tokens": 8}, FAIL)]


@pytest.mark.parametrize("asked, expected", CAPS)
def test_of_two_caps_the_newer_one_counts(asked: JsonObject, expected: str) -> None:
    assert expected == outcome(rewrite.asked(ANSWER, **asked), "usage.cap.precedence")


def test_the_newer_cap_holds_for_each_choice() -> None:
    caps: JsonObject = {"max_tokens": 64, "max_completion_tokens": 5, "n": 2}
    assert PASS == outcome(rewrite.asked(GOOD["answer.n2"], **caps), "usage.cap.precedence")
