"""The command that calls other people's clients as witnesses."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli import completion
from chatconform.cli.conclude import COMMAND_LINE, USAGE
from chatconform.model import InputError

if TYPE_CHECKING:
    from chatconform.clients.reading import Outcome


@click.command(short_help="Show what client libraries make of recorded answers.")
@click.argument("paths", nargs=-1, metavar="[RECORDING]...", type=click.Path(path_type=Path))
@click.option("--fault", "patterns", multiple=True, metavar="GLOB", shell_complete=completion.faults,
              help="Read named faults of the reference endpoint instead. Can be repeated.")  # fmt: skip
@click.option("--python", "named", type=click.Path(path_type=Path), metavar="PATH",
              help="The interpreter that has the clients; else .venv-clients/bin/python, else this one.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def clients(paths: Sequence[Path], patterns: Sequence[str], named: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """Show what client libraries make of recorded answers, beside what the bytes say.

    openai-python, langchain-openai and litellm, as far as they are installed, read each answer from a server on this
    machine. They raise, lose something, take an error for an answer, or are fine. It is no verdict.

    \b
    chatconform clients recordings/mine
    chatconform clients --fault 'sse.*'
    chatconform clients --fault '*' --json          what docs/clients.md is made of, in about a minute
    """
    if bool(paths) == bool(patterns):
        raise InputError(COMMAND_LINE, "wants recordings, or --fault", "Name a recording: chatconform clients PATH")
    from chatconform.clients import child

    python = child.interpreter(named)
    found = child.installed(python)
    versions = {way: found[package] for way, package in child.WAYS.items() if package in found}
    if patterns:
        _faults(python, patterns, versions, as_json=as_json)
    else:
        _recordings(python, paths, versions, as_json=as_json)


def _faults(python: Path, patterns: Sequence[str], versions: Mapping[str, str], *, as_json: bool) -> None:
    from chatconform.clients import measured, reading
    from chatconform.clients.cases import cases

    chosen = {name: case for name, case in cases().items() if any(fnmatchcase(name, each) for each in patterns)}
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in chosen):
            remedy = "`chatconform list faults` prints them; some change more than one answer, and are not read."
            raise InputError(COMMAND_LINE, f"--fault {pattern} is no fault that a client could read", remedy)
    today = datetime.now(UTC).date().isoformat()
    made = measured.of(today, versions, cases(), reading.measure(python, list(versions), chosen.values()))
    if as_json:
        click.echo(measured.dumped(made), nl=False)
    else:
        _table("fault", made.versions, [(name, row.did) for name, row in made.rows.items()])


def _recordings(python: Path, paths: Sequence[Path], versions: Mapping[str, str], *, as_json: bool) -> None:
    from chatconform import assessment
    from chatconform.clients import reading
    from chatconform.recordings import store
    from chatconform.report.visible import message

    recorded, problems = assessment.readable(store.read(paths))
    for problem in problems:
        click.echo(message(problem.place, problem.problem, problem.remedy), err=True)
    if not recorded:
        raise InputError(
            COMMAND_LINE, "the recordings hold no exchange", "Name a folder of exchanges, or a .jsonl file."
        )
    rows = reading.read(python, list(versions), recorded)
    if as_json:
        exchanges = [{"provider": each.provider, "id": each.id, "did": did}
                     for each, did in zip(recorded, rows, strict=True)]  # fmt: skip
        click.echo(json.dumps({"clients": versions, "exchanges": exchanges}, ensure_ascii=False, indent=1))
    else:
        _table("exchange", versions, [(f"{each.provider}/{each.id}", did)
                                      for each, did in zip(recorded, rows, strict=True)])  # fmt: skip
    if problems:
        sys.exit(USAGE)


def _table(what: str, versions: Mapping[str, str], rows: Iterable[tuple[str, Mapping[str, Outcome]]]) -> None:
    from chatconform.report.visible import line

    lines = [(what, *(f"{way} {version}" for way, version in versions.items()))]
    lines += [(line(name, 80), *(", ".join(did.get(way, ("–",))) for way in versions)) for name, did in rows]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for cells in lines:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip())
