"""nbgrader's own commands, typed by a learner in a kernel of a real installation: no token there, only the bridge's socket."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.person import Person

pytestmark = pytest.mark.hub

RUN = """
import pathlib, subprocess
done = subprocess.run(["nbgrader", *{arguments!r}], capture_output=True, text=True, cwd=pathlib.Path.home())
print(done.returncode, done.stdout, done.stderr)
"""


def nbgrader(person: Person, *arguments: str) -> str:
    said = person.run_code(RUN.format(arguments=arguments))
    assert said.startswith("0 "), said
    return said


def test_list_fetch_submit(people: Callable[..., Person]) -> None:
    carol = people("carol", started=True)
    listed = nbgrader(carol, "list", "--course", "essai")
    assert "essai m2" in listed
    nbgrader(carol, "fetch_assignment", "m2", "--course", "essai")
    found = carol.run_code("import os; print(sorted(os.listdir(os.path.expanduser('~/essai/m2'))))")
    assert "exercices.ipynb" in found
    nbgrader(carol, "submit", "m2", "--course", "essai")
    assert len(carol.attempts("m2")) == 1
    assert "essai" in nbgrader(carol, "list", "--course", "essai", "--cached")


def test_a_course_that_is_not_theirs_is_one_sentence(people: Callable[..., Person]) -> None:
    said = people("carol", started=True).run_code(RUN.format(arguments=("submit", "m2", "--course", "ailleurs")))
    assert not said.startswith("0 "), said
    assert "Traceback" not in said
