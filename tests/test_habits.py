"""Habits: what is lawful and worth knowing is a fact with a place, and never a verdict."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chatconform import assessment, deviations, resources
from chatconform.assessment import Subject, assess
from chatconform.exhibits import Habit
from chatconform.judging import judge
from chatconform.model import Origin, Outcome, Provider
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.reference.variations import VARIATIONS
from chatconform.wire import habits as module
from chatconform.wire import transcript
from chatconform.wire.habits import TEXTS, habits


def of(exchange):
    """Return the habits of an exchange by id."""
    return {habit.id: habit for habit in habits(transcript.read(exchange))}


def varied(name, good):
    return VARIATIONS[name].rewords(GOOD[good])


def changed(good, payload, path, value):
    return rewrite.member(GOOD[good], payload, path, value)


def unasked():
    """A stream that reports its usage on its last chunk, to a request without stream_options."""
    exchange = varied("content.usage_with_finish", "stream.usage")
    body = {key: value for key, value in exchange.request.body.items() if key != "stream_options"}
    return replace(exchange, request=replace(exchange.request, body=body))


def unrequested_logprobs():
    exchange = GOOD["answer.logprobs"]
    body = {key: value for key, value in exchange.request.body.items() if "logprobs" not in key}
    return replace(exchange, request=replace(exchange.request, body=body))


def without_header(good, name):
    response = rewrite.response_of(GOOD[good])
    kept = tuple(pair for pair in response.headers if pair[0] != name)
    return replace(GOOD[good], response=replace(response, headers=kept))


SEEN = [
    ("envelope.fingerprint_null", varied("content.null_envelope", "answer"), 1, b"null", ()),
    ("envelope.service_tier_null", varied("content.null_envelope", "answer"), 1, b"null", ()),
    ("finish.key_omitted", varied("content.finish_omitted", "stream"), 4, b'{"index":0', ()),
    ("finish.with_text", varied("content.finish_with_text", "stream"), 1, b'{"id"', ()),
    ("framing.bare_cr", varied("framing.cr", "stream"), 12, b"\r\r", ()),
    ("framing.comment_run", varied("framing.comment_long", "stream"), 1, b": waiting", ()),
    ("framing.comments", varied("framing.comment_long", "stream"), 400, b": waiting", ()),
    ("framing.crlf", varied("framing.crlf", "stream"), 12, b"\r\n", ()),
    ("framing.data_lines", varied("framing.data_lines", "stream"), 5, b"{", ()),
    ("framing.event_name", varied("framing.event_other", "stream"), 6, b"event: chunk", ("chunk",)),
    ("framing.id", varied("framing.id", "stream"), 6, b"id: 1", ()),
    ("framing.no_space", varied("framing.no_space", "stream"), 6, b"data:{", ()),
    ("framing.retry", varied("framing.retry", "stream"), 6, b"retry: 3000", ()),
    ("framing.unknown_field", varied("framing.unknown_field", "stream"), 6, b"node: 7", ("node",)),
    ("http.content_coding", varied("delivery.gzip", "stream"), 1, None, ("gzip",)),
    ("http.keep_alive", varied("delivery.keep_alive", "answer"), 4, b"\n \n\n{", ()),
    ("http.no_cache_control", without_header("stream", "Cache-Control"), 1, None, ()),
    ("http.no_request_id", GOOD["answer"], 1, None, ()),
    ("logprobs.unasked", unrequested_logprobs(), 1, b'{"content"', ()),
    ("members.answer", varied("content.extra_members", "answer"), 1, b"", ("x_extra",)),
    ("members.choice", varied("content.extra_members", "answer"), 1, b"", ("x_extra",)),
    ("members.message", varied("content.extra_members", "answer"), 1, b"", ("x_extra",)),
    ("message.no_refusal", GOOD["answer"], 1, b'{"role"', ()),
    ("message.reasoning", varied("content.reasoning", "answer"), 1, b'"The user', ("reasoning_content",)),
    ("stream.preamble", varied("content.metadata", "stream"), 1, b'{"id":""', ()),
    ("tools.calls_empty", varied("content.tool_calls_empty", "answer"), 1, b"[]", ()),
    ("tools.calls_null", GOOD["answer.details"], 1, b"null", ()),
    ("usage.cached_elsewhere", changed("answer", 0, ("usage", "cache_hits"), 3), 1, b"3", ("cache_hits",)),
    (
        "usage.details_null",
        changed("answer", 0, ("usage", "prompt_tokens_details"), None),
        1,
        b"null",
        ("prompt_tokens_details",),
    ),
    ("usage.empty", changed("stream", 1, ("usage",), {}), 1, b"{}", ()),
    ("usage.null", GOOD["stream.usage"], 5, b"null", ()),
    ("usage.on_finish", varied("content.usage_with_finish", "stream.usage"), 1, b'{"', ()),
    ("usage.unasked", unasked(), 1, b'{"', ()),
]


@pytest.mark.parametrize("habit, exchange, count, at, names", SEEN, ids=[row[0] for row in SEEN])
def test_a_habit_is_counted_and_found(habit, exchange, count, at, names):
    found = of(exchange)[habit]
    stands = None if found.first is None else transcript.read(exchange).body[found.first :][: len(at or b"")]
    assert (count, at, names) == (found.count, stands, found.names)


def test_every_habit_is_seen_here():
    assert set(TEXTS) == {row[0] for row in SEEN}


@pytest.mark.parametrize("habit, exchange", [(row[0], row[1]) for row in SEEN], ids=[row[0] for row in SEEN])
def test_a_habit_makes_no_must_and_no_should_fail(habit, exchange):
    assert set() == {each.check for each in judge([exchange]) if each.outcome is Outcome.FAIL and each.level != "may"}


@pytest.mark.parametrize("good", GOOD)
def test_what_openai_does_itself_is_hardly_a_habit(good):
    expected = {
        "http.no_request_id", "http.content_coding", "message.no_refusal", "tools.calls_null", "usage.null",
    }  # fmt: skip
    documented = {"members.answer"} if good == "tooken.answer" else set()
    assert set(of(GOOD[good])) <= expected | documented


def test_absent_header_fields_of_an_imported_exchange_are_no_habit():
    exchange = replace(without_header("stream", "Cache-Control"), origin=Origin.IMPORTED)
    assert {} == of(exchange)


def test_an_exchange_without_an_answer_has_no_habit():
    assert {} == of(replace(GOOD["answer"], response=None))


def test_fields_in_blocks_without_data_are_no_habit():
    exchange = rewrite.inserted(GOOD["stream"], 0, b"retry: 10\nid: 7")
    assert "framing.retry" not in of(exchange)
    assert "framing.id" not in of(exchange)


def test_a_field_named_error_is_no_habit():
    assert "framing.unknown_field" not in of(rewrite.inserted(GOOD["stream"], 2, b"error: {}"))


def test_comments_between_events_make_no_run():
    comments = b"\n".join([b": waiting"] * 200)
    exchange = rewrite.inserted(rewrite.inserted(GOOD["stream"], 3, comments), 1, comments)
    assert (400, False) == (of(exchange)["framing.comments"].count, "framing.comment_run" in of(exchange))


def test_names_are_few_and_short():
    members = {f"x_{number}_{'y' * 200}": 1 for number in range(40)}
    (answer,) = rewrite.messages(GOOD["answer"])
    found = of(rewrite.with_messages(GOOD["answer"], [{**answer, **members}]))["members.answer"]
    assert (40, 12, {80}) == (found.count, len(found.names), {len(name) for name in found.names})


def test_a_repeated_chunk_counts_each_time():
    (first, *_) = rewrite.messages(GOOD["stream"])
    text = rewrite.put(first, ("choices", 0, "delta"), {"content": "a"})
    chunks = [{**rewrite.put(text, ("choices", 0, "delta", "content"), word), "x_acme": 1} for word in "abcdefgh"]
    exchange = rewrite.with_messages(GOOD["stream"], [first, *chunks])
    assert 8 == of(exchange)["members.answer"].count


@pytest.mark.parametrize(
    "schema, member, known",
    [
        ("response", None, module.ANSWER_MEMBERS),
        ("chunk", None, module.ANSWER_MEMBERS),
        ("response", "choice", module.CHOICE_MEMBERS),
        ("chunk", "choice", module.CHOICE_MEMBERS),
        ("response", "message", module.MESSAGE_MEMBERS),
        ("chunk", "delta", module.MESSAGE_MEMBERS),
    ],
)
def test_no_member_of_openai_s_schemas_is_an_extra_one(schema, member, known):
    document = json.loads(resources.read_text(f"schemas/openai/{schema}.schema.json"))
    described = document["$defs"][member] if member else document
    assert set() == set(described["properties"]) - known


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_habit_states_a_fact_and_whom_it_hurts(text):
    assert (".", ".") == (text.says[-1], text.hurts[-1])
    assert text.entry is None or text.entry in deviations.load()


def test_the_results_name_the_clients_of_the_habits_that_were_seen():
    provider = Provider("mine", "", "")
    exchange = replace(varied("framing.crlf", "stream"), provider="mine")
    results = assess([Subject(provider, (exchange,), "a test")], run={}, today=None)
    assert {"framing.crlf", "http.no_request_id"} == set(results.habits)
    assert (Habit("framing.crlf", 12, 193), True) == (
        results.exchanges[0].habits[0],
        results.habits["framing.crlf"].measured,
    )


def test_the_clients_of_a_habit_come_from_its_entry():
    (text,) = assessment.habit_texts({"framing.crlf"}).values()
    impact = deviations.impact(["SSF-12"])
    assert (impact.raises, impact.wrong) == (text.raises, text.wrong)
