"""A hostile endpoint ends in a verdict or an honest unproven: no hang, crash or traceback, and memory within bounds.

A sample of the behaviours is driven here; `make hostile` drives all of them and writes docs/hostile.md.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

import pytest

from chatconform import judge
from chatconform.model import Exchange, Outcome
from chatconform.recordings import store
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.report.visible import prose
from chatconform.wire import media, strict_json
from chatconform.wire import transcript as transcripts
from hostile import HOSTILE
from hostile_page import PAGE, promised, rows_of
from hostile_run import Said, Servers, drive_together

pytestmark = pytest.mark.uncovered

HEAVY = (
    "json.strings", "choices.many", "sse.fields.choices", "endless.comments", "second.endless", "endless.names",
    "gzip.bomb", "json.values.chunks", "text.brackets", "text.tokens.amid", "calls.deep", "models.million", "cut",
)  # fmt: skip
LIGHT = (
    "endless.header", "endless.interim", "endless.extension", "gzip.events", "coding.many", "json.deep",
    "json.surrogates", "silence.header", "drip.header", "reset.body", "length.conflict", "chunked.word", "http.0.9",
    "header.nul", "status.000", "redirect.loop", "redirect.host", "retry_after.9999", "status.401",
)  # fmt: skip
"""Those that cost a run little: they are the providers of one, and that is judged again."""
REDIRECTED = ("redirect.loop", "redirect.host")


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with Servers().running() as running:
        yield running


@pytest.fixture
def driven(servers, environment, tmp_path) -> Callable[..., Mapping[str, Said]]:
    """Drive behaviours side by side; what comes of each, by its name."""

    def together(*names: str, again: bool) -> Mapping[str, Said]:
        urls = {name: servers.serve(HOSTILE[name]) for name in names}
        return drive_together(urls, HOSTILE[names[0]].scenarios, tmp_path / "driven", environment, again=again)

    return together


def broken(said: Mapping[str, Said]) -> dict[str, object]:
    """What the suite did not stand up to, and where it says something else than the page."""
    rows = rows_of(PAGE.read_text(encoding="utf-8"))
    wrong = {name: each.wrong() for name, each in said.items()}
    told = {name: [promised(each), rows[name][2:5]] for name, each in said.items()}
    return {name: (wrong[name], *told[name]) for name in said if wrong[name] or told[name][0] != told[name][1]}


@pytest.mark.parametrize("name", HEAVY)
def test_a_hostile_endpoint_ends_in_a_verdict_within_bounds_as_the_page_says(name, driven):
    assert {} == broken(driven(name, again=False))


def test_light_hostile_endpoints_are_driven_beside_each_other(driven, servers):
    assert {} == broken(driven(*LIGHT, again=True))
    asked = {name: [request.split(b" ")[1] for request in servers.seen[name]] for name in REDIRECTED}
    assert dict.fromkeys(REDIRECTED, [b"/v1/chat/completions"] * 2) == asked, "a redirection is not followed"


def test_every_behaviour_has_its_row_in_the_page():
    rows = rows_of(PAGE.read_text(encoding="utf-8"))
    wanted = [(name, prose(hostile.sends)) for name, hostile in HOSTILE.items()]
    assert wanted == [(name, cells[1]) for name, cells in rows.items()]


# Cut everywhere, without a socket


def cuts(exchange: Exchange) -> Iterator[Exchange]:
    body = rewrite.body_of(exchange)
    assert exchange.response is not None
    for length in range(len(body)):
        cut = replace(exchange.response, body=body[:length], reads=None)
        yield replace(exchange, id=f"{exchange.id}.{length}", response=cut, end="truncated")


def short_stream() -> Exchange:
    """A stream of one chunk of each kind: the first, one of content, the last, the sentinel."""
    first, content, *_, last, sentinel, _ = rewrite.body_of(GOOD["stream"]).split(b"\n\n")
    return rewrite.with_body(GOOD["stream"], b"\n\n".join((first, content, last, sentinel, b"")))


CUT = (GOOD["answer"], GOOD["answer.tools"], GOOD["models"], short_stream())


@pytest.mark.parametrize("exchange", CUT, ids=["answer", "answer.tools", "models", "stream"])
def test_an_answer_that_is_cut_at_any_byte_is_no_error_and_never_whole(exchange):
    outcomes: dict[str, set[Outcome]] = {}
    for verdict in judge(cuts(exchange)):
        outcomes.setdefault(verdict.check, set()).add(verdict.outcome)
    assert {Outcome.FAIL} == outcomes["http.body.complete"]
    assert Outcome.ERROR not in set().union(*outcomes.values())


# The bounds, one by one


def stream_of(body: bytes) -> Exchange:
    return rewrite.with_body(GOOD["stream"], body)


def outcome(exchange: Exchange, check: str) -> Outcome:
    return next(verdict.outcome for verdict in judge([exchange]) if verdict.check == check)


def test_a_stream_of_as_many_lines_as_are_read_is_read():
    body = rewrite.body_of(GOOD["stream"])
    full = b":\n" * (media.MAX_LINES - media.lines(body)) + body
    assert Outcome.PASS == outcome(stream_of(full), "http.body.complete")


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_stream_of_more_lines_is_unproven(end):
    body = (b":" + end) * (media.MAX_LINES + 1)
    assert len(body) - len(b":" + end) == len(transcripts.read(stream_of(body)).body)
    assert Outcome.UNPROVEN == outcome(stream_of(body), "http.body.complete")


def test_a_stream_of_more_values_than_are_read_is_unproven():
    chunk = b'data: {"x":[' + b"0," * 50_000 + b"0]}\n\n"
    assert Outcome.UNPROVEN == outcome(stream_of(chunk * 21), "http.body.complete")


@pytest.mark.parametrize("text", [b"[%b0]" % (b"0," * 100_000), b"[%b0]" % (b"[]," * 60_000)])
def test_a_text_of_more_values_than_are_read_is_a_limit(text):
    assert "values" == strict_json.parse(text).limit


def test_commas_and_brackets_in_strings_are_no_values():
    assert strict_json.parse(b'["%b"]' % (b",[{" * 100_000)).readable


def test_more_codings_than_are_undone_are_a_limit():
    assert media.decode(b"", ("gzip",) * (media.MAX_CODINGS + 1)).limit


def test_a_body_of_many_lines_is_recorded_in_one_piece():
    body = b":\n" * (store.MAX_PIECES + 1)
    response = store.to_json(stream_of(body))["response"]
    assert isinstance(response, dict)
    assert body.decode() == response["body"]


def test_locating_the_last_of_duplicate_keys_and_a_member_of_a_list():
    text = b'{"a": [1, {"b": 2}], "a": [1, {"b": 33}]}'
    spans = [strict_json.locate(text, path) for path in (("a", 1, "b"), ("a", 0), ("a", 9), ("c",))]
    assert [b"33", b"1", b'[1, {"b": 33}]', text] == [text[slice(*span)] for span in spans if span]
