"""The sentence that decides, and why a provider could not be decided: what every form of report says first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from chatconform.model import Conclusion, ExchangeSummary, Level, ProviderResult, Results
from chatconform.report import board
from chatconform.report.changes import since
from chatconform.report.visible import line

_NAME = 48
_ERROR = 400
_HINTS = {
    401: "is the key right, and named by --key-env?",
    403: "is the key right, and named by --key-env?",
    404: "does the base URL lack /v1?",
    429: "its limit on requests is lower than --per-minute",
}
"""What a status that nearly everything got may mean."""
_DOES = {
    Conclusion.VOID: (
        "is void, because the suite itself failed",
        "are void, because the suite itself failed",
    ),
    Conclusion.DEVIATES: ("deviates from a must", "deviate from a must"),
    Conclusion.INCONCLUSIVE: ("is inconclusive", "are inconclusive"),
    Conclusion.CONFORMS_WITH_WAIVERS: ("conforms with waivers", "conform with waivers"),
    Conclusion.CONFORMS: ("conforms", "conform"),
}


def headline(results: Results) -> str:
    """The sentence that decides, without markup: how many providers came to which conclusion, worst first.

    Of one provider it has the name, and what made it so. Where nothing but printed examples was judged it speaks of
    documents, for no provider was asked.
    """
    return " ".join([_decides(results), *_besides(results)])


def _besides(results: Results) -> Iterator[str]:
    """Yield what else the exit code may hang on: an interruption, problems, shoulds where they count, the baseline."""
    if results.run.get("interrupted") is True:
        yield "The run was interrupted."
    problems = len(results.problems)
    if problems and results.providers:
        yield f"But there {'is' if problems == 1 else 'are'} {board.plural(problems, 'problem')}."
    shoulds = sum(levels[Level.SHOULD].failed for each in results.providers for levels in each.counts.values()
                  if Level.SHOULD in levels)  # fmt: skip
    if shoulds and results.run.get("fail_on") == "should":
        yield f"{board.plural(shoulds, 'should')} {'fails' if shoulds == 1 else 'fail'}, which counts here."
    if results.baseline is not None:
        yield since(results)


def why(results: Results, provider: ProviderResult) -> str:
    """Why a provider is inconclusive, in half a sentence; empty for every other conclusion."""
    if provider.conclusion is not Conclusion.INCONCLUSIVE:
        return ""
    exchanges = [each for each in results.exchanges if each.provider == provider.id]
    if not exchanges:
        return provider.source
    if not is_answered(exchanges):
        ends = sorted({each.end for each in exchanges})
        return f"nothing was answered ({', '.join(line(end, 60) for end in ends[:3])})"
    statuses = Counter(each.status for each in exchanges if each.status is not None)
    if min(statuses) >= _ERROR:
        status, number = statuses.most_common(1)[0]
        hint = f" ({_HINTS[status]})" if status in _HINTS else ""
        return f"{number:,} of {board.plural(len(exchanges), 'request')} got status {status}{hint}"
    if provider.is_part:
        return "the run was interrupted, and asked only a part of its plan"
    unproven = _musts(provider, "unproven")
    if unproven:
        return f"{board.plural(unproven, 'must')} {_is(unproven)} unproven"
    if board.is_document_only(results, provider.id):
        return "printed examples can convict and never acquit"
    return "no request was answered but with a refusal"


def is_answered(exchanges: Sequence[ExchangeSummary]) -> bool:
    """Whether any of these exchanges has a status line."""
    return any(each.status is not None for each in exchanges)


def _decides(results: Results) -> str:
    total = len(results.providers)
    if not total:
        unusable = len(results.problems)
        return (
            f"No provider was judged: {board.plural(unusable, 'problem')}." if unusable else "No provider was judged."
        )
    if total == 1:
        return of_provider(results, results.providers[0])
    nouns = "documents" if all(board.is_document_only(results, each.id) for each in results.providers) else "providers"
    (worst, number), *others = board.conclusions(results)
    if not others:
        return f"{'Both' if total == 2 else f'All {total}'} {nouns} {_DOES[worst][True]}."
    rest = "".join(f"; {other} {_DOES[conclusion][other > 1]}" for conclusion, other in others)
    return f"{number} of {total} {nouns} {_DOES[worst][number > 1]}{rest}."


def of_provider(results: Results, provider: ProviderResult) -> str:
    """The sentence on one provider: its name, the conclusion, and in numbers what made it so."""
    name = line(provider.id, _NAME)
    subject = f"{name}’s document" if board.is_document_only(results, provider.id) else name
    return f"{subject} {_does(results, provider)}."


def _does(results: Results, provider: ProviderResult) -> str:
    conclusion = provider.conclusion
    if conclusion is Conclusion.DEVIATES:
        failing = _musts(provider, "failing")
        return f"deviates: {board.plural(failing, 'must')} {'fails' if failing == 1 else 'fail'}"
    if conclusion is Conclusion.INCONCLUSIVE:
        return f"is inconclusive: {line(why(results, provider), 200)}"
    if conclusion is Conclusion.VOID:
        return _DOES[conclusion][False]
    verified = _musts(provider, "verified")
    return f"{conclusion}: {board.plural(verified, 'must')} {_is(verified)} verified"


def _musts(provider: ProviderResult, name: str) -> int:
    """How many musts of both contracts came out so."""
    found = (board.musts(provider, openai=openai) for openai in (True, False))
    return sum(getattr(each, name) for each in found if each)


def _is(number: int) -> str:
    return "is" if number == 1 else "are"
