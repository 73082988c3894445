"""What a shell completes: commands and options by click, and here the names that the suite and its files have."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from chatconform.model import ChatconformError

VARIABLE = "_CHATCONFORM_COMPLETE"
"""The variable by which a shell asks for what may come next; click reads it."""

Completer = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _completer(names: Callable[[], Collection[str]]) -> Completer:
    """Return what completes the beginning of a name: to nothing where the names cannot be read."""

    def complete(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
        try:
            return [CompletionItem(name) for name in sorted(names()) if name.startswith(incomplete)]
        except (ChatconformError, OSError):
            return []

    return complete


def _checks() -> Collection[str]:
    from chatconform.judging import known_checks

    return known_checks()


def _explained() -> Collection[str]:
    from chatconform import deviations

    return {*_checks(), *deviations.load()}


def _scenarios() -> Collection[str]:
    from chatconform.scenarios.scenario import all_scenarios

    return all_scenarios()


def _providers() -> Collection[str]:
    from chatconform import documents, providers

    file = providers.find(None, Path())
    return [provider.id for provider in providers.load(file, None, documents.look_beside(file.parent))]


def _contracts() -> Collection[str]:
    from chatconform import documents

    return documents.look_beside(Path())


def _faults() -> Collection[str]:
    from chatconform.reference import endpoint

    return endpoint.names()


checks, explained, scenarios, providers, contracts, faults = map(
    _completer, (_checks, _explained, _scenarios, _providers, _contracts, _faults)
)


def files(_context: click.Context, _parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell to complete the names of files and folders."""
    return [CompletionItem(incomplete, type="file")]


@click.command(short_help="Print what makes a shell complete chatconform's names.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print a script for a shell. With it the tab key completes commands, options, checks, providers, scenarios,
    contracts and faults.

    \b
    source <(chatconform completion bash)                      for this shell alone (bash 4.4 or newer)
    chatconform completion bash >> ~/.bashrc                   for every bash
    chatconform completion zsh >> ~/.zshrc                     for every zsh
    chatconform completion fish > ~/.config/fish/completions/chatconform.fish
    """
    command = click.get_current_context().find_root().command
    script = get_completion_class(shell)
    assert script is not None
    click.echo(script(command, {}, "chatconform", VARIABLE).source())
