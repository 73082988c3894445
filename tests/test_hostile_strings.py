"""Hostile text in every place that a provider or a recording's author controls, through every form we write.

The Markdown of one such text is in golden/hostile.md; here whole runs of the two faces are looked at.
"""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt
from rich.console import Console

from chatconform import doctor
from chatconform.cli.progress import Progress
from chatconform.model import Exchange, InputError, Place, Provider, Request, Response
from chatconform.report import results, visible
from chatconform.report.visible import COMMANDS, SHAPELESS
from chatconform.scenarios import plan as planning
from recording import MESSAGES, answer, exchange, providers, refused, responded, stream, write

HOSTILE = (
    "=cmd|' /C calc'!A0 <script>alert(1)</script><style>*{display:none}</style><img src=x onerror=alert(1)> ]]> "
    "<![CDATA[ [a](javascript:alert(1)) ![b](http://x.example/p.png) https://x.example @octocat #1 `tick` a|b "
    "\x1b]0;title\x07 \x1b]52;c;YQ==\x07 \x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\ \x1b[2J \x9b31m "
    "\u202egnp.exe\u2066 \x00\x08\x7f\r\n::error::x ##[warning]y\n# heading\n| cell | \ud800 \u2028 "
    "../../etc/passwd __proto__ {{7*7}} ${x} &lt; \ufeff"
)  # fmt: skip
LONG = HOSTILE + "m" * 2**20
ACTS = re.compile(SHAPELESS.pattern.replace("\\u0000-\\u001f", "\\u0000-\\u0009\\u000b-\\u001f", 1))
"""A character without a shape of its own, but for the line feeds that end our lines."""


def retold(mine: dict[str, Any], **members: Any) -> dict[str, Any]:
    """Return an exchange with members of its answer's JSON replaced."""
    body = json.loads(mine["response"]["body"])
    mine["response"]["body"] = json.dumps({**body, **members})
    return mine


def by_author(text: str, number: int) -> dict[str, Any]:
    """Return what the author of a recording can write wherever a text may stand."""
    mine = answer(f"{number} {text}")
    mine.update(provider=text, scenario=text, note=text, model=text, source={text: text}, recorded_at=text, x=text)
    mine["request"].update(method=text, headers=[[text, text]])
    return {**mine, text: text, "end": "truncated", "redacted": [{text: text}]}


def by_provider(text: str) -> list[dict[str, Any]]:
    """Return answers that hold a text wherever a provider can put one."""
    call = {"id": text, "type": text, "function": {"name": text, "arguments": text, text: text}, text: text}
    message = {"role": text, "content": text, "refusal": text, "tool_calls": [call], text: text}
    choices = [{"index": text, "message": message, "finish_reason": text, "logprobs": text, text: text}]
    spoken = {"choices": choices, "usage": {text: text, "total_tokens": text}, "service_tier": text, text: text}
    chunk = {"id": text, "object": text, "created": text, "model": text, "choices": [
        {"index": 0, "delta": {"role": text, "content": text, "tool_calls": [call], text: text}, "finish_reason": text}
    ]}  # fmt: skip
    named = text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace").decode()
    events = f"event: {named}\nid: {named}\nretry: {named}\n{named}: {named}\n: {named}\ndata: {json.dumps(chunk)}\n\n"
    streamed = {"model": "m", "messages": MESSAGES, "stream": True}
    plain = retold(answer("plain"), id=text, object=text, created=text, model=text, **spoken)
    plain["response"]["headers"] += [["Content-Encoding", text], ["X-Trace-ID", text], [text, text], ["Server", text]]
    page = exchange("page", {"model": "m", "messages": MESSAGES}, responded(named, media_type=text, status=500))
    failed = retold(refused("refused", 400, "x"), error={"message": text, "type": text, "param": text, text: text})
    late = f"data: {json.dumps({'error': {'message': text, 'code': text}})}\n\ndata: {named}\n\n"
    return [
        plain, page, failed,
        exchange("events", streamed, responded(events * 2, "text/event-stream")),
        exchange("late", streamed, responded(late, f"text/event-stream; {named}")),
        stream("done", done=f"data: [DONE]\n\ndata: {named}\n\n", system_fingerprint=named, **{named: named}),
    ]  # fmt: skip


