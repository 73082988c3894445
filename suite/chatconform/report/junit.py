"""JUnit XML: a suite for each provider, and in it a case for each contract and check; as Jenkins, GitLab and the
reporters of GitHub read it.

A case fails where the gate counts it, so that the file is red when the exit code is not 0, and green when it is. What
the gate does not count is skipped, with the reason: a skipped case is shown, and a passed one is not. An error is a bug
of the suite. What was not applicable is left out. No clock is read: `time` is 0, for readers that need a number.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from chatconform.diff import NOBODYS, By
from chatconform.model import CheckText, ExchangeSummary, Outcome, Problem, Results
from chatconform.report import board, location
from chatconform.report.board import Entry, Mark, Row
from chatconform.report.changes import WORDS
from chatconform.report.headline import headline
from chatconform.report.location import HERE, Repository
from chatconform.report.terminal import failure
from chatconform.report.visible import line
from chatconform.rollup import Gated

_SUITE = "chatconform"
_INCONCLUSIVE, _INTERRUPTED = 3, 130
_NAME, _TEXT = 200, 1_000


@dataclass(frozen=True, slots=True)
class _Run:
    """What cases are made of: `newly` says by a verdict's key whose doing it is that it fails, and did not before."""

    results: Results
    gated: Gated
    newly: Mapping[tuple[str, str, str, str], str]
    repository: Repository


def render(results: Results, gated: Gated, repository: Repository = HERE) -> bytes:
    """Return the file: UTF-8, with no character that XML 1.0 does not have."""
    failing = (each for each in results.changes if each.after is Outcome.FAIL)
    newly = {(each.provider, each.contract, each.check, each.exchange): each.by for each in failing}
    run = _Run(results, gated, newly, repository)
    suites = [_provider(run, row) for row in board.rows(results)]
    suites.append(_whole(results, gated, suites))
    root = Element("testsuites", {"name": _SUITE, **_numbers(suites, ("tests", "failures", "errors")), "time": "0"})
    root.extend(suites)
    indent(root, " ")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, "unicode")}\n'.encode()


def _numbers(suites: list[Element], names: tuple[str, ...]) -> dict[str, str]:
    return {name: str(sum(int(suite.get(name, "0")) for suite in suites)) for name in names}


def _suite(name: str, properties: dict[str, str], cases: list[Element]) -> Element:
    """A suite with its cases, counted by what stands in them."""
    count = Counter(child.tag for case in cases for child in case)
    suite = Element("testsuite", {
        "name": name, "tests": str(len(cases)), "failures": str(count["failure"]),
        "errors": str(count["error"]), "skipped": str(count["skipped"]), "time": "0",
    })  # fmt: skip
    _properties(suite, properties)
    suite.extend(cases)
    return suite


def _properties(parent: Element, properties: dict[str, str]) -> None:
    """Name and value, as far as there is a value."""
    group = SubElement(parent, "properties")
    for name, value in properties.items():
        if value:
            SubElement(group, "property", {"name": name, "value": line(value, _TEXT)})


def _provider(run: _Run, row: Row) -> Element:
    provider = row.provider
    said = {"conclusion": provider.conclusion.value, "sentence": board.sentence(provider), "source": provider.source}
    exchanges = board.exchanges_of(run.results, provider.id)
    cases = [_case(run, row, entry, exchanges) for entry in row.entries]
    return _suite(line(provider.id, _NAME), said, cases)


def _case(run: _Run, row: Row, entry: Entry, exchanges: Mapping[str, ExchangeSummary]) -> Element:
    """A check under one contract of one provider."""
    text = board.text_of(run.results, entry.check)
    failed = board.failing(entry)
    first = (failed or entry.rolled.verdicts)[0]
    exchange = exchanges.get(first.exchange)
    provider, contract = (line(name, _NAME) for name in (row.provider.id, entry.contract))
    case = Element("testcase", {
        "classname": f"{provider}.{contract}", "name": line(entry.check, _NAME),
        "file": location.of(run.repository, run.results, row.provider, exchange).file, "time": "0",
    })  # fmt: skip
    _properties(case, {
        "provider": row.provider.id, "contract": entry.contract, "check": entry.check,
        "level": entry.rolled.level.value,
        "outcome": "waived" if entry.rolled.waived else entry.rolled.outcome.value,
        "examined": str(entry.rolled.examined),
        "exchange": first.exchange,
        "cite": text.sources.get(entry.contract, ""),
        "own_document": entry.own_document or "",
        "again": (failed and board.command(row.provider, entry.check, exchange)) or "",
    })  # fmt: skip
    _outcome(case, run, entry, text)
    return case


