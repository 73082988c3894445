"""What a shell completes: commands and options by click, and here the names that the suite and its files have."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import click
from click.shell_completion import BashComplete, CompletionItem, get_completion_class

from chatconform.model import OPENAI, ChatconformError

VARIABLE = "_CHATCONFORM_COMPLETE"
"""The variable by which a shell asks for what may come next; click reads it."""

_COMPINIT = """
(( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
"""
"""zsh has no compdef before its completion system is loaded, which not every .zshrc does."""
_BASH = """\
%(complete_func)s() {
    local word joined line
    local -a words=() lines=()
    # bash takes : and @ for words of their own: join what stands before and behind them
    for word in "${COMP_WORDS[@]:0:COMP_CWORD+1}"; do
        if (( ${#words[@]} )) && [[ $word == [:@]* || ${words[-1]} == *[:@] && $word ]]; then
            words[-1]+=$word
        else
            words+=("$word")
        fi
    done
    word=${words[-1]}
    joined=$(printf '%%s\\n' "${words[@]}")
    mapfile -t lines < <(
        COMP_WORDS=$joined COMP_CWORD=$(( ${#words[@]} - 1 )) %(complete_var)s=bash_complete "$1"
    )
    for line in "${lines[@]}"; do
        case $line in
            plain,*) line=${line#plain,}; COMPREPLY+=("${line#"${word%%"${word##*[:@]}"}"}") ;;
            file,*) compopt -o default ;;
            dir,*) compopt -o dirnames ;;
        esac
    done
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""


class _Bash(BashComplete):
    """The script for bash, which completes names with : and @, too (`clause:choices.index.type@tooken.chunk`)."""

    source_template = _BASH


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


def _judged_by() -> Collection[str]:
    return (*_contracts(), OPENAI)


def _faults() -> Collection[str]:
    from chatconform.reference import endpoint

    return endpoint.names()


checks, explained, scenarios, providers, contracts, judged_by, faults = map(
    _completer, (_checks, _explained, _scenarios, _providers, _contracts, _judged_by, _faults)
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
    kind = _Bash if shell == "bash" else get_completion_class(shell)
    assert kind is not None
    script = kind(command, {}, "chatconform", VARIABLE).source()
    if shell == "zsh":
        head, _, rest = script.partition("\n")
        script = f"{head}\n{_COMPINIT}{rest}"
    click.echo(script)
