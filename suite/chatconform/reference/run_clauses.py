"""Faults of runs that are made from the request schemas: a value that a clause allows is refused, and it alone.

Each run holds three exchanges: a request that stands at the clause, its control, which differs in one member and is
answered, and a probe beyond some range, by which a run shows that it probes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from types import MappingProxyType
from typing import Final

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract, Kind
from chatconform.contracts.occasions import Occasion, occasions, strays
from chatconform.contracts.schema import Schema
from chatconform.model import OPENAI, Exchange, JsonObject, JsonValue, Reason
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Change
from chatconform.reference.rehearsal import Run, answers_to, whole_rehearsal
from chatconform.reference.runs import RunFault, written

_TYPED: Final = b'{"error":{"message":"Not like this.","type":"invalid_request_error","param":null,"code":null}}'
_UNTYPED: Final = b'{"detail":[{"type":"extra_forbidden","msg":"Not like this."}]}'


@cache
def all_run_faults() -> Mapping[str, RunFault]:
    """Return every fault of a run by id: those written by hand, then `clause:<id>`, made from the request schemas."""
    derived = {fault.id: fault for fault in _derived()}
    return MappingProxyType({**written(), **derived})


@dataclass(frozen=True, slots=True)
class _Standing:
    """A body that stands at a clause with one member, and one that differs from it in that alone."""

    probe: JsonObject
    control: JsonObject
    new: tuple[Occasion, ...]


def _derived() -> Iterator[RunFault]:
    known: set[str] = set()
    for name in sorted(contracts.names(), key=lambda name: (name != OPENAI, name)):
        for clause, found in _standings(contracts.load(name)).items():
            plain = f"clause:{clause}"
            identifier = plain if plain not in known else f"{plain}@{name}"
            known.add(identifier)
            yield _fault(identifier, name, clause, found)


def _fault(identifier: str, of: str, clause: str, found: _Standing) -> RunFault:
    says = f"A value that {clause} allows is refused, where all else is answered."
    ends = {each.clause for each in found.new if not each.is_of_type}
    fails = tuple(sorted(ends or {each.clause for each in found.new}))
    left = tuple(sorted({each.clause for each in found.new} - {*fails}))
    change = Change(fails, unproven={str(Reason.PREREQUISITE): left} if left else {})
    refuses = partial(_refused, _UNTYPED if of == OPENAI else _TYPED)
    return RunFault(identifier, of, says, partial(_three, of, found), refuses, change, about="request.*")


def _three(of: str, found: _Standing) -> Run:
    """Return a control, a probe, and a probe beyond some range."""
    bodies = {"control": found.control, "probe": found.probe, "probe.outside": _body(_beyond(of))}
    return answers_to(_document(of), bodies)


def _refused(body: bytes, run: Run) -> Run:
    return tuple(_refusal(each, body) if each.id == "probe" else each for each in run)


def _refusal(exchange: Exchange, body: bytes) -> Exchange:
    answer = rewrite.with_header(rewrite.with_body(exchange, body), "Content-Type", "application/json")
    return rewrite.with_status(answer, 422)


def _document(of: str) -> str | None:
    return None if of == OPENAI else of


def _run(of: str) -> Run:
    return whole_rehearsal(_document(of))


def _beyond(of: str) -> Exchange:
    return next(each for each in _run(of) if each.id.startswith("probe.") and each.id.endswith(".outside"))


def _standings(contract: Contract) -> Mapping[str, _Standing]:
    """Return by clause the request that stands at it with the fewest other values that its control lacks."""
    schema = contract.schemas[Kind.REQUEST]
    found: dict[str, _Standing] = {}
    for each in _made(contract.id, schema):
        for clause in {new.clause for new in each.new if not new.is_of_type} or {new.clause for new in each.new}:
            if clause not in found or _size(each) < _size(found[clause]):
                found[clause] = each
    return dict(sorted(found.items()))


def _size(standing: _Standing) -> tuple[int, int]:
    return len(standing.new), len(rewrite.as_json(standing.probe))


def _made(of: str, schema: Schema) -> Iterator[_Standing]:
    """Yield every answered request of a run beside itself without one of its members, or with other messages."""
    sent = [_body(each) for each in _run(of) if _is_within(each, schema)]
    shortest = min((body["messages"] for body in sent), key=lambda messages: len(rewrite.as_json(messages)))
    for body in sent:
        for member in sorted(body.keys() - {"model"}):
            lacking: JsonObject = {name: value for name, value in body.items() if name != member}
            control: JsonObject = {**lacking, "messages": shortest} if member == "messages" else lacking
            for value in (body[member], *_within(schema, member)):
                probe: JsonObject = {**lacking, member: value}
                new = {*occasions(schema, probe)} - {*occasions(schema, control)}
                yield _Standing(probe, control, tuple(sorted(new, key=lambda each: (each.clause, each.what))))


def _within(schema: Schema, member: str) -> Iterator[JsonValue]:
    """Yield a number amid the range of a member, where it has one."""
    properties = schema.document["properties"]
    stated = properties.get(member) if isinstance(properties, dict) else None
    least, most = (stated.get(name) if isinstance(stated, dict) else None for name in ("minimum", "maximum"))
    if isinstance(least, int) and isinstance(most, int) and least + 1 == most:
        yield least + 0.5
    elif isinstance(least, int):
        yield (least + most) // 2 if isinstance(most, int) else least + 1


def _body(exchange: Exchange) -> JsonObject:
    body = exchange.request.body
    return body if isinstance(body, dict) else {}


def _is_within(exchange: Exchange, schema: Schema) -> bool:
    """Whether an exchange is a question within the schema that was answered."""
    is_answered = exchange.response is not None and exchange.response.status == 200
    return is_answered and bool(_body(exchange)) and not any(strays(schema, _body(exchange)))
