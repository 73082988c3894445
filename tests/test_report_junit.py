"""JUnit XML: its shape as Jenkins and Surefire define it, and that it is red where the exit code is not 0."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections import Counter
from dataclasses import replace

import pytest

from chatconform import gate
from chatconform.gate import FailOn
from chatconform.model import CheckText, Conclusion, Outcome, Problem, ProviderResult, Results
from chatconform.report import junit
from report_sample import HOSTILE, HOSTILE_PROVIDER, VERDICTS, sample

SHAPE = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, set(), ["testsuite"]),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, set(), ["properties", "testcase"]),
    "testcase": ({"name", "classname", "time"}, {"file"}, ["properties", "skipped", "error", "failure"]),
    "properties": (set(), set(), ["property"]),
    "property": ({"name", "value"}, set(), []),
    "failure": ({"type", "message"}, set(), []),
    "error": ({"type", "message"}, set(), []),
    "skipped": ({"message"}, set(), []),
}
"""By element: the attributes that it has, those that it may have, and its children in their order.

It is what junit-10.xsd of Jenkins and Surefire's schema have in common, but for `file` (GitLab) and the properties of
a case (Jenkins, pytest).
"""


def rendered(results: Results, fail_on: FailOn = FailOn.MUST) -> ET.Element:
    return ET.fromstring(junit.render(results, gate.decide(results, fail_on)))


def cases(root: ET.Element) -> dict[tuple[str, str], ET.Element]:
    return {(case.get("classname", ""), case.get("name", "")): case for case in root.iter("testcase")}


def outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag != "properties"), "passed")


@pytest.mark.parametrize("fail_on", FailOn)
def test_every_element_has_its_attributes_and_its_children_in_their_order(fail_on):
    for element in rendered(sample(), fail_on).iter():
        needed, allowed, children = SHAPE[element.tag]
        assert needed <= set(element.attrib) <= needed | allowed
        places = [children.index(child.tag) for child in element]
        assert sorted(places) == places


@pytest.mark.parametrize("fail_on", FailOn)
def test_the_counts_are_those_of_the_cases(fail_on):
    root = rendered(sample(), fail_on)
    for suite in (root, *root):
        found = list(suite.iter("testcase"))
        count = Counter(outcome(case) for case in found)
        said = {"tests": len(found), "failures": count["failure"], "errors": count["error"]}
        said |= {"skipped": count["skipped"]} if suite is not root else {}
        assert said == {name: int(suite.get(name, "")) for name in said}


def test_a_case_has_a_name_of_its_own():
    root = rendered(sample())
    assert len(list(root.iter("testcase"))) == len(cases(root))


@pytest.mark.parametrize(
    "classname, name, expected",
    [
        ("acme.openai", "sse.done.last", "failure"),
        ("acme.acme", "sse.done.last", "skipped"),
        ("acme.openai", "envelope.model.present", "skipped"),
        ("acme.openai", "http.trace.header", "skipped"),
        ("acme.openai", "usage.total.sum", "skipped"),
        ("acme.openai", "tools.call.id", "skipped"),
        ("acme.openai", "http.media_type.stream", "passed"),
        ("broken-suite.openai", "usage.total.sum", "error"),
        ("chatconform", "problem 1", "error"),
    ],
)
def test_a_check_fails_where_it_counts_and_is_an_error_where_the_suite_is_wrong(classname, name, expected):
    assert expected == outcome(cases(rendered(sample()))[classname, name])


def test_what_was_not_applicable_is_left_out():
    assert ("paper.openai", "tools.call.id") not in cases(rendered(sample()))


@pytest.mark.parametrize(
    "fail_on, name, expected",
    [
        (FailOn.MUST, "envelope.model.present", "WARN: not counted with --fail-on must"),
        (FailOn.MUST, "usage.total.sum", "waived: on top | until v2 (until 2027-03-31)"),
        (FailOn.MUST, "tools.call.id", "unproven: nothing-to-examine"),
        (FailOn.NEVER, "sse.done.last", "FAIL: not counted with --fail-on never"),
        (FailOn.REGRESSION, "envelope.id.type", "FAIL: not counted, for the suite changed"),
        (
            FailOn.REGRESSION,
            "envelope.model.present",
            "WARN: known, for it is in reports/2026-11-13/results.json already",
        ),
        (FailOn.REGRESSION, "http.trace.header", "INFO: not counted with --fail-on regression"),
    ],
)
def test_what_is_skipped_says_why(fail_on, name, expected):
    skipped = cases(rendered(sample(), fail_on))["acme.openai", name].find("skipped")
    assert expected == skipped.get("message")


def test_what_comes_and_goes_is_skipped_and_says_so():
    whole = sample()
    by_chance = tuple(replace(each, by="chance") for each in whole.changes)
    skipped = cases(rendered(replace(whole, changes=by_chance), FailOn.REGRESSION))["acme.openai", "sse.done.last"]
    assert "FAIL: not counted, for it comes and goes" == skipped.find("skipped").get("message")


def test_a_should_that_counts_fails():
    found = cases(rendered(sample(), FailOn.SHOULD))
    assert {"failure"} == {outcome(found["acme.openai", name]) for name in ("sse.done.last", "envelope.model.present")}


def test_only_what_broke_since_the_baseline_fails_where_that_counts():
    root = rendered(sample(), FailOn.REGRESSION)
    assert [("acme.openai", "sse.done.last")] == [
        key for key, case in cases(root).items() if outcome(case) == "failure"
    ]


def test_a_case_has_properties_and_a_file():
    case = cases(rendered(sample()))["acme.openai", "sse.done.last"]
    assert {
        "provider": "acme",
        "contract": "openai",
        "check": "sse.done.last",
        "level": "must",
        "outcome": "fail",
        "examined": "2",
        "exchange": "stream.usage",
        "cite": "TRM-04",
        "own_document": "promises",
        "again": "chatconform judge recordings/acme/stream.usage.json --provider acme --check sse.done.last",
    } == {each.get("name"): each.get("value") for each in case.iter("property")}
    assert "recordings/acme/stream.usage.json" == case.get("file")


def test_the_file_of_a_live_run_is_the_providers_file():
    live = replace(sample(), run={"mode": "live"})
    assert "conf/providers.yaml" == cases(rendered(live))["acme.openai", "sse.done.last"].get("file")


# Red and green, as the exit code


def only(*providers: str, problems: tuple[Problem, ...] = (), **more) -> Results:
    """The sample's verdicts of these providers."""
    whole = sample()
    return replace(
        whole,
        providers=tuple(each for each in whole.providers if each.id in providers),
        verdicts=tuple(each for each in whole.verdicts if each.provider in providers),
        changes=tuple(each for each in whole.changes if each.provider in providers),
        problems=problems,
        **more,
    )


