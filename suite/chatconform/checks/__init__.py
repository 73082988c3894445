"""The checks: pure predicates over a transcript, one module a group. Importing this package registers them all."""

from chatconform.checks import (
    choices,
    envelope,
    errors,
    extensions,
    finish_reason,
    framing,
    http,
    json,
    message,
    stream,
    usage,
)
from chatconform.checks.check import Check, all_checks

__all__ = [
    "Check",
    "all_checks",
    "choices",
    "envelope",
    "errors",
    "extensions",
    "finish_reason",
    "framing",
    "http",
    "json",
    "message",
    "stream",
    "usage",
]
