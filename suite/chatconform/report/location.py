"""Where in a repository a verdict is shown: a path that is there for whoever reads the report elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import NamedTuple

from chatconform.model import ExchangeSummary, ProviderResult, Results
from chatconform.report.visible import line

FALLBACK = "providers.yaml"
"""The file that a provider is written down in."""
_LONGEST = 1_000


class Location(NamedTuple):
    """A file of the repository, as a path from its top, and a line in it, from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Repository:
    """The top of a repository and the folder of the run, both absolute, and what is named where nothing better is."""

    top: PurePosixPath
    here: PurePosixPath
    fallback: str = FALLBACK

    def path(self, file: str) -> str | None:
        """Return the path from the top of a file, which is seen from the folder of the run; None for one elsewhere."""
        path = PurePosixPath(normpath(self.here / file))
        if path in (self.here, self.top) or not path.is_relative_to(self.top) or line(file, _LONGEST) != file:
            return None
        return str(path.relative_to(self.top))


HERE = Repository(PurePosixPath("/here"), PurePosixPath("/here"))
"""One whose top is the folder of the run, wherever that is."""


def repository(here: Path) -> Repository:
    """Return the repository that a folder is in: the nearest folder with a `.git`, else the folder itself.

    Its fallback is the providers file, else the README, else another file, as far as there is one.
    """
    top = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), None)
    if top is None:
        return Repository(PurePosixPath(here), PurePosixPath(here))
    candidates = (here / FALLBACK, top / FALLBACK, *_files(top))
    found = next((path for path in candidates if path.is_file()), here / FALLBACK)
    return Repository(PurePosixPath(top), PurePosixPath(here), found.relative_to(top).as_posix())


def _files(folder: Path) -> list[Path]:
    """Return what stands in a folder and is not hidden, the README first."""
    try:
        found = [path for path in folder.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []
    return sorted(found, key=lambda path: (not path.name.lower().startswith("readme"), path.name))


def of(
    repository: Repository, results: Results, provider: ProviderResult, exchange: ExchangeSummary | None
) -> Location:
    """Return where a verdict is shown.

    It is the exchange's file, but in a live run, which makes new files each time: there, and where that file is not
    in the repository, it is the provider's place in its providers file.
    """
    is_kept = exchange is not None and results.run.get("mode") != "live"
    file = repository.path(exchange.file) if exchange is not None and is_kept else None
    return Location(file, 1) if file else _of_provider(repository, provider) or Location(repository.fallback, 1)


def _of_provider(repository: Repository, provider: ProviderResult) -> Location | None:
    """Return a provider's place in its providers file; None where that is not in the repository."""
    place = provider.place
    file = repository.path(place.file) if place else None
    return Location(file, place.line or 1) if place and file else None
