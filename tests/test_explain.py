"""`chatconform explain`: everything that there is to say of a check, in one reading."""

from __future__ import annotations

import pytest

from chatconform import listing
from chatconform.explanation import explained
from chatconform.model import CheckText, InputError
from chatconform.report import board

DONE_EXACT = """\
sse.done.exact
  The data of the last event are the six bytes `[DONE]`.

level
  openai MUST         The data of the last event are the six bytes `[DONE]`.
                      OpenAI API reference, TRM-05

why it matters
  openai-node and the AI SDK raise on a space behind it; all clients raise on another spelling.

whom it hurts
  raises in           @langchain/openai 1.5.8 on openai-node 6.49.0, AI SDK 6.0.326 with
                      @ai-sdk/openai-compatible 2.0.87, langchain-openai 1.7.4, litellm 1.110.2,
                      openai-node 7.55.0, openai-node .stream() 7.55.0, openai-python 3.57.0,
                      openai-python .stream() 3.57.0, pydantic-ai 2.31.1 on openai-python 2.54.0

seen in the wild
  TRM-05              The sentinel is misspelt: a trailing space, lower case, or quotes around it.
                      Clients take it for JSON; a trailing space is enough for openai-node and the
                      AI SDK to raise.
                      measured

example
  sse.done.two_spaces: Two spaces stand before [DONE], so that its data begin with one.
  passes  …}},"choices":[]}\\n\\ndata: [DONE]\\n\\n
  fails   …}},"choices":[]}\\n\\ndata:  [DONE]\\n\\n

fix
  send `data: [DONE]`, byte for byte.

needs first
  sse.done.present"""


def test_a_check_is_explained_whole():
    assert DONE_EXACT == listing.explain("sse.done.exact")


TRM_05 = """\
TRM-05
  The sentinel is misspelt: a trailing space, lower case, or quotes around it.

why it matters
  Clients take it for JSON; a trailing space is enough for openai-node and the AI SDK to raise.

whom it hurts
"""


def test_an_entry_of_the_catalogue_is_explained_with_what_finds_it():
    text, found_by = listing.explain("TRM-05"), "\n\nfound by\n  sse.done.exact"
    assert (TRM_05, found_by) == (text[: len(TRM_05)], text[-len(found_by) :])


def test_a_name_that_is_neither_gets_the_nearest_that_is():
    with pytest.raises(InputError) as raised:
        listing.explain("FIN-O4")
    assert "FIN-04" in raised.value.remedy


def test_a_clause_says_of_which_requests_it_speaks():
    assert "only where model is auto" in " ".join(listing.explain("extensions.platform.present").split())


def test_a_clause_needs_what_is_asked_of_the_message_that_it_is_about():
    assert ("http.status.error", "sse.event.separated") == explained("envelope.id.type").needs


def test_the_document_s_basis_stands_beside_its_lines():
    (rule,) = (each for each in explained("envelope.id.type").rules if each.contract == "tooken")
    assert ("000_3800249b69e3bcad.txt:57 (exampled)", "should") == (rule.source, rule.level)


@pytest.mark.parametrize(
    "raises, wrong, measured, sentence",
    [
        (("a", "b"), ("c",), True, "raises in a, b; silently wrong in c."),
        ((), ("c",), True, "silently wrong in c."),
        ((), (), True, "no measured client minds."),
        ((), (), False, "not measured."),
    ],
)
def test_whom_it_hurts_in_a_sentence(raises, wrong, measured, sentence):
    text = CheckText("a.b.c", "", "", "", {}, {}, raises=raises, wrong=wrong, measured=measured)
    assert sentence == board.impact(text)
