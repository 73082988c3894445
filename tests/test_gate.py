"""What is concluded of a provider, and with which code a run ends."""

from dataclasses import replace

import pytest

from chatconform.gate import ExitCode, FailOn, conclude, exit_code
from chatconform.model import (
    Change,
    Conclusion,
    Level,
    Outcome,
    Problem,
    ProviderResult,
    Results,
    Tally,
    Verdict,
    Waiver,
)

PASS, FAIL, UNPROVEN = Outcome.PASS, Outcome.FAIL, Outcome.UNPROVEN
NOT_APPLICABLE, ERROR = Outcome.NOT_APPLICABLE, Outcome.ERROR
MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
WAIVER = Waiver("any.check.id", "known", "2026-12-31")


def verdict(outcome, level=MUST, check="a.check.id", exchange="x", contract="openai", waived=False):
    waiver = WAIVER if waived else None
    return Verdict("acme", contract, check, level, exchange, outcome, 1, waiver=waiver)


PASSING = verdict(PASS, check="z.check.id")
CONCLUSIONS = [
    ("all musts pass", [PASSING], False, "conforms"),
    ("a may fails", [PASSING, verdict(FAIL, MAY)], False, "conforms"),
    ("a should fails", [PASSING, verdict(FAIL, SHOULD)], False, "conforms"),
    ("a should is unproven", [PASSING, verdict(UNPROVEN, SHOULD)], False, "conforms"),
    ("a must is not applicable", [PASSING, verdict(NOT_APPLICABLE)], False, "conforms"),
    (
        "a must is unproven once and passes once",
        [verdict(UNPROVEN), verdict(PASS, exchange="y")],
        False,
        "conforms",
    ),
    ("a must is waived", [PASSING, verdict(FAIL, waived=True)], False, "conforms with waivers"),
    ("a should is waived", [PASSING, verdict(FAIL, SHOULD, waived=True)], False, "conforms with waivers"),
    ("a must fails", [PASSING, verdict(FAIL)], False, "deviates"),
    ("a must of its own document fails", [PASSING, verdict(FAIL, contract="acme")], False, "deviates"),
    (
        "a must fails twice, waived once",
        [verdict(FAIL, waived=True), verdict(FAIL, exchange="y")],
        False,
        "deviates",
    ),
    (
        "a must fails and one is unproven",
        [verdict(FAIL), verdict(UNPROVEN, check="b.c.d")],
        False,
        "deviates",
    ),
    ("a must fails on a printed example", [verdict(FAIL)], True, "deviates"),
    ("a must is unproven", [PASSING, verdict(UNPROVEN)], False, "inconclusive"),
    (
        "a must is unproven and one waived",
        [verdict(FAIL, waived=True), verdict(UNPROVEN, check="b.c.d")],
        False,
        "inconclusive",
    ),
    ("nothing was judged", [], False, "inconclusive"),
    ("nothing but refusals came", [verdict(PASS, check="errors.error.type")], False, "inconclusive"),
    ("nothing was verified", [verdict(NOT_APPLICABLE)], False, "inconclusive"),
    ("no must was verified", [verdict(PASS, SHOULD)], False, "inconclusive"),
    ("printed examples alone pass", [PASSING], True, "inconclusive"),
    ("printed examples alone are waived", [verdict(FAIL, waived=True)], True, "inconclusive"),
    ("a check threw", [PASSING, verdict(ERROR, MAY)], False, "void"),
    ("a check threw and a must fails", [verdict(ERROR), verdict(FAIL, check="b.c.d")], False, "void"),
    ("a check threw on a printed example", [verdict(ERROR)], True, "void"),
]


@pytest.mark.parametrize(
    "verdicts, document_only, conclusion",
    [row[1:] for row in CONCLUSIONS],
    ids=[row[0] for row in CONCLUSIONS],
)
def test_a_provider_is_concluded_upon(verdicts, document_only, conclusion):
    concluded = conclude(verdicts, document_only)
    assert (conclusion, True) == (concluded.conclusion, concluded.sentence.startswith(f"{conclusion}: "))


def failing(*checks):
    return [verdict(FAIL, check=check) for check in checks]


