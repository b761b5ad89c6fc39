"""`open_installation`: a real Pupitre (tests/installation.py) where anyone may sign up; `people` makes its persons.

Started at the first test that asks for it, and kept: tests must leave it as useful as they found it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.answers import answers_of, fill_answers
from tests.installation import Installation, make_courses, running_installation
from tests.person import Person, sign_in_first_admin, sign_up


@pytest.fixture(scope="session")
def open_installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    courses = make_courses(tmp_path_factory.mktemp("courses"))
    with running_installation(
        tmp_path_factory.mktemp("state"), courses, "open-installation", PUPITRE_SIGNUP="open"
    ) as running:
        yield running


@pytest.fixture(scope="session")
def administrator(open_installation: Installation) -> Iterator[Person]:
    """Made from the one-time link, as the first person of an installation is."""
    person = sign_in_first_admin(open_installation, "root@exemple.fr")
    yield person
    person.close()


@pytest.fixture(scope="session")
def people(open_installation: Installation) -> Iterator[Callable[..., Person]]:
    """people("alice", enrolled=True, started=True): the same person at each call."""
    known: dict[str, Person] = {}

    def get(name: str, *, enrolled: bool = True, started: bool = False, display_name: str = "") -> Person:
        if name not in known:
            known[name] = sign_up(open_installation, display_name or name.capitalize(), f"{name}@exemple.fr")
            if enrolled:
                known[name].enrol("essai")
        if started:
            known[name].start_server()
        return known[name]

    yield get
    for person in known.values():
        person.close()


@pytest.fixture(scope="session")
def good(open_installation: Installation, people: Callable[..., Person]) -> dict[str, Any]:
    """Module m1 as delivered to a learner, with the author's answers."""
    alice = people("alice", started=True)
    alice.open_module("m1")
    courses = Path(open_installation.variables["PUPITRE_COURSES_DIR"])
    return fill_answers(alice.read_notebook("m1"), answers_of(courses / "essai", "m1"))


@pytest.fixture
def mallory(people: Callable[..., Person]) -> Person:
    """Enrolled, with a server and module m1 delivered."""
    person = people("mallory", started=True, display_name="<'&\">")
    person.open_module("m1")
    return person


@pytest.fixture
def next_is_right(good: dict[str, Any]) -> Callable[[Person], None]:
    """next_is_right(mallory): nothing broke, the same person's next good submission earns everything."""

    def check(person: Person) -> None:
        before = len(person.attempts("m1"))
        person.write_notebook("m1", good)
        page = person.submit("m1")
        assert page.url.path == "/session/essai/module/m1/", page.text
        found = person.wait_for_mark("m1")
        assert found["number"] == before + 1
        assert (found["state"], found["points"], found["max_points"]) == ("marked", 6.0, 6.0), found

    return check