def recorded(folder: Path) -> Path:
    everything = [*by_provider(HOSTILE), by_provider(LONG)[0]]
    folder.mkdir(parents=True)
    for number, each in enumerate(everything):
        (folder / f"e{number}.json").write_text(json.dumps(each))
    authored = [by_author(HOSTILE, 1), by_author(HOSTILE * 2, 2), {**by_author("=1+1", 3), "request": None}]
    (folder / "a\x1b]0;x\x07\u202e`|<b>.jsonl").write_text("\n".join(map(json.dumps, authored)))
    (folder / "\x1b[31m::error::.json").write_text("{")
    return folder


@pytest.fixture(scope="module")
def judged(chatconform, tmp_path_factory):
    """Return what judging printed, and the folder."""
    folder = tmp_path_factory.mktemp("strings")
    recorded(folder / "mine")
    forms = ("--junit", "out/junit.xml", "--sarif", "out/results.sarif", "--summary", "out/summary.md")
    return chatconform(folder, "judge", "mine", "--out", "out", *forms, "--badge", "badges"), folder


def pages(folder: Path) -> dict[str, str]:
    return {path.name: path.read_bytes().decode() for path in (folder / "out").glob("*.md")}


def test_nothing_of_it_is_a_bug(judged):
    done, folder = judged
    outcomes = {each.outcome for each in results.load(folder / "out" / "results.json").verdicts}
    assert (2, False) == (done.returncode, "error" in outcomes)


def test_the_terminal_shows_no_character_without_a_shape(judged):
    assert [] == ACTS.findall(judged[0].stdout + judged[0].stderr)


def test_a_coloured_terminal_gets_our_colours_and_nothing_else(judged, chatconform):
    done = chatconform(judged[1], "judge", "mine", FORCE_COLOR="1", TERM="xterm-256color")
    assert [] == ACTS.findall(re.sub(r"\x1b\[[0-9;]*m", "", done.stdout))


def test_no_file_holds_a_character_without_a_shape_or_is_long(judged):
    for path in (judged[1] / "out").iterdir():
        assert [] == ACTS.findall(path.read_bytes().decode())
    assert all(len(text) < 300_000 for text in pages(judged[1]).values())


def test_files_are_named_by_letters_and_digits(judged):
    assert [] == [path.name for path in (judged[1] / "out").iterdir() if not re.fullmatch(r"[a-z0-9.-]+", path.name)]


def test_the_markdown_has_no_markup_but_ours(judged):
    own = r'<a id="[A-Za-z0-9._-]+">|</a>|<br>|</?code>|<!-- -->|<a href="[a-z0-9.-]+\.md(?:#[A-Za-z0-9._-]*)?">'
    block = r"</?(?:h[1-6]|p|ul|ol|li|table|thead|tbody|tr|th|td|strong|em|hr)(?: start=\"\d+\")?(?: /)?>"
    for text in pages(judged[1]).values():
        rendered = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
        assert [] == [tag for tag in re.findall(r"<[^>]*>", rendered) if not re.fullmatch(f"{own}|{block}", tag)]


def test_the_markdown_mentions_nobody_and_has_no_formula_at_the_start_of_a_cell(judged):
    for text in pages(judged[1]).values():
        prose = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", text)
        assert [] == re.findall(r"@octocat|\| *[=+@][^|]*\||https?://x\.example", prose)


def test_the_junit_is_xml_and_the_sarif_and_the_badges_are_json(judged):
    _, folder = judged
    own = {"testsuites", "testsuite", "testcase", "properties", "property", "failure", "skipped", "error"}
    assert own >= {element.tag for element in ET.parse(folder / "out" / "junit.xml").iter()}
    places = [
        each["locations"][0] for each in json.loads((folder / "out/results.sarif").read_bytes())["runs"][0]["results"]
    ]
    uris = {each["physicalLocation"]["artifactLocation"]["uri"] for each in places}
    assert uris
    assert [] == [uri for uri in uris if not re.fullmatch(r"[A-Za-z0-9_.~%/-]+", uri) or uri[0] == "/" or ".." in uri]
    for badge in (folder / "badges").iterdir():
        assert re.fullmatch(r"[a-z0-9.-]+\.json", badge.name)
        assert [] == ACTS.findall("".join(map(str, json.loads(badge.read_bytes()).values())))


def test_no_line_that_is_printed_is_a_command_to_a_ci_system(judged, chatconform):
    printed = judged[0].stdout + judged[0].stderr + chatconform(judged[1], "judge", "mine", "--json").stdout
    assert [] == re.findall(r"^\s*::[^\s:]+(?: .*)?::|##\[", printed, re.MULTILINE)