ONE_OF_ONE = "1 of 1 musts verified, 0 unproven"
NONE_OF_ONE = "0 of 1 musts verified, 0 unproven"
ONE_OF_TWO = "1 of 2 musts verified, 1 unproven"
EXAMPLES = "judged on examples that a document prints, which can convict and never acquit"
FAULT = "the suite itself failed, so that nothing here holds"
SENTENCES = [
    ([PASSING], False, "conforms: OpenAI: 1 of 1 musts verified, 0 unproven"),
    (
        [PASSING, verdict(FAIL, SHOULD), verdict(NOT_APPLICABLE, check="b.c.d")],
        False,
        "conforms: OpenAI: 1 of 1 musts verified, 0 unproven, 1 failing at should",
    ),
    (
        [verdict(FAIL, contract="acme"), PASSING, verdict(UNPROVEN)],
        False,
        f"deviates: own document: {NONE_OF_ONE}, 1 failing (a.check.id); OpenAI: {ONE_OF_TWO}",
    ),
    (
        failing("a.a.a", "b.b.b", "c.c.c"),
        False,
        "deviates: OpenAI: 0 of 3 musts verified, 0 unproven, 3 failing (a.a.a, b.b.b, c.c.c)",
    ),
    (
        failing("a.a.a", "b.b.b", "c.c.c", "d.d.d"),
        False,
        "deviates: OpenAI: 0 of 4 musts verified, 0 unproven, 4 failing (a.a.a, b.b.b, c.c.c and 1 more)",
    ),
    (
        failing("a.a.a", "b.b.b", "c.c.c", "d.d.d", "e.e.e"),
        False,
        "deviates: OpenAI: 0 of 5 musts verified, 0 unproven, 5 failing (a.a.a, b.b.b, c.c.c and 2 more)",
    ),
    (
        [PASSING, verdict(FAIL, waived=True)],
        False,
        "conforms with waivers: OpenAI: 1 of 2 musts verified, 0 unproven, 1 waived",
    ),
    (
        [PASSING],
        True,
        f"inconclusive: OpenAI: {ONE_OF_ONE}; {EXAMPLES}",
    ),
    (
        [PASSING, verdict(ERROR)],
        False,
        f"void: OpenAI: 1 of 2 musts verified, 0 unproven; {FAULT}",
    ),
    ([], False, "inconclusive: nothing was judged"),
    (
        [verdict(PASS, check="errors.error.type")],
        False,
        f"inconclusive: OpenAI: {ONE_OF_ONE}; no request was answered",
    ),
]


@pytest.mark.parametrize("verdicts, document_only, sentence", SENTENCES)
def test_the_sentence_counts_the_musts_and_names_what_fails(verdicts, document_only, sentence):
    assert sentence == conclude(verdicts, document_only).sentence


def test_checks_are_counted_by_contract_and_level():
    verdicts = [
        verdict(PASS, check="a.a.a"),
        verdict(PASS, check="a.a.a", exchange="y"),
        verdict(FAIL, check="b.b.b"),
        verdict(FAIL, check="c.c.c", waived=True),
        verdict(UNPROVEN, check="d.d.d"),
        verdict(NOT_APPLICABLE, check="e.e.e"),
        verdict(ERROR, check="f.f.f"),
        verdict(FAIL, SHOULD, check="g.g.g", contract="acme"),
    ]
    expected = {
        "acme": {MUST: Tally(), SHOULD: Tally(failed=1), MAY: Tally()},
        "openai": {MUST: Tally(1, 1, 1, 1, 1, 1), SHOULD: Tally(), MAY: Tally()},
    }
    assert expected == conclude(verdicts, False).counts


def provider(conclusion, counts=None):
    return ProviderResult("acme", conclusion, "", counts or {}, "")


def results(*conclusions, **rest):
    return replace(Results({}, tuple(map(provider, conclusions)), {}, (), ()), **rest)


def change(before, after, level=MUST, by="unattributed"):
    return Change("", "acme", "openai", "a.check.id", "x", level, before, after, by)


def compared(*changes, verdicts=(), conclusion=Conclusion.DEVIATES, **rest):
    return results(conclusion, baseline="old.json", changes=changes, verdicts=(PASSING, *verdicts), **rest)


LEFT_OUT = {"left_out": {"acme": {"stream.usage": "the ceiling of 3 requests is reached"}}}
GONE = replace(change(PASS, None), exchange="stream.usage.2")


