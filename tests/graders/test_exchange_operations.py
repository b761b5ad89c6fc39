"""Our nbgrader exchange against wrong, hostile and absent portals, and its own rules. The right portal: the suite's tests."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeError, ExchangeFactory
from traitlets.config import Config

from graders.exchange.cache import list_entries
from graders.exchange.door import NO_DOOR, DoorError, open_door
from tests.graders.scripted_door import ScriptedDoor, running_door

BASE = "sessions/pmp/assignments"
RECEIVED = "2026-11-24T22:30:00.123456+00:00"
TIMESTAMP = "2026-11-24 22:30:00.123456 UTC"
NAMES = ("list", "fetch_assignment", "fetch_feedback", "submit", "release_assignment", "release_feedback", "collect")


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedDoor]:
    folder = Path(tempfile.mkdtemp(prefix="door-"))
    for name in ("PUPITRE_DOOR_URL", "PUPITRE_DOOR_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PUPITRE_BRIDGE_SOCKET", str(folder / "bridge.sock"))
    with running_door(folder / "bridge.sock") as door:
        yield door
    shutil.rmtree(folder)


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., Any]:
    """run("Submit", assignment="m1", **traits): one operation in the person's folder."""

    def start(operation: str, *, course: str = "pmp", assignment: str = "m1", **traits: Any) -> Any:
        config = Config()
        for name in NAMES:
            config.ExchangeFactory[name] = f"graders.exchange.Exchange{name.title().replace('_', '')}"
        config.Exchange.path_includes_course = True
        config.Exchange.cache = str(tmp_path / "cache")
        config.Exchange.assignment_dir = str(tmp_path / "home")
        config.CourseDirectory.root = str(tmp_path / "course")
        config.CourseDirectory.course_id = course
        config.CourseDirectory.assignment_id = assignment
        for name, value in traits.items():
            config[f"Exchange{operation}"][name] = value
        factory = ExchangeFactory(config=config)
        parts = {"coursedir": CourseDirectory(config=config), "authenticator": Authenticator(config=config)}
        return getattr(factory, operation)(config=config, **parts).start()

    (tmp_path / "home").mkdir()
    return start


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "pmp" / "m1"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "exercices.ipynb").write_bytes(b'{"cells": []}')
    return folder


def test_fetched_files_arrive_in_the_session_and_modules_folder(door: ScriptedDoor, run, tmp_path: Path) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}", "data/été.csv": b"1;2", "__pycache__/a.pyc": b""})
    run("FetchAssignment")
    folder = tmp_path / "home" / "pmp" / "m1"
    assert {p.relative_to(folder).as_posix() for p in folder.rglob("*")} == {"exercices.ipynb", "data", "data/été.csv"}


@pytest.mark.parametrize(
    "path", ["../evil", "/etc/evil", "a/../../evil", "", "a//b", "./a", "a\\b", "a\x00b", ".", "..", 7, None]
)
def test_a_path_that_leaves_the_folder_writes_nothing(door: ScriptedDoor, run, tmp_path: Path, path: object) -> None:
    door.serve_files(f"{BASE}/m1/files", {"ok": b"1"})
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"}, path=path)
    with pytest.raises(ExchangeError, match="chemin_refuse"):
        run("FetchAssignment")
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_file_that_is_not_what_was_announced_is_not_written(door: ScriptedDoor, run, tmp_path: Path) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"})
    address = next(call for call in door.answers if call.startswith(f"GET {BASE}/m1/files/"))
    door.answers[address] = (200, b"other")
    with pytest.raises(ExchangeError, match="incomplet"):
        run("FetchAssignment")
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_link_where_a_file_or_folder_will_come_is_not_followed(
    door: ScriptedDoor, run, home: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("intact")
    (home / "data").symlink_to(outside)
    (home / "notes").symlink_to(outside / "victim")
    door.serve_files(f"{BASE}/m1/files", {"notes": b"changed"})
    run("FetchAssignment", replace_missing_files=True)  # a link is something of theirs: it stays
    door.serve_files(f"{BASE}/m1/files", {"data/victim": b"changed"})
    with pytest.raises(ExchangeError, match="data"):
        run("FetchAssignment", replace_missing_files=True)
    assert (outside / "victim").read_text() == "intact"
    assert sorted(p.name for p in outside.iterdir()) == ["victim"]


def test_what_the_person_has_is_never_replaced(door: ScriptedDoor, run, home: Path) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"new", "manquant.csv": b"1"})
    with pytest.raises(ExchangeError, match="Vous avez déjà"):
        run("FetchAssignment")
    run("FetchAssignment", replace_missing_files=True)
    assert (home / "exercices.ipynb").read_bytes() == b'{"cells": []}'
    assert (home / "manquant.csv").read_bytes() == b"1"


