"""The commands that judge what is recorded: judge, import, diff."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli import completion
from chatconform.cli.conclude import (
    COMMAND_LINE,
    EXITS,
    baseline_of,
    conclude,
    find_providers,
    load_providers,
    reader,
    require_common,
    require_compared,
    require_named,
    require_room,
    require_usable,
    shared,
    tell_merged,
)
from chatconform.cli.count import count
from chatconform.model import InputError

if TYPE_CHECKING:
    from chatconform.assessment import Subject
    from chatconform.model import Change, Provider


@click.command(short_help="Judge recorded exchanges: folders, files, JSON lines.", epilog=EXITS)
@click.argument("paths", nargs=-1, required=True, metavar="PATH...", shell_complete=completion.files)
@click.option(
    "--provider", metavar="NAME", shell_complete=completion.providers, help="Judge all exchanges as this provider's."
)
@click.option(
    "--contract",
    metavar="NAME",
    shell_complete=completion.judged_by,
    help="The document to judge by: a folder of schemas/, or openai.",
)
@click.option("--out", type=click.Path(path_type=Path), metavar="DIR", help="Write the reports there.")
@click.option(
    "--counts",
    "in_bulk",
    is_flag=True,
    help="Traffic of any size: judge each exchange by itself and print counts, with a few examples each.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, 256),
    metavar="N",
    help="How many processes count; else as many as there are processors.",
)
@shared
def judge(
    paths: Sequence[str], provider: str | None, contract: str | None, out: Path | None, jobs: int | None,
    *, in_bulk: bool, **options: object,
) -> None:  # fmt: skip
    """Judge recorded exchanges: folders, exchange files, .jsonl, .jsonl.gz, or - for standard input.

    Opens no socket. A provider that the providers file knows is judged against OpenAI's contract and its own
    document, any other against OpenAI's.

    \b
    chatconform judge recordings/mine
    chatconform judge traffic.jsonl.gz --provider mine --out reports
    chatconform judge recordings/mine --check 'sse.*' --scenario stream.usage
    chatconform judge recordings/mine --json | jq '.providers[].conclusion'
    """
    from chatconform import assessment, judging
    from chatconform.recordings import disk, store

    if in_bulk:
        count([_shipped(path) for path in paths], (provider, contract), out, jobs, options)
    if jobs is not None:
        raise InputError(COMMAND_LINE, "--jobs is about counting", "add --counts, or leave --jobs out")
    require_usable(options)
    known = {each.id: each for each in load_providers(find_providers(options))}
    if contract is not None:
        judging.require_contract(contract, COMMAND_LINE)
    exchanges, problems = assessment.readable(store.read(map(_shipped, paths), sys.stdin.buffer))
    subjects = _subjects(exchanges, provider, contract, known)
    require_named(options, subjects)
    names = [subject.provider.id for subject in subjects]
    require_room(options, names, [Path(_shipped(path)) for path in paths if path != "-"], out)
    require_compared(options, names)
    tell_merged(subjects)
    with disk.held(out) if out else nullcontext():
        conclude(subjects, problems, {"mode": "judged"}, out, options)


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


@click.command("import", short_help="Make what curl printed a recorded exchange.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--request", "request_file", type=click.Path(path_type=Path), required=True, metavar="REQ.json",
              help="The JSON that was sent.")  # fmt: skip
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="The recording's folder.")
@click.option("--id", "identifier", metavar="ID", help="The exchange's id; else the file's name.")
@click.option("--provider", metavar="NAME", help="Whose answer it is.")
@click.option("--url", metavar="URL", help="Where the request went.")
@click.option("--key-env", "key_envs", multiple=True, metavar="NAME",
              help="A variable that holds a key to overwrite wherever it stands. Can be repeated.")  # fmt: skip
def import_(
    file: Path, request_file: Path, to: Path, identifier: str | None, provider: str | None, url: str | None,
    key_envs: Sequence[str],
) -> None:  # fmt: skip
    """Turn what `curl -N -i` printed into a recorded exchange: the request as you sent it, the answer byte for byte.

    Arrival times are not known, so what needs them is unproven. A key that the endpoint echoed is overwritten where
    --key-env names its variable.

    \b
    curl -sS -N -i -d @request.json -H 'Content-Type: application/json' \\
         http://127.0.0.1:8000/v1/chat/completions > stream.http
    chatconform import stream.http --request request.json --to recordings/mine --provider mine
    chatconform import stream.http --request request.json --to recordings/mine --key-env MY_API_KEY
    """
    from chatconform.recordings import imports
    from chatconform.report.visible import escape

    secrets = [_secret(name) for name in key_envs]
    written = imports.import_file(
        file, request_file, to, identifier=identifier, provider=provider, url=url, secrets=secrets
    )
    shown = escape(str(written))
    click.echo(f"{shown}\nJudge it with: chatconform judge {shown}")


def _secret(name: str) -> str:
    """Return the key that a variable holds. Raises `InputError` where it holds none, for then none is overwritten."""
    from chatconform import providers

    providers.require_variable(name, COMMAND_LINE)
    if not os.environ.get(name):
        raise InputError(COMMAND_LINE, f"--key-env {name}: the variable is not set", f"Set {name}, or leave it out.")
    return os.environ[name]


@click.command("diff", short_help="Say what changed between two results, and by whom.")
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--recordings", type=click.Path(path_type=Path), metavar="DIR",
              help="Where the recordings of OLD are, if not where they were judged.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def diff_(old: Path, new: Path, recordings: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Say what changed from one results.json to another, and whether the provider did or the suite.

    The old recording is judged again by today's rules: what they say otherwise of the old bytes is the suite's doing,
    what they say otherwise of the new bytes is the provider's. Where the old record is gone, or another suite made NEW,
    the change is unattributed. By chance changes what the same endpoint does one time and not the next.

    Exits 1 where a must or a should broke and the provider did it, or nobody knows who; 3 where a must is newly
    unproven; 0 otherwise, whatever the suite or chance changed.

    \b
    chatconform diff last/results.json reports/results.json
    chatconform diff last/results.json reports/results.json --recordings artifacts
    chatconform diff last/results.json reports/results.json --json | jq '.[] | select(.by == "provider")'
    """
    from dataclasses import asdict, replace

    from chatconform import attribution, gate, reports

    baseline, after = baseline_of(old, recordings), reports.read(new)
    require_common(baseline, [provider.id for provider in after.providers])
    changes = attribution.compare(baseline, after)
    with reader():
        if as_json:
            click.echo(json.dumps([asdict(change) for change in changes], indent=1))
        else:
            _print_changes(changes)
    compared = replace(after, problems=(), baseline=str(old), changes=changes)
    sys.exit(gate.exit_code(compared, gate.FailOn.REGRESSION))


def _print_changes(found: Sequence[Change]) -> None:
    from chatconform.report import changes

    for each in changes.told(found):
        click.echo(f"{each.change.kind:14}  by {each.change.by:12}  {each}")
    for by, those in changes.by_whom(found):
        click.echo(f"{changes.WORDS[by]}: {changes.counts(those)}. {changes.WHY[by]}")
    click.echo(f"{len(found)} changes")
