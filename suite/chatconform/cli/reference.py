"""docs/cli.md: every command with its help, its examples and its options, as click knows them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import click

from chatconform.cli.group import Group
from chatconform.docs import MADE
from chatconform.report.tables import joined, table
from chatconform.report.visible import code, prose

_VERBATIM = "\b\n"


def page(context: click.Context) -> str:
    """Return the page: the commands of the group that the context is of, in the order and the sections of --help."""
    group = context.command
    assert isinstance(group, Group)
    contents = [f"- {title}: {', '.join(f'[{name}](#{name})' for name in names)}" for title, names in group.sections()]
    parts = (_command(name, group.commands[name], context) for _, names in group.sections() for name in names)
    return joined((["# The command line", "", MADE], _help(group), contents, *parts))


def _command(name: str, command: click.Command, root: click.Context) -> Iterator[str]:
    context = click.Context(command, parent=root, info_name=name)
    yield from (f"## {name}", "", code(" ".join(["chatconform", name, *command.collect_usage_pieces(context)])), "")
    yield from _help(command)
    records = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    rows = ((code(names), prose(" ".join(said.split()))) for names, said in records if said)
    yield from table(("Option", "Meaning"), rows)


def _help(command: click.Command) -> Iterator[str]:
    """Yield the paragraphs of a help text; what click leaves as it is becomes a block of text."""
    texts = (inspect.cleandoc(each or "") for each in (command.help, command.epilog))
    for paragraph in (each for text in texts for each in text.split("\n\n") if each):
        if paragraph.startswith(_VERBATIM):
            yield from ("```text", paragraph.removeprefix(_VERBATIM), "```", "")
        else:
            yield from (prose(" ".join(paragraph.split())), "")