def receipt(number: int = 1) -> dict[str, object]:
    return {"number": number, "client_id": "x", "received_at": RECEIVED, "state": "queued"}


def test_a_submission_is_in_the_cache_before_it_is_sent_and_a_retry_is_the_same_attempt(
    door: ScriptedDoor, run, home: Path, tmp_path: Path
) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"})
    ids: list[str] = []

    def receive(body: bytes) -> tuple[int, object]:
        (entry,) = list_entries(tmp_path / "cache", "pmp", "m1")
        ids.append(str(entry.client_id))
        assert not entry.is_confirmed
        assert ids[-1].encode() in body and b'filename="exercices.ipynb"' in body
        assert b"client_id.txt" not in body
        return (503, b"") if len(ids) == 1 else (201, receipt())

    door.answers[f"POST {BASE}/m1/attempts"] = receive
    with pytest.raises(ExchangeError):
        run("Submit")
    run("Submit")
    assert len(ids) == 2 and ids[0] == ids[1]
    (entry,) = list_entries(tmp_path / "cache", "pmp", "m1")
    assert entry.is_confirmed and entry.timestamp == TIMESTAMP
    assert (entry.folder / "timestamp.txt").read_text() == TIMESTAMP
    assert json.loads((entry.folder / "receipt.json").read_text())["number"] == 1


def test_other_files_are_another_attempt(door: ScriptedDoor, run, home: Path, tmp_path: Path) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"})
    door.answers[f"POST {BASE}/m1/attempts"] = (503, b"")
    for content in (b"one", b"two"):
        (home / "exercices.ipynb").write_bytes(content)
        with pytest.raises(ExchangeError):
            run("Submit")
    assert len({entry.client_id for entry in list_entries(tmp_path / "cache")}) == 2


