"""Lawful variations are no deviations: framing and delivery change nothing, content changes no outcome unsaid."""

from __future__ import annotations

import pytest

from chatconform.reference.good import GOOD
from chatconform.reference.variations import VARIATIONS
from outcome_vectors import differences, known, of_good, ruled, word

pytestmark = pytest.mark.uncovered

ROWS = [(variation.id, good) for variation in VARIATIONS.values() for good in variation.of]
EXACT = [(name, good) for name, good in ROWS if VARIATIONS[name].keeps_counts]


@pytest.mark.parametrize("name, good", ROWS)
def test_a_variation_changes_what_it_states_and_nothing_else(name: str, good: str) -> None:
    variation = VARIATIONS[name]
    stated = variation.change.expected(of_good(good), known())
    judged = {key: word(verdict) for key, verdict in ruled(variation.rewords(GOOD[good])).items()}
    assert [] == differences(stated, judged)


@pytest.mark.parametrize("name, good", EXACT)
def test_a_variation_of_framing_or_delivery_changes_no_count(name: str, good: str) -> None:
    before, after = ruled(GOOD[good]), ruled(VARIATIONS[name].rewords(GOOD[good]))
    counts = {key: verdict.examined for key, verdict in before.items()}
    occasioned = {key for key in before if before[key].outcome is not after[key].outcome}
    assert counts == {key: counts[key] if key in occasioned else after[key].examined for key in after}


@pytest.mark.parametrize("name, good", ROWS)
def test_a_variation_is_another_exchange(name: str, good: str) -> None:
    assert GOOD[good] != VARIATIONS[name].rewords(GOOD[good])


@pytest.mark.parametrize("name", VARIATIONS)
def test_a_variation_says_in_one_sentence_what_differs(name: str) -> None:
    assert VARIATIONS[name].says.endswith(".")


def test_the_only_finding_on_a_variation_is_at_the_level_may() -> None:
    found = {
        (name, verdict.check, str(verdict.level))
        for name, good in ROWS
        for verdict in ruled(VARIATIONS[name].rewords(GOOD[good])).values()
        if verdict.findings
    }
    assert {("content.finish_omitted", "choices.finish_reason.key", "may")} == found
