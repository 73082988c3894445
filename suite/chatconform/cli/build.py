"""The commands that help to build: list, explain, lint, docs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from chatconform.cli import completion
from chatconform.cli.conclude import USAGE, find_providers, load_providers


@click.command("list", short_help="List checks, scenarios, providers, clauses or faults.")
@click.argument("what", type=click.Choice(["checks", "scenarios", "providers", "clauses", "faults"]))
@click.option(
    "--contract", metavar="NAME", shell_complete=completion.judged_by, help="Only what stands under this contract."
)
@click.option("--providers", "providers_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The providers file.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(what: str, contract: str | None, providers_file: Path | None, as_json: bool) -> None:  # noqa: FBT001
    """List checks, scenarios, providers, clauses or faults.

    \b
    chatconform list checks                         every rule, with its level under each contract
    chatconform list clauses --contract tooken      what a document promises, with the lines that say it
    chatconform list faults --json                  what `serve --fault` can break
    """
    from chatconform import documents, listing
    from chatconform.report.results import encode
    from chatconform.report.visible import escape

    documents.look_beside(find_providers({"providers_file": providers_file}).parent)
    rows = listing.rows(what, contract, lambda: load_providers(find_providers({"providers_file": providers_file})))
    if as_json:
        click.echo(encode(rows), nl=False)
        return
    cells = [[escape(cell) for cell in row.values()] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


@click.command(short_help="Say what a check asks for, and why.")
@click.argument("check", shell_complete=completion.explained)
def explain(check: str) -> None:
    """Say what a check asks for, why, by whose word, and show bytes that pass and bytes that fail.

    CHECK can also be an entry of the catalogue of deviations that were seen in the wild, which reports cite.

    \b
    chatconform explain sse.done.present
    chatconform explain request.temperature.maximum
    chatconform explain TRM-05
    """
    from chatconform import documents, listing

    documents.look_beside(Path())
    click.echo(listing.explain(check))


@click.command(short_help="Check the contracts and their citations.")
@click.argument("folder", required=False, type=click.Path(path_type=Path), metavar="[SCHEMAS]")
@click.option("--documents", type=click.Path(path_type=Path), metavar="DIR",
              help="Hold every citation against the documents in this folder.")  # fmt: skip
def lint(folder: Path | None, documents: Path | None) -> None:
    """Check the contracts: valid schemas, whole clauses, and with --documents that each cited line still says it.

    SCHEMAS is the folder above the contracts; without it the shipped ones are checked. Exits 0 where there is no
    problem, and 2 where there is one; each has its file, line and column, and what to write there.

    \b
    chatconform lint schemas
    chatconform lint schemas --documents documents
    """
    from chatconform import resources
    from chatconform.contracts import lint as linting
    from chatconform.report.visible import message

    problems = linting.lint(folder or resources.path("schemas"), documents)
    for problem in problems:
        click.echo(message(str(problem.place), problem.problem, problem.remedy), err=True)
    click.echo(f"{len(problems)} problems" if problems else "no problems")
    sys.exit(USAGE if problems else 0)


@click.command(short_help="Write the pages of docs/ that are made from the code.")
@click.option("--to", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where they are written.")
@click.option("--corpus", type=click.Path(path_type=Path), metavar="FILE",
              help="Captures to count fires on; without it calibration.md is left as it is.")  # fmt: skip
def docs(to: Path, corpus: Path | None) -> None:
    """Write the pages of docs/ that are made from the code: checks, coverage, proof, clients, cli, and calibration.

    \b
    chatconform docs --to docs
    chatconform docs --to docs --corpus captures.jsonl.gz
    """
    from chatconform import docs as pages
    from chatconform.cli import reference
    from chatconform.recordings.disk import write_whole

    of_commands = reference.page(click.get_current_context().find_root())
    for name, text in {**pages.pages(corpus), "cli.md": of_commands}.items():
        write_whole(to / name, text.encode("utf-8"))
        click.echo(to / name)
