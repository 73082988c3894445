"""Dependencies point one way, and modules and functions stay short."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import chatconform

ROOT = Path(chatconform.__file__).parent
SEES = {
    "exhibits": "",
    "model": "exhibits",
    "resources": "",
    "strict_yaml": "model",
    "wire": "model exhibits wire",
    "recordings": "model wire recordings",
    "contracts": "model exhibits wire contracts resources",
    "contracts.lint": "model wire contracts checks",
    "checks": "model wire checks",
    "judging": "model wire contracts checks recordings.store resources judging",
    "rollup": "model",
    "waivers": "model rollup",
    "diff": "model rollup",
    "gate": "model rollup diff",
    "report": "model exhibits rollup diff report resources",
    "bulk": "model wire.transcript contracts judging recordings rollup waivers gate report resources bulk",
    "providers": "model strict_yaml resources",
    "deviations": "model strict_yaml resources",
    "scenarios": "model strict_yaml resources contracts wire scenarios",
    "capture": "model scenarios recordings wire.asked wire.media wire.strict_json capture",
    "reference": "model wire contracts reference scenarios resources",
    "clients": "model wire contracts checks judging deviations reference clients",
}
"""What the modules of a name may import of ours; the faces, which have no line here, may import everything."""
ONLY_IN = {
    "click": {"cli"},
    "pytest": {"plugin"},
    "httpx": {"capture.transport"},
    "h11": {"reference"},
    "socket": {"capture.transport", "reference.sockets"},
    "http.client": set(),
}
LONGEST_MODULE, LONGEST_FUNCTION = 400, 45
LONGER = {"contracts.lint", "recordings.store", "report.markdown", "strict_yaml"}
"""Modules that are longer than the others may be; the list may only shrink."""

FILES = {".".join(file.relative_to(ROOT).with_suffix("").parts): file for file in sorted(ROOT.rglob("*.py"))}
TREES = {name: ast.parse(file.read_text(encoding="utf-8")) for name, file in FILES.items()}


def imported(module: str) -> set[str]:
    """Return every name that a module imports anywhere in it, from where: ours without the package's name."""
    names: set[str] = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


def is_of(name: str, owner: str) -> bool:
    return name == owner or name.startswith(f"{owner}.")


@pytest.mark.parametrize("module", [name for name in FILES if any(is_of(name, layer) for layer in SEES)])
def test_a_module_imports_only_what_its_layer_may_see(module):
    layer = max((layer for layer in SEES if is_of(module, layer)), key=len)
    ours = {name.removeprefix("chatconform.") for name in imported(module) if is_of(name, "chatconform")}
    assert set() == {name for name in ours if not any(is_of(name, seen) for seen in SEES[layer].split())}


@pytest.mark.parametrize("package, owners", ONLY_IN.items())
def test_a_package_of_others_is_imported_in_one_place(package, owners):
    users = {module for module in FILES if any(is_of(name, package) for name in imported(module))}
    assert owners == {owner for owner in owners if any(is_of(user, owner) for user in users)}
    assert set() == {user for user in users if not any(is_of(user, owner) for owner in owners)}


def test_no_import_is_relative():
    levels = {node.level for tree in TREES.values() for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {0} == levels


def test_modules_are_short():
    long = {name for name, file in FILES.items() if file.read_bytes().count(b"\n") > LONGEST_MODULE}
    assert set() == long - LONGER


def test_functions_are_short():
    functions = (
        (f"{module}.{node.name}", (node.end_lineno or 0) - node.lineno + 1)
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {} == {name: lines for name, lines in functions if lines > LONGEST_FUNCTION}
