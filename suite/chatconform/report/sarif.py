"""SARIF 2.1.0 (OASIS): a result for each verdict that fails, as GitHub's code scanning takes it.

A must is an error, a should a warning, a may a note; what is waived is suppressed. A result's place is a path in the
repository and a line. Its bytes are told in words and in its properties: they count the response's body, and no file
of the repository has a region of them. What is unproven broke no rule and is no result: it is a notification of the
run, as are the suite's own bugs and inputs that could not be used.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from chatconform.model import (
    OPENAI,
    CheckText,
    ExchangeSummary,
    JsonObject,
    JsonValue,
    Level,
    Outcome,
    ProviderResult,
    Results,
    Verdict,
)
from chatconform.report import board, location
from chatconform.report.board import Mark
from chatconform.report.location import HERE, Location, Repository
from chatconform.report.visible import line
from chatconform.rollup import Gated

MOST_RESULTS = 5_000
"""GitHub shows no more results of a run."""
MOST_BYTES = 10 * 1000 * 1000
"""GitHub takes no longer file; it counts after compression, so this is on the safe side."""
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}
_SEVERITIES = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "recommendation"}
_FINISHED = (0, 1, 3)
"""The exit codes of a run that judged all it was given."""
_NAME, _TEXT = 200, 1_000
_CHECKS_NAMED = 20

_RFC = re.compile(r"RFC (\d+)(?: section ([0-9.]*[0-9]))?")
_WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html"


@dataclass(frozen=True, slots=True)
class _Failure:
    """A verdict that fails, with what is told of it."""

    verdict: Verdict
    text: CheckText
    provider: ProviderResult
    exchange: ExchangeSummary | None
    place: Location

    @property
    def rule(self) -> str:
        """The id of the rule: the check's, with the contract before it where that is the own document."""
        return line("/".join(filter(None, (_document(self.verdict.contract), self.verdict.check))), _NAME)


def render(results: Results, gated: Gated, repository: Repository = HERE, most: int = MOST_BYTES) -> bytes:
    """Return the file, worst first; what is beyond GitHub's limits is left out at the end, and that is said in it."""
    failures = _failures(results, repository)
    kept = failures[:MOST_RESULTS]
    while len(data := _encoded(_document_of(results, gated, kept, len(failures)))) > most and kept:
        kept = kept[: len(kept) * most // len(data) - 1]
    return data


def _encoded(document: JsonObject) -> bytes:
    return (json.dumps(document, ensure_ascii=False, indent=1) + "\n").encode()


def _document(contract: str) -> str | None:
    return None if contract == OPENAI else contract


def _failures(results: Results, repository: Repository) -> list[_Failure]:
    """What fails: musts first, what is waived last, then by the harm that it does, then by the verdicts' keys."""
    providers = {provider.id: provider for provider in results.providers}
    exchanges = {(exchange.provider, exchange.id): exchange for exchange in results.exchanges}
    found = []
    for verdict in results.verdicts:
        provider, exchange = providers.get(verdict.provider), exchanges.get((verdict.provider, verdict.exchange))
        if provider and verdict.outcome is Outcome.FAIL:
            place = location.of(repository, results, provider, exchange)
            found.append(_Failure(verdict, board.text_of(results, verdict.check), provider, exchange, place))
    return sorted(found, key=_order)


def _order(it: _Failure) -> tuple[bool, int, tuple[int, bool], tuple[str, str, str, str]]:
    level = list(Level).index(it.verdict.level)
    return (it.verdict.waiver is not None, level, board.harm(it.text), it.verdict.key)


def _document_of(results: Results, gated: Gated, kept: Sequence[_Failure], of: int) -> JsonObject:
    new = _newly_failing(results)
    rules = {failure.rule: failure for failure in reversed(kept)}
    indexes = {rule: index for index, rule in enumerate(sorted(rules))}
    version = results.run.get("suite")
    driver: JsonObject = {"name": "chatconform", "rules": [_rule(rules[rule]) for rule in indexes]}
    if isinstance(version, str):
        driver["version"] = line(version, _NAME)
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "invocations": [_invocation(results, gated, len(kept), of)],
                "results": [
                    _result(each, indexes[each.rule], None if new is None else each.verdict.key in new) for each in kept
                ],
            }
        ],
    }


