"""The command that runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from chatconform.cli.conclude import COMMAND_LINE, conclude, load_providers, path_of, shared


@click.command()
@click.argument("names", nargs=-1, metavar="[PROVIDER]...")
@click.option("--recorded", is_flag=True, help="Judge recordings. This version has no other source.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("reports"), show_default=True,
              metavar="DIR", help="Where the reports are written.")  # fmt: skip
@shared
def run(names: Sequence[str], recorded: bool, out: Path, **options: object) -> None:  # noqa: FBT001, ARG001
    """Judge providers on their recordings, and write their reports.

    Recordings are looked up in recordings/PROVIDER beside the providers file, then among the shipped ones.
    Without names: the providers that are marked default: true.
    """
    from chatconform import assessment, providers

    file = providers.find(path_of(options["providers_file"]), Path())
    chosen = providers.select(load_providers(file), names, COMMAND_LINE)
    subjects, problems = assessment.recorded_all(chosen, file.parent)
    conclude(subjects, problems, "recorded", out, options)
