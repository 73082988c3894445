"""Which providers a command means: those that are named, or an endpoint that is in no file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatconform.cli import completion
from chatconform.cli.conclude import COMMAND_LINE, find_providers, load_providers
from chatconform.model import InputError

if TYPE_CHECKING:
    from chatconform.model import Provider

_ADHOC = ("base_url", "model", "key_env", "contract")


def adhoc(function: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say of an endpoint what providers.yaml would."""
    options = (
        click.option("--base-url", metavar="URL", help="Ask this endpoint, which is in no file; its name is adhoc."),
        click.option("--model", metavar="MODEL", help="The model to ask it for."),
        click.option("--key-env", metavar="NAME", help="The environment variable that holds its key, if any."),
        click.option("--contract", metavar="NAME", shell_complete=completion.contracts,
                     help="Its own document: a folder of schemas/."),
    )  # fmt: skip
    for option in reversed(options):
        function = option(function)
    return function


def named(names: Sequence[str], options: dict[str, object]) -> tuple[tuple[Provider, ...], Path]:
    """Return the providers that are meant, and the folder that their recordings stand in. Raises `InputError`."""
    from chatconform import documents, providers

    base_url, model, key_env, contract = (options[name] for name in _ADHOC)
    if base_url is None:
        for name in _ADHOC:
            if options[name] is not None:
                option = f"--{name.replace('_', '-')}"
                raise InputError(COMMAND_LINE, f"{option} without --base-url", "Add --base-url, or name a provider.")
        file = find_providers(options)
        return providers.select(load_providers(file), names, COMMAND_LINE), file.parent
    if names or model is None:
        problem = "--base-url beside the name of a provider" if names else "--base-url without --model"
        raise InputError(COMMAND_LINE, problem, "Give --base-url and --model, and no name.")
    key, document = (each if isinstance(each, str) else None for each in (key_env, contract))
    known = documents.look_beside(Path()) if document else None
    return (providers.adhoc(str(base_url), str(model), key, document, COMMAND_LINE, known),), Path()