CONFORMS, WITH_WAIVERS = Conclusion.CONFORMS, Conclusion.CONFORMS_WITH_WAIVERS
DEVIATES, INCONCLUSIVE, VOID = Conclusion.DEVIATES, Conclusion.INCONCLUSIVE, Conclusion.VOID
SHOULD_FAILS = results(
    CONFORMS,
    providers=(provider(CONFORMS, {"openai": {MUST: Tally(), SHOULD: Tally(failed=1), MAY: Tally()}}),),
)
SHOULD_WAIVED = results(
    CONFORMS,
    providers=(provider(WITH_WAIVERS, {"openai": {MUST: Tally(), SHOULD: Tally(waived=1), MAY: Tally(failed=1)}}),),
)
STALE = (Problem("providers.yaml:7:9", "stale", "Remove it."),)
CODES = [
    # what                             the results                        must should regression never
    ("all conform", results(CONFORMS, CONFORMS), 0, 0, 2, 0),
    ("one conforms with waivers", results(CONFORMS, WITH_WAIVERS), 0, 0, 2, 0),
    ("one deviates", results(CONFORMS, DEVIATES), 1, 1, 2, 0),
    ("one is inconclusive", results(CONFORMS, INCONCLUSIVE), 3, 3, 2, 0),
    ("one deviates, one is inconclusive", results(INCONCLUSIVE, DEVIATES), 1, 1, 2, 0),
    ("there is no provider", results(), 3, 3, 2, 0),
    ("a should fails", SHOULD_FAILS, 0, 1, 2, 0),
    ("a should is waived and a may fails", SHOULD_WAIVED, 0, 0, 2, 0),
    ("a waiver is stale", results(DEVIATES, problems=STALE), 2, 2, 2, 2),
    ("one is void", results(DEVIATES, VOID), 4, 4, 4, 4),
    ("a check threw", results(CONFORMS, verdicts=(verdict(ERROR),)), 4, 4, 4, 4),
    ("a check threw and a waiver is stale", results(VOID, problems=STALE), 4, 4, 4, 4),
    ("nothing changed", compared(), 1, 1, 0, 0),
    ("a must broke", compared(change(PASS, FAIL)), 1, 1, 1, 0),
    ("an unproven must broke", compared(change(UNPROVEN, FAIL)), 1, 1, 1, 0),
    ("the provider broke a must", compared(change(PASS, FAIL, by="provider")), 1, 1, 1, 0),
    ("the suite broke a must", compared(change(PASS, FAIL, by="suite")), 1, 1, 0, 0),
    ("the suite has a new must that fails", compared(change(None, FAIL, by="suite")), 1, 1, 0, 0),
    ("a must is newly unproven to the suite", compared(change(PASS, UNPROVEN, by="suite")), 1, 1, 0, 0),
    ("a should broke by chance", compared(change(PASS, FAIL, SHOULD, by="chance")), 1, 1, 0, 0),
    (
        "the suite broke a must, the provider another",
        compared(change(PASS, FAIL, by="suite"), change(PASS, FAIL, by="provider")),
        1,
        1,
        1,
        0,
    ),
    ("a should broke", compared(change(PASS, FAIL, SHOULD)), 1, 1, 1, 0),
    ("a may broke", compared(change(PASS, FAIL, MAY)), 1, 1, 0, 0),
    (
        "a must broke and is waived",
        compared(change(PASS, FAIL), verdicts=(verdict(FAIL, waived=True),)),
        1,
        1,
        0,
        0,
    ),
    ("a failing must appeared", compared(change(None, FAIL)), 1, 1, 1, 0),
    ("a failing may appeared", compared(change(None, FAIL, MAY)), 1, 1, 0, 0),
    (
        "a waived must appeared",
        compared(change(None, FAIL), verdicts=(verdict(FAIL, waived=True),)),
        1,
        1,
        0,
        0,
    ),
    ("a passing must appeared", compared(change(None, PASS)), 1, 1, 0, 0),
    ("an unproven must appeared", compared(change(None, UNPROVEN)), 1, 1, 0, 0),
    ("a must is fixed", compared(change(FAIL, PASS)), 1, 1, 0, 0),
    ("a must vanished", compared(change(PASS, None)), 1, 1, 0, 0),
    ("a must is newly unproven", compared(change(PASS, UNPROVEN)), 1, 1, 3, 0),
    ("a failing must is newly unproven", compared(change(FAIL, UNPROVEN)), 1, 1, 3, 0),
    ("a should is newly unproven", compared(change(PASS, UNPROVEN, SHOULD)), 1, 1, 0, 0),
    (
        "one must broke, one is newly unproven",
        compared(change(PASS, UNPROVEN), change(PASS, FAIL)),
        1,
        1,
        1,
        0,
    ),
    ("as inconclusive as before", compared(conclusion=INCONCLUSIVE), 3, 3, 0, 0),
    ("nothing was judged", replace(compared(conclusion=INCONCLUSIVE), verdicts=()), 3, 3, 3, 0),
    (
        "nothing but refusals came",
        replace(compared(conclusion=INCONCLUSIVE), verdicts=(verdict(PASS, check="errors.error.type"),)),
        3,
        3,
        3,
        0,
    ),
    ("no provider was judged", results(baseline="old.json"), 3, 3, 3, 0),
    ("a must vanished that was left out this time", compared(GONE, run=LEFT_OUT), 1, 1, 3, 0),
    ("a should vanished that was left out", compared(replace(GONE, level=SHOULD), run=LEFT_OUT), 1, 1, 0, 0),
    ("a failure is one of a must now", compared(change(FAIL, FAIL, by="suite")), 1, 1, 0, 0),
]


@pytest.mark.parametrize(
    "judged, must, should, regression, never", [row[1:] for row in CODES], ids=[row[0] for row in CODES]
)
def test_a_run_ends_with_a_code(judged, must, should, regression, never):
    found = [exit_code(judged, fail_on) for fail_on in FailOn]
    assert [ExitCode(code) for code in (must, should, regression, never)] == found


def test_the_exit_codes_are_these():
    expected = {"CONFORMS": 0, "DEVIATES": 1, "USAGE": 2, "INCONCLUSIVE": 3, "BUG": 4, "INTERRUPTED": 130}
    assert expected == {code.name: code.value for code in ExitCode}
