"""The catalogue of deviations: its data, its loader, and the tables of the material that it was made from."""

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from chatconform import deviations, resources
from chatconform.checks import described
from chatconform.clients.measured import stored
from chatconform.deviations import Client, Damage, Deviation, Impact, catalogue, impact, load, parse
from chatconform.model import InputError, Place

SCHEMA = json.loads(resources.read_text("schemas/chatconform/catalogue.schema.json"))
GROUPS = {
    "transport": ("TRN", 14),
    "headers": ("HDR", 7),
    "envelope": ("ENV", 18),
    "choices": ("CHO", 9),
    "message": ("MSG", 7),
    "finish_reason": ("FIN", 11),
    "usage": ("USG", 15),
    "framing": ("SSF", 18),
    "stream": ("SSS", 9),
    "termination": ("TRM", 10),
    "tools": ("TOL", 27),
    "structured": ("STO", 5),
    "parameters": ("PRM", 12),
    "errors": ("ERR", 14),
    "auth": ("AUT", 3),
    "models": ("MDL", 7),
    "extensions": ("EXT", 4),
}
"""By group: the letters of its ids, and how many entries it has."""

ENTRY = """\
  - id: SSF-03
    group: framing
    says: A comment follows an id.
    breaks: A client raises.
    cites: [acme/client#7]
    damage: breaks
    raises: [client]
    wrong: []
    measured: true
"""
GOOD = f"clients:\n  client: {{name: A client, version: 1.0.0}}\nentries:\n{ENTRY}"


def refusal(text):
    with pytest.raises(InputError) as caught:
        parse(text.encode(), "catalogue.yaml")
    return caught.value.place, caught.value.problem


# --- the data


def test_the_entries_stand_group_by_group_in_the_order_of_their_numbers():
    expected = [(group, f"{letters}-{n:02}") for group, (letters, count) in GROUPS.items() for n in range(1, count + 1)]
    assert expected == [(entry.group, entry.id) for entry in load().values()]


def test_the_schema_knows_the_groups():
    assert list(GROUPS) == SCHEMA["$defs"]["entry"]["properties"]["group"]["enum"]


def test_the_schema_knows_the_damages():
    assert list(Damage) == SCHEMA["$defs"]["entry"]["properties"]["damage"]["enum"]


def test_the_schema_is_a_schema_of_draft_2020_12():
    assert None is Draft202012Validator.check_schema(SCHEMA)


def test_every_object_of_the_schema_is_closed():
    objects = [SCHEMA, SCHEMA["$defs"]["client"], SCHEMA["$defs"]["entry"]]
    assert [False] * 3 == [each["additionalProperties"] for each in objects]


def test_every_member_of_the_schema_is_described():
    members = [*SCHEMA["properties"].items(), *SCHEMA["$defs"].items()]
    members += [item for each in ("client", "entry") for item in SCHEMA["$defs"][each]["properties"].items()]
    assert [] == [name for name, member in members if not member.get("description")]


FORMS = {
    "an issue": r"[\w-]+/[\w.-]+#\d+",
    "a file of a repository": r"[\w-]+/[\w.-]+:[\w./-]+\.(py|ts|go|json)",
    "a package": r"@[\w-]+/[\w-]+@\d+\.\d+\.\d+",
    "lines of a document": r"\d{3}_[0-9a-f]{16}\.txt:[\d,-]+",
    "a reference or a standard": r"OpenAI API reference|WHATWG HTML 9\.2\.[56]",
    "a measurement": r"measured",
}


def test_every_citation_has_a_form_that_a_reader_can_follow():
    cited = {citation for entry in load().values() for citation in entry.cites}
    assert set() == {each for each in cited if not any(re.fullmatch(form, each) for form in FORMS.values())}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_of_citation_is_used(form):
    assert any(re.fullmatch(form, citation) for entry in load().values() for citation in entry.cites)


def test_a_deviation_that_cites_a_measurement_was_measured():
    assert [] == [entry.id for entry in load().values() if "measured" in entry.cites and not entry.measured]


def test_clients_are_named_in_the_order_of_the_head():
    order = list(catalogue().clients)
    expected = [
        sorted(clients, key=order.index) for entry in load().values() for clients in (entry.raises, entry.wrong)
    ]
    assert expected == [list(clients) for entry in load().values() for clients in (entry.raises, entry.wrong)]


