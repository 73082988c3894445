"""The command line. Only here does an exception become an exit code."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import NoReturn

import click
from click.shell_completion import shell_complete

from chatconform import __version__
from chatconform.cli import build, clients, completion, endpoints, judge, report, run
from chatconform.cli.conclude import INTERRUPTED, USAGE, discard, reader
from chatconform.cli.group import Group
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


@click.group(cls=Group, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="chatconform %(version)s")
def cli() -> None:
    """Tell, with evidence, whether an endpoint that calls itself OpenAI-compatible keeps its promises.

    \b
    chatconform run                               judge the shipped recordings, or ask where a key is set
    chatconform run --base-url http://127.0.0.1:8000/v1 --model my-model
                                                  ask an endpoint, and judge what it answers
    chatconform judge recordings/mine             judge what was recorded before
    chatconform explain sse.done.present          what a check asks for, why, and by whose word

    `chatconform COMMAND -h` explains each command, with examples; the pages are docs/cli.md and docs/faq.md.
    """


for command in (
    *(run.run, run.plan, run.record),
    *(judge.judge, report.report, judge.diff_, judge.import_),
    *(endpoints.init, endpoints.doctor, endpoints.serve),
    clients.clients,
    *(build.list_, build.explain, build.lint, build.docs),
    completion.completion,
):
    cli.add_command(command)


def main() -> NoReturn:
    """Run the command line and exit. Every error of ours is one message; nothing ends in a traceback."""
    asked = os.environ.get(completion.VARIABLE)
    if asked:
        sys.exit(shell_complete(cli, {}, "chatconform", completion.VARIABLE, asked))
    try:
        with reader(), cli.make_context("chatconform", sys.argv[1:]) as context:
            cli.invoke(context)
    except click.exceptions.Exit as error:
        sys.exit(error.exit_code)
    except click.exceptions.NoArgsIsHelpError as error:
        with reader():
            click.echo(error.format_message())
        sys.exit(USAGE)
    except click.ClickException as error:
        usage = f"{error.ctx.get_usage()}\n" if isinstance(error, click.UsageError) and error.ctx else ""
        _say(f"{usage}Error: {error.format_message().expandtabs(2)}")
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
