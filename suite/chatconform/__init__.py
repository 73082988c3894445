"""chatconform: conformance of endpoints that call themselves OpenAI-compatible, shown by the bytes.

The public Python API is small: `load` reads recorded exchanges, `judge` judges them; `count` judges lines of recorded
traffic in bulk, by `Terms`, and returns `Counts`, which add up.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatconform.bulk.counting import Terms, count
    from chatconform.bulk.counts import Counts
    from chatconform.judging import judge
    from chatconform.recordings.store import load

__version__ = "0.1.0"
__all__ = ["Counts", "Terms", "__version__", "count", "judge", "load"]

_PUBLIC = {
    "Counts": "chatconform.bulk.counts",
    "Terms": "chatconform.bulk.counting",
    "count": "chatconform.bulk.counting",
    "judge": "chatconform.judging",
    "load": "chatconform.recordings.store",
}


def __getattr__(name: str) -> object:
    """Import the public functions when they are first asked for, so that importing the package is quick."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