def test_every_client_is_hurt_by_something():
    hurt = {client for entry in load().values() for client in (*entry.raises, *entry.wrong)}
    assert set(catalogue().clients) == hurt


def test_what_is_on_the_wire_is_said_once():
    assert [] == [says for says, count in Counter(entry.says for entry in load().values()).items() if count > 1]


def test_sentences_state_facts_and_no_wishes():
    sentences = [text for entry in load().values() for text in (entry.says, entry.breaks)]
    assert [] == [text for text in sentences if re.search(r"\b(should|must|ought)\b", text, re.IGNORECASE)]


# --- the loader


def test_a_catalogue_has_what_its_file_says():
    read = parse(GOOD.encode(), "catalogue.yaml")
    expected = Deviation(
        id="SSF-03",
        group="framing",
        says="A comment follows an id.",
        breaks="A client raises.",
        cites=("acme/client#7",),
        damage=Damage.BREAKS,
        raises=("client",),
        wrong=(),
        measured=True,
    )
    assert ({"client": Client("A client", "1.0.0")}, {"SSF-03": expected}) == (read.clients, read.deviations)


def test_the_packaged_catalogue_is_read_once():
    assert load() is load()


REFUSED = {
    "an id that stands twice": (GOOD + ENTRY, (13, 9), "the id SSF-03 stands twice"),
    "a client that the head lacks": (
        GOOD.replace("wrong: []", "wrong: [clinet]"),
        (11, 13),
        "no such client",
    ),
    "clients without a measurement": (
        GOOD.replace("measured: true", "measured: false"),
        (4, 9),
        "SSF-03 names clients, and says that it was not measured",
    ),
    "an unknown key": (GOOD + "    harm: great\n", (13, 5), 'the key "harm" is unknown'),
    "a missing key": (GOOD.replace("    damage: breaks\n", ""), (4, 5), "the key damage is missing"),
    "an unknown damage": (
        GOOD.replace("damage: breaks", "damage: B"),
        (9, 13),
        "damage is none of breaks, wrong, cosmetic",
    ),
    "a citation of no known form": (
        GOOD.replace("acme/client#7", "a blog"),
        (8, 13),
        "the value does not have the form that is wanted",
    ),
    "a sentence without its full stop": (
        GOOD.replace("raises.", "raises"),
        (7, 13),
        "breaks does not have the form that is wanted",
    ),
    "a sentence that is too long": (
        GOOD.replace("raises.", f"raises{140 * '!'}."),
        (7, 13),
        "breaks breaks the rule maxLength",
    ),
    "a list": ("- clients\n", (1, 1), "the value is a list, and a mapping is wanted"),
    "an empty file": ("", (1, 1), "the file is empty"),
    "a file that is not YAML": ("clients: [\n", (2, 1), None),
    "a key that stands twice": (GOOD + "    measured: true\n", (13, 5), 'the key "measured" stands twice'),
}


@pytest.mark.parametrize("text, place, problem", REFUSED.values(), ids=REFUSED)
def test_a_catalogue_that_cannot_be_used_is_refused_where_it_is_wrong(text, place, problem):
    at, said = refusal(text)
    assert (Place("catalogue.yaml", *place), problem or said) == (at, said)


def test_the_first_of_two_problems_is_reported():
    text = GOOD.replace("damage: breaks", "damage: B").replace("group: framing", "group: frames")
    assert Place("catalogue.yaml", 5, 12) == refusal(text)[0]


# --- whom a set of deviations hurts

IMPACTS = {
    "nothing": ((), Impact((), ())),
    "a section of a standard": (("RFC 8259", "OpenAI API reference", "SSF-99"), Impact((), ())),
    "what no measured client minds": (("SSF-11",), Impact((), ())),
    "some raise": (("MDL-04",), Impact(("openai-python",), ("openai-node",))),
    "some go wrong": (("USG-03",), Impact((), ("langchain-openai", "pydantic-ai"))),
    "several entries": (
        ("USG-03", "RFC 8259", "ENV-05", "SSS-01"),
        Impact(("pydantic-ai",), ("langchain-openai", "openai-python .stream()")),
    ),
    "a client that raises for one entry and goes wrong for another": (
        ("ENV-05", "TOL-14", "CHO-08"),
        Impact(
            ("openai-python .stream()", "pydantic-ai"),
            ("@langchain/openai", "AI SDK"),
        ),
    ),
}


