"""The command line. Only here does an exception become an exit code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import NoReturn

import click

from chatconform import __version__
from chatconform.cli import build, endpoints, judge, report, run
from chatconform.cli.conclude import INTERRUPTED, USAGE, discard, reader
from chatconform.model import InputError
from chatconform.report.visible import escape, line, message
from chatconform.strict_yaml import without_keys

BUG = 4
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

    judging = ("run", "plan", "record", "judge", "report", "diff", "import", "init", "doctor")

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


for command in (
    *(run.run, run.plan, run.record),
    *(judge.judge, report.report, judge.diff_, judge.import_),
    *(endpoints.init, endpoints.doctor, endpoints.serve),
    *(build.list_, build.explain, build.lint, build.docs),
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line and exit. Every error of ours is one message; nothing ends in a traceback."""
    try:
        with reader(), cli.make_context("chatconform", sys.argv[1:]) as context:
            cli.invoke(context)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.ClickException as error:
        usage = f"{error.ctx.get_usage()}\n" if isinstance(error, click.UsageError) and error.ctx else ""
        _say(f"{usage}Error: {error.format_message()}")
        sys.exit(USAGE)
    except (click.Abort, KeyboardInterrupt):
        _say("interrupted")
        sys.exit(INTERRUPTED)
    except InputError as error:
        _say(message(str(error.place), error.problem, error.remedy))
        sys.exit(USAGE)
    except OSError as error:
        discard(sys.stdout)
        _say(f"{error.filename or 'standard output'}: {error.strerror}")
        sys.exit(USAGE)
    except Exception as error:  # noqa: BLE001  the last line: a bug is one message and exit code 4
        _bug(error)
    sys.exit(0)


def _say(text: str) -> None:
    """Print a text where somebody can read it, and so that it acts on no terminal; a device that is full takes none."""
    try:
        click.echo("\n".join(map(escape, without_keys(text).split("\n"))), err=True)
    except OSError:
        discard(sys.stderr)


def _bug(error: Exception) -> NoReturn:
    frames = error.__traceback__
    while frames and frames.tb_next:
        frames = frames.tb_next
    where = f"{Path(frames.tb_frame.f_code.co_filename).name}:{frames.tb_lineno}" if frames else "unknown"
    _say(f"a bug in chatconform {__version__}: {type(error).__name__} at {where}: {line(str(error), 400)}")
    _say("  Please report it with the command and, where you can share it, the recording.")
    sys.exit(BUG)
