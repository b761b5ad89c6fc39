"""nbgrader's own tests of autograde, generate_assignment and generate_feedback (in its package), run with our commands.

What does not apply is listed with the reason, is run all the same, and must fail: the list cannot grow stale.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = ("autograde", "generate_assignment", "generate_feedback")
PAGE = "empties the autograded copy; our page shows what was handed in and the gradebook's marks"
NOT_APPLICABLE = {
    "Autograde::test_filter_notebook": "a folder with a notebook missing is a run that was cut short: it is marked again",
    "Autograde::test_side_effects": "what a notebook writes beside itself stays in its sandbox",
    "GenerateAssignment::test_single_file_bad_assignment_name": "a bad name is answered by a sentence, not by a traceback",
    "Feedback::test_force_single_notebook": PAGE,
    "Feedback::test_update_newer": PAGE,
    "Feedback::test_update_newer_single_notebook": PAGE,
    "Feedback::test_autotests": PAGE,
}
SKIPPED = 2  # nbgrader's own: they take too long, or need a database server


@pytest.mark.soak  # twenty minutes: nbgrader starts a process for each step
def test_nbgraders_own_tests_of_its_commands_pass_or_are_listed(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-c",
        str(tmp_path / "pytest.ini"),
        "-q",
        "-W",
        "ignore",
        "--tb=short",
        "-rA",
    ]
    command += ["-p", "no:django", "-p", "no:cacheprovider", "-p", "tests.graders.nbgrader_suite_world"]
    command += ["--show-capture=no", "--pyargs", *(f"nbgrader.tests.apps.test_nbgrader_{name}" for name in MODULES)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PUPITRE_", "DJANGO_"))}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # nbgrader runs `alembic`
        "PYTHONPATH": f"{ROOT}",
        "HOME": str(tmp_path),
    }
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=1800)
    # Tests that are given by their module have no path in their name.
    named = re.findall(r"^(?:FAILED|ERROR) .*::TestNbGrader(\w+)::([\w\[\]]+)", done.stdout, re.MULTILINE)
    found = {f"{group}::{name}" for group, name in named}
    if found != set(NOT_APPLICABLE):
        pytest.fail(f"{found ^ set(NOT_APPLICABLE)}\n{done.stdout[-8000:]}{done.stderr[-2000:]}")
    summary = re.search(r"(\d+) passed, (\d+) skipped", done.stdout)
    assert summary is not None, done.stdout[-2000:]
    assert int(summary[2]) == SKIPPED
