"""The commands about endpoints: init adds one, doctor says whether they can be asked, serve is one."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli import completion
from chatconform.cli.chosen import adhoc, named
from chatconform.cli.conclude import COMMAND_LINE, INCONCLUSIVE
from chatconform.model import InputError, Place

if TYPE_CHECKING:
    from chatconform.model import Exchange


@click.command(short_help="Add a new endpoint to providers.yaml.")
@click.option("--id", "identifier", required=True, metavar="NAME", help="The provider's id in reports: a-z, 0-9 and -.")
@click.option("--base-url", required=True, metavar="URL", help="/chat/completions and /models are appended to it.")
@click.option("--model", required=True, metavar="MODEL", help="The model to ask for.")
@click.option("--key-env", metavar="NAME", help="The environment variable that holds the key; without it none is sent.")
@click.option(
    "--contract", metavar="NAME", shell_complete=completion.contracts, help="Its own document: a folder of schemas/."
)
@click.option("--cap", type=click.Choice(["max_tokens", "max_completion_tokens"]), default="max_tokens",
              show_default=True, help="How an answer is kept short.")  # fmt: skip
@click.option("--to", "file", type=click.Path(path_type=Path), default=Path("providers.yaml"), show_default=True,
              metavar="FILE", help="The providers file to add it to, or to begin.")  # fmt: skip
@click.option("--print", "only_print", is_flag=True, help="Print the block, and write nothing.")
def init(
    identifier: str, base_url: str, model: str, key_env: str | None, contract: str | None, cap: str, file: Path,
    only_print: bool,  # noqa: FBT001
) -> None:  # fmt: skip
    """Add a commented block for a new endpoint to providers.yaml, or begin the file with it.

    \b
    chatconform init --id mine --base-url https://api.example.com/v1 --model my-model --key-env MY_API_KEY
    chatconform init --id mine --base-url https://api.example.com/v1 --model my-model --contract mine --print
    """
    from dataclasses import replace

    from chatconform import documents, new_provider, providers
    from chatconform.recordings.disk import write_whole
    from chatconform.report.visible import escape

    known = documents.look_beside(file.parent)
    named = replace(providers.adhoc(base_url, model, key_env, contract, COMMAND_LINE, known), id=identifier, cap=cap)
    providers.parse(new_provider.block(named).join(("providers:\n", "")), "--id", known)
    if only_print:
        click.echo(new_provider.block(named), nl=False)
        return
    write_whole(file, new_provider.add(named, file, known).encode("utf-8"))
    click.echo(f"{escape(str(file))}: added {identifier}")
    click.echo(f"Look whether it can be asked with: chatconform doctor {identifier}")


@click.command(short_help="Say whether providers can be asked from here.")
@click.argument("names", nargs=-1, metavar="[PROVIDER]...", shell_complete=completion.providers)
@adhoc
@click.option("--providers", "providers_file", type=click.Path(path_type=Path), metavar="FILE",
              help="The providers file; else ./providers.yaml, else the packaged one.")  # fmt: skip
def doctor(names: Sequence[str], **options: object) -> None:
    """Say whether providers can be asked from here: configuration, keys, proxies, certificates, and the way there.

    Each provider that has its key is sent one GET for its list of models. Exits 0 where all can be asked, and 3 where
    there is a problem.

    \b
    chatconform doctor                     the providers marked default: true
    chatconform doctor mine
    chatconform doctor --base-url http://127.0.0.1:8000/v1 --model my-model --key-env MY_API_KEY
    """
    from chatconform import doctor as doctoring
    from chatconform.report.visible import line

    chosen, _ = named(names, options)
    remarks = doctoring.look(chosen, os.environ)
    for remark in remarks:
        click.echo(f"{remark.state:8} {remark.about}: {line(remark.says, 400)}")
    problems = sum(remark.state is doctoring.State.PROBLEM for remark in remarks)
    click.echo(f"{problems} problems" if problems else "no problems")
    sys.exit(INCONCLUSIVE if problems else 0)


@click.command(short_help="Be an endpoint that answers well, or breaks its answers as told.")
@click.option(
    "--as",
    "contract",
    metavar="CONTRACT",
    shell_complete=completion.judged_by,
    help="Keep to this document too: a folder of schemas/.",
)
@click.option("--fault", "faults", multiple=True, metavar="NAME", shell_complete=completion.faults,
              help="Break the answers so (`chatconform list faults`). Can be repeated.")  # fmt: skip
@click.option("--replay", type=click.Path(path_type=Path), metavar="RECORDING",
              help="Answer with recorded bytes: those of the same request, else of the most similar one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, metavar="N", help="The port; without it a free one.")
@click.option(
    "--key-env",
    metavar="NAME",
    help="The variable that holds the right key; without it any is right, but there has to be one.",
)
@click.option(
    "--model",
    "models",
    multiple=True,
    metavar="MODEL",
    help="A model to know, besides those of its own. Can be repeated.",
)
def serve(
    contract: str | None, faults: Sequence[str], replay: Path | None, host: str, port: int, key_env: str | None,
    models: Sequence[str],
) -> None:  # fmt: skip
    """Be an OpenAI-compatible endpoint: one that answers every scenario well, or breaks its answers as told.

    It prints its base URL, and serves until Ctrl-C. A request has to bear a key, as OpenAI's do.

    \b
    chatconform serve --port 8000
    chatconform serve --as tooken --fault sse.done.missing    do my client and my alarms notice?
    chatconform serve --replay recordings/mine                answer as an endpoint once did
    """
    import asyncio

    from chatconform import documents, providers
    from chatconform.reference.endpoint import Endpoint

    if key_env is not None:
        providers.require_variable(key_env, COMMAND_LINE)
    key = None if key_env is None else os.environ.get(key_env, "")
    if key == "":
        raise InputError(COMMAND_LINE, f"--key-env {key_env}: the variable is not set", f"Set {key_env}.")
    recorded = None if replay is None else _recorded(replay)
    documents.look_beside(Path())
    endpoint = Endpoint(contract, faults, recorded, key=key, models=models)
    listening: list[str] = []

    def ready(base_url: str) -> None:
        listening.append(base_url)
        click.echo(base_url)

    try:
        asyncio.run(endpoint.serve(host, port, ready))
    except OSError as error:
        if listening:
            raise
        raise _unheard(error, host, port) from None


def _recorded(replay: Path) -> Sequence[Exchange]:
    """Return the exchanges of a recording, and say which cannot be read. Raises `InputError` where none can."""
    from chatconform import assessment
    from chatconform.recordings import store
    from chatconform.report.visible import message

    recorded, problems = assessment.readable(store.read([replay]))
    if not recorded:
        raise InputError(Place(problems[0].place), problems[0].problem, problems[0].remedy)
    for problem in problems:
        click.echo(message(problem.place, problem.problem, problem.remedy), err=True)
    return recorded


def _unheard(error: OSError, host: str, port: int) -> InputError:
    """Return what to say of an address at which nothing can listen."""
    if error.errno == errno.EADDRINUSE:
        return InputError(COMMAND_LINE, f"port {port} is taken", "Choose another, or leave --port out.")
    why = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
    problem = f"nothing can listen at {host}, port {port}: {why}"
    return InputError(COMMAND_LINE, problem, "Leave --host and --port out, or name an address of this machine.")
