"""Where schemas, recordings and providers.yaml stand: in the installed package, else in the source tree."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_SHIPPED_AS = {"recordings": "recordings_shipped"}
"""In the wheel a folder of data may not have the name of a module of the package."""


def path(relative: str) -> Path:
    """Return the path of a shipped file or folder, named as in the source tree (`schemas/openai`)."""
    head, _, rest = relative.partition("/")
    packaged = _PACKAGE / _SHIPPED_AS.get(head, head) / rest
    return packaged if packaged.exists() else _PACKAGE.parents[1] / relative


def read_text(relative: str) -> str:
    """Return the text of a shipped file."""
    return path(relative).read_text(encoding="utf-8")
