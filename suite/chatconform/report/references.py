"""Whether the parts of a results file fit together: whoever edits one by hand forgets the others.

The counts and conclusions are compared with the verdicts by the gate, which alone knows how they are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chatconform.diff import By, Kind, kind_of
from chatconform.model import Outcome, Reason
from chatconform.report.visible import line

_KEY = ("provider", "contract", "check", "exchange")
_SHOWN = 80
MAX_DEPTH = 64
"""How deeply objects and arrays may be nested, as in what a provider sends."""


class Misfit(NamedTuple):
    """Where a results file does not fit together, as a JSON pointer, and how."""

    pointer: str
    problem: str


class Doubled(dict[str, Any]):
    """A JSON object in which a key stands twice."""

    key: str = ""


def objects(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object for `json.loads`, marked where a key stands twice."""
    made = dict(pairs)
    if len(made) == len(pairs):
        return made
    count = Counter(key for key, _ in pairs)
    marked = Doubled(made)
    marked.key = next(key for key, number in count.items() if number > 1)
    return marked


def flaws(value: dict[str, Any] | list[Any], pointer: str = "", depth: int = 1) -> Iterator[Misfit]:
    """Yield the objects in which a key stands twice, and what is nested too deeply."""
    if depth > MAX_DEPTH:
        yield Misfit(pointer, f"nested deeper than {MAX_DEPTH}")
        return
    if isinstance(value, Doubled):
        yield Misfit(pointer or "/", f"the key {line(value.key, _SHOWN)} stands twice in one object")
    for key, each in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(each, dict | list) and (each or depth == MAX_DEPTH):
            yield from flaws(each, f"{pointer}/{token(key)}", depth + 1)


def token(part: str | int) -> str:
    """Return a part of a JSON pointer (RFC 6901 section 3)."""
    return str(part).replace("~", "~0").replace("/", "~1")


def misfits(document: Mapping[str, Any]) -> Iterator[Misfit]:
    """Yield where the parts of a document that the schema accepts do not fit together."""
    yield from _named_otherwise(document, "checks")
    yield from _named_otherwise(document, "habits")
    yield from _named_otherwise(document, "deviations")
    yield from _twice(document, "providers", ("id",))
    yield from _twice(document, "exchanges", ("provider", "id"))
    yield from _twice(document, "verdicts", _KEY)
    yield from _parts(document)
    yield from _exchanges(document)
    yield from _verdicts(document)
    yield from _changes(document)


def _named_otherwise(document: Mapping[str, Any], name: str) -> Iterator[Misfit]:
    for key, item in document[name].items():
        if item["id"] != key:
            yield Misfit(f"/{name}/{token(key)}/id", f"{line(item['id'], _SHOWN)} stands under another id")


def _twice(document: Mapping[str, Any], name: str, key: tuple[str, ...]) -> Iterator[Misfit]:
    seen: set[tuple[str, ...]] = set()
    for index, item in enumerate(document[name]):
        found = tuple(item[part] for part in key)
        if found in seen:
            yield Misfit(f"/{name}/{index}", f"{line(' '.join(found), _SHOWN)} stands here a second time")
        seen.add(found)


def _parts(document: Mapping[str, Any]) -> Iterator[Misfit]:
    for index, item in enumerate(document["providers"]):
        if item["is_part"] and document["run"].get("interrupted") is not True:
            yield Misfit(f"/providers/{index}/is_part", "true, and the run was not interrupted")


def _exchanges(document: Mapping[str, Any]) -> Iterator[Misfit]:
    providers = {item["id"] for item in document["providers"]}
    for index, item in enumerate(document["exchanges"]):
        if item["provider"] not in providers:
            yield _unknown(f"/exchanges/{index}/provider", item["provider"], "providers")
        for number, habit in enumerate(item["habits"]):
            if habit["id"] not in document["habits"]:
                yield _unknown(f"/exchanges/{index}/habits/{number}/id", habit["id"], "habits")


