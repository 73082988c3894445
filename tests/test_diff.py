"""What changed between two judgings."""

from dataclasses import replace

import pytest

from chatconform.diff import compare
from chatconform.model import Change, Level, Outcome, Results, Verdict, Waiver
from chatconform.report import changes

PASS, FAIL, UNPROVEN = Outcome.PASS, Outcome.FAIL, Outcome.UNPROVEN
NOT_APPLICABLE, ERROR = Outcome.NOT_APPLICABLE, Outcome.ERROR


def verdict(outcome, exchange="a", level=Level.MUST, check="sse.done.last"):
    return Verdict("acme", "openai", check, level, exchange, outcome)


def results(*verdicts):
    return Results({}, (), {}, (), verdicts)


def judged(outcome):
    return results() if outcome is None else results(verdict(outcome))


TABLE = [
    (PASS, FAIL, "broke"),
    (UNPROVEN, FAIL, "broke"),
    (ERROR, FAIL, "broke"),
    (FAIL, PASS, "fixed"),
    (PASS, UNPROVEN, "newly unproven"),
    (FAIL, UNPROVEN, "newly unproven"),
    (None, PASS, "appeared"),
    (None, FAIL, "appeared"),
    (None, UNPROVEN, "appeared"),
    (NOT_APPLICABLE, FAIL, "appeared"),
    (PASS, None, "vanished"),
    (FAIL, None, "vanished"),
    (UNPROVEN, None, "vanished"),
    (PASS, NOT_APPLICABLE, "vanished"),
    (PASS, PASS, None),
    (FAIL, FAIL, None),
    (UNPROVEN, UNPROVEN, None),
    (UNPROVEN, PASS, None),
    (ERROR, UNPROVEN, None),
    (PASS, ERROR, None),
    (NOT_APPLICABLE, None, None),
    (None, NOT_APPLICABLE, None),
    (NOT_APPLICABLE, NOT_APPLICABLE, None),
    (None, None, None),
]


@pytest.mark.parametrize("before, after, kind", TABLE)
def test_a_change_has_one_kind_or_is_none(before, after, kind):
    expected = [] if kind is None else [kind]
    assert expected == [change.kind for change in compare(judged(before), judged(after))]


def test_a_change_has_the_key_the_level_and_both_outcomes():
    expected = (Change("broke", "acme", "openai", "sse.done.last", "a", Level.SHOULD, PASS, FAIL),)
    old, new = results(verdict(PASS, level=Level.MUST)), results(verdict(FAIL, level=Level.SHOULD))
    assert expected == compare(old, new)


@pytest.mark.parametrize("before, after, kind", [("should", "must", "raised"), ("must", "may", "lowered")])
def test_a_failure_whose_level_changed_is_the_suites_doing(before, after, kind):
    old, new = (results(verdict(FAIL, level=Level(level))) for level in (before, after))
    assert [(kind, "suite", Level(after))] == [(each.kind, each.by, each.level) for each in compare(old, new)]


def test_the_level_of_what_does_not_fail_is_no_change():
    assert () == compare(results(verdict(PASS, level=Level.SHOULD)), results(verdict(PASS, level=Level.MUST)))


def test_what_is_absent_has_no_outcome():
    expected = (Change("vanished", "acme", "openai", "sse.done.last", "a", Level.MUST, FAIL, None),)
    assert expected == compare(results(verdict(FAIL)), results())


def test_a_waived_failure_is_a_failure():
    waived = replace(verdict(FAIL), waiver=Waiver("sse.done.last", "known", "2026-12-31"))
    expected = ()
    assert expected == compare(results(waived), results(verdict(FAIL)))


def test_changes_are_sorted_by_key_whatever_the_order_of_the_verdicts():
    new = [verdict(FAIL, "b"), verdict(FAIL, "a"), verdict(FAIL, "c", check="json.syntax.valid")]
    expected = [("json.syntax.valid", "c"), ("sse.done.last", "a"), ("sse.done.last", "b")]
    assert expected == [(change.check, change.exchange) for change in compare(results(), results(*new))]


def test_an_attempt_or_a_sample_is_compared_with_itself_alone():
    old, new = results(verdict(FAIL, "a@1"), verdict(PASS)), results(verdict(PASS), verdict(FAIL, "a.2"))
    expected = [("appeared", "a.2"), ("vanished", "a@1")]
    assert expected == [(change.kind, change.exchange) for change in compare(old, new)]


def test_changes_that_are_alike_are_told_in_a_line_the_worst_first():
    before = [verdict(PASS, name) for name in "abcd"] + [verdict(FAIL, "a", check="usage.total.sum")]
    after = [verdict(FAIL, name) for name in "abcd"] + [verdict(FAIL, check="tools.id.once", level=Level.SHOULD)]
    told = changes.told(compare(results(*before), results(*after)))
    assert [
        "acme openai sse.done.last (must): pass -> fail in a, b, c and 1 more",
        "acme openai tools.id.once (should): absent -> fail in a",
        "acme openai usage.total.sum (must): fail -> absent in a",
    ] == [str(each) for each in told]
