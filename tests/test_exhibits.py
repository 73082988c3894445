"""What results.json keeps of exchanges: the bytes around a finding, when they came, and what was asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconform import summaries
from chatconform.assessment import Subject, assess
from chatconform.contracts import contract as contracts
from chatconform.exhibits import Timeline
from chatconform.model import Exchange, Outcome, Provider, Request, Response
from chatconform.wire import excerpts, timing, transcript

CHUNK = b'data: {"choices":[{"index":0,"delta":{"content":"hi"}}]}\n\n'
DONE = b"data: [DONE]\n\n"


def stream(body: bytes, reads: tuple[tuple[int, int], ...] | None = None, **more: object) -> Exchange:
    headers = (("Content-Type", "text/event-stream"), ("Set-Cookie", "a=b"), ("X-Request-Id", "r" * 300))
    request = Request("POST", "https://api.example.com/v1/chat/completions", body={"model": "m", "stream": True})
    return replace(Exchange("stream", "acme", request, Response(200, headers, body, reads=reads)), **more)


def around(body: bytes, place: tuple[int, int], reads: tuple[tuple[int, int], ...] | None = None):
    return excerpts.Excerpts(transcript.read(stream(body, reads))).around(place)


def assessed(exchange: Exchange):
    return assess([Subject(Provider("acme", "", "m"), (exchange,), "")], run={}, today=date(2026, 11, 20))


def test_a_place_is_marked_on_its_line_with_its_event_and_the_time_of_its_last_byte():
    body = CHUNK + CHUNK + DONE
    reads = ((1000, len(CHUNK)), (2000, len(CHUNK)), (3000, len(DONE)))
    at = body.index(b"hi", len(CHUNK))
    shown = around(body, (at, at + 2), reads)

    marked = [line for line in shown.lines if line.text[1]]
    assert [(2, 2000, "hi")] == [(line.event, line.arrived, line.text[1]) for line in marked]
    assert (b'content":"', b'"}}]}\n\n') == (marked[0].text[0].encode()[-10:], marked[0].text[2].encode())


def test_the_end_of_the_body_is_a_place_behind_its_last_line():
    shown = around(CHUNK, (len(CHUNK), len(CHUNK)))
    assert (len(CHUNK), len(CHUNK), "\n\n") == (shown.size, shown.lines[-1].bytes[1], shown.lines[-1].text[0][-2:])


def test_of_a_long_place_its_middle_is_left_out():
    body = b"data: " + b"x" * 5_000 + b"\n\n"
    shown = around(body, (6, 5_006))
    head, foot = shown.lines
    expected = ((0, 6 + excerpts.HEAD), (5_006 - excerpts.FOOT, 5_008), "x" * excerpts.HEAD, "x" * excerpts.FOOT)
    assert expected == (head.bytes, foot.bytes, head.text[1], foot.text[1])


def test_no_character_is_cut_in_two_and_bytes_that_are_none_are_escapes():
    body = "é".encode() * 1_000 + b"\xff" + "é".encode() * 1_000
    (line,) = around(body, (2_000, 2_001)).lines
    assert (True, r"\xff", True) == (set(line.text[0]) == {"é"}, line.text[1], set(line.text[2]) == {"é"})


def test_a_decoded_body_has_no_times():
    exchange = stream(CHUNK, ((5, 9),))
    read = transcript.read(exchange)
    read.body = CHUNK[:10]
    assert excerpts.Excerpts(read).read_at(4) is None


@given(body=st.binary(max_size=3_000), first=st.integers(0, 3_200), second=st.integers(0, 3_200))
def test_whatever_came_the_bytes_shown_are_few_in_order_and_those_of_the_body(body, first, second):
    place = min(first, second), max(first, second)
    shown = around(body, place)
    ends = [0, *(offset for line in shown.lines for offset in line.bytes), len(body)]
    assert (sorted(ends), True, len(body)) == (ends, len(shown.lines) <= excerpts.LINES, shown.size)
    for line in shown.lines:
        start, end = line.bytes
        cuts = [start, *(min(max(offset, start), end) for offset in place), end]
        parts = (body[first:last].decode("utf-8", "backslashreplace") for first, last in pairwise(cuts))
        assert tuple(parts) == line.text
        assert max(map(len, line.text)) <= 4 * excerpts.BEFORE + 16


def test_a_timeline_says_when_events_were_whole_and_when_done_came():
    reads = ((1000, len(CHUNK) + 3), (2000, 2 * len(CHUNK) - 3), (4000, len(DONE)))
    read = transcript.read(stream(3 * CHUNK + DONE, reads))
    assert Timeline(((1000, 1), (2000, 2), (4000, 1)), 4000) == timing.timeline(read)


@pytest.mark.parametrize("tail, done", [(b"", None), (b"data: [DONE]", 2000)])
def test_done_came_also_where_no_blank_line_closes_it_and_never_where_it_did_not(tail, done):
    drawn = timing.timeline(transcript.read(stream(CHUNK + tail, ((1000, len(CHUNK)), (2000, len(tail))))))
    assert drawn is not None
    assert drawn.done == done


def test_a_timeline_tells_a_bounded_number_of_moments_apart_and_loses_no_event():
    reads = tuple((number * 1000, len(CHUNK)) for number in range(1_000))
    drawn = timing.timeline(transcript.read(stream(CHUNK * 1_000, reads)))
    assert drawn is not None
    assert (True, 1_000) == (len(drawn.events) <= timing.STROKES, sum(count for _, count in drawn.events))


def test_what_was_not_timed_has_no_timeline():
    assert timing.timeline(transcript.read(stream(CHUNK))) is None


def test_findings_come_with_their_bytes_and_their_request():
    results = assessed(stream(CHUNK))
    failed = [item for item in results.verdicts if item.outcome is Outcome.FAIL]
    places = [finding for item in failed for finding in item.findings[: summaries.SHOWN] if finding.bytes]
    assert places
    assert all(finding.evidence for finding in places)
    assert results.exchanges[0].sent.body == '{"model":"m","stream":true}'


def test_a_long_request_and_one_that_is_no_text_are_not_kept():
    long = stream(CHUNK, request=Request("POST", "https://x.example", body={"stream": True, "x": "x" * 5_000}))
    binary = stream(CHUNK, request=Request("POST", "https://x.example", body=b"\xff"))
    assert [None, None] == [assessed(each).exchanges[0].sent.body for each in (long, binary)]


def test_only_telling_header_fields_are_kept_and_cut():
    assert (("X-Request-Id", "r" * 200),) == assessed(stream(CHUNK)).exchanges[0].received.headers


@pytest.mark.parametrize("count, kept", [(2**53 - 1, 2**53 - 1), (2**53, None), (10**400, None), (-(2**53), None)])
def test_a_count_of_tokens_is_kept_where_every_reader_of_json_has_it(count, kept):
    usage = CHUNK.replace(b"{", b'{"usage":{"prompt_tokens":%d,"completion_tokens":7},' % count, 1)
    received = assessed(stream(usage)).exchanges[0].received
    assert (kept, 7) == (received.prompt_tokens, received.completion_tokens)


def test_timelines_are_kept_of_the_first_streams_of_a_provider():
    exchanges = tuple(stream(CHUNK, ((1000, len(CHUNK)),), id=f"s{number}") for number in range(50))
    results = assess([Subject(Provider("acme", "", "m"), exchanges, "")], run={}, today=date(2026, 11, 20))
    kept = [item.id for item in results.exchanges if item.received.timeline]
    assert [f"s{number}" for number in range(summaries.TIMELINES)] == kept


def test_results_name_the_contracts_that_were_judged_by():
    results = assess([Subject(Provider("t", "", "m", contract="tooken"), (), "")], run={}, today=date(2026, 11, 20))
    assert {"openai", "tooken"} == set(results.contracts)
    assert results.contracts["tooken"] == contracts.digest("tooken")
    assert results.contracts["openai"].document is None
    assert results.contracts["tooken"].document == "000_3800249b69e3bcad.txt"
