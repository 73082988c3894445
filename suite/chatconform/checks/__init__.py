"""The checks: pure predicates over a transcript, or over several of one run, one module a group.

Importing this package registers them all.
"""

from collections.abc import Mapping

from chatconform.checks import (
    arguments,
    caps,
    choices,
    delivery,
    envelope,
    errors,
    extensions,
    finish_reason,
    framing,
    function_call,
    http,
    json,
    keys,
    logprobs,
    message,
    mistakes,
    models,
    pairs,
    parameters,
    prompts,
    refusals,
    stream,
    structured,
    tool_choice,
    tools,
    usage,
)
from chatconform.checks.check import Check, all_checks
from chatconform.checks.comparison import Comparison, all_comparisons

__all__ = [
    "Check",
    "Comparison",
    "all_checks",
    "all_comparisons",
    "arguments",
    "caps",
    "choices",
    "delivery",
    "described",
    "envelope",
    "errors",
    "extensions",
    "finish_reason",
    "framing",
    "function_call",
    "http",
    "json",
    "keys",
    "logprobs",
    "message",
    "mistakes",
    "models",
    "pairs",
    "parameters",
    "prompts",
    "refusals",
    "stream",
    "structured",
    "tool_choice",
    "tools",
    "usage",
]


def described() -> Mapping[str, Check | Comparison]:
    """Return every check and comparison by id: all rules that are not clauses of a schema."""
    return {**all_checks(), **all_comparisons()}
