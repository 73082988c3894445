"""One outcome per provider, contract and check: the rule of the roll-up."""

from __future__ import annotations

from itertools import permutations

import pytest

from chatconform.model import Level, Outcome, Verdict, Waiver
from chatconform.rollup import proven, roll_up, strictest

PASS, FAIL, NONE, UNPROVEN, ERROR = Outcome
MUST, SHOULD, MAY = Level
KEY = ("acme", "openai", "sse.done.last")
WAIVER = Waiver("sse.done.last", "known", "2027-03-31")


def verdict(exchange: str, outcome: Outcome, level: Level = MUST, waiver: Waiver | None = None) -> Verdict:
    examined = 2 if outcome in (PASS, FAIL) else 0
    return Verdict(*KEY, level, exchange, outcome, examined=examined, waiver=waiver)


@pytest.mark.parametrize(
    "outcomes, expected",
    [
        ((ERROR, FAIL, PASS, UNPROVEN, NONE), ERROR),
        ((FAIL, PASS, UNPROVEN, NONE), FAIL),
        ((PASS, UNPROVEN, NONE), PASS),
        ((UNPROVEN, NONE), UNPROVEN),
        ((NONE,), NONE),
    ],
)
def test_the_outcome_is_the_first_that_occurs_in_whatever_order(outcomes, expected):
    for order in permutations(outcomes):
        found = roll_up(verdict(f"e{number}", outcome) for number, outcome in enumerate(order))
        assert expected is found[KEY].outcome


@pytest.mark.parametrize(
    "fails, expected",
    [
        ([(MUST, None)], (MUST, False)),
        ([(MUST, WAIVER)], (MUST, True)),
        ([(MUST, WAIVER), (SHOULD, None)], (SHOULD, False)),
        ([(MAY, None), (SHOULD, None)], (SHOULD, False)),
        ([(SHOULD, WAIVER), (MUST, WAIVER)], (MUST, True)),
    ],
)
def test_failures_that_no_waiver_covers_decide_the_level(fails, expected):
    verdicts = (verdict(f"e{number}", FAIL, *fail) for number, fail in enumerate(fails))
    rolled = roll_up(verdicts)[KEY]
    assert expected == (rolled.level, rolled.waived)


def test_a_pass_is_of_the_level_of_what_passed():
    rolled = roll_up([verdict("a", UNPROVEN, MUST), verdict("b", PASS, SHOULD)])[KEY]
    assert (rolled.outcome, rolled.level) == (PASS, SHOULD)


def test_targets_of_all_exchanges_are_counted():
    rolled = roll_up([verdict("a", PASS), verdict("b", PASS), verdict("c", UNPROVEN)])[KEY]
    expected = 4
    assert expected == rolled.examined


def test_a_pass_that_examined_nothing_is_unproven():
    empty = Verdict(*KEY, MUST, "a", PASS, examined=0)
    assert (proven(empty), roll_up([empty])[KEY].outcome) == (UNPROVEN, UNPROVEN)


def test_keys_and_verdicts_are_sorted():
    verdicts = [
        Verdict(*key, MUST, exchange, PASS, examined=1)
        for key in (("b", "openai", "x.y.z"), ("a", "openai", "x.y.z"), ("a", "acme", "x.y.z"))
        for exchange in ("2", "1")
    ]
    expected = [("a", "acme", "12"), ("a", "openai", "12"), ("b", "openai", "12")]
    found = roll_up(verdicts)
    assert expected == [
        (provider, contract, "".join(item.exchange for item in found[provider, contract, check].verdicts))
        for provider, contract, check in found
    ]


def test_nothing_rolls_up_to_nothing():
    expected: dict[object, object] = {}
    assert expected == roll_up([])


def test_the_strictest_level_is_the_one_that_binds_most():
    assert strictest([MAY, MUST, SHOULD]) is MUST
