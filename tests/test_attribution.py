"""Whose a change is. What an older suite said is made of today's results: its digest of the rules is another one, and
the verdicts that it would have made otherwise, or did not know, are edited or left out."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import recording
from chatconform import assessment, attribution, resources, rules
from chatconform.assessment import Selection, Subject
from chatconform.attribution import Baseline
from chatconform.model import Finding, Outcome, Provider, Results, Waiver
from chatconform.recordings import store
from chatconform.reference import good as reference
from chatconform.report.results import dump, load

CHECK = "envelope.object.value"
GOOD, BROKEN = recording.answer("a"), recording.answer("a", object="text_completion")
PASS, FAIL = Outcome.PASS, Outcome.FAIL
OLDER = "0" * 64
ACME = Provider("acme", base_url="", model="")
ALL = Selection()


def judged(folder: Path, *exchanges: Mapping[str, Any], selection: Selection = ALL, provider: Provider = ACME):
    """Write a recording, judge it as provider acme's, and return the results."""
    recording.write(folder, *exchanges)
    taken = tuple(store.load(folder))
    return assessment.assess([Subject(provider, taken, "")], run={}, today=date(2026, 11, 28), selection=selection)


def by_an_older_suite(results: Results, said: Outcome | str | None = "the same", check: str = CHECK) -> Results:
    """Return results as an older suite made them, which said something else of one check, or (None) had none such."""
    if said == "the same":
        verdicts = results.verdicts
    elif said is None:
        verdicts = tuple(verdict for verdict in results.verdicts if verdict.check != check)
    else:
        findings = (Finding("this", "that"),) if said is FAIL else ()
        verdicts = tuple(
            replace(each, outcome=said, examined=1, findings=findings) if each.check == check else each
            for each in results.verdicts
        )
    return replace(results, run={**results.run, "rules": OLDER}, verdicts=verdicts)


def changes(old: Results, new: Results, folder: Path, check: str | None = CHECK):
    """Return (exchange, kind, by) of the changes of one check, or of all."""
    found = attribution.compare(Baseline("old.json", old, (folder,)), new)
    return [(each.exchange, each.kind, each.by) for each in found if check in (None, each.check)]


TABLE = [
    # the old bytes, what the older suite said of them, the new bytes: what changed, and by whom
    (GOOD, "the same", BROKEN, ["broke by provider"]),
    (BROKEN, "the same", GOOD, ["fixed by provider"]),
    (GOOD, "the same", recording.unreachable("a"), ["newly unproven by provider"]),
    (BROKEN, PASS, {**BROKEN, "note": "later"}, ["broke by suite"]),
    (GOOD, FAIL, {**GOOD, "note": "later"}, ["fixed by suite"]),
    (GOOD, None, {**GOOD, "note": "later"}, ["appeared by suite"]),
    (BROKEN, None, {**BROKEN, "note": "later"}, ["appeared by suite"]),
    (GOOD, None, BROKEN, ["appeared by suite", "broke by provider"]),
    (GOOD, FAIL, BROKEN, ["fixed by suite", "broke by provider"]),
    (BROKEN, PASS, GOOD, ["broke by suite", "fixed by provider"]),
    (GOOD, "the same", {**GOOD, "note": "later"}, []),
]


@pytest.mark.parametrize("before, said, after, expected", TABLE)
def test_today_s_suite_judges_the_old_bytes_and_tells_who_changed(before, said, after, expected, tmp_path):
    old, new = judged(tmp_path / "old", before), judged(tmp_path / "new", after)
    found = changes(by_an_older_suite(old, said), new, tmp_path)
    assert [("a", *each.split(" by ")) for each in expected] == found


BY_CHANCE = "stream.created.constant"
STEADY, TICKED = recording.stream("a"), recording.stream("a")
TICKED["response"]["body"] = TICKED["response"]["body"].replace(str(recording.CREATED), str(recording.CREATED + 1), 1)


@pytest.mark.parametrize(
    "before, said, after, expected",
    [
        (STEADY, "the same", TICKED, [("a", "broke", "chance")]),
        (TICKED, "the same", STEADY, [("a", "fixed", "chance")]),
        (STEADY, FAIL, {**STEADY, "note": "later"}, [("a", "fixed", "suite")]),
        (STEADY, FAIL, TICKED, [("a", "fixed", "suite"), ("a", "broke", "chance")]),
        (recording.unreachable("a"), "the same", TICKED, [("a", "appeared", "provider")]),
    ],
)
def test_what_shows_by_chance_did_not_change(before, said, after, expected, tmp_path):
    """A clock that is read for every chunk shows where a second ends amid a stream, and else not."""
    old, new = judged(tmp_path / "old", before), judged(tmp_path / "new", after)
    found = changes(by_an_older_suite(old, said, BY_CHANCE), new, tmp_path, BY_CHANCE)
    assert expected == found


