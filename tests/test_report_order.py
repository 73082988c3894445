"""The order of what fails, the same in every form: by level, by the harm to clients, by how many providers fail it."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree as ET

import pytest

from chatconform import gate
from chatconform.exhibits import Endpoint
from chatconform.gate import FailOn
from chatconform.model import (
    CheckText,
    Conclusion,
    ExchangeSummary,
    Finding,
    Level,
    Origin,
    Outcome,
    ProviderResult,
    Results,
    Verdict,
)
from chatconform.report import board, html, junit, markdown, sarif, summary
from report_sample import on_terminal

CLIENTS = ("AI SDK", "litellm", "openai-node", "openai-python")
HURTS = {
    "a.nobody.measured": ((), True),
    "b.few.clients": (CLIENTS[:1], True),
    "c.nothing.measured": ((), False),
    "d.all.clients": (CLIENTS, True),
    "e.few.clients": (CLIENTS[1:2], True),
}
"""The clients that raise where a check fails, and whether any was measured."""
WORST_FIRST = ["d.all.clients", "e.few.clients", "b.few.clients", "c.nothing.measured", "a.nobody.measured"]
SHOULD = "z.should"


def _text(check: str, level: Level) -> CheckText:
    raises, measured = HURTS.get(check, (CLIENTS, True))
    return CheckText(check, f"{check} holds.", "B.", "F.", {"openai": level}, {}, raises=raises, measured=measured)


def _verdict(provider: str, check: str, level: Level) -> Verdict:
    return Verdict(provider, "openai", check, level, "e", Outcome.FAIL, 1, findings=(Finding("1", "2"),))


def _results() -> Results:
    """Two providers: the first breaks everything, the second the check e, so that more providers break e than b."""
    failing = [("p", check, Level.MUST) for check in HURTS] + [("p", SHOULD, Level.SHOULD)]
    verdicts = tuple(_verdict(*each) for each in (*failing, ("q", "e.few.clients", Level.MUST)))
    providers = tuple(
        ProviderResult(name, Conclusion.DEVIATES, "", {}, "a recording", endpoint=Endpoint(contract="tooken"))
        for name in ("p", "q")
    )
    return Results(
        run={},
        providers=providers,
        checks={check: _text(check, level) for _, check, level in failing},
        exchanges=tuple(
            ExchangeSummary("e", name, f"{name}.json", "", "POST /", 200, "complete", Origin.LIVE, None, {})
            for name in ("p", "q")
        ),
        verdicts=verdicts,
    )


def _in_order(text: str, pattern: str) -> list[str]:
    return list(dict.fromkeys(re.findall(pattern, text)))


RESULTS = _results()
GATED = gate.decide(RESULTS, FailOn.MUST)
ID = r"([a-e]\.[a-z.]+)"


def test_every_form_tells_what_providers_break_in_the_same_order():
    found = {
        "index.html": _in_order(html.index(RESULTS), rf'href="p\.html#openai--{ID}"')[:5],
        "index.md": _in_order(markdown.index(RESULTS), rf"\(p\.md#openai--{ID}\)")[:5],
        "summary": _in_order(summary.render(RESULTS), rf"### FAIL `{ID}`: p"),
    }
    assert dict.fromkeys(found, WORST_FIRST) == found


def test_of_one_provider_what_hurts_most_clients_comes_first_then_what_was_not_measured():
    alone = ["d.all.clients", "b.few.clients", "e.few.clients", "c.nothing.measured", "a.nobody.measured"]
    found = {
        "p.html": _in_order(html.provider(RESULTS, "p"), rf'<article class="finding fail" id="openai--{ID}"'),
        "p.md": _in_order(markdown.provider(RESULTS, "p"), rf"### FAIL `{ID}`"),
        "terminal": _in_order(on_terminal(RESULTS).partition("\nq ")[0], rf"× {ID} "),
        "junit": [
            each.get("name")
            for each in ET.fromstring(junit.render(RESULTS, GATED)).iter("testcase")
            if each.get("classname") == "p.openai"
        ][:5],
        "sarif": [
            each["ruleId"]
            for each in json.loads(sarif.render(RESULTS, GATED))["runs"][0]["results"]
            if each["properties"]["provider"] == "p"
        ][:5],
    }
    assert dict.fromkeys(found, alone) == found


def test_a_should_that_hurts_comes_after_a_must_that_does_not():
    assert SHOULD == board.row(RESULTS, "p").failures[-1].check


FORMS = {
    "p.html": html.provider(RESULTS, "p"),
    "p.md": markdown.provider(RESULTS, "p"),
    "summary": summary.render(RESULTS),
    "junit": junit.render(RESULTS, GATED).decode(),
    "sarif": sarif.render(RESULTS, GATED).decode(),
    "terminal": on_terminal(RESULTS),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_names_the_document_in_the_command_that_shows_a_verdict_again(form):
    text = re.sub(r"</?span>", "", FORMS[form])
    assert "judge p.json --provider p --contract tooken --check d.all.clients" in text