def _outcome(case: Element, run: _Run, entry: Entry, text: CheckText) -> None:
    """What came of a check, as a child of its case; a pass has none."""
    key = entry.rolled.verdicts[0].key[:3]
    if entry.mark is Mark.PASS:
        return
    if entry.mark is Mark.UNPROVEN:
        SubElement(case, "skipped", {"message": line(f"unproven: {_why(entry)}", _TEXT)})
        return
    if entry.mark is Mark.ERROR:
        child = SubElement(case, "error", {"type": "bug", "message": "a bug in chatconform, not a deviation"})
    elif key in run.gated.failing:
        child = SubElement(case, "failure", {"type": entry.rolled.level.value, "message": _message(entry, text)})
    else:
        child = SubElement(case, "skipped", {"message": line(_not_counted(run, entry), _TEXT)})
    child.text = f"\n{failure(entry.rolled, text)}\n"


def _message(entry: Entry, text: CheckText) -> str:
    """The first finding beside the rule that it breaks."""
    finding = next(finding for verdict in board.failing(entry) for finding in verdict.findings)
    said = f"{entry.mark}: {text.under(entry.contract)} Got {line(finding.got, 200)}; wanted {line(finding.want, 200)}"
    return line(said, _TEXT)


def _why(entry: Entry) -> str:
    """The reasons, each once, with the check that had to hold first."""
    reasons = (
        f"{verdict.reason or 'nothing was examined'}" + (f" ({verdict.because})" if verdict.because else "")
        for verdict in entry.rolled.verdicts
    )
    return ", ".join(dict.fromkeys(reasons))


def _not_counted(run: _Run, entry: Entry) -> str:
    """Why a check that fails does not fail the run."""
    waivers = dict.fromkeys(verdict.waiver for verdict in entry.rolled.verdicts if verdict.waiver)
    if entry.rolled.waived:
        return "waived: " + ", ".join(f"{each.reason} (until {each.until})" for each in waivers)
    if run.gated.fail_on == "regression" and entry.mark is not Mark.INFO:
        doings = (run.newly.get(verdict.key) for verdict in board.failing(entry))
        if doing := next((by for by in doings if by in NOBODYS), None):
            return f"{entry.mark}: not counted, for {WORDS[By(doing)]}"
        return f"{entry.mark}: known, for it is in {run.results.baseline} already"
    return f"{entry.mark}: not counted with --fail-on {run.gated.fail_on}"


def _whole(results: Results, gated: Gated, suites: list[Element]) -> Element:
    """The suite for what is no check's: inputs that cannot be used, and the gate itself."""
    ordered = sorted(results.problems, key=lambda item: (item.place, item.problem, item.remedy))
    cases = [_problem(number, problem) for number, problem in enumerate(ordered, 1)]
    gate = Element("testcase", {"classname": _SUITE, "name": "gate", "time": "0"})
    is_shown = bool(cases) or any(suite.get(name) != "0" for suite in suites for name in ("failures", "errors"))
    for tag, kind, message in _undecided(results, gated, is_shown=is_shown):
        SubElement(gate, tag, {"type": kind, "message": line(message, _TEXT)})
    properties = {"exit_code": str(gated.code), "fail_on": gated.fail_on, "baseline": results.baseline or ""}
    return _suite(_SUITE, properties, [*cases, gate])


def _problem(number: int, problem: Problem) -> Element:
    case = Element("testcase", {"classname": _SUITE, "name": f"problem {number}", "time": "0"})
    said = line(f"{problem.place}: {problem.problem}", _TEXT)
    SubElement(case, "error", {"type": "problem", "message": said}).text = line(problem.remedy, _TEXT)
    return case


def _undecided(results: Results, gated: Gated, *, is_shown: bool) -> Iterator[tuple[str, str, str]]:
    """Tag, type and message of why a run ends with a code other than 0, where no other case shows it."""
    if gated.code == _INTERRUPTED:
        yield "error", "interrupted", "the run was interrupted, and judged only a part of its plan"
    elif gated.code == _INCONCLUSIVE:
        yield "failure", "inconclusive", f"inconclusive (exit code {gated.code}): {headline(results)}"
    elif gated.code and not is_shown:
        yield "error", "gate", f"exit code {gated.code}: {headline(results)}"
