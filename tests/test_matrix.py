"""The proof that the suite bites: every named fault changes exactly the verdicts that its statement says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chatconform.checks import all_checks
from chatconform.checks import check as registry
from chatconform.contracts import contract as contracts
from chatconform.model import OPENAI, Finding
from chatconform.reference.faults import all_faults, example
from chatconform.reference.faults.fault import names
from chatconform.reference.good import DOCUMENTED, GOOD
from chatconform.wire.transcript import Transcript
from outcome_vectors import differences, known, of_fault, of_good, ruled, vector

pytestmark = pytest.mark.uncovered

FAULTS = all_faults()


def rules() -> set[str]:
    """Every rule that good exchanges are held against: checks, and the clauses and promises of their contracts."""
    loaded = {name: contracts.load(name) for name in (OPENAI, *DOCUMENTED)}
    of_openai = {check for check, rule in all_checks().items() if rule.level is not None}
    rules = {f"{name}/{each}" for name, contract in loaded.items() for each in (*contract.clauses, *contract.promises)}
    return rules | {f"{OPENAI}/{check}" for check in of_openai}


def with_outcome(outcome: str) -> set[str]:
    rows = (*map(of_good, GOOD), *map(of_fault, FAULTS))
    return {key for row in rows for key, word in row.items() if word.startswith(outcome)}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_exchange_has_no_finding_and_nothing_unproven(name: str) -> None:
    lawful = ("pass", "not-applicable", *(["unproven: rate-limited"] if name == "error.limit" else []))
    flaws = {key: word for key, word in of_good(name).items() if not word.startswith(lawful)}
    assert {} == flaws


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_changes_what_it_states_and_nothing_else(name: str) -> None:
    fault = FAULTS[name]
    stated = fault.change.expected(of_good(fault.of), known())
    assert [] == differences(stated, of_fault(name))


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_makes_something_differ(name: str) -> None:
    assert of_good(FAULTS[name].of) != of_fault(name)


@pytest.mark.parametrize("name", FAULTS)
def test_every_id_that_a_fault_states_means_a_rule(name: str) -> None:
    keys = [f"{contract}/{rule}" for contract in (OPENAI, *DOCUMENTED) for rule in known()]
    stray = [each for each in FAULTS[name].change.patterns if not any(names(each, key) for key in keys)]
    assert [] == stray


def test_every_rule_is_broken_by_a_fault() -> None:
    assert [] == sorted(rules() - with_outcome("fail"))


def test_every_rule_passes_on_a_good_exchange() -> None:
    passed = {key for name in GOOD for key, word in of_good(name).items() if word == "pass"}
    assert [] == sorted(rules() - passed)


def test_every_rule_is_unproven_in_some_row() -> None:
    assert [] == sorted(rules() - with_outcome("unproven"))


COUNTS = {
    ("answer.n2", "choices.count.n"): 2,
    ("answer.n2", "message.content.nonempty"): 2,
    ("stream.n2", "stream.role.present"): 2,
    ("stream.n2", "stream.role.once"): 2,
    ("stream.n2", "choices.finish_reason.present"): 2,
    ("stream.n2", "choices.finish_reason.last"): 2,
    ("stream.usage", "sse.data.nonempty"): 7,
    ("stream.usage", "sse.done.exact"): 1,
    ("stream.usage", "json.payload.valid"): 6,
    ("stream.usage", "json.payload.object"): 6,
    ("stream.usage", "json.constants.absent"): 6,
    ("stream.usage", "json.keys.unique"): 6,
    ("stream.usage", "json.surrogates.paired"): 6,
    ("stream.usage", "envelope.created.present"): 6,
    ("stream.usage", "envelope.created.seconds"): 6,
    ("stream.usage", "stream.model.present"): 6,
    ("stream.usage", "stream.id.constant"): 6,
    ("stream.usage", "stream.created.constant"): 6,
    ("stream.usage", "usage.stream.complete"): 1,
    ("stream.usage", "envelope.id.type"): 6,
    ("stream.usage", "choices.delta.type"): 5,
    ("stream.tools", "tools.index.type"): 6,
    ("stream", "stream.choices.nonempty"): 5,
    ("answer.n2", "message.content.thoughts"): 2,
    ("answer.logprobs", "logprobs.top_logprobs.count"): 2,
    ("stream.n2", "stream.choices.order"): 2,
    ("stream.long", "sse.delivery.progressive"): 1,
    ("models", "models.id.unique"): 2,
}
"""How many targets a check or a clause finds in a good exchange, counted by hand."""


@pytest.mark.parametrize("name, check", COUNTS)
def test_a_pass_says_how_many_targets_it_examined(name: str, check: str) -> None:
    assert COUNTS[name, check] == ruled(GOOD[name])[f"{OPENAI}/{check}"].examined


def test_no_row_is_an_error_of_the_suite() -> None:
    assert set() == with_outcome("error")


@pytest.mark.parametrize("check", all_checks())
def test_every_check_is_broken_by_a_fault_written_by_hand(check: str) -> None:
    written = [name for name in FAULTS if not name.startswith("clause:")]
    assert any(names(check, key) and word == "fail" for name in written for key, word in of_fault(name).items())


def test_an_example_shows_the_bytes_that_a_fault_changes() -> None:
    expected = [
        "",
        "example  sse.done.two_spaces: Two spaces stand before [DONE], so that its data begin with one.",
        '  passes   …}},"choices":[]}\\n\\ndata: [DONE]\\n\\n',
        '  fails    …}},"choices":[]}\\n\\ndata:  [DONE]\\n\\n',
    ]
    assert expected == example("sse.done.exact")


def test_an_example_shows_the_head_where_the_body_is_the_same() -> None:
    expected = [
        "",
        "example  http.charset.latin1: A stream is labelled with the charset ISO 8859-1.",
        "  passes   …ype: text/event-stream; Cache-Control: no-cache;",
        "  fails    …ype: text/event-stream; charset=iso-8859-1; Cache-Control: no-cache;",
    ]
    assert expected == example("http.charset.utf8")


@pytest.mark.parametrize("rule", sorted({rule.partition("/")[2] for rule in rules()}))
def test_every_rule_has_an_example_whose_lines_differ(rule: str) -> None:
    _, _, passes, fails = example(rule)
    assert passes.removeprefix("  passes ") != fails.removeprefix("  fails  ")


def test_what_no_fault_breaks_has_no_example() -> None:
    assert [] == example("request.model.type")


def nothing(_transcript: Transcript) -> Iterator[Finding]:
    """A predicate that finds nothing, whatever it is shown."""
    yield from ()


@pytest.mark.parametrize("check", all_checks())
def test_a_check_that_finds_nothing_is_noticed(check: str, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = [
        name for name in FAULTS if any(names(check, key) and word == "fail" for key, word in of_fault(name).items())
    ]
    monkeypatch.setitem(registry._REGISTRY, check, replace(all_checks()[check], predicate=nothing))
    changed = [name for name in failing if vector(FAULTS[name].breaks(GOOD[FAULTS[name].of])) != of_fault(name)]
    assert changed
