"""The command line. Only here does an exception become an exit code."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from chatconform import __version__
from chatconform.model import InputError, Place

if TYPE_CHECKING:
    from chatconform.assessment import Selection, Subject
    from chatconform.model import Change, Exchange, Problem, Provider, Results

COMMAND_LINE = Place("command line")
USAGE, BUG, INTERRUPTED = 2, 4, 130
_EXIT_CODES = """
\b
Exit codes:
  0    conforms: everything that was judged holds, or --fail-on never
  1    deviates: a rule of the level of --fail-on is broken
  2    a file or an argument cannot be used
  3    inconclusive: something could not be proven
  4    a bug in the suite
  130  interrupted
"""


class _Group(click.Group):
    """Lists its commands in two groups: what judges, and what helps to build."""

    judging = ("run", "judge", "diff", "import")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        names = self.list_commands(ctx)
        for title, members in (
            ("Judging", [name for name in self.judging if name in names]),
            ("Building", [name for name in names if name not in self.judging]),
        ):
            rows = [(name, self.commands[name].get_short_help_str(70)) for name in members]
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(cls=_Group, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="chatconform %(version)s")
def cli() -> None:
    """Tell, with evidence, whether an endpoint that calls itself OpenAI-compatible keeps its promises.

    \b
    chatconform run                           judge the recordings of all providers
    chatconform judge recordings/mine         judge your own recordings
    chatconform explain sse.done.present      what a check asks for, and why
    """


def _shared(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that run and judge have in common."""
    options = (
        click.option("--providers", "providers_file", type=click.Path(path_type=Path), metavar="FILE",
                     help="The providers file; else ./providers.yaml, else the packaged one."),
        click.option("--scenario", "scenarios", multiple=True, metavar="GLOB", help="Judge these exchanges only."),
        click.option("--check", "checks", multiple=True, metavar="GLOB", help="Judge these checks only."),
        click.option("--fail-on", type=click.Choice(["must", "should", "regression", "never"]), default="must",
                     show_default=True, help="From which deviation on the exit code is 1."),
        click.option("--baseline", type=click.Path(path_type=Path), metavar="results.json",
                     help="Say what changed since then."),
        click.option("--json", "as_json", is_flag=True, help="Print results.json, and nothing else."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


@cli.command()
@click.argument("names", nargs=-1, metavar="[PROVIDER]...")
@click.option("--recorded", is_flag=True, help="Judge recordings. This version has no other source.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True,
              metavar="DIR", help="Where the reports are written.")  # fmt: skip
@_shared
def run(names: Sequence[str], recorded: bool, out: Path, **options: object) -> None:  # noqa: FBT001, ARG001
    """Judge providers on their recordings, and write their reports.

    Recordings are looked up in recordings/PROVIDER beside the providers file, then among the shipped ones.
    Without names: the providers that are marked default: true.
    """
    from chatconform import assessment, providers

    file = providers.find(_path(options["providers_file"]), Path())
    chosen = providers.select(_load(file), names, COMMAND_LINE)
    subjects, problems = assessment.recorded_all(chosen, file.parent)
    _conclude(subjects, problems, "recorded", out, options)


@cli.command(short_help="Judge recorded exchanges: folders, files, JSON lines.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--provider", metavar="NAME", help="Judge all exchanges as this provider's.")
@click.option("--contract", metavar="NAME", help="The document to judge by: a folder of schemas/, or openai.")
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the reports there.")
@_shared
def judge(
    paths: Sequence[str], provider: str | None, contract: str | None, out: Path | None, **options: object
) -> None:
    """Judge recorded exchanges: folders, exchange files, .jsonl, .jsonl.gz, or - for standard input.

    Opens no socket. A provider that the providers file knows is judged against OpenAI's contract and its own
    document, any other against OpenAI's.
    """
    from chatconform import assessment, judging
    from chatconform.recordings import store

    if contract is not None:
        judging.require_contract(contract, COMMAND_LINE)
    known = {each.id: each for each in _load(_providers_file(options))}
    exchanges, problems = assessment.readable(store.read(map(_shipped, paths), sys.stdin.buffer))
    subjects = _subjects(exchanges, provider, contract, known)
    _conclude(subjects, problems, "judged", out, options)


def _shipped(path: str) -> str:
    """Return the path of a shipped recording where the reports name one and no file of that name is here."""
    from chatconform import resources

    named = resources.path(path)
    return str(named) if path.startswith("recordings/") and not Path(path).exists() and named.exists() else path


def _subjects(
    exchanges: Sequence[object], name: str | None, contract: str | None, known: dict[str, Provider]
) -> list[Subject]:
    """Gather the exchanges by provider, in the order of the providers' names."""
    from dataclasses import replace

    from chatconform.assessment import Subject, source_of
    from chatconform.model import OPENAI, Exchange, Provider

    groups: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        assert isinstance(exchange, Exchange)
        called = name or exchange.provider or "unnamed"
        groups.setdefault(called, []).append(replace(exchange, provider=called))
    subjects = []
    for provider_id, group in sorted(groups.items()):
        provider = known.get(provider_id) or Provider(provider_id, base_url="", model="")
        if contract is not None:
            provider = replace(provider, contract=None if contract == OPENAI else contract)
        subjects.append(Subject(provider, tuple(group), source_of(group)))
    return subjects


def _conclude(
    subjects: Sequence[Subject],
    problems: Sequence[Problem],
    mode: str,
    out: Path | None,
    options: dict[str, object],
) -> None:
    """Assess, write, print, and leave with the exit code."""
    from chatconform import assessment, gate, reports
    from chatconform.report.results import dump

    selection = _selection(options, [exchange for subject in subjects for exchange in subject.exchanges])
    baseline = _baseline(_path(options["baseline"]), str(options["fail_on"]))
    results = assessment.assess(
        subjects,
        run={"mode": mode, "fail_on": str(options["fail_on"])},
        today=datetime.now(UTC).date(),
        selection=selection,
        problems=problems,
        baseline=baseline,
    )
    index = reports.write(results, out) if out is not None else None
    with _reader():
        if options["as_json"]:
            click.echo(dump(results), nl=False)
        else:
            reports.show(results, index)
    sys.exit(gate.exit_code(results, gate.FailOn(str(options["fail_on"]))))


@contextmanager
def _reader() -> Iterator[None]:
    """Print to a reader that may leave early, as head does: how a command ends does not hang on it."""
    try:
        yield
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _baseline(file: Path | None, fail_on: str) -> tuple[str, Results] | None:
    from chatconform.report.results import load

    if file is None:
        if fail_on == "regression":
            raise InputError(COMMAND_LINE, "--fail-on regression compares with nothing", "add --baseline results.json")
        return None
    return str(file), load(file)


def _selection(options: dict[str, object], exchanges: Sequence[Exchange]) -> Selection:
    """Return what was selected. Raises `InputError` for a pattern that names no check, or none of the exchanges."""
    from fnmatch import filter as matching

    from chatconform.assessment import Selection
    from chatconform.judging import known_checks
    from chatconform.strict_yaml import nearest

    checks, scenarios = options["checks"], options["scenarios"]
    assert isinstance(checks, tuple)
    assert isinstance(scenarios, tuple)
    for pattern in checks:
        if not matching(known_checks(), pattern):
            remedy = f"{nearest(pattern, known_checks())}`chatconform list checks` prints all ids."
            raise InputError(COMMAND_LINE, f"--check {pattern} names no check", remedy)
    names = {name for exchange in exchanges for name in (exchange.id, exchange.scenario or exchange.id)}
    for pattern in scenarios if names else ():
        if not matching(names, pattern):
            remedy = f"{nearest(pattern, names)}Name the id or the scenario of an exchange, such as {min(names)}."
            raise InputError(COMMAND_LINE, f"--scenario {pattern} names no exchange", remedy)
    return Selection(checks, scenarios)


def _providers_file(options: dict[str, object]) -> Path:
    from chatconform import providers

    return providers.find(_path(options["providers_file"]), Path())


def _load(file: Path) -> tuple[Provider, ...]:
    from chatconform import providers
    from chatconform.judging import known_checks

    return providers.load(file, known_checks())


def _path(value: object) -> Path | None:
    return value if isinstance(value, Path) else None


@cli.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--request", "request_file", type=click.Path(path_type=Path), required=True, metavar="REQ.json",
              help="The JSON that was sent.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The recording's folder.")
@click.option("--id", "identifier", metavar="ID", help="The exchange's id; else the file's name.")
@click.option("--provider", metavar="NAME", help="Whose answer it is.")
@click.option("--url", metavar="URL", help="Where the request went.")
@click.option("--key-env", "key_envs", multiple=True, metavar="NAME",
              help="A variable that holds a key: its value is overwritten wherever it stands.")  # fmt: skip
def import_(
    file: Path, request_file: Path, to: Path, identifier: str | None, provider: str | None, url: str | None,
    key_envs: Sequence[str],
) -> None:  # fmt: skip
    """Turn what `curl -N -i` printed into a recorded exchange."""
    from chatconform.recordings import imports

    secrets = [os.environ[name] for name in key_envs if os.environ.get(name)]
    written = imports.import_file(
        file, request_file, to, identifier=identifier, provider=provider, url=url, secrets=secrets
    )
    click.echo(f"{written}\nJudge it with: chatconform judge {written}")


@cli.command("list")
@click.argument("what", type=click.Choice(["checks", "clauses", "providers", "faults"]))
@click.option("--contract", metavar="NAME", help="Only what stands under this contract.")
@click.option("--providers", "providers_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The providers file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(what: str, contract: str | None, providers_file: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """List checks, clauses, providers or faults."""
    from chatconform import listing

    rows = listing.rows(what, contract, lambda: _load(_providers_file({"providers_file": providers_file})))
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    widths = [max((len(str(row[key])) for row in rows), default=0) for key in (rows[0] if rows else {})]
    for row in rows:
        click.echo("  ".join(str(cell).ljust(width) for cell, width in zip(row.values(), widths, strict=True)).rstrip())


@cli.command(short_help="Say what a check asks for, and why.")
@click.argument("check")
def explain(check: str) -> None:
    """Say what a check asks for, why, by whose word, and show bytes that pass and bytes that fail."""
    from chatconform import listing

    click.echo(listing.explain(check))


@cli.command(short_help="Check the contracts and their citations.")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[SCHEMAS]")
@click.option("--documents", type=click.Path(path_type=Path), metavar="DIR",
              help="Hold every citation against the documents in this folder.")  # fmt: skip
def lint(folder: Path | None, documents: Path | None) -> None:
    """Check the contracts: valid schemas, whole clauses, and with --documents that each cited line still says it."""
    from chatconform import resources
    from chatconform.contracts import lint as linting

    problems = linting.lint(folder or resources.path("schemas"), documents)
    for problem in problems:
        click.echo(f"{problem.place}: {problem.problem}\n  {problem.remedy}", err=True)
    click.echo(f"{len(problems)} problems" if problems else "no problems")
    sys.exit(USAGE if problems else 0)


@cli.command(short_help="Write the pages of docs/ that are made from the code.")
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where they are written.")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="FILE",
              help="Captures to count fires on; without it calibration.md is left as it is.")  # fmt: skip
def docs(to: Path, corpus: Path | None) -> None:
    """Write the pages of docs/ that are made from the code: checks, coverage, proof, calibration."""
    from chatconform import docs as pages
    from chatconform.recordings.store import write_whole

    for name, text in pages.pages(corpus).items():
        write_whole(to / name, text.encode("utf-8"))
        click.echo(to / name)


@cli.command("diff")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff_(old: Path, new: Path, as_json: bool) -> None:  # noqa: FBT001
    """Say what changed from one results.json to another. Exits 1 where a must or a should broke."""
    from dataclasses import asdict, replace

    from chatconform import diff, gate
    from chatconform.report.results import load

    before, after = load(old), load(new)
    changes = diff.compare(before, after)
    with _reader():
        if as_json:
            click.echo(json.dumps([asdict(change) for change in changes], indent=1))
        else:
            _print_changes(changes)
    compared = replace(after, problems=(), baseline=str(old), changes=changes)
    sys.exit(gate.exit_code(compared, gate.FailOn.REGRESSION))


def _print_changes(changes: Sequence[Change]) -> None:
    for change in changes:
        arrow = f"{change.before or 'absent'} -> {change.after or 'absent'}"
        click.echo(
            f"{change.kind:14}  {change.provider}  {change.contract}  {change.check}  {change.exchange}  {arrow}"
        )
    click.echo(f"{len(changes)} changes")


def main() -> NoReturn:
    """Run the command line and exit. Every error of ours is one message; nothing ends in a traceback."""
    try:
        with _reader(), cli.make_context("chatconform", sys.argv[1:]) as context:
            cli.invoke(context)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except InputError as error:
        click.echo(str(error), err=True)
        sys.exit(USAGE)
    except OSError as error:
        click.echo(f"{error.filename or 'standard output'}: {error.strerror}", err=True)
        sys.exit(USAGE)
    except Exception as error:  # noqa: BLE001  the last line: a bug is one message and exit code 4
        _bug(error)
    sys.exit(0)


def _bug(error: Exception) -> NoReturn:
    frames = error.__traceback__
    while frames and frames.tb_next:
        frames = frames.tb_next
    where = f"{Path(frames.tb_frame.f_code.co_filename).name}:{frames.tb_lineno}" if frames else "unknown"
    click.echo(f"a bug in chatconform {__version__}: {type(error).__name__} at {where}: {error}", err=True)
    click.echo("  Please report it with the command and, where you can share it, the recording.", err=True)
    sys.exit(BUG)
