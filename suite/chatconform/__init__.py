"""chatconform: conformance of endpoints that call themselves OpenAI-compatible, shown by the bytes.

The public Python API is small: `load` reads recorded exchanges, `judge` judges them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chatconform.judging import judge
    from chatconform.recordings.store import load

__version__ = "0.1.0"
__all__ = ["__version__", "judge", "load"]

_PUBLIC = {"judge": "chatconform.judging", "load": "chatconform.recordings.store"}


def __getattr__(name: str) -> object:
    """Import the public functions when they are first asked for, so that importing the package is quick."""
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_PUBLIC[name]), name)
