"""What a hostile review found: one cause is named once, nothing lawful is accused, no input takes the suite down."""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import CodeType, FrameType

import pytest

from chatconform.judging import judge
from chatconform.model import (
    Exchange,
    InputError,
    JsonObject,
    JsonValue,
    Level,
    Outcome,
    OwnDocument,
    Reason,
)
from chatconform.recordings import store
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD, contract_of
from chatconform.wire import strict_json
from chatconform.wire.stream import error_in, is_stranger
from recording import answer, providers, write

EMBARRASSED = (Level.MUST, Level.SHOULD)


def found(exchange: Exchange) -> list[str]:
    """Return what fails at must or should."""
    verdicts = judge([exchange])
    return [verdict.check for verdict in verdicts if verdict.outcome is Outcome.FAIL and verdict.level in EMBARRASSED]


def wrapped(exchange: Exchange, **envelope: object) -> Exchange:
    """Put every JSON object of a body into the data member of a vendor's envelope."""
    return rewrite.with_messages(exchange, [{**envelope, "data": each} for each in rewrite.messages(exchange)])  # type: ignore[dict-item]


def with_block(block: bytes) -> Exchange:
    """Put a block amid the text of a stream."""
    return rewrite.inserted(GOOD["stream"], 2, block)


STRANGERS = [
    b"data: {}",
    b'data: {"type":"ping"}',
    b'event: cost\ndata: {"cost":0.25}',
    b'data: {"type":"progress","message":"Searching the library"}',
    b'data: {"code":0,"msg":"ok"}',
    b'data: {"output":{"text":"x"},"request_id":"1"}',
]


@pytest.mark.parametrize("block", STRANGERS)
def test_an_object_that_is_no_chunk_is_one_finding(block: bytes) -> None:
    assert ["stream.payload.chunk"] == found(with_block(block))


@pytest.mark.parametrize("envelope", [{}, {"code": 0, "msg": "ok"}, {"code": 200, "message": "success"}])
@pytest.mark.parametrize("name, check", [("answer", "http.answer.completion"), ("stream", "stream.payload.chunk")])
def test_a_vendor_envelope_is_one_finding(envelope: dict[str, object], name: str, check: str) -> None:
    assert [check] == found(wrapped(GOOD[name], **envelope))


@pytest.mark.parametrize("body", [b"{}", b'{"result":"A heron is a bird."}', b'{"data":[],"object":"list"}'])
def test_an_object_that_is_no_completion_is_one_finding(body: bytes) -> None:
    assert ["http.answer.completion"] == found(rewrite.with_body(GOOD["answer"], body))


ERRORS: list[JsonObject] = [
    {"error": {"message": "broke off"}},
    {"error": "broke off"},
    {"object": "error", "message": "broke off", "type": "invalid_request_error", "code": 40001},
    {"code": 50001, "message": "broke off"},
    {"detail": "broke off"},
    {"status": 500, "msg": "broke off"},
    {"type": "server_error", "message": "broke off"},
]


@pytest.mark.parametrize("error", ERRORS)
def test_an_error_under_200_is_one_finding_in_whatever_shape_it_comes(error: JsonObject) -> None:
    assert ["http.status.error"] == found(rewrite.with_messages(GOOD["answer"], [error]))


def test_an_error_beside_the_choices_of_an_answer_is_found() -> None:
    error: JsonObject = {"message": "broke off", "code": 502}
    assert ["http.status.error"] == found(rewrite.member(GOOD["answer"], 0, ("error",), error))


def test_an_error_within_a_choice_of_an_answer_is_found() -> None:
    error: JsonObject = {"message": "broke off", "code": 502}
    assert ["http.status.error"] == found(rewrite.member(GOOD["answer"], 0, ("choices", 0, "error"), error))


@pytest.mark.parametrize("value", [None, "", {}, False])
def test_an_error_member_without_an_error_is_lawful(value: str | dict[str, object] | None) -> None:
    assert [] == found(rewrite.member(GOOD["answer"], 0, ("error",), value))  # type: ignore[arg-type]


@pytest.mark.parametrize("name, check", [("answer", "choices.message.present"), ("stream", "choices.delta.present")])
def test_legacy_text_in_the_place_of_a_message_is_named_first(name: str, check: str) -> None:
    legacy = [
        {**each, "choices": [{"index": 0, "text": "x", "finish_reason": "stop"}]}
        for each in rewrite.messages(GOOD[name])[:1]
    ]
    assert check == found(rewrite.with_messages(GOOD[name], legacy))[0]


def test_the_preamble_of_azure_is_no_stranger_without_choices_either() -> None:
    assert not is_stranger({"id": "", "object": "", "model": "", "prompt_filter_results": []})


