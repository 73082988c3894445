"""Why an exchange of a recording proves nothing beside others."""

from __future__ import annotations

from chatconform.checks.recording import Recorded, Standing, says_error
from chatconform.judging.bench import Ruling
from chatconform.model import Reason


def no(reason: Reason, because: str | None = None) -> Ruling:
    """Return the ruling that there is nothing to rule on, and why."""
    return Ruling(reason.outcome, reason=reason, because=because)


def because(each: Recorded) -> str:
    """Name what an exchange that proves nothing came to."""
    status = each.transcript.status
    return f"{each.id}: no answer" if status is None else f"{each.id}: status {status}"


def unjudged(each: Recorded) -> Ruling:
    """Say why nothing follows from what became of a request."""
    if each.standing is Standing.SILENT:
        return no(Reason.BUDGET if each.exchange.end.startswith("limit:") else Reason.NETWORK)
    if each.standing is Standing.LIMITED:
        return no(Reason.RATE_LIMITED)
    if each.standing is Standing.REFUSED and says_error(each.transcript):
        return no(Reason.REFUSED_TYPED)
    return no(Reason.PREREQUISITE, because(each))
