"""Misbehaviours by name: faults that depend on the request, or on what came before it, and not on one answer alone."""

from __future__ import annotations

from chatconform.reference.misbehaviour import credentials, differences, parameters, refusing, waiting
from chatconform.reference.misbehaviour.misbehaviour import Misbehaviour, Turn, all_misbehaviours, misbehaving

__all__ = [
    "Misbehaviour",
    "Turn",
    "all_misbehaviours",
    "credentials",
    "differences",
    "misbehaving",
    "parameters",
    "refusing",
    "waiting",
]