def test_what_wraps_data_is_no_error() -> None:
    assert error_in(0, {"code": 1, "message": "x", "data": {"choices": []}}, "") is None


def test_usage_in_every_chunk_is_lawful_where_it_was_asked_for() -> None:
    usage: JsonObject = {"prompt_tokens": 12, "completion_tokens": 3, "total_tokens": 15}
    stream = GOOD["stream.usage"]
    reports = rewrite.with_messages(stream, [{**each, "usage": usage} for each in rewrite.messages(stream)])
    options: JsonObject = {"include_usage": True, "continuous_usage_stats": True}
    assert ["usage.stream.once"] == found(reports)
    assert [] == found(rewrite.asked(reports, stream_options=options))


@pytest.mark.parametrize("blank", [b" ", b"\t", b"\x0b", b" \t"])
def test_a_run_of_white_space_is_read_to_its_end_where_trying_again_never_would(blank: bytes) -> None:
    assert ["json.payload.valid"] == found(with_block(b"data: " + blank * 3_000 + b"x"))


def test_a_recording_whose_url_is_none_is_refused_with_its_place(tmp_path) -> None:
    recorded = answer()
    recorded["request"]["url"] = "https://[acme.example/v1/chat/completions"
    with pytest.raises(InputError, match=r"answer\.json:\d+:\d+: /request/url is no URL"):
        list(store.load(write(tmp_path, recorded)))


def test_nothing_of_a_stream_of_strangers_is_called_passed_that_nothing_showed() -> None:
    verdicts = {verdict.check: verdict for verdict in judge([wrapped(GOOD["stream"])])}
    shown = verdicts["envelope.id.present"]
    assert (Outcome.UNPROVEN, Reason.NOTHING_TO_EXAMINE) == (shown.outcome, shown.reason)


def test_an_odd_payload_is_looked_for_in_its_own_bytes_alone() -> None:
    stream = rewrite.with_body(GOOD["stream"], b": NaN\n\n" + b'data: {"x":NaN}\n\n' * 2 + b": NaN\n\n")
    verdicts = {verdict.check: verdict for verdict in judge([stream])}
    assert [(18, 21), (35, 38)] == [finding.bytes for finding in verdicts["json.constants.absent"].findings]


def test_in_this_checkout_too_a_should_is_a_warning(run_pytest, tmp_path) -> None:
    shutil.copy2(Path(__file__).parents[1] / "pyproject.toml", tmp_path)
    (tmp_path / "tests").mkdir()
    write(tmp_path / "recordings" / "acme", answer(created=0))
    providers(tmp_path / "providers.yaml", "acme")
    done = run_pytest(tmp_path, "providers.yaml")
    assert (0, "1 warning") == (done.returncode, done.stdout.splitlines()[-1].split(" in ")[0].split(", ")[-1])


# What mutants showed: changes of the code that no other test noticed