@pytest.mark.parametrize("ids, expected", IMPACTS.values(), ids=IMPACTS)
def test_an_impact_merges_the_clients_of_its_entries(ids, expected):
    assert expected == impact(ids)


def test_an_impact_takes_any_iterable():
    assert impact(["SSS-01"]) == impact(iter(["SSS-01"]))


def test_a_client_that_raises_in_one_case_of_an_entry_is_not_listed_as_wrong_for_another():
    assert {"openai-python"} <= set(load()["TRN-02"].raises) & set(load()["TRN-02"].wrong)
    assert () == impact(["TRN-02"]).wrong


# --- who cites the catalogue

ID = re.compile(r"[A-Z]{3}-[0-9]+")


def cites_of(value):
    if isinstance(value, list):
        return [cited for each in value for cited in cites_of(each)]
    if not isinstance(value, dict):
        return []
    own = value["cites"] if isinstance(value.get("cites"), list) else []
    return [*own, *(cited for each in value.values() for cited in cites_of(each))]


def test_every_entry_that_a_check_cites_is_in_the_catalogue():
    cited = {each for check in described().values() for each in check.cites if ID.fullmatch(each)}
    assert set() == cited - load().keys()


def test_every_entry_that_a_clause_cites_is_in_the_catalogue():
    files = resources.path("schemas/openai").glob("*.schema.json")
    cited = [each for file in files for each in cites_of(json.loads(file.read_text("utf-8"))) if ID.fullmatch(each)]
    assert (True, set()) == (len(cited) > 100, set(cited) - load().keys())


# --- the tables of the material

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
with_material = pytest.mark.skipif(not MATERIAL, reason="CHATCONFORM_MATERIAL is not set")

DOCUMENTS = {
    "Tooken": "000_3800249b69e3bcad.txt",
    "TKHub": "001_3d2513934720930c.txt",
    "CostRouter": "002_6ee85425ad9aaf1a.txt",
    "XMSmartLink": "004_7bc8f496f1811036.txt",
}
RELAY = "QuantumNous/new-api:relay/channel/openai/"
SOURCES = {
    "openai-python `_response.py`": "openai/openai-python:src/openai/_response.py",
    "`_is_valid_chat_completion_chunk_weak`": "openai/openai-python:src/openai/lib/streaming/chat/_completions.py",
    "openai-node `parse.ts`": "openai/openai-node:src/internal/parse.ts",
    "@ai-sdk/openai 0.0.16": "@ai-sdk/openai@0.0.16",
    "`relay-openai.go`": f"{RELAY}relay-openai.go",
    "`OaiStreamHandler`": f"{RELAY}relay-openai.go",
    "`HandleFinalResponse`": f"{RELAY}helper.go",
    "`middleware/utils.go`": "QuantumNous/new-api:middleware/utils.go",
    "relay.json": "QuantumNous/new-api:docs/openapi/relay.json",
    "(litellm#21331)": "BerriAI/litellm#21331",
    "openai-openapi example": "OpenAI API reference",
    "spec: ": "OpenAI API reference",
    "WHATWG": "WHATWG HTML 9.2.5",
}
"""What the tables abbreviate."""

CLIENTS = {
    "P": "openai-python",
    "Ps": "openai-python-stream",
    "N": "openai-node",
    "Ns": "openai-node-stream",
    "LP": "langchain-openai",
    "LJ": "langchain-js",
    "PA": "pydantic-ai",
    "LL": "litellm",
    "AI": "ai-sdk",
}
DAMAGES = {"B": Damage.BREAKS, "W": Damage.WRONG, "C": Damage.COSMETIC}

MEASURED_ELSEWHERE = {
    # The row names the cases without an outcome, and the clients that lose the message in its text.
    "ERR-02": (set(), {"ai-sdk"}),
    # The rows say that openai-node 6.49 loses the message; it was measured within @langchain/openai.
    "ERR-03": (set(), {"langchain-js"}),
    "ERR-04": (set(), {"langchain-js"}),
}

ADDED = ("SSF-18", "SSS-09", "TOL-24", "TOL-25", "TOL-26", "TOL-27")
"""Entries that were measured for the catalogue, and stand in no table."""


def of_the_tables():
    return {key: entry for key, entry in load().items() if key not in ADDED}


