"""Whether the parts of a results file fit together: whoever edits one by hand forgets the others.

The counts and conclusions are compared with the verdicts by the gate, which alone knows how they are made.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from chatconform.diff import By
from chatconform.model import Outcome
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
        if isinstance(each, dict | list):
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
        for number, finding in enumerate(item["findings"]):
            if finding["bytes"] and finding["bytes"][0] > finding["bytes"][1]:
                yield Misfit(f"{at}/findings/{number}/bytes", "the range ends before it begins")


def _changes(document: Mapping[str, Any]) -> Iterator[Misfit]:
    """The last change of a key ends in what its verdict says today; without a baseline nothing changed.

    Where the suite changed and then the provider did, the provider's is the last.
    """
    outcomes = {tuple(item[part] for part in _KEY): item["outcome"] for item in document["verdicts"]}
    if document["baseline"] is None and document["changes"]:
        yield Misfit("/changes", "there are changes, and no baseline that they were made against")
    keys = [tuple(item[part] for part in _KEY) for item in document["changes"]]
    count = Counter(keys)
    for index, (key, item) in enumerate(zip(keys, document["changes"], strict=True)):
        today = outcomes.get(key)
        if count[key] > 1 and item["by"] == By.SUITE:
            continue
        if item["after"] != today and not (today is None and item["after"] == Outcome.NOT_APPLICABLE):
            said = item["after"] or "absent"
            yield Misfit(f"/changes/{index}/after", f"{said}, and the verdict is {today or 'absent'}")


def _unknown(pointer: str, name: str, among: str) -> Misfit:
    return Misfit(pointer, f"{line(name, _SHOWN)} is not among the {among}")
