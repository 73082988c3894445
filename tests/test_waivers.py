"""What a waiver does: the table is the definition."""

from datetime import date

import pytest

from chatconform.model import Level, Outcome, Place, Problem, Reason, Verdict, Waiver
from chatconform.waivers import apply

TODAY = date(2026, 11, 20)
PLACE = Place("providers.yaml", 7, 9)
PASS, FAIL, UNPROVEN = Outcome.PASS, Outcome.FAIL, Outcome.UNPROVEN
NOT_APPLICABLE, ERROR = Outcome.NOT_APPLICABLE, Outcome.ERROR


def waiver(exchange=None, until="2026-12-31", check="sse.done.last"):
    return Waiver(check, "known", until, exchange, place=PLACE)


def verdict(outcome, exchange="a", contract="openai", check="sse.done.last", provider="acme"):
    reason = {UNPROVEN: Reason.NETWORK, NOT_APPLICABLE: Reason.OTHER_BRANCH}.get(outcome)
    return Verdict(provider, contract, check, Level.MUST, exchange, outcome, 1, reason)


FAILS = verdict(FAIL)
PASSES = verdict(PASS)
STALE = "the waiver of sse.done.last is stale: the check passes"
STALE_IN_A = "the waiver of sse.done.last in a is stale: the check passes"
EXPIRED = "the waiver of sse.done.last expired after 2026-11-19, and the check still fails"
TABLE = [
    # what a waiver does, the waivers, the verdicts, which of these are waived, the problems
    ("covers a failure", [waiver()], [FAILS], [True], []),
    ("covers it in every exchange", [waiver()], [FAILS, verdict(FAIL, "b")], [True, True], []),
    (
        "covers it under either contract",
        [waiver()],
        [FAILS, verdict(FAIL, contract="acme")],
        [True, True],
        [],
    ),
    ("covers one exchange", [waiver("a")], [FAILS, verdict(FAIL, "b")], [True, False], []),
    ("leaves another check", [waiver()], [verdict(FAIL, check="sse.done.present")], [False], []),
    ("leaves another provider", [waiver()], [verdict(FAIL, provider="other")], [False], []),
    ("never waives unproven", [waiver()], [verdict(UNPROVEN)], [False], []),
    ("never waives an error", [waiver()], [verdict(ERROR)], [False], []),
    ("is used on its last day", [waiver(until="2026-11-20")], [FAILS], [True], []),
    ("is not used after it", [waiver(until="2026-11-19")], [FAILS], [False], [EXPIRED]),
    (
        "expires unseen where it was not needed",
        [waiver(until="2026-11-19")],
        [verdict(UNPROVEN)],
        [False],
        [],
    ),
    ("expires unseen beside one that is used", [waiver(until="2026-11-19"), waiver()], [FAILS], [True], []),
    ("is stale where all pass", [waiver()], [PASSES, verdict(PASS, "b")], [False, False], [STALE]),
    (
        "is stale where its exchange passes",
        [waiver("a")],
        [PASSES, verdict(FAIL, "b")],
        [False] * 2,
        [STALE_IN_A],
    ),
    ("is stale after its last day too", [waiver(until="2026-11-19")], [PASSES], [False], [STALE]),
    ("is left alone by one failure", [waiver()], [PASSES, verdict(FAIL, "b")], [False, True], []),
    ("is left alone by one unproven", [waiver()], [PASSES, verdict(UNPROVEN, "b")], [False] * 2, []),
    (
        "is stale where all else gave no occasion",
        [waiver()],
        [PASSES, verdict(NOT_APPLICABLE, "b")],
        [False] * 2,
        [STALE],
    ),
    ("is left alone where nothing applied", [waiver()], [verdict(NOT_APPLICABLE)], [False], []),
    ("is left alone where its check was filtered out", [waiver()], [], [], []),
    ("is left alone where its exchange was not planned", [waiver("b")], [PASSES], [False], []),
]


@pytest.mark.parametrize(
    "waivers, verdicts, waived, problems", [row[1:] for row in TABLE], ids=[row[0] for row in TABLE]
)
def test_a_waiver(waivers, verdicts, waived, problems):
    applied = apply(verdicts, {"acme": waivers}, TODAY)
    found = (
        [each.waiver is not None for each in applied.verdicts],
        [each.problem for each in applied.problems],
    )
    assert (waived, problems) == found


def test_a_waived_failure_stays_a_failure_and_carries_its_waiver():
    applied = apply([FAILS], {"acme": [waiver("a")]}, TODAY)
    assert (FAIL, waiver("a")) == (applied.verdicts[0].outcome, applied.verdicts[0].waiver)


def test_of_two_waivers_the_first_one_is_used():
    applied = apply([FAILS], {"acme": [waiver("a"), waiver()]}, TODAY)
    assert waiver("a") == applied.verdicts[0].waiver


def test_verdicts_keep_their_order_and_all_else():
    verdicts = (verdict(PASS, "z"), verdict(UNPROVEN, "a"), verdict(FAIL, "m", check="other.check.id"))
    assert verdicts == apply(verdicts, {"acme": [waiver()]}, TODAY).verdicts


def test_applying_twice_is_applying_once():
    once = apply([FAILS, verdict(PASS, "b")], {"acme": [waiver()]}, TODAY)
    assert once == apply(once.verdicts, {"acme": [waiver()]}, TODAY)


def test_a_problem_has_the_place_of_the_waiver_and_says_what_to_do():
    expected = (Problem("providers.yaml:7:9", STALE, "Remove it."),)
    assert expected == apply([PASSES], {"acme": [waiver()]}, TODAY).problems
