"""Counting in bulk: what `judge --counts` does."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, cast

import click

from chatconform import __version__
from chatconform.cli.conclude import (
    COMMAND_LINE,
    find_providers,
    forms_of,
    load_providers,
    patterns,
    reader,
    require_checks,
)
from chatconform.model import InputError

if TYPE_CHECKING:
    from chatconform.bulk.batches import Source
    from chatconform.bulk.counting import Terms
    from chatconform.bulk.counts import Counts


def count(
    paths: Sequence[str], judged_as: tuple[str | None, str | None], out: Path | None, jobs: int | None,
    options: dict[str, object],
) -> NoReturn:  # fmt: skip
    """Count what the paths hold, print it, and leave with the exit code; interrupted, print what was counted so far.

    `judged_as` are a provider and a contract, where the command line names them.
    """
    from chatconform import gate, judging
    from chatconform.bulk import batches, conclusion, terminal
    from chatconform.bulk.counting import Terms
    from chatconform.recordings import disk

    _require_usable(options)
    checks = require_checks(options)
    file = find_providers(options)
    known = {each.id: each for each in load_providers(file)}
    provider, contract = judged_as
    if contract is not None:
        judging.require_contract(contract, COMMAND_LINE)
    scenarios, schemas = patterns(options, "scenarios"), (file.parent / "schemas",)
    own = Terms.of(known.values())
    terms = replace(own, provider=provider, contract=contract, scenarios=scenarios, schemas=schemas)
    fail_on = gate.FailOn(str(options["fail_on"]))
    with disk.held(out) if out else nullcontext():
        counts, interrupted = _counted(batches.listed(paths), terms, jobs or _processors())
        today = datetime.now(UTC).date()
        selection = conclusion.Selection(checks, scenarios)
        concluded = conclusion.conclude(counts, known, selection, today, fail_on, interrupted=interrupted)
        if out is not None:
            disk.write_private({out / "counts.json": conclusion.dump(concluded, __version__)})
        with reader():
            if options["as_json"]:
                click.echo(conclusion.dump(concluded, __version__), nl=False)
            else:
                _print(terminal.lines(concluded))
    sys.exit(concluded.exit_code)


def _print(lines: Iterable[str]) -> None:
    """Print lines. What the terminal's encoding cannot show becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    click.echo("\n".join(lines))


def _require_usable(options: dict[str, object]) -> None:
    """Raise `InputError` for options that go with verdicts one by one."""
    used = [option for option, _ in forms_of(options).named()]
    used += [f"--{name}" for name in ("baseline", "recordings") if options[name] is not None]
    used += ["--fail-on regression"] if options["fail_on"] == "regression" else []
    if used:
        problem = f"{used[0]} is about verdicts one by one, and --counts keeps none"
        raise InputError(COMMAND_LINE, problem, "leave it out, or judge without --counts")


def _counted(files: Sequence[Source], terms: Terms, jobs: int) -> tuple[Counts, bool]:
    """Return what the files come to, and whether Ctrl-C came before their end."""
    from rich.console import Console

    from chatconform.bulk import batches, pool
    from chatconform.bulk.counts import Counts
    from chatconform.cli.counted import Counted

    counts = Counts()
    with Counted(Console(stderr=True), batches.size(files)) as progress:
        try:
            found = batches.batches(files, cast("BufferedReader", sys.stdin.buffer), pool.size(jobs))
            for batch, part in pool.judged(found, terms, jobs):
                counts += part
                progress.counted(batch.read, part)
        except KeyboardInterrupt:
            return counts, True
    return counts, False


def _processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