def _rule(failure: _Failure) -> JsonObject:
    """The rule of a failure; of failures with one rule the worst comes here, and its level is the rule's."""
    text, contract, level = failure.text, failure.verdict.contract, failure.verdict.level
    says, source = text.under(contract), text.sources.get(contract, "")
    told = (("Breaks", text.breaks), ("Hurts", board.impact(text)), ("Fix", text.fix), ("Source", source))
    help_ = "\n\n".join(f"{label}: {line(said, _TEXT)}" for label, said in told if said)
    rule: JsonObject = {
        "id": failure.rule,
        "shortDescription": {"text": _message(says)},
        "fullDescription": {"text": _message(f"{says} Where it does not hold: {text.breaks}" if text.breaks else says)},
        "help": {"text": help_},
        "defaultConfiguration": {"level": _LEVELS[level]},
        "properties": {
            "tags": list(dict.fromkeys((line(board.group(failure.verdict.check), 60), line(contract, 60)))),
            "precision": "very-high",
            "problem.severity": _SEVERITIES[level],
        },
    }
    link = help_uri(source)
    return {**rule, "helpUri": link} if link else rule


def help_uri(source: str) -> str | None:
    """Return the address of the first standard that a citation names; None where it names none."""
    rfc = _RFC.search(source)
    if rfc:
        return f"https://www.rfc-editor.org/rfc/rfc{rfc[1]}" + (f"#section-{rfc[2]}" if rfc[2] else "")
    return _WHATWG if "WHATWG HTML 9.2" in source else None


def _newly_failing(results: Results) -> frozenset[tuple[str, str, str, str]] | None:
    """The keys of verdicts that fail and did not in the baseline; None without a baseline."""
    if results.baseline is None:
        return None
    failing = (each for each in results.changes if each.after is Outcome.FAIL and each.before is not Outcome.FAIL)
    return frozenset((each.provider, each.contract, each.check, each.exchange) for each in failing)


def _result(failure: _Failure, index: int, is_new: bool | None) -> JsonObject:  # noqa: FBT001
    """A failing verdict; `is_new` says whether it failed in the baseline, None that there is none."""
    verdict = failure.verdict
    result: JsonObject = {
        "ruleId": failure.rule,
        "ruleIndex": index,
        "kind": "fail",
        "level": _LEVELS[verdict.level],
        "message": {"text": _message(_told(failure))},
        "locations": [_location(failure)],
        "partialFingerprints": _fingerprints(verdict),
        "occurrenceCount": max(verdict.found, len(verdict.findings), 1),
        "properties": _properties(failure),
    }
    if is_new is not None:
        result["baselineState"] = "new" if is_new else "unchanged"
    waiver = verdict.waiver
    if waiver is not None:
        why = f"{waiver.reason} (until {waiver.until})" + (f" {waiver.link}" if waiver.link else "")
        result["suppressions"] = [{"kind": "external", "status": "accepted", "justification": line(why, _TEXT)}]
    return result


def _told(failure: _Failure) -> str:
    """What was found: the rule, the first finding with its place, and how many more there are."""
    verdict = failure.verdict
    name = board.contract_name(verdict.contract)
    said = f"{verdict.provider} ({name}, {verdict.level}): this does not hold: {failure.text.under(verdict.contract)}"
    if not verdict.findings:
        return said
    first = verdict.findings[0]
    where = ", ".join((*board.where(first), *((f"at {line(first.at, 120)}",) if first.at else ())))
    more = max(verdict.found, len(verdict.findings)) - 1
    rest = f" And {board.plural(more, 'more finding')} in this exchange." if more else ""
    got, want = line(first.got, 200), line(first.want, 200)
    return f"{said} In {line(verdict.exchange, 80)}{f', {where}' if where else ''}: got {got}; wanted {want}.{rest}"


