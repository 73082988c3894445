"""A live run: providers are asked, every exchange is kept in a recording, and the recording is what is judged."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from chatconform import assessment
from chatconform.assessment import Subject
from chatconform.capture import capture as capturing
from chatconform.capture.capture import Job, Watch
from chatconform.model import Exchange, InputError, Place, Provider
from chatconform.recordings import disk, store
from chatconform.recordings.sources import Unreadable
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
        """Return what is sent to one provider.

        Raises `InputError` for a pattern that names no scenario, and for a key where everybody is shown it.
        """
        capturing.require_unshown(provider, os.environ)
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


@contextmanager
def jobs(plans: Sequence[Plan], folder: Path, name: str | None) -> Iterator[list[Job]]:
    """Give what the captures need; each provider's recording is held meanwhile, so that nobody else writes to it.

    A recording is `<folder>/<provider>/<name>`, with a number behind it where that is taken; without a name it is
    the latest one there of the same base URL and model. Raises `InputError` for a key or a header that cannot be sent,
    for a recording that another process writes to, and where there is none to go on with.
    """
    secrets = [capturing.credentials(plan.provider, os.environ) for plan in plans]
    with ExitStack() as held:
        recordings = [held.enter_context(_recording(folder / plan.provider.id, name, plan.provider)) for plan in plans]
        rows = zip(plans, secrets, recordings, strict=True)
        yield [Job(plan, secret, recording, frozenset(_kept(recording))) for plan, secret, recording in rows]


def _recording(home: Path, name: str | None, provider: Provider) -> AbstractContextManager[Path]:
    if name is not None:
        return disk.begun(home, name)
    earlier = sorted(each for each in home.iterdir() if each.is_dir()) if home.is_dir() else []
    fitting = next((folder for folder in reversed(earlier) if _is_of(provider, folder)), None)
    if fitting is not None:
        return disk.held(fitting)
    problem = "there is no recording to resume"
    if earlier:
        problem += f" of {provider.base_url} and the model {provider.model}: the latest is of another"
    raise InputError(Place(str(home)), problem, "Leave --resume out to begin one.")


def _is_of(provider: Provider, folder: Path) -> bool:
    """Whether all that a recording holds was asked at the base URL of a provider, and for its model."""
    start = f"{provider.base_url}/"
    return all(
        each.request.url.startswith(start) and each.model == provider.model
        for each in _recorded(folder)
        if isinstance(each, Exchange)
    )


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


def _kept(folder: Path) -> Iterable[str]:
    """Yield the ids that need not be asked for again: what was answered, and not with 429 or 503."""
    for item in _recorded(folder):
        if isinstance(item, Exchange) and item.response is not None and item.response.status not in (429, 503):
            yield item.id


def _recorded(folder: Path) -> Iterable[Exchange | Unreadable]:
    """Return what is in a recording; nothing of one that was cut off before its first exchange."""
    return store.read([folder]) if any(folder.glob("*.json")) else ()


def subject(job: Job, *, interrupted: bool = False) -> Subject:
    """Return a provider with what was captured of it; where the run was interrupted it may be a part of the plan."""
    provider = job.plan.provider
    exchanges, problems = assessment.readable(_recorded(job.folder))
    named = tuple(replace(each, provider=provider.id) for each in exchanges)
    is_part = interrupted and not _is_whole(job.plan, named)
    cut = " of a run that was interrupted, and asked only a part of its plan" if is_part else ""
    return Subject(provider, named, assessment.source_of(named) + cut, tuple(problems), is_part)


def _is_whole(plan: Plan, exchanges: Iterable[Exchange]) -> bool:
    """Whether all of a plan is recorded. What depends on a refusal is asked only after one."""
    answers = {each.id: each.response for each in exchanges}
    refused = {name for name, answer in answers.items() if answer and answer.status in capturing.REFUSALS}
    return all(ask.id in answers or ask.only_if_refused not in {None, *refused} for ask in plan.asks)


def unasked(provider: Provider) -> Subject:
    """Return a provider that cannot be asked, for its key is missing."""
    return Subject(provider, (), f"nothing was asked: the environment variable {provider.key_env} is not set")
