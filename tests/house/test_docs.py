"""Documentation is tested: every command and page is documented, every promise page exists, every link between docs leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands
from django.urls import URLPattern, URLResolver, get_resolver

ROOT = Path(__file__).parents[2]
OURS = ("hub.", "graders", "badges")


def test_every_command_is_documented() -> None:
    page = (ROOT / "docs" / "reference" / "commands.md").read_text(encoding="utf-8")
    ours = [name for name, app in get_commands().items() if str(getattr(app, "name", app)).startswith(OURS)]
    assert len(ours) > 10
    missing = [name for name in [*ours, "run", "stop", "demo"] if f"`pupitre {name}" not in page]
    assert not missing


def addresses(patterns: list[URLPattern | URLResolver], before: str = "") -> list[str]:
    found = []
    for pattern in patterns:
        address = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if not address.startswith(("compte/", "administration/", "api/")) or "account" in address:
                found += addresses(pattern.url_patterns, address)
        else:
            found.append(address)
    return found


def test_every_page_is_documented() -> None:
    """What stands before its first parameter is in the table of addresses, or below one that ends with « … » there."""
    page = (ROOT / "docs" / "reference" / "interfaces.md").read_text(encoding="utf-8")
    heads = {re.split(r"[<^(]", address, maxsplit=1)[0] for address in addresses(get_resolver().url_patterns)} - {""}
    assert "mes-parcours/" in heads
    families = tuple(re.findall(r"`/([\w./-]+/)…`", page))
    missing = [head for head in sorted(heads) if f"/{head.rstrip('/')}" not in page and not head.startswith(families)]
    assert not missing


@pytest.mark.parametrize(
    "file",
    [*sorted((ROOT / "docs").rglob("*.md")), ROOT / "README.md", ROOT / "CONTRIBUTING.md"],
    ids=lambda path: path.name,
)
def test_links_lead_somewhere(file: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", file.read_text(encoding="utf-8")):
        if not target.startswith(("http://", "https://", "mailto:")):
            assert (file.parent / target).exists(), f"{file.name}: {target}"
