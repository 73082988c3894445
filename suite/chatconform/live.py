"""A live run: providers are asked, every exchange is kept in a recording, and the recording is what is judged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from chatconform import assessment
from chatconform.assessment import Subject
from chatconform.capture import capture as capturing
from chatconform.capture.capture import Job, Watch
from chatconform.model import Exchange, InputError, Place, Problem, Provider
from chatconform.recordings import store
from chatconform.scenarios import plan as planning
from chatconform.scenarios.ask import Plan


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: shell patterns of scenarios (all where there is none), and ceilings below a provider's own."""

    scenarios: tuple[str, ...] = ()
    costly: bool = False
    boundaries: bool = True
    samples: int = 1
    max_requests: int | None = None
    max_tokens: int | None = None

    def plan(self, provider: Provider) -> Plan:
        """Return what is sent to one provider. Raises `InputError` for a pattern that names no scenario."""
        return planning.plan(
            provider,
            scenarios=self.scenarios,
            costly=self.costly,
            boundaries=self.boundaries,
            samples=self.samples,
            max_requests=self.max_requests,
            max_tokens=self.max_tokens,
        )


def has_key(provider: Provider) -> bool:
    """Whether a provider can be asked: its key is set, or it needs none."""
    return provider.key_env is None or bool(os.environ.get(provider.key_env))


def recording(folder: Path, provider: Provider, name: str, *, resume: bool) -> Path:
    """Return the folder of a provider's new recording; to resume, of the latest one there is.

    Raises `InputError` where there is none to resume.
    """
    home = folder / provider.id
    if not resume:
        return home / name
    earlier = sorted(each for each in home.iterdir() if each.is_dir()) if home.is_dir() else []
    if not earlier:
        raise InputError(Place(str(home)), "there is no recording to resume", "Leave --resume out to begin one.")
    return earlier[-1]


def name_of(moment: datetime) -> str:
    """Return a recording's name: the second (UTC) in which it was begun, so that names sort by time."""
    return moment.strftime("%Y-%m-%dT%H%M%SZ")


def ask(jobs: Sequence[Job], watch: Watch) -> bool:
    """Ask the providers side by side; return whether it was interrupted. Whatever had ended by then is on disk."""
    try:
        asyncio.run(capturing.capture(jobs, watch))
    except KeyboardInterrupt:
        return True
    return False


def job(plan: Plan, folder: Path) -> Job:
    """Return what one provider's capture needs. Raises `InputError` for a key or a header that cannot be sent."""
    credentials = capturing.credentials(plan.provider, os.environ)
    return Job(plan, credentials, folder, frozenset(_kept(folder)))


def _kept(folder: Path) -> Iterable[str]:
    """Yield the ids that need not be asked for again: what was answered, and not with 429 or 503."""
    for item in store.read([folder]) if folder.is_dir() else ():
        if isinstance(item, Exchange) and item.response is not None and item.response.status not in (429, 503):
            yield item.id


def subject(provider: Provider, folder: Path) -> tuple[Subject, list[Problem]]:
    """Return a provider with what was captured of it."""
    exchanges, problems = assessment.readable(store.read([folder]) if folder.is_dir() else ())
    named = tuple(replace(each, provider=provider.id) for each in exchanges)
    return Subject(provider, named, assessment.source_of(named)), problems


def unasked(provider: Provider) -> Subject:
    """Return a provider that cannot be asked, for its key is missing."""
    return Subject(provider, (), f"nothing was asked: the environment variable {provider.key_env} is not set")
