"""The door: attempts, assignments, modules, feedback, gradebook, courses; what each role may do, and every error.

Case 13 of docs/reference/behaviour-submission.md is here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from graders.models import Attempt
from hub.portal.learning.models import Enrolment, SubmissionTicket
from tests.graders.attempt_fixtures import answer, other_source, quick_engine, released, run_marking, source, submit
from tests.hub.door_caller import Part
from tests.hub.door_fixtures import calling

__all__ = ["answer", "calling", "other_source", "quick_engine", "released", "run_marking", "source", "submit"]

pytestmark = pytest.mark.django_db
BASE = "sessions/essai/assignments/m1"
UUID = "00000000-0000-4000-8000-000000000000"


def check_error(response: Any, status: int, code: str) -> None:
    """Exactly {"code", "message"}, a sentence, never a page."""
    assert response.status_code == status, response.content[:300]
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"code", "message"}
    assert body["code"] == code
    assert body["message"].strip()


def test_me(calling: Any, alice: Any, claire: Any) -> None:
    assert calling(alice).get("me").json() == {
        "name": alice.hub_name,
        "display_name": "Alice",
        "sessions": [{"slug": "essai", "title": "Session essai", "roles": ["learner"]}],
    }
    assert calling(claire).get("me").json()["sessions"][0]["roles"] == ["grader", "trainer"]


def test_submitting_then_again(calling: Any, alice: Any, released: Any, answer: Any) -> None:
    client_id = uuid4()
    first = calling(alice).submit({"exercices.ipynb": answer(), "data/notes.txt": b"x"}, client_id)
    again = calling(alice).submit({"exercices.ipynb": answer()}, client_id)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json()
    assert (first.json()["number"], first.json()["state"], first.json()["client_id"]) == (1, "queued", str(client_id))
    assert set(Attempt.objects.get().content) == {"exercices.ipynb", "data/notes.txt"}


def test_own_attempts_and_files(
    calling: Any, alice: Any, chevron: Any, submit: Any, run_marking: Any, answer: Any
) -> None:
    attempt = run_marking(submit(alice, code="return 1"))
    listed = calling(alice).get(f"{BASE}/attempts").json()
    assert [(row["number"], row["state"], row["points"], row["max_points"]) for row in listed] == [
        (1, "marked", 0.0, 4.0)
    ]
    assert [(c["exercise"], c["points"], c["passed"], c["message"]) for c in listed[0]["cells"]] == [
        ("1.1", 0.0, False, "Revoyez ce calcul."),
        ("1.2", None, False, "Revoyez ce calcul."),
    ]
    files = calling(alice).get(f"{BASE}/attempts/{attempt.client_id}/files").json()["files"]
    content = calling(alice).get(f"{BASE}/attempts/{attempt.client_id}/files/{files[0]['sha256']}")
    assert content.content == answer(code="return 1")
    assert content["X-Content-Type-Options"] == "nosniff"
    assert calling(chevron).get(f"{BASE}/attempts").json() == []
    check_error(calling(chevron).get(f"{BASE}/attempts/{attempt.client_id}/files"), 404, "not-found")


def test_nothing_but_listed_files_is_served(calling: Any, alice: Any, submit: Any, run_marking: Any) -> None:
    """Neither the source (solutions) nor the executed notebook (hidden tests) by its hash."""
    attempt = run_marking(submit(alice))
    caller = calling(alice)
    for sha256 in [*attempt.version.source.values(), *attempt.executed.values(), "0" * 64]:
        if sha256 not in attempt.version.release.values():
            check_error(caller.get(f"{BASE}/files/{sha256}"), 404, "not-found")
        check_error(caller.get(f"{BASE}/attempts/{attempt.client_id}/files/{sha256}"), 404, "not-found")


def test_graders_collect(calling: Any, claire: Any, alice: Any, chevron: Any, submit: Any) -> None:
    attempts = [submit(alice), submit(chevron)]
    listed = calling(claire).get(f"{BASE}/attempts?all=1").json()
    assert [row["learner"] for row in listed] == [alice.hub_name, chevron.hub_name]
    for attempt in attempts:
        assert calling(claire).get(f"{BASE}/attempts/{attempt.client_id}/files").status_code == 200


def test_assignment_files(calling: Any, alice: Any, released: Any) -> None:
    (row,) = calling(alice).get("sessions/essai/assignments").json()
    assert (row["name"], row["title"], row["version"], row["notebooks"]) == (
        "m1",
        "Premier module",
        "1",
        ["exercices.ipynb"],
    )
    listed = calling(alice).get(f"{BASE}/files").json()
    assert [file["path"] for file in listed["files"]] == ["data/mesures.csv", "exercices.ipynb"]
    for file in listed["files"]:
        assert len(calling(alice).get(f"{BASE}/files/{file['sha256']}").content) == file["size"]


def test_case_13_tickets(calling: Any, alice: Any, chevron: Any, released: Any, answer: Any) -> None:
    def ticket(learner: Any, module: str = "m1") -> SubmissionTicket:
        return SubmissionTicket.objects.create(enrolment=Enrolment.objects.get(learner=learner), module=module)

    own = ticket(alice)
    files = {"exercices.ipynb": answer()}
    for wrong in (ticket(chevron), ticket(alice, "m2")):
        check_error(calling(alice).submit(files, wrong.pk), 403, "bad-ticket")
        wrong.refresh_from_db()
        assert wrong.used_at is None
    # An address of the bridge that somebody else made: no page of the portal gave this ticket.
    check_error(calling(alice).submit(files, ticket=uuid4()), 403, "bad-ticket")
    check_error(calling(alice).submit({"exercices.ipynb": b"x"}, own.pk), 400, "not-a-notebook")
    own.refresh_from_db()
    assert own.used_at is None  # a refused attempt may be sent again
    assert calling(alice).submit(files, ticket=own.pk).status_code == 201
    own.refresh_from_db()
    used_at = own.used_at
    assert used_at is not None
    assert calling(alice).submit(files, own.pk).status_code == 200
    own.refresh_from_db()
    assert own.used_at == used_at


def test_closed_session_says_so_and_keeps_reading(
    calling: Any, alice: Any, essai: Any, submit: Any, answer: Any
) -> None:
    submit(alice)
    essai.state = "closed"
    essai.save()
    check_error(calling(alice).submit({"exercices.ipynb": answer()}), 403, "session-closed")
    assert len(calling(alice).get(f"{BASE}/attempts").json()) == 1
    assert calling(alice).get(f"{BASE}/files").status_code == 200


def test_releasing_and_withdrawing(
    calling: Any, claire: Any, alice: Any, essai: Any, source: bytes, answer: Any
) -> None:
    from graders.engine.release import release_notebook

    trainer, where = calling(claire), "sessions/essai/assignments/ps1"
    parts: list[Any] = [
        ("title", "Devoir"),
        ("files", Part("p1.ipynb", release_notebook(source))),
        ("source", Part("p1.ipynb", source)),
    ]
    assert trainer.send("PUT", where, parts).json()["max_points"] == 4.0
    assert trainer.send("PUT", where, parts).status_code == 200
    assert calling(alice).submit({"p1.ipynb": answer()}, where=where).status_code == 201
    assert trainer.delete(where).status_code == 204
    assert calling(alice).get("sessions/essai/assignments").json() == []
    check_error(calling(alice).submit({"p1.ipynb": answer()}, where=where), 404, "unknown-assignment")
    assert trainer.send("PUT", where, parts).status_code == 200  # released again
    assert len(calling(alice).get("sessions/essai/assignments").json()) == 1


def test_feedback(calling: Any, claire: Any, alice: Any, chevron: Any, submit: Any) -> None:
    attempt = submit(alice)
    where = f"{BASE}/attempts/{attempt.client_id}/feedback"
    assert calling(alice).get(where).json()["files"] == []
    assert calling(claire).send("PUT", where, [("files", Part("exercices.html", b"<p>Bien</p>"))]).status_code == 200
    (file,) = calling(alice).get(where).json()["files"]
    page = calling(alice).get(f"{where}/{file['sha256']}")
    assert (page.content, page["Content-Type"]) == (b"<p>Bien</p>", "application/octet-stream")
    check_error(calling(chevron).get(where), 404, "not-found")
    check_error(calling(alice).send("PUT", where, [("files", Part("x.html", b""))]), 403, "forbidden")


def test_gradebook_and_marks_from_formgrader(
    calling: Any, claire: Any, alice: Any, submit: Any, run_marking: Any
) -> None:
    attempt = run_marking(submit(alice))
    grader = calling(claire)
    book = grader.get("sessions/essai/gradebook").json()
    assert {"gradebook.db", f"autograded/{alice.hub_name}/m1/exercices.ipynb"} <= {
        file["path"] for file in book["files"]
    }
    assert [row["client_id"] for row in book["attempts"]] == [str(attempt.client_id)]
    for file in book["files"]:
        assert len(grader.get(f"sessions/essai/gradebook/{file['sha256']}").content) == file["size"]
    mark = {
        "learner": alice.hub_name,
        "assignment": "m1",
        "notebook": "exercices",
        "cell": "ex-1-2",
        "points": 1.5,
        "extra_points": 0.0,
        "comment": None,
    }
    answered = grader.post_json("sessions/essai/gradebook/marks", json.dumps({"marks": [mark]}))
    assert answered.json() == {"saved": 1, "unchanged": 0, "refused": []}
    attempt.refresh_from_db()
    assert attempt.points == 3.5


def test_every_address_asks_for_a_known_token(calling: Any, alice: Any, submit: Any) -> None:
    for caller in (calling(None),):
        for address in ("me", f"{BASE}/files", "sessions/essai/gradebook", "sessions/essai/assignments"):
            check_error(caller.get(address), 401, "bad-token")
        check_error(caller.submit({"a.ipynb": b""}), 401, "bad-token")
    alice.approved_at = None
    alice.save()
    check_error(calling(alice).get("me"), 403, "no-account")


def test_unknown_addresses_and_methods_answer_in_json(calling: Any, alice: Any) -> None:
    check_error(calling(alice).get("nothing/here"), 404, "not-found")
    check_error(calling(alice).delete("me"), 405, "bad-method")
    check_error(calling(alice).get("sessions/inconnue/assignments"), 404, "not-found")


READ = [
    "sessions/essai/assignments",
    "sessions/essai/modules/m1/files",
    f"{BASE}/files",
    f"{BASE}/attempts",
]
REVIEW = ["sessions/essai/gradebook", f"{BASE}/attempts?all=1"]
ROLES = {
    "alice": "learner",
    "chevron": "learner",
    "bob": "outside",
    "denis": "outside",
    "claire": "trainer",
    "root": "trainer",
}


@pytest.mark.parametrize("name", sorted(ROLES))
def test_what_each_role_may_do(
    request: pytest.FixtureRequest, calling: Any, released: Any, source: bytes, name: str
) -> None:
    role, caller = ROLES[name], calling(request.getfixturevalue(name))
    reads = [address for address in READ if "modules" not in address]  # the small session has no stored module
    for address in reads:
        assert caller.get(address).status_code == (403 if role == "outside" else 200), address
    for address in REVIEW:
        assert caller.get(address).status_code == (200 if role == "trainer" else 403), address
    marks = caller.post_json("sessions/essai/gradebook/marks", '{"marks": []}')
    assert marks.status_code == (200 if role == "trainer" else 403)
    release = caller.send("PUT", "sessions/essai/assignments/ps9", [("files", Part("p.ipynb", source))])
    assert release.status_code == (200 if role == "trainer" else 403)
    assert caller.delete("sessions/essai/assignments/ps9").status_code == (204 if role == "trainer" else 403)
    course = caller.send("PUT", "courses/mien", [("files", Part("course.yml", b"x"))])
    assert course.status_code == (400 if role == "trainer" else 403)


def bad_uploads() -> list[Any]:
    notebook = b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'
    identity = ("client_id", UUID)
    return [
        ("no-file", 400, [identity]),
        ("bad-client-id", 400, [("files", Part("a.ipynb", notebook))]),
        ("bad-client-id", 400, [("client_id", "1; DROP"), ("files", Part("a.ipynb", notebook))]),
        ("bad-path", 400, [identity, ("files", Part("../a.ipynb", notebook))]),
        ("bad-path", 400, [identity, ("files", Part("/a.ipynb", notebook))]),
        ("bad-path", 400, [identity, ("files", Part("a\\b.ipynb", notebook))]),
        ("bad-path", 400, [identity, ("files", Part("a.ipynb", notebook)), ("files", Part("a.ipynb", notebook))]),
        ("not-a-notebook", 400, [identity, ("files", Part("exercices.ipynb", b"x"))]),
        ("wrong-assignment", 400, [identity, ("files", Part("autre.ipynb", notebook))]),
        ("too-large", 413, [identity, ("files", Part("exercices.ipynb", b"x" * 10_000_001))]),
        ("too-large", 413, [identity, ("files", Part("exercices.ipynb", b"x" * 32_000_000))]),
        ("too-many-files", 413, [identity, *[("files", Part(f"{n}.txt", b"")) for n in range(51)]]),
    ]


@pytest.mark.parametrize(("code", "status", "parts"), bad_uploads())
def test_bad_uploads(calling: Any, alice: Any, released: Any, code: str, status: int, parts: list[Any]) -> None:
    check_error(calling(alice).send("POST", f"{BASE}/attempts", parts), status, code)
    assert Attempt.objects.count() == 0


def test_bodies_that_are_no_upload(calling: Any, alice: Any, released: Any) -> None:
    client = calling(alice)._client
    for content_type in ("application/json", "multipart/form-data; boundary=", "multipart/form-data; boundary=x"):
        response = client.post(f"/api/v1/{BASE}/attempts", b"garbage", content_type=content_type)
        assert response.status_code == 400, content_type
        assert response.json()["code"] in ("bad-upload", "bad-client-id")


@pytest.mark.parametrize(
    "body", ["", "[]", '{"marks": 3}', '{"marks": [{"points": 1}]}', '{"marks": [], "x": 1}', "{" * 50]
)
def test_bad_marks(calling: Any, claire: Any, released: Any, body: str) -> None:
    check_error(calling(claire).post_json("sessions/essai/gradebook/marks", body), 400, "bad-marks")


def test_bad_releases(calling: Any, claire: Any, essai: Any, source: bytes) -> None:
    caller, good = calling(claire), ("files", Part("p.ipynb", source))
    check_error(caller.send("PUT", "sessions/essai/assignments/.x", [good]), 400, "bad-name")
    check_error(caller.send("PUT", "sessions/essai/assignments/x", [("files", Part("p.txt", b""))]), 400, "no-notebook")
    check_error(
        caller.send("PUT", "sessions/essai/assignments/x", [("files", Part("p.ipynb", b"x"))]), 400, "not-a-notebook"
    )
    check_error(caller.delete("sessions/essai/assignments/x"), 404, "not-found")


def read_folder(folder: Path) -> list[tuple[str, Part]]:
    return [
        ("files", Part(str(path.relative_to(folder)), path.read_bytes()))
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def test_publishing_a_course(calling: Any, claire: Any, alice: Any) -> None:
    from hub.portal.catalogue.models import CourseVersion

    folder = next((Path(__file__).parents[1] / "data" / "courses").iterdir())
    parts: list[Any] = read_folder(folder)
    slug = next(
        line.split(":")[1].strip()
        for line in (folder / "course.yml").read_text().splitlines()
        if line.startswith("slug:")
    )
    published = calling(claire).send("PUT", f"courses/{slug}", parts)
    assert published.status_code == 200, published.content
    assert published.json()["slug"] == slug
    assert CourseVersion.objects.filter(course__slug=slug).count() == 1
    check_error(calling(claire).send("PUT", "courses/autre-nom", parts), 400, "bad-course")
    broken = [
        (name, Part(part.path, b"slug: [" if part.path == "course.yml" else part.content)) for name, part in parts
    ]
    refused = calling(claire).send("PUT", f"courses/{slug}", broken)
    check_error(refused, 400, "bad-course")
    assert "/tmp" not in refused.json()["message"]
    check_error(
        calling(claire).send("PUT", "courses/x", [("files", Part("a", b"")), ("files", Part("a/b", b""))]),
        400,
        "bad-path",
    )


def test_module_files_are_what_the_course_delivers(calling: Any, alice: Any, bob: Any) -> None:
    from hub.portal.catalogue.models import CourseSession
    from hub.portal.catalogue.publish import publish_course

    version = publish_course(Path(__file__).parents[1] / "data" / "courses" / "petit")
    session = CourseSession.objects.create(slug="vraie", course_version=version, title="Vraie", state="open")
    Enrolment.objects.create(session=session, learner=alice)
    module = version.modules[0].slug
    listed = calling(alice).get(f"sessions/vraie/modules/{module}/files").json()
    assert listed["version"] == version.version
    assert "exercices.ipynb" in {file["path"] for file in listed["files"]}
    for file in listed["files"]:
        content = calling(alice).get(f"sessions/vraie/modules/{module}/files/{file['sha256']}").content
        assert len(content) == file["size"]
        assert b"BEGIN SOLUTION" not in content
        assert b"BEGIN HIDDEN TESTS" not in content
    check_error(calling(alice).get(f"sessions/vraie/modules/{module}/files/{'0' * 64}"), 404, "not-found")
    check_error(calling(alice).get("sessions/vraie/modules/m99/files"), 404, "not-found")
    check_error(calling(bob).get(f"sessions/vraie/modules/{module}/files"), 403, "forbidden")
