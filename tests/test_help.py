"""What the command line says of itself: help that teaches, examples that are right, names that a shell completes."""

from __future__ import annotations

import inspect
import os
import re
import shlex
import shutil
import subprocess
import sys

import click
import pytest
from click.shell_completion import ShellComplete

from chatconform import __version__, deviations
from chatconform.cli import cli
from chatconform.judging import known_checks
from pages import DOCS

PAGES = [*sorted(DOCS.glob("*.md")), DOCS.parent / "README.md", DOCS.parent / "CONTRIBUTING.md"]
EXAMPLE = re.compile(r"^(?:\$ )?(?:[A-Z_]+=\S+ )*(chatconform .*)$", re.MULTILINE)
BLOCK = re.compile(r"^```(?:console|text|sh|bash|yaml)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NO_EXAMPLE = re.compile(r"[…·\[\]]|\w\|\w| \| |\b(DIR|PATH|FILE|ID|COMMAND|OLD)\b")
"""What marks a synopsis, which is no command."""


def examples(text: str) -> list[str]:
    """Return the commands that a text shows, without what stands behind them."""
    lines = (line.partition(" | jq ")[0] for line in EXAMPLE.findall(inspect.cleandoc(text)))
    return [re.split(r"\s{2,}|\s#|\s[|>]|\\$|;|&&", line)[0].strip() for line in lines if not NO_EXAMPLE.search(line)]


COMMANDS = sorted(cli.commands)
SHOWN = sorted(
    {(name, line) for name in COMMANDS for line in examples(cli.commands[name].help or "")}
    | {("--help", line) for line in examples(cli.help or "")}
    | {
        (page.name, line)
        for page in PAGES
        for block in BLOCK.findall(page.read_text("utf-8"))
        for line in examples(block)
    }
)


def test_every_command_has_a_line_and_is_listed_once():
    listed = [name for _, names in cli.sections() for name in names]
    assert COMMANDS == sorted(listed)
    assert [] == [name for name in COMMANDS if cli.commands[name].get_short_help_str(100).endswith("...")]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_shows_two_examples(name):
    assert 2 <= len(examples(cli.commands[name].help))


@pytest.mark.parametrize("where, line", SHOWN)
def test_an_example_is_a_command_that_there_is(where, line):
    """Its options exist, and their values are of the kind that is asked for; nothing is run."""
    _, name, *rest = shlex.split(line)
    assert cli.commands[name].make_context(name, rest, parent=click.Context(cli, **cli.context_settings))


def test_examples_name_nobody_who_exists():
    hosts = {host for _, line in SHOWN for host in re.findall(r"https?://([^/:\s]+)", line)}
    assert {"api.example.com", "127.0.0.1"} >= hosts


@pytest.mark.parametrize("option", ["--version", "-h", "--help"])
def test_it_says_who_it_is_and_what_it_does(option, chatconform, tmp_path):
    said = chatconform(tmp_path, option).stdout
    assert said == f"chatconform {__version__}\n" if option == "--version" else "Judging:" in said


def test_without_arguments_it_prints_its_help(chatconform, tmp_path):
    done = chatconform(tmp_path)
    assert (2, "", chatconform(tmp_path, "--help").stdout) == (done.returncode, done.stderr, done.stdout)


@pytest.mark.parametrize("command, choice", [("list", "  checks,"), ("completion", "  bash,")])
def test_what_may_be_chosen_is_a_line_each(command, choice, chatconform, tmp_path):
    assert choice in chatconform(tmp_path, command).stderr.splitlines()


@pytest.mark.parametrize("typed, meant", [("jugde", "judge"), ("explan", "explain"), ("run --recordd", "--recorded")])
def test_a_slip_of_the_pen_gets_a_guess(typed, meant, chatconform, tmp_path):
    done = chatconform(tmp_path, *typed.split())
    assert (2, True) == (done.returncode, f"'{meant}'" in done.stderr)


# What a shell completes


def completed(*words: str) -> list[str]:
    """Return what may stand in the place of the last word."""
    *before, begun = words
    found = ShellComplete(cli, {}, "chatconform", "_CHATCONFORM_COMPLETE").get_completions(list(before), begun)
    return [each.value if each.type == "plain" else each.type for each in found]


@pytest.mark.parametrize(
    "words, expected",
    [
        ("expl", ["explain"]),
        ("explain sse.done.l", ["sse.done.last"]),
        ("judge --check sse.done.pres", ["sse.done.present"]),
        ("judge rec", ["file"]),
        ("run too", ["tooken"]),
        ("run --scenario stream.u", ["stream.usage"]),
        ("judge --contract xms", ["xmsmartlink"]),
        ("serve --as cos", ["costrouter"]),
        ("serve --as open", ["openai"]),
        ("judge --contract open", ["openai"]),
        ("run --contract open", []),
        ("serve --fault sse.done.lo", ["sse.done.lower"]),
        ("judge --provider tk", ["tkhub"]),
        ("list cl", ["clauses"]),
        ("completion z", ["zsh"]),
        ("run --fail-on reg", ["regression"]),
        ("diff --rec", ["--recordings"]),
    ],
)
def test_a_name_is_completed(words, expected):
    assert expected == completed(*words.split())


def test_all_that_is_explained_can_be_completed():
    assert sorted({*known_checks(), *deviations.load()}) == completed("explain", "")


def test_a_providers_file_that_cannot_be_read_completes_to_nothing(monkeypatch, tmp_path):
    (tmp_path / "providers.yaml").write_text("providers: [")
    monkeypatch.chdir(tmp_path)
    assert [] == completed("run", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_script_is_printed_for_a_shell(shell, chatconform, tmp_path):
    done = chatconform(tmp_path, "completion", shell)
    assert (0, True) == (done.returncode, "_CHATCONFORM_COMPLETE" in done.stdout)


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash here")
def test_a_real_bash_completes(environment, tmp_path):
    command = tmp_path / "chatconform"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatconform "$@"\n')
    command.chmod(0o755)
    script = (
        'eval "$(chatconform completion bash)"\n'
        'complete_at() { COMP_CWORD=$1; shift; COMP_WORDS=(chatconform "$@"); COMPREPLY=(); '
        '_chatconform_completion chatconform; echo "${COMPREPLY[@]}"; }\n'
        "complete_at 2 explain sse.done.l\n"
        "complete_at 7 serve --fault clause : choices.index.type @ openai.ch --port\n"
        "complete_at 4 serve --fault clause : --port\n"
    )
    path = f"{tmp_path}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(["bash", "-c", script], env={**environment, "PATH": path}, capture_output=True, text=True)
    last, fault, faults = done.stdout.splitlines()
    assert ("sse.done.last", "openai.chunk.choice", "") == (last, fault, done.stderr)
    assert "choices.index.type" in faults.split()


@pytest.mark.skipif(shutil.which("zsh") is None, reason="there is no zsh here")
def test_the_script_for_zsh_loads_the_completion_system_where_nothing_has(chatconform, environment, tmp_path):
    (tmp_path / ".zshrc").write_text(chatconform(tmp_path, "completion", "zsh").stdout)
    home = {**environment, "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
    shell = ["zsh", "-i", "-c", "print $_comps[chatconform]"]
    done = subprocess.run(shell, env=home, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert ("_chatconform_completion\n", "") == (done.stdout, done.stderr)
