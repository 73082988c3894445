"""results.json: one judging as a file, written deterministically and validated on the way in.

The format is `chatconform.results/1`; its schema is schemas/chatconform/results.schema.json. Verdicts that
are not-applicable are counted and not listed. Equal results make equal bytes, in whatever order
they were judged.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import astuple, fields
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import Any

from chatconform.exhibits import (
    ContractDigest,
    DeviationText,
    Endpoint,
    Evidence,
    Habit,
    HabitText,
    Line,
    Received,
    Sent,
    Timeline,
)
from chatconform.model import (
    MAX_INTEGER,
    Change,
    CheckText,
    Conclusion,
    ExchangeSummary,
    Finding,
    InputError,
    JsonObject,
    JsonValue,
    Level,
    Origin,
    Outcome,
    OwnDocument,
    Place,
    Problem,
    ProviderResult,
    Reason,
    Results,
    Tally,
    Verdict,
    Waiver,
)
from chatconform.report import schema
from chatconform.report.references import Misfit, flaws, misfits, objects, token
from chatconform.report.visible import COMMANDS, SHAPELESS, line

FORMAT = "chatconform.results/1"
MAX_BYTES = 256 * 1024 * 1024
"""The longest results.json that is read: some 50,000 exchanges."""
MAX_COMMAS = 16_000_000
"""The most commas in one, which bound its values: as written it has one in 25 bytes, and could have one in two."""

NEXT_STEP = "write it anew: `chatconform judge PATH --out DIR` judges the recordings and needs no network"
"""What to do about a results.json that cannot be used."""
_DIGITS = 17
_SHOWN = 80


def to_json(results: Results) -> JsonObject:
    """The results as a JSON object; everything is sorted by its key, and findings keep their order."""
    return {
        "format": FORMAT,
        "run": plain(results.run),
        "providers": plain(sorted(results.providers, key=lambda item: item.id)),
        "checks": plain(results.checks),
        "exchanges": plain(sorted(results.exchanges, key=lambda item: (item.provider, item.id))),
        "verdicts": plain(sorted(listed(results.verdicts), key=lambda item: item.key)),
        "problems": plain(sorted(results.problems, key=astuple)),
        "baseline": results.baseline,
        "changes": plain(sorted(results.changes, key=_change_key)),
        "habits": plain(results.habits),
        "deviations": plain(results.deviations),
        "contracts": plain(results.contracts),
    }


def dump(results: Results) -> bytes:
    """The bytes of results.json: UTF-8, one space of indent, a line feed at the end.

    Characters without a shape (controls, bidi controls, lone surrogates) are JSON escapes, and so is the first
    sign of a command to a CI system, so that the file can be printed on a terminal and in a job.
    """
    return encode(to_json(results))


def encode(document: object) -> bytes:
    """The bytes of a JSON document as the files of a report hold it."""
    text = json.dumps(document, ensure_ascii=False, indent=1, allow_nan=False)
    return (SHAPELESS.sub(_json_escape, COMMANDS.sub(_by_number, text)) + "\n").encode()


def load(path: Path) -> Results:
    """Read results.json.

    Raises InputError where the file cannot be read, is not UTF-8 or not JSON (with line and column), is of
    another version, violates the schema, or does not fit together (with a JSON pointer).
    """
    document = _parsed(path, _text(path))
    _refuse_other_formats(path, document)
    for misfit in _misfits(document):
        problem = f"{line(misfit.pointer, 200)}: {line(misfit.problem, 300)}"
        raise InputError(Place(str(path)), problem, NEXT_STEP)
    return _results(document)


def _misfits(document: Any) -> Iterator[Misfit]:  # noqa: ANN401
    """Yield what is wrong with a document, in the order in which it can be asked for."""
    yield from flaws(document)
    for error in () if schema.keeps()(document) else schema.validator().iter_errors(document):
        yield Misfit("".join(f"/{token(part)}" for part in error.absolute_path) or "/", error.message)
    yield from misfits(document)


def listed(verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
    """The verdicts that results.json and every report list: all but those that are not-applicable."""
    return (verdict for verdict in verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE)


def plain(value: Any) -> JsonValue:  # noqa: ANN401
    """The JSON form of a noun: its members by name, but for those that take no part in comparison."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, str | int | float):
        return value
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(value[key]) for key in sorted(value)}
    return {field.name: plain(getattr(value, field.name)) for field in fields(value) if field.compare}


def _change_key(item: Change) -> tuple[str, ...]:
    return (item.provider, item.contract, item.check, item.exchange, item.kind)


def _json_escape(match: re.Match[str]) -> str:
    return "\n" if match[0] == "\n" else json.dumps(match[0])[1:-1]


def _by_number(match: re.Match[str]) -> str:
    return f"\\u{ord(match[0]):04x}"


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        problem = f"cannot be read: {error.strerror}"
        raise InputError(Place(str(path)), problem, "name a results.json that a run wrote") from None
    if len(content) > MAX_BYTES:
        problem = f"not a results file: longer than {MAX_BYTES} bytes"
        raise InputError(Place(str(path)), problem, "judge fewer exchanges at a time")
    if content.count(b",") > MAX_COMMAS:
        problem = f"not a results file: more than {MAX_COMMAS:,} commas"
        raise InputError(Place(str(path)), problem, "judge fewer exchanges at a time")
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        before = content[: error.start]
        place = Place(str(path), before.count(b"\n") + 1, error.start - before.rfind(b"\n"))
        raise InputError(
            place, f"byte {error.start} is not UTF-8 ({error.reason})", "keep results.json as UTF-8"
        ) from None


