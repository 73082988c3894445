"""What a lawful variation is: the same answer framed, delivered or worded otherwise. None of them is a deviation.

A variation of framing or delivery changes no outcome and no count. A variation of content changes no outcome but
where its statement says so: what an answer lawfully leaves out gives a clause no occasion, what it adds gives one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from chatconform.model import Reason
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Breaks, Change, Ids
from chatconform.reference.good import GOOD


@dataclass(frozen=True, slots=True)
class Variation:
    """A rewording of good exchanges, what it does in one sentence, and what that changes, which is mostly nothing.

    `keeps_counts`: what each check examines stays the same too, where the change does not name the check.
    """

    id: str
    of: tuple[str, ...]
    says: str
    rewords: Breaks
    change: Change
    keeps_counts: bool


_VARIATIONS: dict[str, Variation] = {}

STREAMS: Final = tuple(name for name, exchange in GOOD.items() if rewrite.is_stream(exchange))
BODIES: Final = tuple(name for name in GOOD if name not in (*STREAMS, "answer.gzip"))
ANSWERS: Final = tuple(name for name in BODIES if name.partition(".")[0] not in ("error", "models"))
_CALLING: Final = (".tool", ".function")
TEXT_STREAMS: Final = tuple(
    name for name in STREAMS if not any(map(name.__contains__, _CALLING)) and name != "stream.logprobs"
)
TEXT_ANSWERS: Final = tuple(
    name for name in ANSWERS if not any(map(name.__contains__, _CALLING)) and name != "answer.refusal"
)


def variation(
    identifier: str,
    of: Iterable[str],
    *,
    passes: Ids = (),
    other_branch: Ids = (),
    fails: Ids = (),
    gone: Ids = (),
    appears: Ids = (),
) -> Callable[[Breaks], Breaks]:
    """Register a function as a lawful variation; its docstring says what is different on the wire."""
    change = Change(fails, passes, {}, {str(Reason.OTHER_BRANCH): other_branch}, gone, appears)

    def register(rewords: Breaks) -> Breaks:
        says = " ".join(inspect.cleandoc(rewords.__doc__ or "").split())
        keeps_counts = not identifier.startswith("content.")
        _VARIATIONS[identifier] = Variation(identifier, tuple(of), says, rewords, change, keeps_counts)
        return rewords

    return register


def registered() -> Mapping[str, Variation]:
    """Return every variation that was registered, by id."""
    return MappingProxyType(_VARIATIONS)
