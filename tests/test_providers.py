"""providers.yaml: what is read from it, and what is said of a mistake in it."""

import json
import os
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from chatconform import resources
from chatconform.model import InputError, Place, Provider, Waiver
from chatconform.providers import DEFAULT_LIMITS, UNHURRIED, adhoc, find, load, select

SHIPPED = Path(__file__).parents[1] / "providers.yaml"
CONTRACTS = ("costrouter", "tkhub", "tooken")
CHECKS = ("sse.done.last", "sse.done.present", "usage.total_tokens.type")
GOOD = "providers:\n  acme:\n    base_url: https://api.acme.example/v1\n    model: small\n"


def loaded(tmp_path, text):
    path = tmp_path / "providers.yaml"
    path.write_text(text, encoding="utf-8")
    return load(path, CHECKS, CONTRACTS)


def refusal(tmp_path, text):
    with pytest.raises(InputError) as caught:
        loaded(tmp_path, text)
    return caught.value


def test_a_provider_has_the_defaults_where_the_file_is_silent(tmp_path):
    expected = Provider("acme", "https://api.acme.example/v1", "small", limits=DEFAULT_LIMITS)
    assert (expected,) == loaded(tmp_path, GOOD)


FULL = """\
providers:
  acme:
    base_url: http://127.0.0.1:8000/v1/
    model: small
    key_env: ACME_API_KEY
    contract: tooken
    default: true
    cap: max_completion_tokens
    headers: {X-Project: blue, Authorization: "Bearer ${ACME_API_KEY}"}
    limits: {concurrency: 1, total_s: 2.5}
    waivers:
      - check: sse.done.last
        exchange: stream.usage
        reason: known
        link: https://issues.example/42
        until: 2027-03-31
"""


def test_a_provider_has_all_that_the_file_says(tmp_path):
    waiver = Waiver("sse.done.last", "known", "2027-03-31", "stream.usage", "https://issues.example/42")
    expected = Provider(
        id="acme",
        base_url="http://127.0.0.1:8000/v1",
        model="small",
        key_env="ACME_API_KEY",
        contract="tooken",
        default=True,
        cap="max_completion_tokens",
        headers={"X-Project": "blue", "Authorization": "Bearer ${ACME_API_KEY}"},
        limits={**DEFAULT_LIMITS, "per_minute": UNHURRIED, "concurrency": 1, "total_s": 2.5},
        waivers=(waiver,),
    )
    assert (expected,) == loaded(tmp_path, FULL)


def test_providers_and_waivers_know_their_place(tmp_path):
    provider = loaded(tmp_path, FULL)[0]
    file = str(tmp_path / "providers.yaml")
    assert (Place(file, 2, 3), Place(file, 12, 9)) == (provider.place, provider.waivers[0].place)


def test_providers_stay_in_the_order_of_the_file(tmp_path):
    text = "providers:\n" + "".join(
        f"  {name}: {{base_url: https://h.example/v1, model: m}}\n" for name in ("zeta", "1st", "mid-dle")
    )
    expected = ["zeta", "1st", "mid-dle"]
    assert expected == [provider.id for provider in loaded(tmp_path, text)]


