"""Contracts that somebody made of a provider's own document, in a folder schemas/ beside their providers file."""

from __future__ import annotations

from pathlib import Path

from chatconform.contracts import contract as contracts
from chatconform.model import OPENAI, InputError, Place


def look_beside(folder: Path) -> tuple[str, ...]:
    """Return the names that a provider's `contract` may have: those in `folder`/schemas, and the shipped ones.

    From now on contracts are found there as well. Raises `InputError` for the first flaw of one.
    """
    root = folder / "schemas"
    if contracts.look_in(root) and contracts.names(root):
        from chatconform.contracts import lint

        for flaw in lint.lint(root):
            if not flaw.place.startswith(str(root / OPENAI)):
                raise InputError(Place(flaw.place), flaw.problem, flaw.remedy)
    return tuple(name for name in contracts.names() if name != OPENAI)