def rows():
    """The cells of the catalogue's tables, by id: wire, consequence, evidence, check, severity, laboratory."""
    text = (Path(MATERIAL) / "research" / "wire.md").read_text("utf-8")
    part = text.partition("\n# PART 3")[2].partition("\n## 3.2")[0]
    lines = [re.split(r"(?<!\\)\|", line)[1:-1] for line in part.splitlines() if re.match(r"\| [A-Z]{3}-\d\d ", line)]
    return {cells[0].strip(): [cell.strip() for cell in cells[1:]] for cells in lines}


def cited(evidence):
    issues = re.findall(r"([\w.-]+/[\w.-]+)#(\d+)((?:,#\d+)*)", evidence)
    lines = re.findall(r"(Tooken|TKHub|CostRouter|XMSmartLink) (L\d+(?:–\d+)?(?:,L\d+)*)", evidence)
    return {
        *(f"{repo}#{number}" for repo, first, more in issues for number in [first, *re.findall(r"\d+", more)]),
        *(f"{DOCUMENTS[name]}:{where.replace('L', '').replace('–', '-')}" for name, where in lines),
        *(citation for words, citation in SOURCES.items() if words in evidence),
        *(["measured"] if re.search(r"\blab\b", evidence) else []),
    }


def marked(laboratory, sign):
    return {CLIENTS[mark] for marks in re.findall(rf"{sign}([\w,]+)", laboratory) for mark in marks.split(",")}


def not_measured_anew(clients):
    """Return the clients whose word is the laboratory's; tests/test_clients.py holds the others to measured.json."""
    return set(clients) - stored().versions.keys()


def plain(text):
    return " ".join(re.findall(r"\w+", text.lower()))


@with_material
def test_every_row_of_the_tables_is_an_entry():
    assert list(rows()) == list(of_the_tables())


@with_material
def test_the_damage_is_that_of_the_tables():
    assert {key: DAMAGES[row[4]] for key, row in rows().items()} == {
        key: each.damage for key, each in of_the_tables().items()
    }


@with_material
def test_the_citations_are_those_of_the_tables():
    table = {key: row[2] for key, row in rows().items()}
    referred = {key: table.get(evidence.removeprefix("see "), evidence) for key, evidence in table.items()}
    expected = {key: cited(evidence) for key, evidence in referred.items()}
    assert expected == {key: set(entry.cites) for key, entry in of_the_tables().items()}


@with_material
def test_the_clients_are_those_that_the_laboratory_marked():
    marks = {key: (marked(row[5], "✗"), marked(row[5], "~")) for key, row in rows().items()}
    expected = {key: tuple(map(not_measured_anew, both)) for key, both in marks.items()}
    assert expected | MEASURED_ELSEWHERE == {
        key: (not_measured_anew(entry.raises), not_measured_anew(entry.wrong)) for key, entry in of_the_tables().items()
    }


@with_material
def test_measured_is_what_the_laboratory_served():
    expected = {key: any(word in row[5] for word in ("✗", "~", "ok")) for key, row in rows().items()}
    expected |= dict.fromkeys(MEASURED_ELSEWHERE, True)  # a case without an outcome says nothing
    anew = {key for key, each in load().items() if stored().versions.keys() & {*each.raises, *each.wrong}}
    expected |= dict.fromkeys(anew & expected.keys(), True)
    assert expected == {key: entry.measured for key, entry in of_the_tables().items()}


@with_material
def test_no_sentence_is_a_cell_of_the_tables():
    cells = {plain(cell) for row in rows().values() for cell in row}
    sentences = {plain(text) for entry in load().values() for text in (entry.says, entry.breaks)}
    assert set() == sentences & cells


@with_material
def test_every_document_that_is_cited_has_the_lines():
    seeds = {path.name: len(path.read_text("utf-8").split("\n")) for path in (Path(MATERIAL) / "seeds").iterdir()}
    named = [each.split(":") for entry in load().values() for each in entry.cites if ".txt:" in each]
    assert [] == [(file, at) for file, at in named if max(map(int, re.findall(r"\d+", at))) > seeds.get(file, 0)]


def test_the_packaged_catalogue_is_as_the_strict_reader_demands():
    packaged = Path(deviations.__file__).with_name("catalogue.yaml")

    assert parse(packaged.read_bytes(), packaged.name) == catalogue()
