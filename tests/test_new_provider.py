"""`chatconform init`: a new endpoint in providers.yaml, with what stands there already left as it is."""

from __future__ import annotations

import pytest

from chatconform import providers

GIVEN = ("--id", "mine", "--base-url", "https://api.example.com/v1", "--model", "my-model", "--key-env", "MY_API_KEY")


def test_init_begins_a_providers_file_that_can_be_used(chatconform, tmp_path):
    done = chatconform(tmp_path, "init", *GIVEN)
    (mine,) = providers.load(tmp_path / "providers.yaml")
    assert 0 == done.returncode
    assert ("mine", "https://api.example.com/v1", "my-model", "MY_API_KEY", True) == (
        mine.id,
        mine.base_url,
        mine.model,
        mine.key_env,
        mine.default,
    )


def test_init_adds_to_a_file_and_leaves_what_is_there(chatconform, tmp_path):
    chatconform(tmp_path, "init", *GIVEN)
    before = (tmp_path / "providers.yaml").read_text()
    chatconform(tmp_path, "init", "--id", "other", "--base-url", "http://127.0.0.1:8000/v1", "--model", "m")
    after = (tmp_path / "providers.yaml").read_text()
    assert after.startswith(before)
    assert ["mine", "other"] == [each.id for each in providers.load(tmp_path / "providers.yaml")]


def test_every_line_that_is_commented_out_can_be_taken_in(chatconform, tmp_path):
    printed = chatconform(tmp_path, "init", *GIVEN, "--print").stdout
    taken_in = [line.replace("    # ", "    ", 1) for line in printed.splitlines() if "contract" not in line]
    (mine,) = providers.parse("\n".join(["providers:", *taken_in]), "providers.yaml")
    assert ("tests", "usage.total.sum") == (mine.headers["X-Team"], mine.waivers[0].check)


@pytest.mark.parametrize("base_url, pace", [("https://api.example.com/v1", 30), ("http://127.0.0.1:8000/v1", 60_000)])
def test_the_limits_that_can_be_taken_in_are_those_that_hold_without(base_url, pace, chatconform, tmp_path):
    assert f"per_minute: {pace}," in chatconform(tmp_path, "init", *GIVEN, "--base-url", base_url, "--print").stdout


REFUSED = [
    ("a name twice", {}, ("--id", "mine"), "providers.yaml:3:3: there is a provider mine already"),
    ("a name that is none", {}, ("--id", "Mine!"), "--id:2:3: "),
    ("a key in the place of its variable", {}, ("--key-env", "sk-0000000000000000000000"), "command line: key_env"),
    ("a URL with the path of the API", {}, ("--base-url", "http://127.0.0.1/v1/chat/completions"), "command line: "),
    ("a contract that is none", {}, ("--contract", "nobody"), "command line: there is no contract"),
    ("a file that is none", {"providers.yaml": "providers: ["}, ("--id", "new"), "providers.yaml:1:"),
    (
        "a list in braces",
        {"providers.yaml": "providers: {a: {base_url: http://127.0.0.1/v1, model: m}}\n"},
        ("--id", "new"),
        "providers.yaml: the list of providers, written as a block, does not end this file",
    ),
]


@pytest.mark.parametrize("files, changed, said", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_init_refuses_what_would_not_work_and_writes_nothing(files, changed, said, chatconform, tmp_path):
    chatconform(tmp_path, "init", *GIVEN)
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    before = (tmp_path / "providers.yaml").read_text()
    done = chatconform(tmp_path, "init", *GIVEN, *changed)
    assert (2, before) == (done.returncode, (tmp_path / "providers.yaml").read_text())
    assert done.stderr.startswith(said)


def test_a_key_that_was_given_for_its_variable_is_not_repeated(chatconform, tmp_path):
    done = chatconform(tmp_path, "init", *GIVEN, "--key-env", "sk-0000000000000000000000")
    assert "sk-0000" not in done.stdout + done.stderr
