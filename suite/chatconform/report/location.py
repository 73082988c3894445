"""Where in a repository a verdict is shown: a path that is there for whoever reads the report elsewhere."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import NamedTuple

from chatconform.model import ExchangeSummary, ProviderResult, Results
from chatconform.report.visible import line

FALLBACK = "providers.yaml"
"""What is named where nothing better is known: the file that a provider is written down in."""
_LONGEST = 1_000


class Location(NamedTuple):
    """A file below the folder of the run, and a line in it, from 1."""

    file: str
    line: int


def of(results: Results, provider: ProviderResult, exchange: ExchangeSummary | None) -> Location:
    """Return where a verdict is shown.

    It is the exchange's file, but in a live run, which makes new files each time: there, and where that file is not
    below the folder of the run, it is the provider's place in its providers file.
    """
    is_kept = exchange is not None and results.run.get("mode") != "live"
    file = below(exchange.file) if exchange is not None and is_kept else None
    return Location(file, 1) if file else of_provider(provider) or Location(FALLBACK, 1)


def of_provider(provider: ProviderResult) -> Location | None:
    """Return a provider's place in its providers file; None where that is not below the folder of the run."""
    place = provider.place
    file = below(place.file) if place else None
    return Location(file, place.line or 1) if place and file else None


def below(file: str) -> str | None:
    """Return a path that stays below the folder it starts at, without `.` and empty parts; None for any other."""
    path = PurePosixPath(file)
    is_below = not path.is_absolute() and ".." not in path.parts and str(path) != "."
    return str(path) if is_below and line(file, _LONGEST) == file else None