def test_a_renamed_check_vanishes_and_appears_by_the_suite(tmp_path):
    old, new = judged(tmp_path / "old", BROKEN), judged(tmp_path / "new", {**BROKEN, "note": "later"})
    former = tuple(
        replace(each, check="envelope.object.former") if each.check == CHECK else each for each in old.verdicts
    )
    found = changes(replace(by_an_older_suite(old), verdicts=former), new, tmp_path, None)
    assert [("a", "vanished", "suite"), ("a", "appeared", "suite")] == found


def test_the_same_bytes_cannot_have_changed_and_need_not_be_there(tmp_path):
    new = judged(tmp_path / "old", BROKEN)
    assert [("a", "broke", "suite")] == changes(by_an_older_suite(new, PASS), new, tmp_path / "nowhere")


def test_by_the_same_rules_the_provider_changed_though_its_recording_is_gone(tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN)
    (tmp_path / "old" / "a.json").unlink()
    assert [("a", "broke", "provider")] == changes(old, new, tmp_path)


def gone(file: Path) -> None:
    file.unlink()


def edited(file: Path) -> None:
    file.write_text(json.dumps({**GOOD, "note": "edited"}))


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def no_exchange(file: Path) -> None:
    file.write_text("{")


@pytest.mark.parametrize("spoil", [gone, edited, a_pipe, no_exchange])
def test_nobody_knows_who_changed_where_the_old_record_is_not_there(spoil, tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN)
    spoil(tmp_path / "old" / "a.json")
    assert [("a", "broke", "unattributed")] == changes(by_an_older_suite(old), new, tmp_path)


@pytest.mark.parametrize("file", ["\0", "a/" * 10_000, "x" * 5_000, "/", "", "..", "-", "/dev/zero", "\ud800"])
def test_a_path_that_somebody_wrote_into_results_is_no_way_to_a_file(file, tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN)
    named = replace(by_an_older_suite(old), exchanges=(replace(old.exchanges[0], file=file),))
    assert [("a", "broke", "unattributed")] == changes(named, new, tmp_path)


def test_without_a_digest_of_its_rules_the_old_recording_is_judged_again(tmp_path):
    """Results of before there was one."""
    old, new = judged(tmp_path / "old", BROKEN), judged(tmp_path / "new", {**BROKEN, "note": "later"})
    undated = replace(by_an_older_suite(old, PASS), run={"suite": "0.1.0"})
    assert [("a", "broke", "suite")] == changes(undated, new, tmp_path)


def test_what_another_suite_judged_last_is_not_held_against_this_one(tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN)
    found = changes(by_an_older_suite(old), replace(new, run={"rules": "1" * 64}), tmp_path)
    assert [("a", "broke", "unattributed")] == found


def test_a_document_that_the_provider_is_judged_by_from_now_on_is_the_suite_s_doing(tmp_path):
    """The providers file names a contract since then; the old answer is judged by it too."""
    answer = store.to_json(reference.GOOD["tooken.answer"])
    bound = replace(ACME, id="tooken", contract="tooken")
    old = judged(tmp_path / "old", answer, provider=replace(bound, contract=None))
    new = judged(tmp_path / "new", {**answer, "note": "later"}, provider=bound)
    found = attribution.compare(Baseline("old.json", old, (tmp_path,)), new)
    assert {("tooken", "appeared", "suite")} == {(each.contract, each.kind, each.by) for each in found}


@pytest.mark.parametrize("home", ["artifacts/reports/run", "artifacts/run", "artifacts"])
def test_a_recording_that_was_moved_is_found_by_the_end_of_its_path(home, tmp_path):
    old, new = judged(tmp_path / "reports" / "run", GOOD), judged(tmp_path / "new", BROKEN)
    (tmp_path / home).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / "reports" / "run").rename(tmp_path / home)
    assert [("a", "broke", "provider")] == changes(by_an_older_suite(old), new, tmp_path / "artifacts")


def test_lines_of_one_file_are_told_apart_by_their_digests(tmp_path):
    good, broken = [recording.answer(name) for name in "ab"], recording.answer("b", object="text_completion")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "bulk.jsonl").write_text(recording.lines(*good))
    old, new = judged(tmp_path / "old"), judged(tmp_path / "new", {**good[0], "note": "later"}, broken)
    assert [("b", "broke", "provider")] == changes(by_an_older_suite(old), new, tmp_path)


