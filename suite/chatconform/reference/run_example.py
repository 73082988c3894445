"""The passing and the failing example of a comparison: one exchange of a good run, and the same one after a fault."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase

from chatconform.model import Exchange, Verdict
from chatconform.reference.faults.example import lines
from chatconform.reference.rehearsal import Run
from chatconform.reference.run_clauses import all_run_faults
from chatconform.reference.runs import RunFault

Compares = Callable[[Run, str | None], Iterable[Verdict]]


def example(check: str, failing: Compares) -> list[str]:
    """Return the lines that show what a fault of a comparison changes on the wire; none where it has no fault.

    The fault is the first of those that break the fewest other rules. `failing` yields the verdicts that accuse.
    """
    fault = min((each for each in all_run_faults().values() if _breaks(each, check)), key=_width, default=None)
    if fault is None:
        return []
    run = fault.makes()
    good, broken = _by_id(run), _by_id(fault.breaks(run))
    found = failing(tuple(broken.values()), fault.contract)
    accused = (verdict.exchange for verdict in found if verdict.check == check)
    pairs = ((good.get(each, run[0]), broken[each]) for each in accused)
    shown = next(((before, after) for before, after in pairs if before.response != after.response), None)
    return lines(fault.id, fault.says, *shown) if shown else []


def _by_id(run: Run) -> dict[str, Exchange]:
    """Return a run's exchanges by id. What is asked only where something is refused is in no good run."""
    return {exchange.id: exchange for exchange in run}


def _breaks(fault: RunFault, check: str) -> bool:
    return any(fnmatchcase(check, pattern) for pattern in fault.change.fails)


def _width(fault: RunFault) -> int:
    return len(fault.change.fails)