def test_json_is_the_file_that_is_written(judged, chatconform):
    done = chatconform(judged[1], "judge", "mine", "--json")
    assert [] == ACTS.findall(done.stdout)


def test_a_difference_shows_names_as_they_are(judged, chatconform, tmp_path):
    write(tmp_path / "mine", answer())
    (tmp_path / "old.json").write_text(chatconform(tmp_path, "judge", "mine", "--json").stdout)
    new = str(judged[1] / "out" / "results.json")
    for options in ([], ["--json"]):
        done = chatconform(tmp_path, "diff", *options, "old.json", new)
        assert [] == ACTS.findall(done.stdout + done.stderr)
    assert [] == [row for row in chatconform(tmp_path, "diff", "old.json", new).stdout.splitlines() if row[:2] == "::"]


NAMING = (
    ("judge", "mine", "--scenario", "nothing"),
    ("judge", "mine/\x1b[31m::error::.json"),
    ("judge", "mine", "--contract", "\x1b[31m"),
    ("judge", "mine", "--baseline", "\x1b]0;x\x07\u202e\n::error::x"),
    ("judge", "mine", "--fail-on", "\x1b[31m"),
    ("explain", "\x1b]0;x\x07"),
    ("explain", "::error::x ::"),
    ("serve", "--fault", "##[error]x"),
)


def test_an_error_shows_what_it_names(judged, commands):
    done = commands([(judged[1], arguments, {}) for arguments in NAMING])
    assert [(2, [], [])] * len(NAMING) == [
        (each.returncode, ACTS.findall(each.stdout + each.stderr), COMMANDS.findall(each.stderr)) for each in done
    ]


def test_an_error_of_ours_is_two_lines_whatever_it_names():
    error = InputError(Place(HOSTILE), LONG, HOSTILE)
    said = visible.message(str(error.place), error.problem, error.remedy)
    assert (2, [], True) == (len(said.split("\n")), ACTS.findall(said), len(said) < 4_000)


@pytest.fixture(scope="module")
def tested(run_pytest, tmp_path_factory):
    """Return what pytest printed of hostile recordings, and the JUnit XML that it wrote."""
    folder = tmp_path_factory.mktemp("plugin")
    providers(folder / "providers.yaml", "acme")
    recorded(folder / "recordings" / "acme")
    done = run_pytest(folder, "providers.yaml", "-rA", "--junitxml=junit.xml")
    return done, (folder / "junit.xml").read_bytes().decode()


def test_pytest_shows_no_character_without_a_shape(tested):
    assert (1, []) == (tested[0].returncode, ACTS.findall(tested[0].stdout + tested[0].stderr))


def test_junit_is_xml_without_an_element_that_is_not_pytests(tested):
    tags = {element.tag for element in ET.fromstring(tested[1]).iter()}
    assert {"testsuites", "testsuite", "testcase", "properties", "property", "failure", "skipped"} >= tags
    assert [] == ACTS.findall(tested[1])


@pytest.mark.parametrize("on_terminal", [False, True])
def test_the_progress_of_a_run_shows_what_it_names(on_terminal):
    console = Console(file=StringIO(), force_terminal=on_terminal, width=120, color_system=None)
    plan = planning.plan(Provider("acme", "http://127.0.0.1:9/v1", "m"), scenarios=("basic",))
    response = Response(200, (("Content-Type", HOSTILE),), HOSTILE.encode("utf-8", "replace"))
    said = Exchange(HOSTILE, "acme", Request("POST", ""), response, note=HOSTILE)
    with Progress(console) as progress:
        progress.planned(plan, 0)
        progress.waiting("acme", 1, HOSTILE)
        progress.finished("acme", said)
        progress.done("acme")
    shown = console.file.getvalue()
    ours = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", shown)
    assert [] == ACTS.findall(ours)


@pytest.mark.parametrize("location", [HOSTILE, "http://\x1b]0;x\x07\u202e@[::1", "//\x9b31m:99999/"])
def test_a_doctor_says_nothing_that_a_provider_wrote_but_a_host(location):
    received = doctor.Received(Response(302, (("Location", location),)), "complete", None)
    said = [visible.line(text, 400) for _, text in doctor._told(Provider("acme", "", "m"), received)]
    assert [] == ACTS.findall("".join(said))
