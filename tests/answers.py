"""The author's answers put into a released notebook, as a learner would type them."""

from __future__ import annotations

import copy
import json
import re
from pathlib import Path
from typing import Any


def answers_of(course: Path, module: str) -> dict[str, str]:
    """Exercise → the author's answer, without the markers."""
    notebook = json.loads((course / module / "exercices.ipynb").read_text(encoding="utf-8"))
    answers = {}
    for cell in notebook["cells"]:
        found = re.match(r"# Exercice (\S+)", "".join(cell["source"]))
        if cell["metadata"].get("nbgrader", {}).get("solution") and found:
            text = "".join(cell["source"])
            answers[found[1]] = "\n".join(line for line in text.splitlines() if "SOLUTION" not in line)
    return answers


def fill_answers(released: dict[str, Any], answers: dict[str, str]) -> dict[str, Any]:
    """A copy of the released notebook with these answers; exercises not named keep their stub."""
    notebook = copy.deepcopy(released)
    for cell in notebook["cells"]:
        found = re.match(r"# Exercice (\S+)", "".join(cell["source"]))
        if cell["cell_type"] == "code" and found and found[1] in answers:
            cell["source"] = answers[found[1]]
    return notebook
