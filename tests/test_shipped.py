"""What the five documents' own examples break: written by hand from the documents, before the checks were."""

from collections import Counter

import pytest

from chatconform import load
from chatconform.contracts.contract import names
from chatconform.model import Level, Outcome, OwnDocument, Reason
from chatconform.resources import path
from chatconform.rollup import roll_up

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY

# (provider, exchange, check, level, how many findings, why)
FINDINGS = {
    # 001_3d2513934720930c.txt: the example is made of placeholders, and they are judged like any value
    ("tkhub", "answer", "message.role.value", MUST, 1),  # line 85: system
    ("tkhub", "answer", "choices.index.contiguous", MUST, 1),  # line 83: the only choice is number 123
    ("tkhub", "answer", "choices.finish_reason.tool_calls", MUST, 1),  # lines 88-101: stop beside tool calls
    ("tkhub", "answer", "tools.choice.none", MUST, 1),  # lines 60 and 88-97: tool_choice none, and a call
    ("tkhub", "answer", "tools.arguments.json", MUST, 1),  # line 94: <string>
    ("tkhub", "answer", "envelope.created.seconds", SHOULD, 1),  # line 79: 123
    ("tkhub", "answer", "usage.total.sum", SHOULD, 1),  # lines 105-107: 123 + 123 is not 123
    # 002_6ee85425ad9aaf1a.txt
    ("costrouter", "answer", "envelope.created.seconds", SHOULD, 1),  # line 18: 0
    # 000_3800249b69e3bcad.txt: lines 95-99 as they stand, then each closed by a blank line
    ("tooken", "stream-as-printed", "sse.event.separated", MUST, 1),
    ("tooken", "stream-framed", "stream.role.present", MUST, 1),  # no delta has a role
    ("tooken", "stream-framed", "envelope.created.present", SHOULD, 3),
    ("tooken", "stream-framed", "stream.model.present", SHOULD, 3),
    ("tooken", "stream-framed", "choices.finish_reason.key", MAY, 2),  # lines 95 and 96
}
UNDISPATCHED = (
    "sse.done.present",
    "json.payload.valid",
    "choices.finish_reason.present",
    "envelope.id.present",
)


@pytest.fixture(scope="module")
def verdicts():
    from chatconform.judging import judge

    folder = path("recordings")
    documents = [name for name in names() if name != "openai"]
    return [
        verdict for name in documents for verdict in judge(load([folder / name / "document"]), name)
    ]  # fmt: skip


def test_the_findings_are_those_that_the_documents_give(verdicts):
    found = {
        (each.provider, each.exchange, each.check, each.level, each.found)
        for each in verdicts
        if each.outcome is Outcome.FAIL
    }

    assert found == FINDINGS


def test_no_example_breaks_its_own_document(verdicts):
    assert [each for each in verdicts if each.contract != "openai" and each.outcome is Outcome.FAIL] == []


def test_every_provider_has_verdicts_of_its_own_document(verdicts):
    passed = Counter(each.contract for each in verdicts if each.outcome is Outcome.PASS)

    assert {name: passed[name] > 10 for name in names()} == dict.fromkeys(names(), True)


@pytest.mark.parametrize("check", UNDISPATCHED)
def test_what_is_never_dispatched_is_unproven_for_the_missing_blank_lines(verdicts, check):
    (verdict,) = (
        each
        for each in verdicts
        if (each.contract, each.exchange, each.check) == ("openai", "stream-as-printed", check)
    )

    assert (verdict.outcome, verdict.reason, verdict.because) == (
        Outcome.UNPROVEN,
        Reason.PREREQUISITE,
        "sse.event.separated",
    )


def test_a_printed_example_announces_its_own_deviations(verdicts):
    said = {each.own_document for each in verdicts if each.outcome is Outcome.FAIL}

    assert said == {OwnDocument.ANNOUNCES}


def test_a_page_prints_no_headers_so_the_media_type_is_unproven(verdicts):
    rolled = roll_up(verdicts)

    assert {
        rolled[provider, "openai", "http.media_type.json"].outcome for provider in names() if provider != "openai"
    } == {Outcome.UNPROVEN}


def test_nothing_passes_without_a_target(verdicts):
    assert [each for each in verdicts if each.outcome is Outcome.PASS and each.examined == 0] == []
