"""Live, end to end, as a user runs it: `chatconform` as a child process against an endpoint on the loopback."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from chatconform import reports
from chatconform.cli.progress import Progress
from chatconform.model import Exchange, Origin, Provider, Request
from chatconform.recordings import store
from chatconform.reference.endpoint import Endpoint
from chatconform.report import html
from chatconform.report.headline import headline
from chatconform.scenarios import plan as planning

KEY = "sk-fake-0123456789abcdef"
SOME = ("--scenario", "short", "--scenario", "stream", "--scenario", "error.no_key")


@pytest.fixture(scope="module")
def good():
    with Endpoint(key=KEY).running() as base_url:
        yield base_url


def asked(base_url: str, *options: str) -> tuple[str, ...]:
    return ("run", "--base-url", base_url, "--model", "reference-1", "--key-env", "KEY", *options)


def results(folder: Path) -> dict:
    return json.loads((folder / "reports" / "results.json").read_text())


def recorded(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in folder.glob("**/recordings/*/*/*.json")}


@pytest.fixture(scope="module")
def whole(good, chatconform, tmp_path_factory):
    """A whole run against an endpoint that does everything well: the folder, and what was printed."""
    folder = tmp_path_factory.mktemp("whole")
    return folder, chatconform(folder, *asked(good), KEY=KEY)


def test_an_endpoint_that_does_everything_well_conforms(whole):
    folder, done = whole
    failing = {(each["check"], each["exchange"]) for each in results(folder)["verdicts"] if each["outcome"] == "fail"}
    assert (0, set()) == (done.returncode, failing)


def test_the_first_line_says_what_is_asked(whole, good):
    assert f"adhoc: live, {good}" == whole[1].stdout.splitlines()[0]


def test_a_whole_run_takes_at_most_90_requests(whole):
    assert 60 < len(recorded(whole[0])) <= 90


def test_without_boundaries_a_whole_run_takes_at_most_45(good, chatconform, tmp_path):
    chatconform(tmp_path, *asked(good, "--no-boundaries"), KEY=KEY)
    assert 35 < len(recorded(tmp_path)) <= 45


def test_progress_is_not_shown_where_nobody_watches(whole):
    assert "" == whole[1].stderr


def test_progress_counts_what_was_sent_and_not_what_a_ceiling_kept_back():
    console = Console(file=StringIO(), width=120, force_terminal=True)
    sent = Exchange("basic", "acme", Request("POST", ""), None)
    with Progress(console) as progress:
        progress.planned(planning.plan(Provider("acme", "http://127.0.0.1:9/v1", "m"), scenarios=("basic", "short")), 0)
        progress.finished("acme", sent)
        progress.finished("acme", replace(sent, id="short", end="limit:requests"))
    assert (True, False) == ("1/2" in console.file.getvalue(), "2/2" in console.file.getvalue())


def test_the_recording_judged_again_gives_the_same_results(whole, chatconform, tmp_path):
    folder, _ = whole
    chatconform(folder, "judge", "reports/recordings/adhoc", "--out", str(tmp_path))
    live, again = results(folder), json.loads((tmp_path / "results.json").read_text())
    for each in (*live["providers"], *again["providers"]):
        each["endpoint"] |= {"base_url": "", "model": ""}  # which the command line of the run alone names
    assert {**live, "run": None} == {**again, "run": None}


def test_json_is_all_that_is_printed_when_it_is_asked_for(good, chatconform, tmp_path):
    done = chatconform(tmp_path, *asked(good, "--json", *SOME), KEY=KEY)
    assert "chatconform.results/1" == json.loads(done.stdout)["format"]


def test_a_deviation_is_found_shown_and_ends_with_1(chatconform, tmp_path):
    with Endpoint(faults=["choices.index.missing"], key=KEY).running() as base_url:
        done = chatconform(tmp_path, *asked(base_url, *SOME), KEY=KEY)
    assert 1 == done.returncode
    assert "choices.index.present" in done.stdout


def test_a_pattern_of_scenarios_limits_what_is_asked(good, chatconform, tmp_path):
    chatconform(tmp_path, *asked(good, *SOME), KEY=KEY)
    assert {"basic", "short", "stream", "error.no_key"} == set(recorded(tmp_path))


def test_samples_repeat_what_a_model_may_or_may_not_do(good, chatconform, tmp_path):
    chatconform(tmp_path, *asked(good, "--scenario", "tools.required", "--samples", "3"), KEY=KEY)
    assert {"tools.required", "tools.required.2", "tools.required.3"} <= set(recorded(tmp_path))


def test_ceilings_bound_what_is_sent_and_the_report_says_what_was_left_out(good, chatconform, tmp_path):
    done = chatconform(tmp_path, *asked(good, "--max-requests", "5", "--no-boundaries"), KEY=KEY)
    assert (0, 5) == (done.returncode, len(recorded(tmp_path)))
    assert ": the ceiling of 5 requests is reached" in (tmp_path / "reports/index.md").read_text()


# No key, a wrong one, nobody there: unproven, exit 3, and a report


PROVIDERS = """
providers:
  mine: {{base_url: "{base_url}", model: reference-1, key_env: KEY, default: true, limits: {{per_minute: 60000}}}}
