"""Contracts in a folder schemas/ beside a providers file: found by every face, checked before anything is judged."""

from __future__ import annotations

import json

import pytest

import recording

HEAD = {"file": "acme.txt", "sha256": "0" * 64}
CLAUSE = {"basis": "tabled", "lines": "1", "digest": "0" * 8, "says": "An answer names its region."}
REGION = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "$id": "https://example.com/schemas/acme/response.schema.json",
    "title": "Acme: an answer that is not streamed",
    "x-document": HEAD,
    "required": ["region"],
    "x-clauses": {"required": {"region": {"id": "extensions.region.present", **CLAUSE}}},
}


@pytest.fixture
def folder(tmp_path):
    """A providers file whose provider acme is held to a document of its own, and a recording that breaks it."""
    recording.write(tmp_path / "recordings" / "acme", recording.answer())
    recording.providers(tmp_path / "providers.yaml", contract="acme")
    written(tmp_path, REGION)
    return tmp_path


def written(folder, schema, contract="acme"):
    file = folder / "schemas" / contract / "response.schema.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(schema))


def failing(done):
    return [
        (each["contract"], each["check"]) for each in json.loads(done.stdout)["verdicts"] if each["outcome"] == "fail"
    ]


def test_run_and_judge_find_it(folder, chatconform):
    for command in (["run", "--recorded"], ["judge", "recordings/acme"]):
        assert [("acme", "extensions.region.present")] == failing(chatconform(folder, *command, "--json"))


def test_processes_that_count_find_it(folder, chatconform):
    done = chatconform(folder, "judge", "recordings/acme", "--counts", "--jobs", "2")
    assert (1, True) == (done.returncode, "extensions.region.present" in done.stdout)


def test_pytest_finds_it(folder, run_pytest):
    done = run_pytest(folder, "providers.yaml", "-q", "-k", "region")
    assert "FAILED providers.yaml::acme::acme::extensions.region.present" in done.stdout


def test_a_provider_that_is_in_no_file_may_have_one(folder, chatconform):
    options = ["--base-url", "http://127.0.0.1:9/v1", "--model", "m", "--contract", "acme", "--scenario", "basic"]
    assert (0, "") == ((done := chatconform(folder, "plan", *options)).returncode, done.stderr)


def test_a_document_that_does_not_say_what_may_be_asked_leaves_that_to_openai(folder, chatconform):
    done = chatconform(folder, "plan", "acme")
    assert (0, True) == (done.returncode, "temperature" in done.stdout)


def test_its_printed_examples_announce_what_differs(folder, chatconform):
    differs = recording.answer(object="text_completion")
    recording.write(folder / "recordings" / "acme" / "document", {**differs, "id": "printed", "origin": "document"})
    recording.write(folder / "recordings" / "acme", {**differs, "id": "live"})
    done = chatconform(folder, "run", "--recorded", "--check", "envelope.object.value", "--json")
    told = {each["exchange"]: each["own_document"] for each in json.loads(done.stdout)["verdicts"] if each["findings"]}
    assert {"live": "announces", "printed": "announces"} == told


def test_a_flaw_stops_what_would_judge_by_it(folder, chatconform):
    written(folder, {**REGION, "x-clauses": {}})
    done = chatconform(folder, "run", "--recorded")
    assert (2, "") == (done.returncode, done.stdout)
    assert "schemas/acme/response.schema.json:1:" in done.stderr
    assert "required region has no clause" in done.stderr


def test_openai_s_contract_is_always_the_shipped_one(folder, chatconform):
    shown = [chatconform(folder, "list", "clauses", "--contract", "openai").stdout]
    written(folder, {**REGION, "title": "Another"}, "openai")
    shown += [chatconform(folder, "list", "clauses", "--contract", "openai").stdout]
    assert 1 == len(set(shown))
    assert "extensions.region.present" not in shown[0]


def test_two_files_of_one_pytest_run_cannot_mean_two_contracts_by_one_name(folder, run_pytest, tmp_path):
    for name in ("one", "two"):
        recording.write(tmp_path / name / "recordings" / "acme", recording.answer())
        recording.providers(tmp_path / name / "providers.yaml", contract="acme")
        written(tmp_path / name, REGION)
    done = run_pytest(folder, "one/providers.yaml", "two/providers.yaml", "-q")
    assert "two/schemas/acme: is the second contract of this name" in done.stdout