def _verdicts(document: Mapping[str, Any]) -> Iterator[Misfit]:
    providers = {item["id"] for item in document["providers"]}
    exchanges = {(item["provider"], item["id"]) for item in document["exchanges"]}
    for index, item in enumerate(document["verdicts"]):
        at = f"/verdicts/{index}"
        if item["provider"] not in providers:
            yield _unknown(f"{at}/provider", item["provider"], "providers")
        elif (item["provider"], item["exchange"]) not in exchanges:
            yield _unknown(f"{at}/exchange", item["exchange"], "exchanges")
        if item["check"] not in document["checks"]:
            yield _unknown(f"{at}/check", item["check"], "checks")
        for where, problem in _of_verdict(item):
            yield Misfit(f"{at}/{where}", problem)


def _of_verdict(item: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what a verdict says against itself, and where in it."""
    outcome, reason, waiver = item["outcome"], item["reason"], item["waiver"]
    if outcome == Outcome.NOT_APPLICABLE:
        yield "outcome", "what is not applicable is counted in the providers, and not listed"
    elif reason is None and outcome == Outcome.UNPROVEN:
        yield "reason", "absent, and the verdict is unproven"
    elif reason is not None and Reason(reason).outcome != outcome:
        yield "reason", f"{reason}, and the verdict is {outcome}"
    if 0 < item["found"] < len(item["findings"]):
        yield "found", f"{item['found']}, and {len(item['findings'])} are listed"
    if waiver and (waiver["check"] != item["check"] or waiver["exchange"] not in (None, item["exchange"])):
        yield "waiver", "it is of another check or exchange"
    for number, finding in enumerate(item["findings"]):
        yield from ((f"findings/{number}/{where}", problem) for where, problem in _of_finding(finding))


def _of_finding(finding: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield which of a finding's ranges of bytes cannot be, and where."""
    evidence = finding["evidence"] or {"lines": (), "size": 0}
    lines = [(f"evidence/lines/{number}/bytes", each["bytes"]) for number, each in enumerate(evidence["lines"])]
    for where, (begin, end) in [("bytes", finding["bytes"] or (0, 0)), *lines]:
        if begin > end:
            yield where, "the range ends before it begins"
    for where, (_, end) in lines:
        if end > evidence["size"]:
            yield where, f"the range ends behind the body, which has {evidence['size']} bytes"


def _changes(document: Mapping[str, Any]) -> Iterator[Misfit]:
    """The last change of a key ends in what its verdict says today; without a baseline nothing changed.

    Where the suite changed and then the provider did, the provider's is the last.
    """
    today = {tuple(item[part] for part in _KEY): item for item in document["verdicts"]}
    if document["baseline"] is None and document["changes"]:
        yield Misfit("/changes", "there are changes, and no baseline that they were made against")
    keys = [tuple(item[part] for part in _KEY) for item in document["changes"]]
    count = Counter(keys)
    for index, (key, item) in enumerate(zip(keys, document["changes"], strict=True)):
        if count[key] == 1 or item["by"] != By.SUITE:
            yield from _since(f"/changes/{index}", item, today.get(key))
        if item["kind"] not in _kinds(*(outcome and Outcome(outcome) for outcome in (item["before"], item["after"]))):
            said = f"{item['kind']}, from {item['before'] or 'absent'} to {item['after'] or 'absent'}"
            yield Misfit(f"/changes/{index}/kind", said)


def _kinds(before: Outcome | None, after: Outcome | None) -> tuple[Kind | None, ...]:
    """Which changes there are from one outcome to another."""
    if before is after:
        return (Kind.RAISED, Kind.LOWERED) if after is Outcome.FAIL else ()
    return (kind_of(before, after),)


def _since(at: str, item: Mapping[str, Any], verdict: Mapping[str, Any] | None) -> Iterator[Misfit]:
    """Yield where the last change of a key does not end in its verdict; what is not applicable has none."""
    today = verdict and verdict["outcome"]
    if item["after"] != today and not (today is None and item["after"] == Outcome.NOT_APPLICABLE):
        yield Misfit(f"{at}/after", f"{item['after'] or 'absent'}, and the verdict is {today or 'absent'}")
    if verdict and item["level"] != verdict["level"]:
        yield Misfit(f"{at}/level", f"{item['level']}, and the verdict is of level {verdict['level']}")


def _unknown(pointer: str, name: str, among: str) -> Misfit:
    return Misfit(pointer, f"{line(name, _SHOWN)} is not among the {among}")
