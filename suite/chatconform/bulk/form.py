"""Counts as JSON: the format `chatconform.counts/1`, whose schema is schemas/chatconform/counts.schema.json.

Equal counts make equal bytes. Counts that are read back add up with others as if they had never been written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator

from chatconform import resources
from chatconform.bulk.counts import CheckCount, CheckKey, Counts, Example, ProviderCount, Unread
from chatconform.model import Finding, InputError, JsonObject, JsonValue, Level, Origin, Outcome, Place, Reason
from chatconform.report.visible import line

FORMAT: Final = "chatconform.counts/1"
EACH_BY_ITSELF: Final = "each exchange by itself"
"""How exchanges are judged in bulk: what several of one run show together is not counted."""


def to_json(counts: Counts) -> JsonObject:
    """Return counts as a JSON object; what has no order is sorted by name."""
    return {
        "format": FORMAT,
        "judged": EACH_BY_ITSELF,
        "lines": counts.lines,
        "exchanges": counts.exchanges,
        "empty": counts.empty,
        "superseded": counts.superseded,
        "others": counts.others,
        "unread": counts.unread,
        "first_unread": [
            {**_place(each.place), "problem": each.problem, "remedy": each.remedy} for each in counts.first_unread
        ],
        "taken": _sorted(counts.taken),
        "providers": [_provider(name, counts.providers[name]) for name in sorted(counts.providers)],
    }


def _provider(name: str, provider: ProviderCount) -> JsonObject:
    return {
        "id": name,
        "exchanges": provider.exchanges,
        "origins": _sorted(provider.origins),
        "checks": [_check(key, provider.checks[key]) for key in sorted(provider.checks)],
    }


def _check(key: CheckKey, count: CheckCount) -> JsonObject:
    return {
        "contract": key.contract,
        "check": key.check,
        "level": key.level.value,
        "exchange": key.exchange or None,
        "outcomes": _sorted(count.outcomes),
        "examined": count.examined,
        "found": count.found,
        "reasons": _sorted(count.reasons),
        "examples": {outcome.value: [*map(_example, count.examples[outcome])] for outcome in sorted(count.examples)},
    }


def _example(example: Example) -> JsonObject:
    finding = example.finding
    return {
        **_place(example.place),
        "exchange": example.exchange,
        "reason": example.reason.value if example.reason else None,
        "because": example.because,
        "finding": None if finding is None else _finding(finding),
    }


def _finding(finding: Finding) -> JsonObject:
    """Return the members of a finding; the bytes around it are in the recording, which an example names."""
    names = (field.name for field in fields(finding) if field.name != "evidence")
    members: JsonObject = {name: getattr(finding, name) for name in names}
    return {**members, "bytes": None if finding.bytes is None else [*finding.bytes]}


def _place(place: Place) -> JsonObject:
    return {"file": place.file, "line": place.line, "column": place.column}


def _sorted(counts: Mapping[Any, int]) -> JsonObject:
    return {str(name): counts[name] for name in sorted(counts)}


def from_json(document: JsonValue, place: Place) -> Counts:
    """Return the counts of a JSON object. Raises `InputError` at the place for what is no format 1."""
    found = document.get("format") if isinstance(document, dict) else None
    if found != FORMAT:
        problem = f'"format" is not "{FORMAT}"'
        raise InputError(place, problem, "give counts as `chatconform judge --counts --json` prints them")
    for error in _validator().iter_errors(document):
        problem = f"{line(error.json_path, 200)}: {line(error.message, 300)}"
        raise InputError(place, problem, "count the recording anew")
    return _counts(document)


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(json.loads(resources.read_text("schemas/chatconform/counts.schema.json")))


def _counts(document: Any) -> Counts:  # noqa: ANN401
    """Return the counts of a document that the schema accepts."""
    return Counts(
        **{name: document[name] for name in ("lines", "empty", "superseded", "others", "unread", "taken")},
        first_unread=tuple(
            Unread(_read_place(each), each["problem"], each["remedy"]) for each in document["first_unread"]
        ),
        providers={each["id"]: _read_provider(each) for each in document["providers"]},
    )


def _read_provider(item: dict[str, Any]) -> ProviderCount:
    origins = {Origin(name): number for name, number in item["origins"].items()}
    return ProviderCount(origins, dict(map(_read_check, item["checks"])))


def _read_check(item: dict[str, Any]) -> tuple[CheckKey, CheckCount]:
    key = CheckKey(item["contract"], item["check"], Level(item["level"]), item["exchange"] or "")
    return key, CheckCount(
        outcomes={Outcome(name): number for name, number in item["outcomes"].items()},
        examined=item["examined"],
        found=item["found"],
        reasons={Reason(name): number for name, number in item["reasons"].items()},
        examples={Outcome(name): tuple(map(_read_example, found)) for name, found in item["examples"].items()},
    )


def _read_example(item: dict[str, Any]) -> Example:
    reason = Reason(item["reason"]) if item["reason"] else None
    return Example(_read_place(item), item["exchange"], reason, item["because"], _read_finding(item["finding"]))


def _read_finding(item: dict[str, Any] | None) -> Finding | None:
    return None if item is None else Finding(**{**item, "bytes": tuple(item["bytes"]) if item["bytes"] else None})


def _read_place(item: dict[str, Any]) -> Place:
    return Place(item["file"], item["line"], item["column"])