RUNS = {
    "everything": sample(),
    "deviates": only("acme"),
    "hostile": only(HOSTILE_PROVIDER),
    "conforms": only("quiet"),
    "inconclusive": only("paper"),
    "void": only("broken-suite"),
    "a problem": only("quiet", problems=(Problem("a:1", "b", "c"),)),
    "nothing": only(),
    "no baseline": only("acme", baseline=None),
    "interrupted": only("quiet", run={"interrupted": True}),
    "waived": replace(
        only("acme"),
        verdicts=tuple(replace(each, waiver=next(it.waiver for it in VERDICTS if it.waiver))
                       if each.outcome is Outcome.FAIL else each for each in only("acme").verdicts),
        providers=(ProviderResult("acme", Conclusion.CONFORMS_WITH_WAIVERS, "x", {}, "x"),),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fail_on", FailOn)
@pytest.mark.parametrize("name", RUNS)
def test_the_file_is_red_where_the_exit_code_is_not_0(name, fail_on):
    gated = gate.decide(RUNS[name], fail_on)
    root = rendered(RUNS[name], fail_on)
    assert (gated.code != 0) == (root.get("failures") != "0" or root.get("errors") != "0")


def test_a_must_that_is_waived_in_one_exchange_and_fails_in_another_fails():
    first = next(each for each in VERDICTS if each.check == "sse.done.last" and each.outcome is Outcome.FAIL)
    waived = replace(first, exchange="other", waiver=next(it.waiver for it in VERDICTS if it.waiver))
    results = only("acme")
    both = replace(results, verdicts=(*results.verdicts, waived))
    assert "failure" == outcome(cases(rendered(both))["acme.openai", first.check])


def test_the_texts_of_a_contract_are_shown_and_cut():
    said = HOSTILE * 1_000
    check = "sse.done.last"
    text = CheckText(check, said, said, said, {}, {"openai": said}, {"acme": said}, (said,), (said,), measured=True)
    root = rendered(replace(only("acme"), checks={check: text}), FailOn.SHOULD)
    assert 20_000 > max(len(each.text) for each in root.iter("failure"))


def test_fifty_providers_with_all_checks_are_one_file():
    verdicts = tuple(replace(each, provider=f"p{number:02}") for number in range(50) for each in VERDICTS
                     if each.provider == "acme")  # fmt: skip
    providers = tuple(replace(sample().providers[0], id=f"p{number:02}") for number in range(50))
    root = rendered(replace(sample(), providers=providers, verdicts=verdicts))
    checks = {(each.contract, each.check) for each in VERDICTS if each.provider == "acme"}
    assert 50 * len(checks) + 2 == int(root.get("tests", ""))