ENTRIES = [
    ("bas_url: x", 'the key "bas_url" is unknown', "Did you mean base_url? Known: base_url, cap, contract, "),
    ("model: again", 'the key "model" stands twice', "Keep this or line 4."),
    ("default: yes", "default is a string, and true or false is wanted", "Whether `run` without names asks"),
    ("cap: max", "cap is none of max_tokens, max_completion_tokens", "The request parameter that keeps"),
    (
        "key_env: acme_key",
        "key_env is not the name of a variable",
        "Write the name of an environment variable",
    ),
    (
        "key_env: 4",
        "key_env is a whole number, and a string is wanted",
        "The name of the environment variable",
    ),
    (
        "contract: toocken",
        'there is no contract "toocken"',
        "Did you mean tooken? Known: costrouter, tkhub, tooken.",
    ),
    (
        "contract: openai",
        "the contract openai is judged always, and is no document of the provider's own",
        "Leave contract out.",
    ),
    ("limits: {concurency: 1}", 'the key "concurency" is unknown', "Did you mean concurrency? Known: "),
    ("limits: {requests: 0}", "requests is less than 1", "How many requests a run sends at most"),
    ("limits: {requests: 2.0}", "requests is a number, and a whole number is wanted", "How many requests"),
    ("limits: {total_s: 0}", "total_s is not more than 0", "How many seconds one exchange may take"),
    ("limits: {idle_s: -1}", "idle_s is not more than 0", "How many seconds may pass without a byte"),
    (
        "limits: {body_mib: true}",
        "body_mib is true or false, and a whole number is wanted",
        "How large a body",
    ),
    (
        "headers: {X-Count: 3}",
        "X-Count is a whole number, and a string is wanted",
        "The value of a header, in quotes",
    ),
    (
        "headers: {X Y: a}",
        "this name does not have the form that is wanted",
        "Write a field name as RFC 9110",
    ),
    (
        "headers: {X-Y: caf\u00e9}",
        "the value holds a character that a header cannot carry",
        "Write one line of ASCII",
    ),
    (
        'headers: {X-Y: "a\\nb"}',
        "the value holds a character that a header cannot carry",
        "Write one line of ASCII",
    ),
    (
        'headers: {X-Y: "${A B}"}',
        "the value holds a ${ that does not read a variable",
        "Write ${NAME}: letters",
    ),
    ("waivers: {}", "waivers is a mapping, and a list is wanted", "Known deviations, each with a reason"),
    (
        "waivers: [a]",
        "the value is a string, and a mapping is wanted",
        "A known deviation: a mapping with check",
    ),
    (
        "waivers: [{check: sse.done.last, reason: r}]",
        "the key until is missing",
        "The last day (UTC) on which",
    ),
    (
        "waivers: [{check: sse.done.latest, reason: r, until: 2027-01-01}]",
        'there is no check "sse.done.latest"',
        "Did you mean sse.done.last? `chatconform list checks` prints all ids.",
    ),
    (
        "waivers: [{check: sse.done.last, reason: '', until: 2027-01-01}]",
        "reason is empty",
        "Why the deviation is",
    ),
    (
        "waivers: [{check: sse.done.last, reason: r, until: 2027-02-29}]",
        "this is not a day",
        "Write year, month",
    ),
    (
        "waivers: [{check: sse.done.last, reason: r, until: 20270101}]",
        "until is a whole number, and a string",
        "The",
    ),
    ("waivers: [{check: sse.done.last, reason: r, until: March}]", "this is not a day", "Write year, month"),
    (
        "waivers: [{check: sse.done.last, reason: r, until: 2027-01-01, link: issue 4}]",
        "link does not have the form that is wanted",
        "Where the deviation is being dealt with",
    ),
    (
        "waivers: [{check: sse.done.last, reason: r, until: 2027-01-01, when: x}]",
        'the key "when" is unknown',
        "Known: check, exchange, link, reason, until.",
    ),
]


@pytest.mark.parametrize("entry, problem, remedy", ENTRIES)
def test_a_mistake_in_an_entry_is_named_with_what_to_write(tmp_path, entry, problem, remedy):
    error = refusal(tmp_path, f"{GOOD}    {entry}\n")
    expected = (5, problem, remedy)
    assert expected == (error.place.line, error.problem[: len(problem)], error.remedy[: len(remedy)])


URLS = [
    ("api.acme.example/v1", "base_url does not begin with http:// or https://"),
    ("ftp://acme.example/v1", "base_url does not begin with http:// or https://"),
    ("https:/acme.example/v1", "base_url does not begin with http:// or https://"),
    ("https://", "base_url has no valid host or port"),
    ("https:///v1", "base_url has no valid host or port"),
    ("https://acme.example:99999/v1", "base_url has no valid host or port"),
    ("https://acme.example:port/v1", "base_url has no valid host or port"),
    ("https://[::1/v1", "base_url has no valid host or port"),
    ("https://acme.example/v 1", "base_url holds a space, a backslash or a control character"),
    ("https://acme.example/v1?key=1", "base_url has a query or a fragment"),
    ("https://acme.example/v1#top", "base_url has a query or a fragment"),
    ("https://user:secret@acme.example/v1", "base_url holds a user or a password"),
    ("https://acme.example/v1/chat/completions", "base_url ends in /chat/completions"),
    ("https://acme.example/v1/chat/completions/", "base_url ends in /chat/completions"),
    (
        "https://acme.example/v1/v1",
        "base_url ends in /v1/v1, as if /v1 had been appended to a base that has it already",
    ),
]


