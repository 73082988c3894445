"""The commands that ask providers: run, record, plan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli import completion
from chatconform.cli.chosen import adhoc, named
from chatconform.cli.conclude import (
    COMMAND_LINE,
    EXITS,
    INCONCLUSIVE,
    INTERRUPTED,
    conclude,
    reader,
    require_compared,
    require_named,
    require_room,
    require_usable,
    shared,
    tell_merged,
)
from chatconform.model import InputError

if TYPE_CHECKING:
    from chatconform.assessment import Subject
    from chatconform.capture.capture import Job
    from chatconform.live import Wanted
    from chatconform.model import JsonObject, JsonValue, Provider
    from chatconform.scenarios.ask import Plan


def _asking(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say which endpoint is asked, and for what."""
    options = (
        click.option("--samples", type=click.IntRange(1, 100), default=1, show_default=True,
                     help="Ask for what a model may or may not do that often."),
        click.option("--costly", is_flag=True, help="Ask for what multiplies the cost or needs a capability, too."),
        click.option("--boundaries/--no-boundaries", default=True,
                     help="Ask at the ends of every documented range, and beyond. Default: yes."),
        click.option("--concurrency", type=click.IntRange(1, 100), metavar="N", help="Requests at a time, a provider."),
        click.option("--per-minute", type=click.IntRange(1), metavar="N", help="Requests within a minute, a provider."),
        click.option("--max-requests", type=click.IntRange(1), metavar="N", help="At most that many a provider."),
        click.option("--max-tokens", type=click.IntRange(1), metavar="N", help="At most that many output tokens."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return adhoc(function)


@click.command(short_help="Judge providers, and write their reports.", epilog=EXITS)
@click.argument("names", nargs=-1, metavar="[PROVIDER]...", shell_complete=completion.providers)
@click.option("--live", is_flag=True, help="Ask, and replace nothing: a missing key is unproven.")
@click.option("--recorded", is_flag=True, help="Judge recordings; open no socket.")
@click.option("--resume", is_flag=True, help="Go on with the latest recording under --out: ask for what is missing.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True,
              metavar="DIR", help="Where the reports, and the recordings of a live run, are written.")  # fmt: skip
@_asking
@shared
def run(names: Sequence[str], resume: bool, out: Path, **options: object) -> None:  # noqa: FBT001
    """Judge providers, and write their reports: live where the key is set, else on their recordings.

    Recordings are looked up in recordings/PROVIDER beside the providers file, then among the shipped ones. A live
    run keeps every exchange under DIR/recordings/PROVIDER. Without names: the providers marked default: true.

    \b
    chatconform run                                judge the providers of ./providers.yaml, or the packaged ones
    chatconform run --base-url http://127.0.0.1:8000/v1 --model my-model --key-env MY_API_KEY
    chatconform run mine --live --fail-on should   what a scheduled job does: a missing key is exit code 3
    chatconform run mine --live --baseline last/results.json --fail-on regression
                                                   red where the provider got worse, not where the suite learnt more
    chatconform run mine --live --resume           go on after Ctrl-C: ask for what is missing
    """
    from chatconform import assessment, live
    from chatconform.recordings import disk

    require_usable(options)
    asking = {"--live": options["live"], "--resume": resume, "--base-url": options["base_url"] is not None}
    for option in (name for name, given in asking.items() if given):
        if options["recorded"]:
            raise InputError(COMMAND_LINE, f"{option} beside --recorded", "Leave one of them out.")
    chosen, beside = _chosen(names, options)
    names = [provider.id for provider in chosen]
    require_room(options, names, (beside / "recordings", out / "recordings"), out)
    require_compared(options, names)
    asked = [each for each in chosen if _is_asked(each, beside, options)]
    recorded, problems = assessment.recorded_all([each for each in chosen if each not in asked], beside)
    if not asked:
        require_named(options, recorded)
    tell_merged(recorded)
    name = None if resume else live.name_of(datetime.now(UTC))
    with disk.held(out), live.jobs(_plans(asked, _wanted(options)), out / "recordings", name) as jobs:
        if not options["as_json"]:
            click.echo(_first_line(chosen, asked, jobs))
        interrupted = _ask(jobs)
        facts: dict[str, JsonValue] = {"mode": "live", "left_out": _left_out(jobs)} if asked else {"mode": "recorded"}
        judged = _in_turn(chosen, recorded, jobs, interrupted=interrupted)
        conclude(judged, problems, facts, out, _with_controls(options, jobs), interrupted=interrupted)


def _left_out(jobs: Sequence[Job]) -> JsonObject:
    """Return what was not asked of each provider, and why."""
    return {job.plan.provider.id: {each.scenario: each.why for each in job.plan.left_out} for job in jobs}


def _with_controls(options: dict[str, object], jobs: Sequence[Job]) -> dict[str, object]:
    """Return the options with the scenarios that a pattern of the user's brought with it named as well."""
    patterns = options["scenarios"]
    if not patterns or not isinstance(patterns, tuple):
        return options
    return {**options, "scenarios": (*patterns, *(ask.id for job in jobs for ask in job.plan.asks))}


def _is_asked(provider: Provider, beside: Path, options: dict[str, object]) -> bool:
    """Whether a provider is asked: by --live, by its key; where it needs none, for want of a recording."""
    from chatconform import assessment, live

    if options["recorded"]:
        return False
    if options["live"] or options["base_url"] is not None:
        return True
    if provider.key_env is not None:
        return live.has_key(provider)
    return assessment.recording_of(provider, beside) is None


def _chosen(names: Sequence[str], options: dict[str, object]) -> tuple[tuple[Provider, ...], Path]:
    """Return the providers that are meant, at the pace that is asked for, and the folder that recordings stand in."""
    found, folder = named(names, options)
    paces = {name: value for name in ("concurrency", "per_minute") if isinstance(value := options[name], int)}
    return tuple(replace(each, limits={**each.limits, **paces}) for each in found), folder


def _wanted(options: dict[str, object]) -> Wanted:
    from chatconform.live import Wanted

    names = ("scenarios", "costly", "boundaries", "samples", "max_requests", "max_tokens")
    return Wanted(**{name: options[name] for name in names})  # type: ignore[arg-type]


def _first_line(chosen: Sequence[Provider], asked: Sequence[Provider], jobs: Sequence[Job]) -> str:
    """Say of each provider whether it is asked, and how long its pace makes that last, or a recording is judged."""
    from chatconform import live, plan_listing

    paces = {job.plan.provider.id: plan_listing.pace(job.plan, job.have) for job in jobs}
    said = []
    for provider in chosen:
        why = "" if live.has_key(provider) else f" ({provider.key_env} is not set)"
        pace = f", {paces[provider.id]}" if paces.get(provider.id) else ""
        how = f"live, {provider.base_url}{pace}" if provider in asked else "recorded"
        said.append(f"{provider.id}: {how}{why}")
    return " · ".join(said)


def _plans(asked: Sequence[Provider], wanted: Wanted) -> list[Plan]:
    """Return what is sent to every provider that has its key. Raises `InputError` before anything is sent."""
    from chatconform import live

    return [wanted.plan(provider) for provider in asked if live.has_key(provider)]


def _ask(jobs: Sequence[Job]) -> bool:
    """Ask, and show how it goes; return whether it was interrupted."""
    from rich.console import Console

    from chatconform import live
    from chatconform.cli.progress import Progress

    if not jobs:
        return False
    with Progress(Console(stderr=True, highlight=False)) as progress:
        return live.ask(jobs, progress)


def _in_turn(
    chosen: Sequence[Provider], recorded: Sequence[Subject], jobs: Sequence[Job], *, interrupted: bool
) -> Iterator[Subject]:
    """Yield the chosen providers; what was captured of one is read when it is its turn, for it may be large."""
    from chatconform import live

    read = {subject.provider.id: subject for subject in recorded}
    asked = {job.plan.provider.id: job for job in jobs}
    for provider in chosen:
        if provider.id in asked:
            yield live.subject(asked[provider.id], interrupted=interrupted)
        else:
            yield read.get(provider.id) or live.unasked(provider)


def _providers_option(function: Callable[..., None]) -> Callable[..., None]:
    metavar = {"type": click.Path(path_type=Path), "metavar": "FILE"}
    help_ = "The providers file; else ./providers.yaml, else the packaged one."
    asked = click.option(
        "--scenario",
        "scenarios",
        multiple=True,
        metavar="GLOB",
        shell_complete=completion.scenarios,
        help="Ask for these scenarios only. Can be repeated.",
    )
    return asked(click.option("--providers", "providers_file", help=help_, **metavar)(function))  # type: ignore[arg-type]


@click.command(short_help="Ask providers, and keep every exchange; judge nothing.")
@click.argument("names", nargs=-1, metavar="[PROVIDER]...", shell_complete=completion.providers)
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR",
              help="The exchanges are kept in DIR/PROVIDER/TIME.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the latest recording there: ask for what is missing.")
@_asking
@_providers_option
def record(names: Sequence[str], to: Path, resume: bool, **options: object) -> None:  # noqa: FBT001
    """Ask providers, and keep every exchange in a recording; judge nothing.

    Exits 0 where everything was answered, and 3 where a provider has no key or could not be reached.

    \b
    chatconform record mine --to recordings
    chatconform record mine --to recordings --samples 5 --costly
    chatconform judge recordings/mine
    """
    from chatconform import live
    from chatconform.report.visible import escape

    chosen, _ = _chosen(names, options)
    name = None if resume else live.name_of(datetime.now(UTC))
    with live.jobs(_plans(chosen, _wanted(options)), to, name) as jobs:
        interrupted = _ask(jobs)
        whole = len(jobs) == len(chosen)
        folders = {job.plan.provider.id: job.folder for job in jobs}
        for subject in _in_turn(chosen, (), jobs, interrupted=interrupted):
            name = subject.provider.id
            answered = sum(exchange.response is not None for exchange in subject.exchanges)
            whole = whole and answered == len(subject.exchanges) > 0
            counted = f"{answered} of {len(subject.exchanges)} exchanges answered, in {folders.get(name)}"
            click.echo(escape(f"{name}: {counted if name in folders else subject.source}"))
    sys.exit(INTERRUPTED if interrupted else 0 if whole else INCONCLUSIVE)


@click.command(short_help="Say what would be sent, and send nothing.")
@click.argument("names", nargs=-1, metavar="[PROVIDER]...", shell_complete=completion.providers)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@_asking
@_providers_option
def plan(names: Sequence[str], as_json: bool, **options: object) -> None:  # noqa: FBT001
    """Say what would be sent, request by request, with ceilings on requests, output tokens and time; send nothing.

    A line has the request's id, its method and its ceiling on output tokens. What is left out is said, with the reason.

    \b
    chatconform plan mine
    chatconform plan --base-url http://127.0.0.1:8000/v1 --model my-model --no-boundaries
    chatconform plan mine --json                   every body, as it would be sent
    """
    from chatconform import plan_listing
    from chatconform.report.results import encode

    chosen, _ = _chosen(names, options)
    plans = [_wanted(options).plan(provider) for provider in chosen]
    with reader():
        if as_json:
            click.echo(encode([plan_listing.as_json(each) for each in plans]), nl=False)
        else:
            click.echo("\n\n".join(plan_listing.text(each) for each in plans))
