"""Named faults: good exchanges broken in one way each, with the whole change that this makes to the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from chatconform.reference.faults import (
    choices,
    clauses,
    envelope,
    errors,
    framing,
    function_call,
    http,
    json,
    logprobs,
    parameters,
    recorder,
    semantics,
    status,
    stream,
    structured,
    tools,
    usage,
)
from chatconform.reference.faults.example import example as _example
from chatconform.reference.faults.fault import Change, Fault, registered

__all__ = [
    "Change",
    "Fault",
    "all_faults",
    "choices",
    "clauses",
    "envelope",
    "errors",
    "example",
    "framing",
    "function_call",
    "http",
    "json",
    "logprobs",
    "parameters",
    "recorder",
    "semantics",
    "status",
    "stream",
    "structured",
    "tools",
    "usage",
]


@cache
def all_faults() -> Mapping[str, Fault]:
    """Return every fault by id: those written by hand, then `clause:<id>`, made from the schemas."""
    derived = {fault.id: fault for fault in clauses.faults()}
    return MappingProxyType({**registered(), **derived})


def example(check: str) -> list[str]:
    """Return the lines that show what a fault of a check changes on the wire; none where it has no fault."""
    return _example(check, all_faults().values())