"""


def test_live_without_a_key_is_inconclusive_and_reported(good, chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=good))
    done = chatconform(tmp_path, "run", "--live")
    assert 3 == done.returncode
    assert "KEY is not set" in done.stdout.splitlines()[0]
    assert "inconclusive" == results(tmp_path)["providers"][0]["conclusion"]


def test_a_provider_whose_key_is_set_is_asked_and_one_without_is_judged_on_its_recording(good, chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=good))
    live = chatconform(tmp_path, "run", *SOME, KEY=KEY).stdout.splitlines()[0]
    other = chatconform(tmp_path, "run").stdout.splitlines()[0]
    assert (f"mine: live, {good}", "mine: recorded (KEY is not set)") == (live, other)


def test_a_wrong_key_is_inconclusive(good, chatconform, tmp_path):
    done = chatconform(tmp_path, *asked(good, *SOME), KEY="sk-fake-another-key-0000")
    assert 3 == done.returncode


def test_an_endpoint_that_nobody_listens_at_is_inconclusive_and_reported(chatconform, tmp_path):
    done = chatconform(tmp_path, *asked("http://127.0.0.1:1/v1", *SOME), KEY=KEY)
    assert (3, "inconclusive") == (done.returncode, results(tmp_path)["providers"][0]["conclusion"])


def test_limits_that_never_end_are_inconclusive(chatconform, tmp_path):
    with Endpoint(faults=["limits.forever"], key=KEY).running() as base_url:
        done = chatconform(tmp_path, *asked(base_url, *SOME), KEY=KEY)
    assert (3, "inconclusive") == (done.returncode, results(tmp_path)["providers"][0]["conclusion"])


REFUSED = [
    ("a key that is too short", asked("http://127.0.0.1:1/v1"), "tiny-key", "fewer than 16 characters"),
    ("a model without a URL", ("run", "--model", "m"), KEY, "--model without --base-url"),
    ("a URL without a model", ("run", "--base-url", "http://127.0.0.1:1/v1"), KEY, "--base-url without --model"),
    ("a name beside a URL", ("run", "x", "--base-url", "http://127.0.0.1:1/v1", "--model", "m"), KEY, "beside"),
    ("a pattern of no scenario", asked("http://127.0.0.1:1/v1", "--scenario", "strem"), KEY, "strem"),
    ("a pattern of no check", asked("http://127.0.0.1:1/v1", "--check", "sse.don"), KEY, "names no check"),
    ("nothing to resume", asked("http://127.0.0.1:1/v1", "--resume"), KEY, "there is no recording to resume"),
]  # fmt: skip


@pytest.mark.parametrize("command, key, said", [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(command, key, said, chatconform, tmp_path):
    done = chatconform(tmp_path, *command, KEY=key)
    assert 2 == done.returncode
    assert said in done.stderr
    assert key not in done.stdout + done.stderr


# Cut off, and gone on with


def interrupted(folder: Path, base_url: str, environment, how: signal.Signals) -> subprocess.CompletedProcess:
    """Run on a terminal until that shows that five exchanges are recorded, then end it."""
    command = [sys.executable, "-m", "chatconform", *asked(base_url)]
    terminal, theirs = pty.openpty()
    home = {**environment, "KEY": KEY, "TERM": "xterm"}
    with subprocess.Popen(command, cwd=folder, env=home, stderr=theirs, stdout=subprocess.PIPE, text=True) as child:
        os.close(theirs)
        shown = b""
        while not re.search(rb"([5-9]|[0-9]{2})/90", shown):
            shown += os.read(terminal, 4096)
        os.kill(child.pid, how)
        said, _ = child.communicate()
    with suppress(OSError):  # the end of what a terminal shows is an error (EIO)
        while more := os.read(terminal, 4096):
            shown += more
    os.close(terminal)
    return subprocess.CompletedProcess(command, child.returncode, said, shown.decode())


@pytest.fixture
def slow():
    with Endpoint(key=KEY, latency_s=0.05).running() as base_url:
        yield base_url


def test_an_interrupted_run_keeps_what_it_has_writes_its_report_and_ends_with_130(slow, environment, tmp_path):
    done = interrupted(tmp_path, slow, environment, signal.SIGINT)
    assert 130 == done.returncode
    assert 5 <= len(recorded(tmp_path)) == len(results(tmp_path)["exchanges"]) < 90
    (provider,) = results(tmp_path)["providers"]
    assert ("inconclusive", True) == (provider["conclusion"], "interrupted" in provider["source"])
    assert provider["sentence"].endswith("the run was interrupted, and what it did not ask for is not known")
    again = reports.read(tmp_path / "reports" / "results.json")
    assert "adhoc is inconclusive: the run was interrupted" in headline(again)
    assert " so far</span>" in html.index(again)
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_run_that_was_cut_off_is_gone_on_with_where_it_stopped(how, slow, environment, chatconform, tmp_path):
    interrupted(tmp_path, slow, environment, how)
    before = recorded(tmp_path)
    done = chatconform(tmp_path, *asked(slow, "--resume"), KEY=KEY)
    after = recorded(tmp_path)
    assert (0, before) == (done.returncode, {name: after[name] for name in before})
    assert 60 < len(after) <= 90


def resumable(folder: Path, name: str, base_url: str, model: str = "reference-1") -> None:
    """Leave a recording of one exchange that was not answered."""
    request = Request("POST", f"{base_url}/chat/completions", body={"model": model})
    one = Exchange("basic", "adhoc", request, None, origin=Origin.LIVE, model=model, end="reset")
    store.save(one, folder / "reports" / "recordings" / "adhoc" / name)


def test_what_is_gone_on_with_is_the_latest_recording_of_the_same_endpoint_and_model(good, chatconform, tmp_path):
    resumable(tmp_path, "1", good)
    resumable(tmp_path, "2", "http://127.0.0.1:9/v1")
    resumable(tmp_path, "3", good, "another")
    done = chatconform(tmp_path, *asked(good, "--resume", "--scenario", "basic"), KEY=KEY)
    ends = [store.load(folder) for folder in sorted(tmp_path.glob("reports/recordings/adhoc/*"))]
    assert (0, ["complete", "reset", "reset"]) == (done.returncode, [next(each).end for each in ends])


def test_a_recording_of_another_endpoint_is_not_gone_on_with(good, chatconform, tmp_path):
    resumable(tmp_path, "1", "http://127.0.0.1:9/v1")
    done = chatconform(tmp_path, *asked(good, "--resume", "--scenario", "basic"), KEY=KEY)
    assert (2, 2) == (done.returncode, len(done.stderr.splitlines()))
    assert f"no recording to resume of {good} and the model reference-1" in done.stderr


@pytest.mark.parametrize("other", ["--live", "--resume", "--base-url http://127.0.0.1:1/v1 --model m"])
def test_recordings_are_not_judged_and_asked_for_at_once(other, good, chatconform, tmp_path):
    done = chatconform(tmp_path, "run", "--recorded", *other.split())
    expected = f"command line: {other.split()[0]} beside --recorded\n  Leave one of them out.\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


# record, plan, doctor, serve


def test_record_keeps_exchanges_and_judges_nothing(good, chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=good))
    done = chatconform(tmp_path, "record", "mine", "--to", "recordings", "--scenario", "short", KEY=KEY)
    (folder,) = (tmp_path / "recordings" / "mine").iterdir()
    assert (0, f"mine: 2 of 2 exchanges answered, in {folder.relative_to(tmp_path)}\n") == (
        done.returncode,
        done.stdout,
    )
    assert 0 == chatconform(tmp_path, "judge", "recordings/mine", "--fail-on", "never").returncode


def test_record_without_a_key_says_so(good, chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=good))
    done = chatconform(tmp_path, "record", "--to", "recordings")
    assert 3 == done.returncode
    assert "KEY is not set" in done.stdout


def test_plan_says_what_would_be_sent_and_sends_nothing(chatconform, tmp_path):
    done = chatconform(tmp_path, "plan", "--base-url", "http://127.0.0.1:1/v1", "--model", "m", "--key-env", "KEY")
    assert 0 == done.returncode
    assert "KEY is not set: nothing would be sent" in done.stdout
    assert "at most 90 requests" in done.stdout


def test_plan_says_how_long_it_takes_in_minutes(chatconform, tmp_path):
    done = chatconform(tmp_path, "plan", "--base-url", "https://api.example.com/v1", "--model", "m", "--key-env", "KEY")
    assert "output tokens; 2 minutes or more at 30 a minute, at most 71 minutes\n" in done.stdout


def test_the_first_line_says_how_long_the_pace_makes_a_run_last(good, environment, tmp_path):
    command = [sys.executable, "-m", "chatconform", *asked(good, "--per-minute", "1", *SOME)]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**environment, "KEY": KEY},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as child:
        said = child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.communicate()
    assert f"adhoc: live, {good}, 3 minutes or more at 1 a minute\n" == said


def test_plan_as_json_has_every_request_to_the_byte(chatconform, tmp_path):
    done = chatconform(tmp_path, "plan", "tooken", "--json", "--no-boundaries")
    (plan,) = json.loads(done.stdout)
    basic = next(each for each in plan["requests"] if each["id"] == "basic")
    assert ("auto", 45) == (json.loads(basic["body"])["model"], plan["ceilings"]["requests"])


def test_the_plan_is_what_a_run_sends(whole, good, chatconform, tmp_path):
    command = ("plan", "--base-url", good, "--model", "reference-1", "--key-env", "KEY", "--json")
    (plan,) = json.loads(chatconform(tmp_path, *command).stdout)
    planned = {each["id"] for each in plan["requests"] if each["only_if_refused"] is None}
    assert planned == set(recorded(whole[0]))


def test_doctor_finds_a_provider_ready(good, chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=good))
    done = chatconform(tmp_path, "doctor", KEY=KEY)
    assert (0, "no problems") == (done.returncode, done.stdout.splitlines()[-1])
    assert "reached; its list of 2 models has reference-1" in done.stdout


ILL = [
    ("no key", {}, {}, "KEY: it is not set"),
    ("a key in quotation marks", {}, {"KEY": f'"{KEY}"'}, "a quotation mark"),
    ("a key after its scheme", {}, {"KEY": f"Bearer {KEY}"}, "begins with Bearer"),
    ("a wrong key", {}, {"KEY": "sk-fake-another-key-0000"}, "status 401: the key is refused"),
    ("nobody there", {"base_url": "http://127.0.0.1:1/v1"}, {"KEY": KEY}, "unreachable (refused)"),
    ("TLS where there is none", {"scheme": "https"}, {"KEY": KEY}, "unreachable (tls)"),
    ("no such certificates", {}, {"KEY": KEY, "SSL_CERT_FILE": "/nowhere.pem"}, "SSL_CERT_FILE names /nowhere.pem"),
    ("a proxy with a password", {}, {"KEY": KEY, "HTTP_PROXY": "http://me:secret@127.0.0.1:1"}, "127.0.0.1:1"),
]


@pytest.mark.parametrize("changed, variables, said", [row[1:] for row in ILL], ids=[row[0] for row in ILL])
def test_doctor_says_what_is_wrong_and_what_to_do(changed, variables, said, good, chatconform, tmp_path):
    base_url = changed.get("base_url", good.replace("http", changed.get("scheme", "http"), 1))
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=base_url))
    done = chatconform(tmp_path, "doctor", **variables)
    assert 3 == done.returncode
    assert said in done.stdout
    assert not any(secret in done.stdout + done.stderr for secret in (KEY, "secret"))


def test_doctor_looks_at_an_endpoint_that_is_in_no_file(good, chatconform, tmp_path):
    done = chatconform(tmp_path, "doctor", "--base-url", good, "--model", "reference-1", "--key-env", "KEY", KEY=KEY)
    assert (0, "no problems") == (done.returncode, done.stdout.splitlines()[-1])
    done = chatconform(tmp_path, "doctor", "--base-url", "http://127.0.0.1:1/v1", "--model", "m")
    assert (3, True) == (done.returncode, "nothing listens there; look at the host and the port" in done.stdout)


def test_doctor_explains_the_doubled_path_of_a_document(chatconform, tmp_path):
    assert "/v1/v1/chat/completions" in chatconform(tmp_path, "doctor", "tkhub").stdout


def test_serve_prints_where_it_is_and_answers_until_it_is_stopped(environment, chatconform, tmp_path):
    command = [sys.executable, "-m", "chatconform", "serve", "--as", "tooken"]
    with subprocess.Popen(command, env={**environment}, stdout=subprocess.PIPE, text=True) as server:
        base_url = server.stdout.readline().strip()
        done = chatconform(
                tmp_path, "run", "--base-url", base_url, "--model", "auto", "--key-env", "KEY",
                "--contract", "tooken", KEY=KEY,
            )  # fmt: skip
        server.send_signal(signal.SIGINT)
        server.communicate()
    assert (0, 130) == (done.returncode, server.returncode)


@pytest.mark.parametrize(
    "options, said",
    [
        (("--fault", "sse.done.gone"), "sse.done.gone"),
        (("--as", "nobody"), "nobody"),
        (("--key-env", "NONE"), "NONE"),
        (("--replay", "nowhere"), "nowhere"),
        (("--host", "203.0.113.1"), "nothing can listen at 203.0.113.1, port 0: "),
    ],
)
def test_serve_refuses_what_it_cannot_be(options, said, chatconform, tmp_path):
    done = chatconform(tmp_path, "serve", *options)
    assert (2, 2) == (done.returncode, len(done.stderr.splitlines()))
    assert said in done.stderr


def test_serve_says_that_a_port_is_taken(good, chatconform, tmp_path):
    port = good.rpartition(":")[2].removesuffix("/v1")
    done = chatconform(tmp_path, "serve", "--port", port)
    expected = f"command line: port {port} is taken\n  Choose another, or leave --port out.\n"
    assert (2, expected) == (done.returncode, done.stderr)


def test_list_has_every_scenario_and_every_fault(chatconform, tmp_path):
    scenarios = {row["scenario"] for row in json.loads(chatconform(tmp_path, "list", "scenarios", "--json").stdout)}
    faults = {row["fault"] for row in json.loads(chatconform(tmp_path, "list", "faults", "--json").stdout)}
    assert {"basic", "stream.usage", "error.no_key"} <= scenarios
    assert {"sse.done.missing", "socket.held", "auth.wrong.accepted"} <= faults
