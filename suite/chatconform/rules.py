"""The rules: all that a verdict rests on besides the recorded bytes, as one digest.

Results that bear the same digest were made by the same rules, whatever the suite's version says.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from chatconform import resources

_CODE = ("model.py", "catalogue.yaml", "wire", "contracts", "checks", "judging", "scenarios")
"""What reads, judges and asks, within the package."""


@cache
def digest() -> str:
    """Return the SHA-256, in hex, over the schemas, and the code and data that read, judge and ask.

    Each file counts with its name, so that where the package is installed makes no difference.
    """
    whole = hashlib.sha256()
    for name, file in sorted(_files()):
        content = file.read_bytes()
        whole.update(f"{name} {len(content)}\n".encode())
        whole.update(content)
    return whole.hexdigest()


def _files() -> Iterator[tuple[str, Path]]:
    for part in _CODE:
        yield from _within(part, Path(__file__).parent / part)
    yield from _within("schemas", resources.path("schemas"))


def _within(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """Yield a file, or those of a folder that somebody wrote, each with the name that it counts under."""
    if path.is_file():
        yield name, path
    for file in path.rglob("*"):
        if file.suffix in (".py", ".yaml", ".json") and file.is_file():
            yield f"{name}/{file.relative_to(path).as_posix()}", file
