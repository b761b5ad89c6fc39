"""Cases 1 to 12 of docs/reference/behaviour-submission.md (3 is in test_queue_processes.py, 13 in tests/hub/test_door_attempts.py)."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django_tasks_db.models import DBTaskResult

from graders.assignments import publish, withdraw
from graders.attempts import receive
from graders.blobs import BlobStore, MissingBlobError, submission_blobs
from graders.errors import SubmissionRefused
from graders.models import Attempt
from graders.submitted import FILE_BYTES, is_safe_path

pytestmark = pytest.mark.django_db


def send(learner: Any, files: dict[str, bytes], assignment: str = "m1", session: str = "essai") -> Attempt:
    return receive(learner=learner, session=session, assignment=assignment, client_id=uuid4(), files=files)


@pytest.fixture
def refused(caplog: pytest.LogCaptureFixture) -> Callable[..., SubmissionRefused]:
    """refused(code, learner, files, …): the submission is refused, logged, and leaves nothing."""

    def check(code: str, learner: Any, files: dict[str, bytes], **where: str) -> SubmissionRefused:
        before = Attempt.objects.count(), DBTaskResult.objects.count()
        caplog.clear()
        with caplog.at_level(logging.WARNING, "graders"), pytest.raises(SubmissionRefused) as caught:
            send(learner, files, **where)
        assert caught.value.code == code
        assert caught.value.message.endswith((".", "…"))
        assert (Attempt.objects.count(), DBTaskResult.objects.count()) == before
        assert [record for record in caplog.records if code in record.getMessage()]
        return caught.value

    return check


def test_case_01_new_submission_is_stored_and_queued(alice: Any, submit: Any, answer: Any) -> None:
    attempt = submit(alice)
    assert (attempt.number, attempt.state) == (1, "queued")
    content = answer()
    sha256 = hashlib.sha256(content).hexdigest()
    assert attempt.content == {"exercices.ipynb": sha256}
    assert submission_blobs().get(sha256) == content
    task = DBTaskResult.objects.get(pk=attempt.task_id)
    assert (task.queue_name, task.args_kwargs["args"]) == ("marking", [attempt.pk])


def test_case_01_a_failure_before_the_commit_leaves_no_attempt(
    alice: Any, submit: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(attempt: Attempt) -> None:
        raise OSError("no queue")

    monkeypatch.setattr("graders.attempts.enqueue_marking", fail)
    with pytest.raises(OSError):
        submit(alice)
    assert Attempt.objects.count() == 0


def test_case_02_same_client_id_is_the_same_attempt(alice: Any, essai: Any, submit: Any) -> None:
    client_id = uuid4()
    first = submit(alice, client_id=client_id)
    tasks = DBTaskResult.objects.count()
    assert submit(alice, client_id=client_id, code="return 1").pk == first.pk
    essai.state = "closed"
    essai.save()
    assert submit(alice, client_id=client_id).pk == first.pk
    assert (Attempt.objects.count(), DBTaskResult.objects.count()) == (1, tasks)


def test_case_04_numbers_follow_each_other_per_learner(alice: Any, chevron: Any, submit: Any) -> None:
    assert [submit(alice).number, submit(alice).number, submit(chevron).number, submit(alice).number] == [1, 2, 1, 3]


def test_case_05_not_enrolled(bob: Any, denis: Any, released: Any, answer: Any, refused: Any) -> None:
    for person in (bob, denis):
        refused("not-enrolled", person, {"exercices.ipynb": answer()})


def test_case_05_closed_session(alice: Any, essai: Any, released: Any, answer: Any, refused: Any) -> None:
    essai.state = "closed"
    essai.save()
    refused("not-enrolled", alice, {"exercices.ipynb": answer()})


def test_case_05_inactive_learner(alice: Any, released: Any, answer: Any, refused: Any) -> None:
    alice.is_active = False
    alice.save()
    refused("not-enrolled", alice, {"exercices.ipynb": answer()})


def test_case_06_unknown_or_withdrawn_assignment(alice: Any, released: Any, answer: Any, refused: Any) -> None:
    refused("unknown-assignment", alice, {"exercices.ipynb": answer()}, assignment="m9")
    withdraw(session="essai", name="m1")
    refused("unknown-assignment", alice, {"exercices.ipynb": answer()})


@pytest.mark.parametrize(
    ("code", "files"),
    [
        ("no-file", {}),
        ("no-notebook", {"notes.txt": b"bonjour"}),
        ("not-a-notebook", {"exercices.ipynb": b"%PDF-1.4"}),
        ("not-a-notebook", {"exercices.ipynb": b"[1, 2]"}),
        ("not-a-notebook", {"exercices.ipynb": b'{"nbformat": 4, "cells": 3}'}),
        ("not-a-notebook", {"exercices.ipynb": b"[" * 200_000}),
        ("notebook-too-new", {"exercices.ipynb": b'{"nbformat": 7, "cells": []}'}),
    ],
)
def test_case_07_not_a_notebook(alice: Any, released: Any, refused: Any, code: str, files: dict[str, bytes]) -> None:
    refused(code, alice, files)


def test_case_08_another_assignment_under_the_same_name(
    alice: Any, released: Any, answer: Any, other_source: bytes, refused: Any
) -> None:
    refused("wrong-assignment", alice, {"exercices.ipynb": answer(of=other_source)})
    refused(
        "wrong-assignment",
        alice,
        {"brouillon.ipynb": b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}'},
    )


def test_case_08_the_right_notebook_beside_a_wrong_one(
    alice: Any, released: Any, answer: Any, other_source: bytes
) -> None:
    attempt = send(alice, {"exercices.ipynb": answer(of=other_source), "copie.ipynb": answer()})
    from graders.submitted import match_notebooks

    files = submission_blobs().get_all(attempt.content)
    assert match_notebooks(attempt.version, files) == {"exercices.ipynb": "copie.ipynb"}


def test_case_09_sizes(alice: Any, released: Any, answer: Any, refused: Any) -> None:
    good = {"exercices.ipynb": answer()}
    refused("too-large", alice, {**good, "gros.bin": b"x" * (FILE_BYTES + 1)})
    refused("too-large", alice, {**good, **{f"{n}.bin": bytes([n]) * (FILE_BYTES - 1) for n in range(4)}})
    refused("too-many-files", alice, {**good, **{f"{n}.txt": b"" for n in range(50)}})


@pytest.mark.parametrize(
    "path",
    [
        "../x",
        "/etc/passwd",
        "a/../b",
        "./a",
        "a//b",
        "a/",
        "",
        ".",
        "..",
        "a\\b",
        "a\0b",
        "a\nb",
        "é" * 201,
        "a/\u202egpj.exe",
    ],
)
def test_case_09_paths(alice: Any, released: Any, answer: Any, refused: Any, path: str) -> None:
    assert not is_safe_path(path)
    refused("bad-path", alice, {"exercices.ipynb": answer(), path: b""})


def test_case_09_ordinary_paths_are_safe() -> None:
    assert all(map(is_safe_path, ["a.txt", "données/mesures 1.csv", ".caché", "a/b/c.ipynb"]))


def test_case_10_renamed_notebook(alice: Any, released: Any, answer: Any) -> None:
    assert send(alice, {"mon travail/Exercices (copie).ipynb": answer()}).number == 1


def test_case_11_attempts_stay_with_their_version(alice: Any, submit: Any, released: Any, source: bytes) -> None:
    before = submit(alice)
    same = publish(
        session="essai", name="m1", version="2", title="Premier module", release={}, source={"exercices.ipynb": source}
    )
    again = publish(
        session="essai", name="m1", version="2", title="Premier module", release={}, source={"exercices.ipynb": source}
    )
    assert same.pk == again.pk == released.pk
    assert released.versions.count() == 2
    before.refresh_from_db()
    assert (before.version.version, again.version) == ("1", "2")


def test_case_12_ten_waiting_attempts_are_enough(alice: Any, submit: Any, answer: Any, refused: Any) -> None:
    for _attempt in range(10):
        submit(alice)
    refused("too-many-waiting", alice, {"exercices.ipynb": answer()})


def test_a_content_is_named_by_its_hash_only(tmp_path: Any) -> None:
    store = BlobStore(tmp_path)
    sha256 = store.put(b"abc")
    assert store.get(sha256) == b"abc"
    assert store.put(b"abc") == sha256
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [sha256]
    for name in ("../../etc/passwd", "", "A" * 64, "0" * 64):
        with pytest.raises(MissingBlobError):
            store.get(name)
