"""The command that renders what was judged before: report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli.conclude import COMMAND_LINE, forms_of, path_of, reader
from chatconform.model import InputError, Place

if TYPE_CHECKING:
    from chatconform.model import Results
    from chatconform.rollup import Gated

_FILE = click.Path(path_type=Path)


@click.command(short_help="Render results.json again, without judging again.")
@click.argument("file", type=_FILE, metavar="RESULTS.JSON")
@click.option("--html", type=_FILE, metavar="DIR", help="Write all pages, and results.json, into a folder.")
@click.option("--markdown", type=_FILE, metavar="FILE", help="Write one page of Markdown.")
@click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML, which fails where the exit code was not 0.")
@click.option("--sarif", type=_FILE, metavar="FILE", help="Write SARIF 2.1.0.")
@click.option("--badge", type=_FILE, metavar="DIR",
              help="Write a shields.io badge a provider; into one file, where its name ends in .json.")  # fmt: skip
@click.option("--summary", type=_FILE, metavar="FILE",
              help="Add Markdown of at most 900 KiB to a file, such as $GITHUB_STEP_SUMMARY.")  # fmt: skip
def report(file: Path, **options: object) -> None:
    """Render results.json again, without judging again. Without options it prints the summary of the run.

    FILE can be -, for standard output. What fails is what failed the run: its --fail-on stands in results.json.
    Exits 0 where everything was written, whatever the results are.

    \b
    chatconform report reports/results.json
    chatconform report reports/results.json --junit junit.xml --sarif results.sarif
    chatconform report reports/results.json --markdown -
    """
    from chatconform import forms, reports
    from chatconform.recordings import disk

    wanted, pages = forms_of(options), path_of(options["html"])
    forms.require_writable(wanted, COMMAND_LINE)
    if pages is not None:
        _require_folder(pages)
    results = reports.read(file)
    gated = _gated(results, file)
    providers = [each.id for each in results.providers]
    others = (file,) if pages is None else (file, *reports.files(pages, providers))
    forms.require_room(wanted, COMMAND_LINE, providers, others)
    if pages is not None:
        with disk.held(pages):
            click.echo(reports.write(results, pages), err=True)
    paths = [path for _, path in wanted.named()]
    with reader():
        forms.write(results, gated, wanted)
        for path in paths:
            if path != forms.STANDARD_OUTPUT:
                click.echo(path, err=forms.STANDARD_OUTPUT in paths)
        if pages is None and not paths:
            reports.show(results, None)


def _require_folder(pages: Path) -> None:
    """Raise `InputError` where the pages cannot go into a folder of this name."""
    from chatconform import forms
    from chatconform.recordings import disk

    if pages == forms.STANDARD_OUTPUT:
        raise InputError(COMMAND_LINE, "--html -: the pages are several files", "Name a folder.")
    disk.require_writable(pages)


def _gated(results: Results, file: Path) -> Gated:
    """Return what the gate decides of results, by the level that the run was started with."""
    from chatconform import gate

    level = results.run.get("fail_on", gate.FailOn.MUST.value)
    if level not in list(gate.FailOn):
        problem = f"/run/fail_on: {level} is none of {', '.join(gate.FailOn)}"
        raise InputError(Place(str(file)), problem, "Write it as the run did, or judge again.")
    return gate.decide(results, gate.FailOn(str(level)))
