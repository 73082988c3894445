"""Error answers: that they can be read. The members of the error object are clauses of the schema."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import SHOULD, check, errors
from chatconform.model import Finding, Reason
from chatconform.wire.transcript import Transcript


def _readable(answer: Transcript) -> int | Reason:
    """A body that our own limits cut, or that exceeds them, is not judged."""
    by_limit = answer.exchange.end.startswith("limit:") or answer.coding_limit
    return Reason.BUDGET if by_limit or (answer.document and answer.document.limit) else 1


@check(
    "errors.body.json",
    level=SHOULD,
    over=errors,
    of_any_status=True,
    examines=_readable,
    cites=("OpenAI API reference", "ERR-07"),
)
def body_json(answer: Transcript) -> Iterator[Finding]:
    """An error answer is a JSON object.

    Breaks: the SDKs raise an error of the right class without its message.
    Fix: send {"error": {"message", "type", "param", "code"}} with every status of 400 and above.
    """
    document = answer.document
    if document is None or document.object is None:
        yield answer.spot(
            (0, len(answer.body)), answer.excerpt((0, len(answer.body))) or "an empty body", "a JSON object"
        )
