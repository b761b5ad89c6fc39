"""The arrows between packages: `hub → graders, badges, sandbox`; `graders → sandbox`; `badges →` nothing. Never back."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = {"hub", "graders", "badges", "sandbox", "pupitre"}
ALLOWED = {
    "hub": {"graders", "badges", "sandbox"},
    "graders": {"sandbox"},
    "badges": set(),
    "sandbox": set(),
    "pupitre": set(),
}


TRANSLATION = {"django.utils.translation"}
"""The one module of Django that pure parts may use: their sentences are read by people."""


def imported_packages(source: str) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found & PACKAGES


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_arrows(package: str) -> None:
    files = list((ROOT / package).rglob("*.py"))
    assert files
    wrong = {
        str(file.relative_to(ROOT)): bad
        for file in files
        if (bad := imported_packages(file.read_text(encoding="utf-8")) - ALLOWED[package] - {package})
    }
    assert not wrong


def test_a_planted_arrow_is_seen() -> None:
    assert imported_packages("def f():\n    from hub.portal import x") == {"hub"}


@pytest.mark.parametrize("part", ["graders/engine", "badges"])
def test_pure_parts_do_not_import_django(part: str) -> None:
    pure = {
        "badges": ["credential.py", "proof.py", "vcjwt.py", "contexts.py", "did.py", "baking.py", "openbadges2.py"],
    }
    names = pure.get(part)
    files = [f for f in (ROOT / part).glob("*.py") if names is None or f.name in names]
    assert len(files) >= len(names or [""])
    for file in files:
        tree = ast.parse(file.read_text(encoding="utf-8"))
        modules = {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)} | {
            a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names
        }
        assert not {m for m in modules if m.partition(".")[0] == "django"} - TRANSLATION, file