@pytest.mark.parametrize("url, problem", URLS)
def test_a_base_url_that_cannot_be_used_has_a_sentence_of_its_own(tmp_path, url, problem):
    error = refusal(tmp_path, f"providers:\n  acme:\n    model: m\n    base_url: '{url}'\n")
    assert (4, 15, problem) == (error.place.line, error.place.column, error.problem)


@pytest.mark.parametrize("url", ["http://localhost:8000", "https://[::1]:8000/v1", "HTTPS://acme.example/openai/v1/"])
def test_a_base_url_is_kept_without_its_last_slash(tmp_path, url):
    provider = loaded(tmp_path, f"providers: {{acme: {{model: m, base_url: '{url}'}}}}\n")[0]
    assert url.rstrip("/") == provider.base_url


FILES = [
    ("", 1, "the file is empty"),
    ("[]", 1, "the value is a list, and a mapping is wanted"),
    ("{}", 1, "the key providers is missing"),
    ("provider: {}\n", 1, 'the key "provider" is unknown'),
    ("providers:\n", 1, "providers is nothing, and a mapping is wanted"),
    ("providers: {}\n", 1, "providers is empty"),
    ("providers:\n  Acme: {base_url: https://h.example, model: m}\n", 2, "this name does not have the form"),
    ("providers:\n  acme: {model: m}\n", 2, "the key base_url is missing"),
    ("providers:\n  acme: {base_url: https://h.example}\n", 2, "the key model is missing"),
    (
        "providers:\n  acme: {base_url: https://h.example, model: 4}\n",
        2,
        "model is a whole number, and a string",
    ),
    ("providers:\n  acme: null\n", 2, "acme is nothing, and a mapping is wanted"),
    ("providers:\n  a: {}\n  a: {}\n", 3, 'the key "a" stands twice'),
    (f"{GOOD}extra: 1\n", 5, 'the key "extra" is unknown'),
]


@pytest.mark.parametrize("text, line, problem", FILES)
def test_a_mistake_in_the_shape_of_the_file_is_named_with_its_line(tmp_path, text, line, problem):
    error = refusal(tmp_path, text)
    assert (line, True) == (error.place.line, error.problem.startswith(problem)), str(error)


def test_of_several_mistakes_the_first_by_line_is_reported(tmp_path):
    text = "providers:\n  acme:\n    model: m\n    cap: x\n    base_url: nowhere\n    default: 3\n"
    expected = "cap is none of max_tokens, max_completion_tokens"
    assert expected == refusal(tmp_path, text).problem


SECRET = "sk-4f9a8b7c6d5e4f3a2b1c0d9e"
LEAKS = [
    f"key_env: {SECRET}",
    f"{SECRET}: ACME_API_KEY",
    f"cap: {SECRET}",
    f"contract: {SECRET}",
    f"default: {SECRET}",
    f"headers: {{Authorization: 'Bearer {SECRET}'}}",
    f"headers: {{X-Api-Key: '{SECRET}'}}",
    f"headers: {{X-Other: '{SECRET}'}}",
    f"limits: {{requests: {SECRET}}}",
    f"waivers: [{{check: {SECRET}, reason: r, until: 2027-01-01}}]",
    f"waivers: [{{check: sse.done.last, reason: r, until: {SECRET}}}]",
    f"key_env: [{SECRET}",
    f"key_env: '{SECRET}",
    f"key_env: {SECRET}: {SECRET}",
    f"key_env: &x {SECRET}",
    f"key_env: *{SECRET}",
]


@pytest.mark.parametrize("entry", LEAKS)
def test_a_key_in_the_file_is_in_no_message(tmp_path, entry):
    error = refusal(tmp_path, f"{GOOD}    {entry}\n")
    assert SECRET not in str(error)


@pytest.mark.parametrize("url", [f"https://{SECRET}@acme.example/v1", f"https://acme.example/v1?key={SECRET}", SECRET])
def test_a_key_in_the_base_url_is_in_no_message(tmp_path, url):
    error = refusal(tmp_path, f"providers: {{acme: {{model: m, base_url: '{url}'}}}}\n")
    assert SECRET not in str(error)