def _message(text: str) -> str:
    """The text of a message: shown, cut, and with neither links nor placeholders (sections 3.11.5 and 3.11.6)."""
    shown = line(text, _TEXT)
    without = re.sub(r"[\\\[\]]", r"\\\g<0>", shown) if "](" in shown else shown
    return re.sub(r"\{(\d+)\}", r"{{\1}}", without)


def _location(failure: _Failure) -> JsonObject:
    verdict, place = failure.verdict, failure.place
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": quote(place.file), "uriBaseId": "%SRCROOT%"},
            "region": {"startLine": place.line},
        },
        "logicalLocations": [
            {
                "name": line(verdict.exchange, _NAME),
                "fullyQualifiedName": line(f"{verdict.provider}/{verdict.exchange}", _NAME),
            }
        ],
    }


def _fingerprints(verdict: Verdict) -> JsonObject:
    """The verdict's key as a digest, under the name that GitHub tells results apart by, and under ours."""
    key = json.dumps(verdict.key).encode()
    digest = hashlib.sha256(key).hexdigest()
    return {"primaryLocationLineHash": f"{digest[:16]}:1", "chatconformVerdictKey/v1": digest}


def _properties(failure: _Failure) -> JsonObject:
    verdict = failure.verdict
    found: JsonObject = {
        "provider": line(verdict.provider, _NAME),
        "contract": line(verdict.contract, _NAME),
        "check": line(verdict.check, _NAME),
        "exchange": line(verdict.exchange, _NAME),
        "level": verdict.level.value,
        "examined": verdict.examined,
    }
    if failure.exchange:
        found["recording"] = line(failure.exchange.file, _TEXT)
    first = verdict.findings[0] if verdict.findings else None
    if first and first.bytes:
        found["bytes"] = list(first.bytes)
    if first and first.event:
        found["event"] = first.event
    if verdict.own_document:
        found["ownDocument"] = verdict.own_document.value
    again = board.command(failure.provider, verdict.check, failure.exchange)
    return {**found, "again": again} if again else found


def _invocation(results: Results, gated: Gated, kept: int, of: int) -> JsonObject:
    """How the run ended, and what kept it from judging."""
    execution = [*_cut(kept, of), *_bugs(results), *_unproven(results)]
    ordered = sorted(results.problems, key=lambda item: (item.place, item.problem, item.remedy))
    problems = (f"{item.place}: {item.problem} {item.remedy}" for item in ordered)
    return {
        "executionSuccessful": gated.code in _FINISHED,
        "exitCode": gated.code,
        "toolExecutionNotifications": execution,
        "toolConfigurationNotifications": [_notification("problem", "error", said) for said in problems],
    }


def _notification(kind: str, level: str, text: str) -> JsonValue:
    return {"descriptor": {"id": kind}, "level": level, "message": {"text": _message(text)}}


def _cut(kept: int, of: int) -> Iterator[JsonValue]:
    if kept < of:
        said = (
            f"Of {of:,} failures the worst {kept:,} are in this file, for GitHub takes no more; results.json has all."
        )
        yield _notification("cut", "warning", said)


def _bugs(results: Results) -> Iterator[JsonValue]:
    for row in board.rows(results):
        named = [entry.check for entry in row.marked(Mark.ERROR)]
        if named:
            said = f"{row.provider.id}: bugs in chatconform itself, in {_named(named)}; nothing here holds."
            yield _notification("bug", "error", said)


def _unproven(results: Results) -> Iterator[JsonValue]:
    """What is unproven, by provider and reason."""
    for row in board.rows(results):
        reasons: dict[str, list[str]] = {}
        for entry in row.marked(Mark.UNPROVEN):
            for reason in sorted({str(verdict.reason or "nothing-to-examine") for verdict in entry.rolled.verdicts}):
                reasons.setdefault(reason, []).append(entry.check)
        for reason, checks in sorted(reasons.items()):
            count = board.plural(len(checks), "check")
            yield _notification(
                "unproven", "note", f"{row.provider.id}: {count} unproven ({reason}): {_named(checks)}."
            )


def _named(checks: Sequence[str]) -> str:
    more = len(checks) - _CHECKS_NAMED
    return ", ".join(checks[:_CHECKS_NAMED]) + (f" and {more:,} more" if more > 0 else "")
