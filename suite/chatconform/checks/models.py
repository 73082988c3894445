"""The list of models: that its ids name one model each. Its members' types are clauses of the schema."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import SHOULD, check, models
from chatconform.model import Finding, JsonValue, Reason
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Transcript


def _ids(listed: Transcript) -> list[tuple[int, str]]:
    """Return the ids of the list, each with its position."""
    body = listed.document.object if listed.document else None
    rows: JsonValue = body.get("data") if body else None
    named = enumerate(
        row.get("id") if isinstance(row, dict) else None for row in (rows if isinstance(rows, list) else ())
    )
    return [(position, name) for position, name in named if isinstance(name, str)]


@check(
    "models.id.unique",
    level=SHOULD,
    over=models,
    examines=lambda listed: len(_ids(listed)) or Reason.OTHER_BRANCH,
    needs="json.body.object",
    cites="MDL-07",
)
def id_unique(listed: Transcript) -> Iterator[Finding]:
    """No id stands twice in the list of models.

    Breaks: pickers show a model twice, and whoever keeps models by id keeps one of the two.
    Fix: list each model once, whatever the number of channels behind it.
    """
    known: set[str] = set()
    for position, name in _ids(listed):
        if name in known:
            yield listed.finding(Where(0, ("data", position, "id")), "an id that is not listed yet")
        known.add(name)