LITERALS = [
    ("X-Other: a1b2c3d4e5f6a7b8c9d0", True),
    ("X-Other: Bearer abc", True),
    ("X-Other: Basic abc", True),
    ("X-Api-Key: short", True),
    ("api-key: short", True),
    ("Authorization: short", True),
    ("Cookie: a=b", True),
    ('Authorization: "Bearer ${ACME_API_KEY}"', False),
    ('X-Api-Key: "${ACME_API_KEY}"', False),
    ("OpenAI-Beta: assistants=v2", False),
    ("X-Features: prompt-caching-2024-07-31", False),
    ("Accept-Language: sk-SK", False),
]


@pytest.mark.parametrize("header, is_refused", LITERALS)
def test_a_header_that_carries_a_literal_key_is_refused(tmp_path, header, is_refused):
    text = f"{GOOD}    headers: {{{header}}}\n"
    found = refusal(tmp_path, text).problem if is_refused else loaded(tmp_path, text)[0].id
    assert ("the value of this header looks like a key" if is_refused else "acme") == found


def test_a_key_where_a_name_belongs_is_called_one(tmp_path):
    error = refusal(tmp_path, f"{GOOD}    key_env: {SECRET}\n")
    expected = "key_env looks like a key, and the name of a variable belongs here"
    assert expected == error.problem