# What was not asked for


def test_what_was_not_asked_for_has_neither_vanished_nor_appeared(tmp_path):
    narrow = Selection(("envelope.object.*",), ("a",))
    both = judged(tmp_path / "old", GOOD, recording.answer("b"))
    one = judged(tmp_path / "new", BROKEN, recording.answer("b"), selection=narrow)
    assert [("a", "broke", "provider")] == changes(both, one, tmp_path, None)
    assert [("a", "fixed", "provider")] == changes(one, both, tmp_path, None)


def test_a_further_sample_is_unattributed(tmp_path):
    """The plan grew by --samples: what the provider would have answered before nobody knows."""
    more = recording.answer("a.2", object="text_completion")
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", GOOD, more)
    for before in (old, by_an_older_suite(old)):
        assert [("a.2", "appeared", "unattributed")] == changes(before, new, tmp_path)


def test_what_the_suite_asks_for_the_first_time_is_the_suite_s(tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", GOOD, recording.answer("b"))
    assert [("b", "appeared", "suite")] == changes(by_an_older_suite(old), new, tmp_path)
    knew = replace(by_an_older_suite(old), run={"rules": OLDER, "left_out": {"acme": {"b": "costly"}}})
    assert [("b", "appeared", "unattributed")] == changes(knew, new, tmp_path)
    assert [("b", "appeared", "unattributed")] == changes(old, new, tmp_path)


def test_what_is_not_there_any_more_is_unattributed(tmp_path):
    old, new = judged(tmp_path / "old", GOOD, recording.answer("b")), judged(tmp_path / "new", GOOD)
    assert [("b", "vanished", "unattributed")] == changes(by_an_older_suite(old), new, tmp_path)


# What is said of several exchanges


TWIN, STREAMED = recording.answer("a", model="other"), recording.stream("s")
LATER = [{**TWIN, "note": "later"}, {**STREAMED, "note": "later"}]


@pytest.mark.parametrize(
    "others, by",
    [((), "suite"), ((recording.answer("s@1"),), "suite"), ((recording.answer("b"),), "unattributed")],
)
def test_it_is_attributed_where_the_same_exchanges_stand_on_both_sides(others, by, tmp_path):
    old, new = judged(tmp_path / "old", TWIN, STREAMED), judged(tmp_path / "new", *LATER, *others)
    found = changes(by_an_older_suite(old, None, "pairs.model.same"), new, tmp_path, "pairs.model.same")
    assert [("s", "appeared", by)] == found


def test_it_is_unattributed_where_one_of_them_is_gone(tmp_path):
    old, new = judged(tmp_path / "old", TWIN, STREAMED), judged(tmp_path / "new", *LATER)
    (tmp_path / "old" / "a.json").unlink()
    found = changes(by_an_older_suite(old, None, "pairs.model.same"), new, tmp_path, "pairs.model.same")
    assert [("s", "appeared", "unattributed")] == found


# The digest, and the gate


def test_the_digest_is_the_same_each_time_and_stands_in_the_results(tmp_path):
    assert rules.digest.__wrapped__() == judged(tmp_path / "old", GOOD).run["rules"]


def test_results_that_were_read_from_a_file_are_attributed_alike(tmp_path):
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN)
    (tmp_path / "old.json").write_bytes(dump(by_an_older_suite(old)))
    (tmp_path / "new.json").write_bytes(dump(new))
    read = load(tmp_path / "old.json"), load(tmp_path / "new.json")
    assert [("a", "broke", "provider")] == changes(*read, tmp_path)


def test_a_waived_failure_is_attributed_like_any_other(tmp_path):
    waived = replace(ACME, waivers=(Waiver(CHECK, "known", "2099-12-31"),))
    old, new = judged(tmp_path / "old", GOOD), judged(tmp_path / "new", BROKEN, provider=waived)
    assert [("a", "broke", "provider")] == changes(by_an_older_suite(old), new, tmp_path)


def test_a_shipped_recording_is_found_wherever_the_results_are(tmp_path):
    file = resources.path("recordings/tooken/document")
    (first, *_) = store.load(file)
    name = f"recordings/tooken/document/{Path(first.file).name}"
    old = assessment.assess([Subject(ACME, (replace(first, file=name),), "")], run={}, today=date(2026, 11, 28))
    assert [first.sha256] == [each.sha256 for each in attribution.recorded(old.exchanges, (tmp_path,))]