def _parsed(path: Path, text: str) -> Any:  # noqa: ANN401
    """The JSON value; what it is has yet to be validated."""
    try:
        return json.loads(
            text, parse_constant=_no_constant, parse_int=_whole, parse_float=_finite, object_pairs_hook=objects
        )
    except json.JSONDecodeError as error:
        place, problem = Place(str(path), error.lineno, error.colno), f"not JSON: {error.msg}"
    except ValueError as error:
        place, problem = Place(str(path)), str(error)
    except RecursionError:
        place, problem = Place(str(path)), "not a results file: nested too deeply"
    raise InputError(place, problem, NEXT_STEP)


def _no_constant(name: str) -> None:
    raise ValueError(f"not JSON: {name} is no JSON value")


def _whole(text: str) -> int:
    if len(text) > _DIGITS or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"not a results file: {line(text, _SHOWN)} is beyond {MAX_INTEGER}")
    return int(text)


def _finite(text: str) -> float:
    if not isfinite(number := float(text)):
        raise ValueError(f"not a results file: {line(text, _SHOWN)} is beyond all floating point numbers")
    return number


def _refuse_other_formats(path: Path, document: JsonValue) -> None:
    found = document.get("format") if isinstance(document, dict) else None
    if found == FORMAT:
        return
    if isinstance(found, str):
        problem = f"/format: {line(found, _SHOWN)} is another version; this one reads {FORMAT}"
    else:
        problem = f'/format: absent; a results file begins with "format": "{FORMAT}"'
    raise InputError(Place(str(path)), problem, NEXT_STEP)


def _results(document: Any) -> Results:  # noqa: ANN401
    """The results of a document that the schema accepts."""
    return Results(
        run=document["run"],
        providers=tuple(_read_provider(item) for item in document["providers"]),
        checks={key: _read_check(item) for key, item in document["checks"].items()},
        exchanges=tuple(_read_exchange(item) for item in document["exchanges"]),
        verdicts=tuple(_read_verdict(item) for item in document["verdicts"]),
        problems=tuple(Problem(**item) for item in document["problems"]),
        baseline=document["baseline"],
        changes=tuple(_read_change(item) for item in document["changes"]),
        habits={key: HabitText(**{**item, **_clients(item)}) for key, item in document["habits"].items()},
        deviations={
            key: DeviationText(**{**item, "cites": tuple(item["cites"])})
            for key, item in document["deviations"].items()
        },
        contracts={key: ContractDigest(**item) for key, item in document["contracts"].items()},
    )


def _read_provider(item: dict[str, Any]) -> ProviderResult:
    counts = {
        contract: {Level(level): Tally(**tally) for level, tally in levels.items()}
        for contract, levels in item["counts"].items()
    }
    typed = {
        "conclusion": Conclusion(item["conclusion"]),
        "counts": counts,
        "endpoint": Endpoint(**item["endpoint"]),
        "place": Place(**item["place"]) if item["place"] else None,
    }
    return ProviderResult(**{**item, **typed})


def _read_check(item: dict[str, Any]) -> CheckText:
    levels = {contract: Level(level) for contract, level in item["levels"].items()}
    return CheckText(**{**item, **_clients(item), "levels": levels, "known": tuple(item["known"])})


def _clients(item: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(item[name]) for name in ("raises", "wrong")}


def _read_exchange(item: dict[str, Any]) -> ExchangeSummary:
    habits = tuple(Habit(**{**habit, "names": tuple(habit["names"])}) for habit in item["habits"])
    typed = {
        "origin": Origin(item["origin"]),
        "habits": habits,
        "sent": Sent(**item["sent"]),
        "received": _read_received(item["received"]),
    }
    return ExchangeSummary(**{**item, **typed})


def _read_received(item: dict[str, Any]) -> Received:
    drawn = item["timeline"]
    events = drawn and tuple((time, count) for time, count in drawn["events"])
    headers = tuple((name, value) for name, value in item["headers"])
    return Received(**{**item, "headers": headers, "timeline": drawn and Timeline(events, drawn["done"])})


def _read_verdict(item: dict[str, Any]) -> Verdict:
    typed = {
        "level": Level(item["level"]),
        "outcome": Outcome(item["outcome"]),
        "reason": Reason(item["reason"]) if item["reason"] else None,
        "findings": tuple(_read_finding(finding) for finding in item["findings"]),
        "own_document": OwnDocument(item["own_document"]) if item["own_document"] else None,
        "waiver": Waiver(**item["waiver"]) if item["waiver"] else None,
    }
    return Verdict(**{**item, **typed})


def _read_finding(item: dict[str, Any]) -> Finding:
    typed = {
        "bytes": tuple(item["bytes"]) if item["bytes"] else None,
        "evidence": item["evidence"] and _read_evidence(item["evidence"]),
    }
    return Finding(**{**item, **typed})


def _read_evidence(item: dict[str, Any]) -> Evidence:
    lines = (Line(**{**each, "bytes": tuple(each["bytes"]), "text": tuple(each["text"])}) for each in item["lines"])
    return Evidence(tuple(lines), item["size"])


def _read_change(item: dict[str, Any]) -> Change:
    typed = {
        "level": Level(item["level"]),
        "before": Outcome(item["before"]) if item["before"] else None,
        "after": Outcome(item["after"]) if item["after"] else None,
    }
    return Change(**{**item, **typed})