def test_without_known_checks_a_waiver_names_anything_that_has_the_form_of_an_id(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text(f"{GOOD}    waivers: [{{check: any.thing.goes, reason: r, until: 2027-01-01}}]\n")
    expected = "any.thing.goes"
    assert expected == load(path)[0].waivers[0].check


def test_without_known_checks_a_waiver_that_names_no_id_is_refused(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text(f"{GOOD}    waivers: [{{check: SSE done, reason: r, until: 2027-01-01}}]\n")
    with pytest.raises(InputError) as caught:
        load(path)
    expected = "this is not the id of a check"
    assert expected == caught.value.problem


def test_without_given_contracts_the_folders_of_schemas_are_known(tmp_path):
    path = tmp_path / "providers.yaml"
    path.write_text(f"{GOOD}    contract: chatconform\n")
    with pytest.raises(InputError) as caught:
        load(path)
    expected = "Known: costrouter, tkhub, toapis, tooken, xmsmartlink."
    assert caught.value.remedy.endswith(expected)


def test_the_named_file_is_found_before_all_others(tmp_path):
    (tmp_path / "providers.yaml").write_text(GOOD)
    (tmp_path / "mine.yaml").write_text(GOOD)
    assert tmp_path / "mine.yaml" == find(Path("mine.yaml"), tmp_path)


def test_the_file_of_the_working_folder_is_found_before_the_packaged_one(tmp_path):
    (tmp_path / "providers.yaml").write_text(GOOD)
    assert tmp_path / "providers.yaml" == find(None, tmp_path)


def test_the_packaged_file_is_found_where_there_is_no_other(tmp_path):
    assert resources.path("providers.yaml") == find(None, tmp_path)


def test_a_named_file_that_is_absent_is_an_input_error(tmp_path):
    with pytest.raises(InputError) as caught:
        find(Path("absent.yaml"), tmp_path)
    assert (Place("absent.yaml"), "there is no such file") == (caught.value.place, caught.value.problem)


HERE = Place("command line")


def provider(name, *, default=False):
    return Provider(name, "https://h.example/v1", "m", default=default)


def test_without_names_the_defaults_are_selected():
    one, two, three = provider("one", default=True), provider("two"), provider("three", default=True)
    assert (one, three) == select((one, two, three), [], HERE)


def test_named_providers_are_selected_once_and_in_the_order_of_the_names():
    one, two, three = provider("one", default=True), provider("two"), provider("three")
    assert (three, two) == select((one, two, three), ["three", "two", "three"], HERE)


def test_an_unknown_name_is_an_input_error_that_lists_the_known_ones():
    with pytest.raises(InputError) as caught:
        select((provider("tooken"), provider("tkhub")), ["token"], HERE)
    expected = 'command line: no provider has the id "token"\n  Did you mean tooken? Known: tkhub, tooken.'
    assert expected == str(caught.value)


def test_neither_a_name_nor_a_default_is_an_input_error():
    with pytest.raises(InputError) as caught:
        select((provider("one"), provider("two")), [], HERE)
    expected = "Name one of one, two, or mark it default: true."
    assert expected == caught.value.remedy


def test_an_endpoint_that_is_in_no_file_is_named_adhoc():
    expected = Provider("adhoc", "https://h.example/v1", "m", "KEY", "tooken", limits=DEFAULT_LIMITS)
    assert expected == adhoc("https://h.example/v1/", "m", "KEY", "tooken", HERE)


@pytest.mark.parametrize(
    "host, limits, per_minute",
    [("127.0.0.1:8000", "", UNHURRIED), ("localhost", "", UNHURRIED), ("[::1]:80", "{per_minute: 12}", 12),
     ("127.0.0.1", "{concurrency: 1}", UNHURRIED), ("127.0.0.1.example", "", 30)],
)  # fmt: skip
def test_an_endpoint_of_this_machine_is_not_paced_unless_the_file_says_so(host, limits, per_minute, tmp_path):
    text = GOOD.replace("https://api.acme.example", f"http://{host}") + (f"    limits: {limits}\n" if limits else "")
    (found,) = loaded(tmp_path, text)
    assert per_minute == found.limits["per_minute"]


ADHOC = [
    (("h.example", "m", None, None), "base_url does not begin with http:// or https://"),
    (("https://h.example", "", None, None), "the model is empty"),
    (("https://h.example", "m", "key", None), "key_env is not the name of a variable"),
    (("https://h.example", "m", None, "acme"), 'there is no contract "acme"'),
]


@pytest.mark.parametrize("values, problem", ADHOC)
def test_an_adhoc_endpoint_is_held_to_the_rules_of_the_file(values, problem):
    with pytest.raises(InputError) as caught:
        adhoc(*values, HERE)
    assert (HERE, problem) == (caught.value.place, caught.value.problem)


SCHEMA = json.loads(resources.read_text("schemas/chatconform/providers.schema.json"))


def test_the_published_schema_is_one_of_draft_2020_12():
    Draft202012Validator.check_schema(SCHEMA)
    expected = Draft202012Validator.META_SCHEMA["$id"]
    assert expected == SCHEMA["$schema"]


def test_the_default_limits_are_those_of_the_published_schema():
    limits = SCHEMA["$defs"]["limits"]["properties"]
    expected = dict(DEFAULT_LIMITS)
    assert expected == {name: limit["default"] for name, limit in limits.items()}


SHIPPED_PROVIDERS = [
    ("tooken", "https://api.tooken.ai/v1", "auto", "TOOKEN_API_KEY"),
    ("tkhub", "https://api.tkhub.ai/v1", "gpt-4", "TKHUB_API_KEY"),
    ("costrouter", "https://costrouter.ai/v1", "gpt-4o", "COSTROUTER_API_KEY"),
    ("toapis", "https://toapis.com/v1", "claude-sonnet-4-6", "TOAPIS_API_KEY"),
    ("xmsmartlink", "https://vip.xmsmartlink.com/v1", "gpt-4o-mini", "XMSMARTLINK_API_KEY"),
]


def test_the_shipped_file_has_the_five_gateways():
    expected = SHIPPED_PROVIDERS
    assert expected == [(each.id, each.base_url, each.model, each.key_env) for each in load(SHIPPED)]


def test_each_shipped_provider_is_a_default_and_has_its_own_contract():
    expected = [(name, True) for name, *_ in SHIPPED_PROVIDERS]
    assert expected == [(each.contract, each.default) for each in load(SHIPPED)]


def test_the_first_line_of_the_shipped_file_names_its_schema():
    first, schema = SHIPPED.read_text().splitlines()[0], "schemas/chatconform/providers.schema.json"
    assert (f"# yaml-language-server: $schema={schema}", True) == (first, (SHIPPED.parent / schema).is_file())


@pytest.mark.skipif("CHATCONFORM_MATERIAL" not in os.environ, reason="the documents are not at hand")
def test_each_model_of_the_shipped_file_stands_in_the_lines_that_are_cited():
    documents = Path(os.environ["CHATCONFORM_MATERIAL"]) / "seeds"
    cited = [line for line in SHIPPED.read_text().splitlines() if line.strip().startswith("model:")]
    absent = [line for line in cited if not is_cited(line, documents)]
    expected = ([], len(SHIPPED_PROVIDERS))
    assert expected == (absent, len(cited))


def is_cited(line, documents):
    setting, _, comment = line.partition("  # ")
    file, _, numbers = comment.split(": ")[0].partition(":")
    lines = (documents / file).read_text(encoding="utf-8").splitlines()
    model = setting.split(": ")[1]
    return all(model in lines[int(number) - 1] for number in numbers.split(","))
