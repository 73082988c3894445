"""`chatconform explain` of everything that it knows: every check, and every entry of the catalogue."""

from __future__ import annotations

import pytest

from chatconform import deviations, explanation, listing
from chatconform.coverage import Standing, coverage
from chatconform.explanation import explained
from chatconform.judging import known_checks

pytestmark = pytest.mark.uncovered


@pytest.mark.parametrize("check", sorted(known_checks()))
def test_every_rule_can_be_explained(check):
    found = explained(check)
    assert (check, True, True) == (found.text.id, bool(found.rules), bool(found.hurts))
    assert {rule.contract for rule in found.rules} == set(found.text.levels)


@pytest.mark.parametrize("covered", coverage().values(), ids=lambda covered: covered.entry.id)
def test_every_entry_says_what_becomes_of_it(covered):
    titles = {
        Standing.CHECKED: "found by",
        Standing.HABIT: "a lawful habit, which reports show and nothing accuses",
        Standing.UNDECIDED: "found by no check, because",
    }
    sections = [part.partition("\n")[0] for part in listing.explain(covered.entry.id).split("\n\n")]
    assert [titles[covered.standing]] == [title for title in titles.values() if title in sections]


@pytest.mark.parametrize("check", sorted(known_checks()))
def test_nobody_is_said_not_to_mind_what_was_not_measured(check):
    found = explained(check)
    entries = [deviations.load()[each.id] for each in found.cited]
    names_none = not (found.text.raises or found.text.wrong)
    assert found.text.measured == any(entry.measured for entry in entries)
    assert names_none == (found.hurts in ((("no measured client minds", ""),), (("not measured", ""),)))


def test_the_clients_come_with_their_versions():
    clients = {f"{client.name} {client.version}" for client in deviations.catalogue().clients.values()}
    named = {name for check in known_checks() for name in (*explained(check).raises, *explained(check).wrong)}
    assert clients == named


def test_every_entry_is_cited_by_whom_the_index_says():
    for entry, checks in explanation.citing().items():
        assert all(entry in {each.id for each in explained(check).cited} for check in checks)
