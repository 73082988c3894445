"""What the commands that judge have in common: their options, and how they conclude."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from chatconform.cli import completion
from chatconform.model import InputError, Place

if TYPE_CHECKING:
    from chatconform.assessment import Subject
    from chatconform.attribution import Baseline
    from chatconform.forms import Forms
    from chatconform.model import Exchange, JsonValue, Problem, Provider

COMMAND_LINE = Place("command line")
USAGE, INCONCLUSIVE, INTERRUPTED = 2, 3, 130
EXITS = """
Exits 0 where all conforms, 1 where something deviates at the level of --fail-on, 2 for input that cannot be used,
3 where something could not be proven, 4 for a bug in the suite, 130 where it was interrupted.
"""


def shared(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that run and judge have in common."""
    options = (
        click.option("--providers", "providers_file", type=click.Path(path_type=Path), metavar="FILE",
                     help="The providers file; else ./providers.yaml, else the packaged one."),
        click.option("--scenario", "scenarios", multiple=True, metavar="GLOB",
                     shell_complete=completion.scenarios,
                     help="Judge these exchanges only; a live run asks for no others. Can be repeated."),
        click.option("--check", "checks", multiple=True, metavar="GLOB",
                     shell_complete=completion.checks,
                     help="Judge these checks only; what a live run asks stays the same. Can be repeated."),
        click.option("--fail-on", type=click.Choice(["must", "should", "regression", "never"]), default="must",
                     show_default=True, help="From which deviation on the exit code is 1."),
        click.option("--baseline", type=click.Path(path_type=Path), metavar="results.json",
                     help="Say what changed since then, and whether the provider did or the suite."),
        click.option("--recordings", type=click.Path(path_type=Path), metavar="DIR",
                     help="Where the recordings of the baseline are, if not where they were judged."),
        click.option("--junit", type=click.Path(path_type=Path), metavar="FILE",
                     help="Write JUnit XML, which fails where the exit code is not 0."),
        click.option("--sarif", type=click.Path(path_type=Path), metavar="FILE", help="Write SARIF 2.1.0."),
        click.option("--badge", type=click.Path(path_type=Path), metavar="DIR",
                     help="Write a shields.io badge a provider; into one file, where its name ends in .json."),
        click.option("--summary", type=click.Path(path_type=Path), metavar="FILE",
                     help="Add Markdown of at most 900 KiB to a file, such as $GITHUB_STEP_SUMMARY."),
        click.option("--json", "as_json", is_flag=True, help="Print results.json, and nothing else."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def conclude(
    subjects: Iterable[Subject],
    problems: Sequence[Problem],
    facts: Mapping[str, JsonValue],
    out: Path | None,
    options: dict[str, object],
    *,
    interrupted: bool = False,
) -> None:
    """Assess, write, print, and leave with the exit code; an interrupted run ends as such, its report written."""
    from chatconform import assessment, forms, gate, reports
    from chatconform.report.results import dump

    selection = assessment.Selection(require_checks(options), patterns(options, "scenarios"))
    baseline = _baseline(options)
    results = assessment.assess(
        subjects,
        run={**facts, "fail_on": str(options["fail_on"]), **({"interrupted": True} if interrupted else {})},
        today=datetime.now(UTC).date(),
        selection=selection,
        problems=problems,
        baseline=baseline,
    )
    gated = gate.decide(results, gate.FailOn(str(options["fail_on"])))
    index = reports.write(results, out) if out is not None else None
    forms.write(results, gated, forms_of(options))
    with reader():
        if options["as_json"]:
            click.echo(dump(results), nl=False)
        else:
            reports.show(results, index)
    sys.exit(gated.code)


@contextmanager
def reader() -> Iterator[None]:
    """Print to a reader that may leave early, as head does: how a command ends does not hang on it."""
    try:
        yield
    except BrokenPipeError:
        discard(sys.stdout)


def discard(stream: TextIO) -> None:
    """Let nothing more be written to a stream, not even by the interpreter as it ends."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _baseline(options: dict[str, object]) -> Baseline | None:
    file, recordings = path_of(options["baseline"]), path_of(options["recordings"])
    if file is not None:
        return baseline_of(file, recordings)
    if options["fail_on"] == "regression":
        raise InputError(COMMAND_LINE, "--fail-on regression compares with nothing", "add --baseline results.json")
    if recordings is not None:
        raise InputError(COMMAND_LINE, "--recordings without --baseline", "add --baseline results.json")
    return None


@cache
def baseline_of(file: Path, recordings: Path | None) -> Baseline:
    """Return results to compare with. Raises `InputError` for a file that holds none, and for a folder that is none."""
    from chatconform import attribution, reports

    if recordings is not None and not recordings.is_dir():
        raise InputError(Place(str(recordings)), "is no folder", "name the folder that holds the old recordings")
    return attribution.Baseline(str(file), reports.read(file), attribution.beside(file, recordings))


def require_compared(options: dict[str, object], judged: Collection[str]) -> None:
    """Raise `InputError` where the options name a baseline that knows none of the providers that are judged."""
    baseline = _baseline(options)
    if baseline is not None and judged:
        require_common(baseline, judged)


def require_common(baseline: Baseline, judged: Collection[str]) -> None:
    """Raise `InputError` where results to compare with know none of the providers that are judged."""
    known = [provider.id for provider in baseline.results.providers]
    if not set(known) & set(judged):
        problem = f"the baseline has no provider {_some(judged)}; it has {_some(known)}"
        raise InputError(Place(baseline.name), problem, "Name the results of an earlier run of the same provider.")


def _some(names: Collection[str]) -> str:
    """Return names, the first five where there are more."""
    shown = sorted(names)[:5]
    return ", ".join([*shown, f"and {len(names) - 5} more"] if len(names) > 5 else shown) or "none"


def require_usable(options: dict[str, object]) -> None:
    """Raise `InputError` for what can be said of the options before anything is asked or read."""
    from chatconform import forms

    require_checks(options)
    wanted = forms_of(options)
    for option, path in wanted.named():
        if path == forms.STANDARD_OUTPUT:
            remedy = "Write a file, or print that form with `chatconform report results.json`."
            raise InputError(COMMAND_LINE, f"{option} -: standard output has the summary", remedy)
    forms.require_writable(wanted, COMMAND_LINE)
    _baseline(options)


def require_room(options: dict[str, object], providers: Sequence[str], read: Iterable[Path], out: Path | None) -> None:
    """Raise `InputError` where a form that the options name has no place of its own.

    `read` are the files and the folders that are judged, `out` is the folder of the pages.
    """
    from chatconform import forms, reports

    options_read = (path_of(options[name]) for name in ("providers_file", "baseline", "recordings"))
    pages = () if out is None else reports.files(out, providers)
    others = (*read, *pages, *(path for path in options_read if path), Path("providers.yaml"))
    forms.require_room(forms_of(options), COMMAND_LINE, providers, others)


def require_checks(options: dict[str, object]) -> tuple[str, ...]:
    """Return the patterns of checks. Raises `InputError` for one that names no check."""
    from fnmatch import filter as matching

    from chatconform.judging import known_checks
    from chatconform.strict_yaml import nearest

    checks = patterns(options, "checks")
    for pattern in checks:
        if not matching(known_checks(), pattern):
            remedy = f"{nearest(pattern, known_checks())}`chatconform list checks` prints all ids."
            raise InputError(COMMAND_LINE, f"--check {pattern} names no check", remedy)
    return checks


def require_named(options: dict[str, object], subjects: Iterable[Subject]) -> None:
    """Raise `InputError` for a pattern of --scenario that names none of the exchanges."""
    from fnmatch import filter as matching

    from chatconform.strict_yaml import nearest

    exchanges = [exchange for subject in subjects for exchange in subject.exchanges]
    names = {name for exchange in exchanges for name in (exchange.id, exchange.scenario or exchange.id)}
    for pattern in patterns(options, "scenarios") if names else ():
        if not matching(names, pattern):
            remedy = f"{nearest(pattern, names)}Name the id or the scenario of an exchange, such as {min(names)}."
            raise InputError(COMMAND_LINE, f"--scenario {pattern} names no exchange", remedy)


def tell_merged(subjects: Iterable[Subject]) -> None:
    """Say on standard error of whom several recordings are judged together: the same exchange stands in two folders."""
    from chatconform.report.visible import escape

    for subject in subjects:
        folders = _asked_again(subject.exchanges)
        if folders:
            said = (
                f"{len(folders)} recordings of {subject.provider.id} are judged together; the newest is {folders[-1]}"
            )
            click.echo(escape(said), err=True)
            click.echo("  `chatconform judge` with that folder judges it alone.", err=True)


def _asked_again(exchanges: Iterable[Exchange]) -> list[str]:
    """Return the folders that hold an exchange of which another folder holds one, too, the newest last."""
    times: dict[str, str] = {}
    holders: dict[str, set[str]] = {}
    for exchange in exchanges:
        folder = str(Path(exchange.file).parent)
        times[folder] = max(times.get(folder, ""), exchange.recorded_at or "")
        holders.setdefault(exchange.id, set()).add(folder)
    repeated = {folder for folders in holders.values() if len(folders) > 1 for folder in folders}
    return sorted(repeated, key=lambda folder: (times[folder], folder))


def patterns(options: dict[str, object], name: str) -> tuple[str, ...]:
    """Return the shell patterns of an option that may be given several times."""
    found = options[name]
    assert isinstance(found, tuple)
    return found


def find_providers(options: dict[str, object]) -> Path:
    """Return the providers file that the options name, or the one that is found without."""
    from chatconform import providers

    return providers.find(path_of(options["providers_file"]), Path())


def load_providers(file: Path) -> tuple[Provider, ...]:
    """Return the providers of a file; a waiver has to name a check that there is, and no key may stand in it.

    Contracts are found beside the file, too.
    """
    from chatconform import documents, providers
    from chatconform.capture.credentials import require_unshown
    from chatconform.judging import known_checks

    named = documents.look_beside(file.parent)
    loaded = providers.load(file, known_checks(), named)
    for provider in loaded:
        require_unshown(provider, os.environ)
    return loaded


def forms_of(options: dict[str, object]) -> Forms:
    """Return the forms that the options name."""
    from chatconform.forms import Forms

    return Forms(**{field.name: path_of(options.get(field.name)) for field in fields(Forms)})


def path_of(value: object) -> Path | None:
    """Return an option's value where it is a path."""
    return value if isinstance(value, Path) else None
