"""The group of all commands, which lists them by what they help with."""

from __future__ import annotations

import click


class Group(click.Group):
    """Lists its commands in two groups: what judges, and what helps to build."""

    judging = ("run", "plan", "record", "judge", "report", "diff", "import", "init", "doctor")

    def sections(self) -> list[tuple[str, list[str]]]:
        """Return the names of the commands by the title that they are listed under."""
        judging = [name for name in self.judging if name in self.commands]
        return [("Judging", judging), ("Building", sorted(set(self.commands) - set(judging)))]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands with one line each."""
        for title, members in self.sections():
            with formatter.section(title):
                formatter.write_dl([(name, self.commands[name].get_short_help_str(100)) for name in members])
