"""A grader's server: the gradebook comes, formgrader opens on it, marks go back; nothing runs there."""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook

from hub.jupyter.bridge.surroundings import name_review_server
from tests.hub.bridge_door import Call, LearnerServer, Portal, open_portal, short_folder, start_server

# nbgrader 0.9.6's own way of adding a submission.
pytestmark = pytest.mark.filterwarnings("ignore:Object of type <Submitted:sqlalchemy.exc.SAWarning")

SESSION = "une-session-au-nom-vraiment-tres-long-2026"
ATTEMPT = "12345678-1234-1234-1234-123456789012"


def make_gradebook(folder: Path) -> bytes:
    """A gradebook with one learner, one assignment, one manual cell."""
    path = folder / "gradebook.db"
    path.unlink(missing_ok=True)
    with Gradebook(f"sqlite:///{path}", SESSION) as gradebook:
        gradebook.add_assignment("m1")
        gradebook.add_notebook("exercices", "m1")
        gradebook.add_grade_cell("ex-9-1", "exercices", "m1", max_score=2, cell_type="markdown")
        gradebook.add_solution_cell("ex-9-1", "exercices", "m1")
        gradebook.add_student("u-alice")
        gradebook.add_submission("m1", "u-alice")
    return path.read_bytes()


@dataclass
class Review:
    portal: Portal
    server: LearnerServer


def answer_of(portal: Portal, gradebook: bytes, roles: list[str]) -> None:
    sessions = [{"slug": "autre", "title": "", "roles": ["grader"]}, {"slug": SESSION, "title": "", "roles": roles}]
    portal.answers["GET", "/api/v1/me"] = (200, {"name": "u-claire", "display_name": "Claire", "sessions": sessions})
    portal.gradebook = {
        "gradebook.db": gradebook,
        "source/m1/exercices.ipynb": b"{}",
        "submitted/u-alice/m1/exercices.ipynb": b"{}",
    }


@pytest.fixture(scope="module")
def review() -> Iterator[Review]:
    folder = short_folder()
    with pytest.MonkeyPatch.context() as patch:  # nbgrader runs the `alembic` command
        patch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
        gradebook = make_gradebook(folder)
    variables = {"PUPITRE_PROFILE": "review", "JUPYTERHUB_SERVER_NAME": name_review_server(SESSION)}
    with open_portal(folder) as portal:
        rename(portal)
        answer_of(portal, gradebook, ["learner"])
        with start_server(folder, portal, variables) as server:
            yield Review(portal, server)
    shutil.rmtree(folder)


def rename(portal: Portal) -> None:
    """The actor's session is `s`."""
    usual: Callable[[Call], tuple[int, Any]] = portal.answer

    def answer(call: Call) -> tuple[int, Any]:
        call.path = call.path.replace(f"/sessions/{SESSION}/", "/sessions/s/")
        return usual(call)

    portal.answer = answer  # type: ignore[method-assign]


def wait_until(condition: Callable[[], bool], timeout_s: float = 15) -> None:
    end = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.1)


def test_a_grader_reviews_and_the_marks_go_back(review: Review) -> None:
    """One story, since a server has one gradebook: refused, pulled, marked, refused by the portal, pulled again."""
    portal, server = review.portal, review.server
    database = server.home / "relecture" / SESSION / "gradebook.db"

    page = server.get("pupitre/relecture")
    assert page.status_code == 403, "no longer a grader of this session"
    assert "Vous ne relisez pas cette session" in page.text
    assert not database.exists()

    gradebook = portal.gradebook["gradebook.db"]
    answer_of(portal, b"not a database, but long enough to be read as one" * 3, ["grader"])
    page = server.get("pupitre/relecture")
    assert page.status_code == 502
    assert "Le carnet de notes de cette session est illisible" in page.text

    answer_of(portal, gradebook, ["grader"])
    answer = server.get("pupitre/relecture")
    assert (answer.status_code, answer.headers["location"]) == (302, "/user/alice/formgrader/gradebook")
    assert database.read_bytes() == portal.gradebook["gradebook.db"]
    assert server.get("formgrader/gradebook").status_code == 200
    assert server.get("formgrader/api/assignments").json()[0]["name"] == "m1"
    assert server.get("formgrader/gradebook").headers["content-security-policy"] == "frame-ancestors 'self'"

    with Gradebook(f"sqlite:///{database}", SESSION) as gradebook:
        grade = gradebook.find_grade("ex-9-1", "exercices", "m1", "u-alice")
        grade.manual_score = 1.5
        gradebook.find_comment("ex-9-1", "exercices", "m1", "u-alice").manual_comment = "Bien"
        gradebook.db.commit()
    wait_until(lambda: bool(portal.marks))
    expected = {
        "learner": "u-alice",
        "assignment": "m1",
        "notebook": "exercices",
        "cell": "ex-9-1",
        "points": 1.5,
        "extra_points": 0.0,
        "comment": "Bien",
        "client_id": None,
        "seen": {"points": None, "comment": None},
    }
    assert portal.marks == [[expected]]
    time.sleep(2.5)
    assert len(portal.marks) == 1, "sent once"

    path = "/api/v1/sessions/s/gradebook/marks"
    refusal = {
        "learner": "u-alice",
        "assignment": "m1",
        "code": "review-conflict",
        "message": "Bob a noté entre-temps.",
    }
    portal.answers["POST", path] = (200, {"saved": 0, "unchanged": 0, "refused": [refusal]})
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE grade SET manual_score = 2")
    connection.close()
    page = server.get("pupitre/relecture")
    assert "Bob a noté entre-temps." in page.text
    assert database.read_bytes() == portal.gradebook["gradebook.db"], "the portal's is the truth"
    assert server.get("pupitre/relecture").status_code == 302


def test_nothing_runs_in_a_review_server(review: Review) -> None:
    server = review.server
    token = server.client.cookies.get("_xsrf") or ""
    for address in (
        "api/kernels",
        "api/terminals",
        "formgrader/api/submission/m1/u-alice/autograde",
        "formgrader/api/assignment/m1/assign",
    ):
        answer = server.client.post(address, headers={"X-XSRFToken": token}, json={} if "kernels" in address else None)
        assert answer.status_code in (403, 404), address
    assert server.get("api/kernels").json() == []
    assert not server.relay.exists(), "no kernel, no relay"
