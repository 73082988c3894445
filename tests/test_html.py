"""The HTML report without a browser: what it says, what it never holds, and where it stops."""

from __future__ import annotations

import json
import re
import subprocess
from dataclasses import replace
from html import unescape

import pytest

from chatconform.exhibits import Received, Sent, Timeline
from chatconform.model import Origin, Outcome
from chatconform.report import board, html
from chatconform.report.changes import WORDS
from chatconform.report.html import arrivals, bars, rendering, ticket
from chatconform.report.results import dump, load
from chatconform.report.visible import SHAPELESS
from many_results import many
from report_sample import HOSTILE_PROVIDER, LONG_ID, exchange, sample

PROVIDERS = [item.id for item in sample().providers]


def pages(results):
    return [html.index(results), *(html.provider(results, item.id) for item in results.providers)]


def text(page: str) -> str:
    return unescape(re.sub(r"\s+", " ", re.sub(r"(?s)<(style|script)>.*?</\1>|<[^>]+>", " ", page)))


# What a page never holds


def test_the_same_results_make_the_same_bytes_also_when_they_were_read_from_a_file(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(dump(sample()))
    assert pages(sample()) == pages(load(path))


@pytest.mark.parametrize("page", pages(sample()), ids=["index", *PROVIDERS])
def test_a_page_holds_no_character_without_a_shape(page):
    assert [] == SHAPELESS.findall(page.replace("\n", ""))


@pytest.mark.parametrize("page", pages(sample()), ids=["index", *PROVIDERS])
def test_a_page_has_no_style_no_handler_and_no_source_in_its_markup(page):
    body = re.sub(r"(?s)<(style|script)>.*?</\1>", "", page)
    assert [] == re.findall(r"<[^>]+\s(?:style|src|on\w+)=", body)
    assert {"http-equiv"} == set(re.findall(r"http-equiv", body))


@pytest.mark.parametrize("page", pages(sample()), ids=["index", *PROVIDERS])
def test_a_page_links_nowhere_but_to_pages_and_https(page):
    links = re.findall(r'\shref="([^"]*)"', page)
    assert [] == [link for link in links if not re.match(r"https?://|#|[\w.-]+\.html(#|$)", link)]


@pytest.mark.parametrize("page", pages(sample()), ids=["index", *PROVIDERS])
def test_every_id_is_there_once(page):
    ids = re.findall(r'\sid="([^"]*)"', page)
    assert sorted(set(ids)) == sorted(ids)


@pytest.mark.parametrize("page", pages(sample()), ids=["index", *PROVIDERS])
def test_a_page_gives_no_percentage(page):
    assert [] == re.findall(r"\d ?%", text(page))


def test_an_id_of_a_megabyte_is_cut():
    assert all(LONG_ID[:1000] not in page for page in pages(sample()))


@pytest.mark.parametrize("url, expected", [
    ("https://acme.example/4?a=1&b=2", True),
    ("http://acme.example", True),
    ("javascript:alert(1)", False),
    ("JaVaScRiPt://acme.example/%0aalert(1)", False),
    ("data:text/html,x", False),
    ("//acme.example", False),
    ("https:///x", False),
    ("https://acme.example/\u202egnp", False),
    ("https://[::1", False),
])  # fmt: skip
def test_only_http_and_https_are_links(url, expected):
    assert expected is rendering.is_link(url)


@pytest.mark.parametrize("source, links", [
    ("RFC 9110 section 8.3, HDR-01", ["https://www.rfc-editor.org/rfc/rfc9110#section-8.3"]),
    ("RFC 8259", ["https://www.rfc-editor.org/rfc/rfc8259"]),
    ("WHATWG HTML 9.2.6, SSF-01", ["https://html.spec.whatwg.org/multipage/server-sent-events.html"]),
    ("acme.txt:99-101", []),
    ("<b>RFC x</b>", []),
])  # fmt: skip
def test_a_citation_of_a_standard_leads_to_it(source, links):
    cited = str(rendering.cited(source))
    assert links == re.findall(r'href="([^"]+)"', cited)
    assert source == unescape(re.sub(r"</?a[^>]*>", "", cited))


# Where it stops, and says so


def test_a_provider_with_very_many_failures_has_cards_for_the_first_and_names_of_the_others():
    results = many(1, 260, failing=250)
    page = html.provider(results, "provider-000")
    assert (200, True) == (page.count('<article class="finding'), "and 50 more:" in text(page))


def test_a_card_says_how_many_findings_it_does_not_show():
    assert "and 67 more in this exchange" in text(html.provider(sample(), "acme"))


def test_no_provider_at_all_is_a_page_that_says_so():
    page = html.index(many(0, 0))
    assert ("<h1>No provider was judged.</h1>" in page, "<table" in page) == (True, False)


def test_a_provider_without_a_single_verdict_has_a_page():
    assert "Nothing was judged." in text(html.provider(many(1, 0), "provider-000"))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_failure_has_its_card_with_the_fragment_that_every_form_uses(provider):
    page = html.provider(sample(), provider)
    row = board.row(sample(), provider)
    expected = [board.anchor(entry.contract, entry.check) for entry in row.failures]
    assert expected == re.findall(r'<article class="finding [a-z]+" id="([^"]+)"', page)


def test_a_place_is_marked_in_its_bytes():
    assert "<mark>7</mark>" in html.provider(sample(), "acme")
    assert "the body ends here" in text(html.provider(sample(), "acme"))


def test_what_changed_is_told_by_whose_doing_it_is():
    whole = sample()
    said = text(html.index(replace(whole, changes=(*whole.changes, replace(whole.changes[0], by="chance")))))
    places = [said.index(words) for words in ("What changed", *map(opened, WORDS.values()))]
    assert sorted(places) == places


def opened(words: str) -> str:
    return words[:1].upper() + words[1:]


# What is copied

ASKED = exchange(
    "acme",
    "plain",
    Origin.LIVE,
    request="POST https://api.example.com/v1/chat/completions",
    sent=Sent(body='{"messages":[{"content":"it\'s \u202e \\u0000 $(rm) `x`"}]}'),
)


def words(asked) -> list[str]:
    """What a shell hands to curl."""
    script = f"curl() {{ printf '%s\\0' \"$@\"; }}\n{ticket.curl(asked)}"
    done = subprocess.run(["sh", "-c", script], env={"API_KEY": "sk-example"}, capture_output=True, check=True)
    return done.stdout.decode().split("\0")[:-1]


def test_a_curl_line_sends_the_same_json_and_the_key_of_the_environment():
    given = words(ASKED)
    assert json.loads(ASKED.sent.body or "") == json.loads(given[-1])
    assert "https://api.example.com/v1/chat/completions" in given
    assert "Authorization: Bearer sk-example" in given


@pytest.mark.parametrize("key, header", [("wrong", "Authorization: Bearer a-wrong-key"), ("absent", None)])
def test_a_curl_line_goes_with_the_kind_of_key_that_the_request_went_with(key, header):
    given = words(replace(ASKED, sent=replace(ASKED.sent, key=key)))
    assert [header] * (header is not None) == [word for word in given if word.startswith("Authorization")]


@pytest.mark.parametrize("request_line, body", [
    ("POST https://api.example.com/v1/chat/completions", None),
    ("POST /v1/chat/completions", "{}"),
    ("POST javascript:alert(1)", "{}"),
    ("POST https://api.example.com/\x1b[31m", "{}"),
    ("POST https://api.example.com/v1", "\x1b no JSON"),
])  # fmt: skip
def test_what_cannot_be_printed_as_it_is_has_no_curl_line(request_line, body):
    assert ticket.curl(replace(ASKED, request=request_line, sent=Sent(body=body))) is None


def test_a_ticket_says_all_that_a_vendor_needs():
    page = html.provider(sample(), "acme")
    found = re.search(r'<pre id="openai--sse.done.last--ticket">(.*?)</pre>', page, re.DOTALL)
    assert found is not None
    said = unescape(found[1])
    for part in (
        "sse.done.last: https://api.acme.example/v1 does not keep this rule",
        "Your own document says the same: acme.txt:99-101",
        "bytes [1200, 1216), event 12",
        "wanted the end of the stream",
        "Clients: raises in AI SDK, @scope/client; silently wrong in openai-python.",
        "To mend it: repair sse.done.last.",
        "chatconform judge recordings/acme/stream.usage.json --provider acme --check sse.done.last",
    ):
        assert part in re.sub(r"</?span>", "", said)


def test_a_ticket_tells_where_the_same_was_seen_elsewhere():
    page = html.provider(sample(), "acme")
    said = unescape(re.search(r'<pre id="openai--sse.done.last--ticket">(.*?)</pre>', page, re.DOTALL)[1])
    issues = "acme/client#12, acme/c#0, acme/c#1, acme/c#2"
    assert f"Seen elsewhere: Something follows `[DONE]`. ({issues})" in said


def test_a_card_leads_to_where_the_same_was_seen_elsewhere():
    page = html.provider(sample(), "acme")
    assert '<a href="https://github.com/acme/client/issues/12" rel="noreferrer">acme/client#12</a>' in page
    assert "and 2 more" in text(page)


PRINTED = exchange("acme", "stream.usage", Origin.DOCUMENT, source="acme.txt:7-9")


def printed():
    """The sample, with the exchange that breaks sse.done.last printed in a document and not asked of an endpoint."""
    others = tuple(each for each in sample().exchanges if (each.provider, each.id) != ("acme", "stream.usage"))
    return replace(sample(), exchanges=(*others, PRINTED))


def test_of_a_printed_example_no_endpoint_is_accused():
    page = html.provider(printed(), "acme")
    said = unescape(re.search(r'<pre id="openai--sse.done.last--ticket">(.*?)</pre>', page, re.DOTALL)[1])
    assert said.startswith("sse.done.last: an example in your API document does not keep this rule\n")
    assert "Printed in acme.txt:7-9. The endpoint itself was not asked." in said
    assert ("curl" in said, "https://api.acme.example" in said, "printed in acme.txt:7-9" in page) == (
        False,
        False,
        True,
    )


def test_the_index_says_below_its_headline_what_is_worst_and_marks_what_is_new():
    page = html.index(sample())
    assert "Worst: Clients of sse.done.last go wrong. sse. done. last at acme" in text(page)
    assert re.search(r'acme <small class="t-fail">▼ new</small>', page)


def test_an_inconclusive_provider_says_why_on_the_board():
    assert '<small class="why">printed examples can convict and never acquit</small>' in html.index(sample())


def test_a_rule_has_the_words_of_the_contract_that_it_is_broken_under():
    own = replace(sample().verdicts[0], contract="acme", check="envelope.id.type", outcome=Outcome.FAIL)
    said = replace(sample().checks["envelope.id.type"], wording={"acme": "id is a text of acme's."})
    results = replace(sample(), verdicts=(own,), checks={**sample().checks, "envelope.id.type": said})
    assert "Broken rule: id is a text of acme's." in text(html.index(results))


def test_a_name_of_the_wire_is_set_apart_in_a_sentence():
    assert "<code>finish_reason</code> is a word, and <code>[DONE]</code> too; a_1 is none" == str(
        rendering.prose("finish_reason is a word, and `[DONE]` too; a_1 is none")
    )


def test_no_line_of_a_command_breaks_within_an_option():
    assert "judge x <span>--check</span> a --no-x<y" == unescape(str(rendering.command("judge x --check a --no-x<y")))


def test_a_ticket_of_a_hostile_provider_is_text():
    page = html.provider(sample(), HOSTILE_PROVIDER)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "<script>alert" not in page


# Time


def timed(name: str, *events: tuple[int, int], done: int | None = None, scenario: str | None = None):
    return exchange(
        "acme", name, Origin.LIVE, sent=Sent(scenario), received=Received(timeline=Timeline(events, done)),
        timings={"last_read": max(time for time, _ in events)},
    )  # fmt: skip


def test_streams_stand_on_one_scale_with_round_ticks():
    drawn = arrivals.drawn([timed("a", (100_000, 1), (900_000, 3), done=900_000), timed("b", (450_000, 40))])
    assert drawn is not None
    assert ["0", "200 ms", "400 ms", "600 ms", "800 ms"] == [tick.says for tick in drawn.ticks]
    assert [("98.00", 4, 2), (None, 40, 1)] == [(each.done, each.events, each.moments) for each in drawn.streams]


def test_one_stream_of_each_provider_is_compared_of_the_scenario_that_most_have():
    first = [timed("long", (1, 90), scenario="long"), timed("short", (1, 2), scenario="short")]
    second = [timed("short", (1, 2), scenario="short")]
    third = [timed("other", (1, 2), scenario="other"), timed("longer", (1, 7), scenario="longer")]
    assert ["short", "short", "longer"] == [each.id for each in arrivals.alike([first, second, third])]


def test_a_stream_that_takes_no_time_can_be_drawn():
    drawn = arrivals.drawn([timed("a", (0, 1))])
    assert drawn is not None
    assert drawn.streams[0].strokes[0].x == "1.00"


def test_one_failure_among_very_many_passes_can_be_seen_on_a_bar():
    drawn = bars.segments(board.Musts(verified=9_999, failing=1, waived=0, unproven=0, error=0))
    assert [("FAIL", True), ("PASS", True)] == [(each.mark.name, float(each.width) > 1.9) for each in drawn]
    assert abs(sum(float(each.width) for each in drawn) - 100) < 0.02