USAGES = [
    ({"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 12}, []),
    ({"prompt_tokens": 12, "completion_tokens": 0, "total_tokens": 13}, ["usage.total.sum"]),
    ({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}, ["usage.prompt_tokens.positive"]),
    (
        {
            "prompt_tokens": 12,
            "completion_tokens": 0,
            "total_tokens": 12,
            "completion_tokens_details": {"reasoning_tokens": 1},
        },
        ["usage.reasoning_tokens.bounded"],
    ),
    (
        {
            "prompt_tokens": 0,
            "completion_tokens": 2,
            "total_tokens": 2,
            "prompt_tokens_details": {"cached_tokens": 1},
        },
        ["usage.cached_tokens.bounded", "usage.prompt_tokens.positive"],
    ),
]


@pytest.mark.parametrize("usage, expected", USAGES)
def test_a_count_of_0_is_a_count(usage: JsonObject, expected: list[str]) -> None:
    assert expected == found(rewrite.member(GOOD["answer"], 0, ("usage",), usage))


BODIES = [
    (b'{"id": "a"}\n\n{"id": "b"}\n\n', "JSON lines without `data:`"),
    (b'{"error": {"message": "No."}}', "a JSON error"),
    (b'{"id": "a"}', "one JSON object"),
    (b" <html></html>", "a page of markup"),
    (b"Bad gateway", "text without any data field"),
]


@pytest.mark.parametrize("body, expected", BODIES)
def test_what_came_in_the_place_of_a_stream_is_named(body: bytes, expected: str) -> None:
    verdicts = {verdict.check: verdict for verdict in judge([rewrite.with_body(GOOD["stream"], body)])}
    assert [expected] == [finding.got for finding in verdicts["sse.stream.events"].findings]


def test_a_byte_that_is_no_utf8_is_the_byte_that_is_shown() -> None:
    body = rewrite.body_of(GOOD["answer"]).replace("ü".encode(), b"\xfc")
    at = body.index(b"\xfc")
    verdicts = {verdict.check: verdict for verdict in judge([rewrite.with_body(GOOD["answer"], body)])}
    assert [(at, at + 1)] == [finding.bytes for finding in verdicts["http.body.utf8"].findings]


@pytest.mark.parametrize("media_type, got", [("text/plain", "text/plain"), (None, "no Content-Type")])
@pytest.mark.parametrize("name, check", [("answer", "json"), ("stream", "event_stream")])
def test_the_media_type_that_came_is_shown(name: str, check: str, media_type: str | None, got: str) -> None:
    labelled = rewrite.with_header(GOOD[name], "Content-Type", media_type)
    verdicts = {verdict.check: verdict for verdict in judge([labelled])}
    assert [got] == [finding.got for finding in verdicts[f"http.media_type.{check}"].findings]


def owned(exchange: Exchange, contract: str, check: str) -> OwnDocument | None:
    """Return what a provider's document has to say of a rule of OpenAI's that an exchange breaks."""
    verdicts = judge([exchange], contract)
    return next(each.own_document for each in verdicts if (each.contract, each.check) == ("openai", check))


def test_a_document_promises_by_its_clauses_and_by_what_no_keyword_can_say() -> None:
    unheard = rewrite.member(GOOD["answer"], 0, ("choices", 0, "finish_reason"), "eos")
    asked = rewrite.asked(unheard, logit_bias={"50256": -100})
    endless = rewrite.with_events(GOOD["xmsmartlink.stream"], rewrite.events(GOOD["xmsmartlink.stream"])[:-1])
    values = "choices.finish_reason.values"
    assert [OwnDocument.PROMISES, OwnDocument.SILENT, OwnDocument.PROMISES] == [
        owned(unheard, "toapis", values),
        owned(asked, "toapis", values),
        owned(endless, "xmsmartlink", "sse.done.present"),
    ]


COUNTS = [
    ("answer", "http.media_type.json", 1),
    ("answer", "http.answer.completion", 1),
    ("stream", "http.media_type.event_stream", 1),
    ("stream", "stream.payload.chunk", 5),
    ("tooken.answer", "extensions.routed_model.echo", 1),
    ("answer", "usage.total.sum", 1),
]


@pytest.mark.parametrize("name, check, count", COUNTS)
def test_a_pass_counts_what_was_there(name: str, check: str, count: int) -> None:
    verdicts = judge([GOOD[name]], contract_of(GOOD[name]))
    assert {count} == {verdict.examined for verdict in verdicts if verdict.check == check}


def test_two_names_at_one_index_are_two_calls_where_these_are_all_that_was_declared() -> None:
    tools: list[JsonValue] = [{"type": "function", "function": {"name": name}} for name in ("one", "other")]
    stream = rewrite.asked(GOOD["stream.tools"], tools=tools)
    chunks = rewrite.messages(stream)
    path = ("choices", 0, "delta", "tool_calls", 0, "function")
    named = [chunks[0], rewrite.put(chunks[1], (*path, "name"), "one"), *chunks[2:4], *chunks[7:]]
    named[2] = rewrite.put(chunks[2], path, {"name": "other", "arguments": '{"city":'})
    assert ["tools.index.distinct"] == found(rewrite.with_messages(stream, named))


BURSTS = [(20, 500_000, True), (19, 500_000, False), (20, 499_999, False)]


@pytest.mark.parametrize("events, arrived, is_late", BURSTS)
def test_a_stream_is_held_back_from_twenty_events_on(events: int, arrived: int, is_late: bool) -> None:
    first, *rest = rewrite.events(GOOD["stream"])
    filled = rewrite.with_events(GOOD["stream"], [first, *[rest[0]] * (events - len(rest) - 1), *rest])
    response = rewrite.response_of(filled)
    burst = replace(filled, response=replace(response, reads=((arrived, len(response.body)),)))
    assert is_late is ("sse.delivery.progressive" in found(burst))


def parsed(payloads: int) -> int:
    """Count the texts that are parsed to judge a stream of so many payloads that are no JSON."""
    stream, calls = rewrite.with_body(GOOD["stream"], b"data: {\n\n" * payloads), Counter[CodeType]()

    def see(frame: FrameType, event: str, _argument: object) -> None:
        calls[frame.f_code] += event == "call"

    before = sys.getprofile()
    sys.setprofile(see)
    try:
        found(stream)
    finally:
        sys.setprofile(before)
    return calls[strict_json.parse.__code__]


def test_each_payload_that_is_no_json_is_read_as_often_as_any_other() -> None:
    assert parsed(60) - parsed(40) == parsed(120) - parsed(100) > 0