def test_links_and_feedback_are_not_submitted(door: ScriptedDoor, run, home: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SECRET")
    (home / "lien").symlink_to(tmp_path / "secret")
    (home / "dossier").symlink_to(tmp_path)
    os.mkfifo(home / "tuyau")
    (home / "feedback").mkdir()
    (home / "feedback" / "page.html").write_text("retour")
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"})
    door.answers[f"POST {BASE}/m1/attempts"] = (201, receipt())
    run("Submit")
    body = next(body for call, body in door.calls if call.startswith("POST"))
    assert body.count(b"filename=") == 1
    assert b"SECRET" not in body


def test_the_portals_refusal_is_the_sentence_shown(door: ScriptedDoor, run, home: Path) -> None:
    door.serve_files(f"{BASE}/m1/files", {"exercices.ipynb": b"{}"})
    door.answers[f"POST {BASE}/m1/attempts"] = (403, {"code": "session-closed", "message": "Cette session est fermée."})
    with pytest.raises(ExchangeError, match=r"Cette session est fermée\. \[session-closed\]"):
        run("Submit")


@pytest.mark.parametrize(
    "answer", [(500, b"<html>"), (200, b"not json"), (200, []), (200, {"files": 3}), (200, {"files": [3]})]
)
def test_a_wrong_answer_is_a_sentence_too(door: ScriptedDoor, run, answer: tuple[int, Any]) -> None:
    door.answers[f"GET {BASE}/m1/files"] = answer
    with pytest.raises(ExchangeError, match="Le portail a donné une réponse inattendue"):
        run("FetchAssignment")


def test_an_absent_portal_is_a_sentence(run, home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PUPITRE_BRIDGE_SOCKET", str(tmp_path / "nobody.sock"))
    for operation in ("List", "FetchAssignment", "FetchFeedback", "Submit", "Collect"):
        with pytest.raises(ExchangeError, match="Le portail ne répond pas"):
            run(operation)


@pytest.mark.parametrize("name", ["..", "a/b", "-x", "é\nx", "*"])
def test_a_bad_name_is_refused_before_any_call(door: ScriptedDoor, run, name: str) -> None:
    for operation in ("FetchAssignment", "FetchFeedback", "Collect", "ReleaseFeedback"):
        with pytest.raises(ExchangeError, match="ne convient pas"):
            run(operation, assignment=name)
        with pytest.raises(ExchangeError, match="ne convient pas"):
            run(operation, course=name)
    assert door.calls == []


def test_feedback_goes_to_the_attempts_folder_and_nowhere_else(door: ScriptedDoor, run, home: Path) -> None:
    one = "6f1ed002-ab55-4c5a-9f0e-2b1f0c9d3a11"
    door.answers[f"GET {BASE}/m1/attempts"] = (200, [{"client_id": one, "received_at": RECEIVED, "number": 1}])
    pages = {"exercices.html": b"<p>retour", "autre/page.html": b"x", "script.js": b"x"}
    door.serve_files(f"{BASE}/m1/attempts/{one}/feedback", pages)
    run("FetchFeedback")
    assert [p.relative_to(home).as_posix() for p in home.rglob("*.*") if "feedback" in p.parts] == [
        f"feedback/{TIMESTAMP}",
        f"feedback/{TIMESTAMP}/exercices.html",
    ]


def test_collected_names_are_checked_and_dates_are_the_portals(door: ScriptedDoor, run, tmp_path: Path) -> None:
    one = "6f1ed002-ab55-4c5a-9f0e-2b1f0c9d3a11"
    rows = [
        {"client_id": one, "received_at": RECEIVED, "number": 1, "learner": "p-abc"},
        {"client_id": one, "received_at": RECEIVED, "number": 1, "learner": "../../evil"},
    ]
    door.answers[f"GET {BASE}/m1/attempts?all=1"] = (200, rows)
    door.serve_files(f"{BASE}/m1/attempts/{one}/files", {"exercices.ipynb": b"{}", "timestamp.txt": b"1999-01-01"})
    run("Collect")
    found = sorted(
        p.relative_to(tmp_path / "course").as_posix() for p in (tmp_path / "course").rglob("*") if p.is_file()
    )
    base = "submitted/p-abc/m1"
    assert found == [f"{base}/exercices.ipynb", f"{base}/submission_secret.txt", f"{base}/timestamp.txt"]
    assert (tmp_path / "course" / base / "timestamp.txt").read_text() == TIMESTAMP


def test_a_release_carries_the_source_with_its_hidden_tests(door: ScriptedDoor, run, tmp_path: Path) -> None:
    for step, text in (("release", "copie"), ("source", "HIDDEN TESTS")):
        folder = tmp_path / "course" / step / "m1"
        folder.mkdir(parents=True)
        (folder / "exercices.ipynb").write_text(text)
    door.answers[f"GET {BASE}"] = (200, [])
    door.answers[f"PUT {BASE}/m1"] = (200, {})
    run("ReleaseAssignment")
    body = next(body for call, body in door.calls if call.startswith("PUT"))
    assert b'name="files"; filename="exercices.ipynb"' in body
    assert b'name="source"; filename="exercices.ipynb"' in body
    door.answers[f"GET {BASE}"] = (200, [{"name": "m1"}])
    with pytest.raises(ExchangeError, match="--force"):
        run("ReleaseAssignment")


def test_one_closed_session_does_not_hide_the_others(door: ScriptedDoor, run, home: Path) -> None:
    sessions = [{"slug": "pmp"}, {"slug": "fermee"}, {"slug": "../x"}]
    door.answers["GET me"] = (200, {"name": "p-abc", "sessions": sessions})
    door.answers[f"GET {BASE}"] = (200, [{"name": "m1", "notebooks": ["exercices.ipynb"]}, {"name": "../y"}])
    door.answers["GET sessions/fermee/assignments"] = (403, {"code": "forbidden", "message": "Non."})
    found = run("List", course="", assignment="")
    assert [(row["course_id"], row["assignment_id"], row["status"]) for row in found] == [("pmp", "m1", "fetched")]


def test_the_door_needs_a_socket_or_an_address_with_its_token(tmp_path: Path) -> None:
    with pytest.raises(DoorError, match=NO_DOOR):
        open_door({})
    with pytest.raises(DoorError, match="PUPITRE_DOOR_TOKEN_FILE"):
        open_door({"PUPITRE_DOOR_URL": "http://127.0.0.1:1", "PUPITRE_DOOR_TOKEN_FILE": str(tmp_path / "absent")})
