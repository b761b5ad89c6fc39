"""The session's nbgrader gradebook, written from the portal's marks: `state_dir/gradebooks/<session>/`.

It holds `gradebook.db` and nbgrader's folders `source/ release/ submitted/ autograded/`, so that formgrader and
`nbgrader export` work. Laws: it is a projection, nobody reads marks from it but nbgrader, and `rebuild` makes it again
from nothing; one process writes at a time (a lock per session); `gradebook.db` and `manifest.json` are replaced whole,
so a reader never sees half a gradebook. nbgrader keeps one submission per learner and assignment: the attempt that
waits for a grader, else the one that counts.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from graders.blobs import BlobStore, assignment_blobs, submission_blobs
from graders.gradebook import GradebookWriter
from graders.marks import projected_attempt
from graders.models import Assignment, AttemptState

DATABASE = "gradebook.db"
MANIFEST = "manifest.json"


class ProjectionBusyError(Exception):
    """Another process is writing this session's gradebook: try again in a moment."""


@dataclass
class Manifest:
    """What the review server fetches: files by content, and which attempt each submission is."""

    files: dict[str, str] = field(default_factory=dict)
    attempts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """"<hub_name>/<assignment>" → {learner, assignment, client_id, number, review_number}."""

    def drop_folder(self, folder: str) -> None:
        self.files = {path: sha256 for path, sha256 in self.files.items() if not path.startswith(f"{folder}/")}


def gradebook_folder(session: str) -> Path:
    return settings.ENVIRONMENT.state_dir / "gradebooks" / session


def load_manifest(session: str) -> Manifest:
    try:
        value = json.loads((gradebook_folder(session) / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Manifest()
    return Manifest(value["files"], value["attempts"])


def _ensure_alembic_on_path() -> None:
    """nbgrader runs `alembic` by name when it makes a gradebook."""
    scripts = str(Path(sys.executable).parent)
    if scripts not in os.environ.get("PATH", "").split(os.pathsep):
        os.environ["PATH"] = os.pathsep.join(filter(None, [scripts, os.environ.get("PATH")]))


@contextmanager
def _writing(session: str, *, wait: bool, afresh: bool = False) -> Iterator[tuple[Path, Manifest, GradebookWriter]]:
    """Lock the session's gradebook, give a copy of it to change, then put the copy in place."""
    folder = gradebook_folder(session)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError as error:
            raise ProjectionBusyError(session) from error
        _ensure_alembic_on_path()
        draft = folder / ".gradebook.draft.db"
        draft.unlink(missing_ok=True)
        manifest = Manifest() if afresh else load_manifest(session)
        if afresh:
            for name in ("source", "release", "submitted", "autograded"):
                shutil.rmtree(folder / name, ignore_errors=True)
        elif (folder / DATABASE).exists():
            shutil.copyfile(folder / DATABASE, draft)
        with GradebookWriter(draft, session) as writer:
            yield folder, manifest, writer
        manifest.files[DATABASE] = hashlib.sha256(draft.read_bytes()).hexdigest()
        draft.replace(folder / DATABASE)
        _replace(
            folder / MANIFEST,
            json.dumps({"files": manifest.files, "attempts": manifest.attempts}, indent=1, sort_keys=True).encode(),
        )


def _replace(path: Path, content: bytes) -> None:
    draft = path.with_name(f".{path.name}.draft")
    draft.write_bytes(content)
    draft.replace(path)


def _write_folder(root: Path, folder: str, files: Mapping[str, str], blobs: BlobStore, manifest: Manifest) -> None:
    """Make `root/folder` hold exactly these files."""
    shutil.rmtree(root / folder, ignore_errors=True)
    manifest.drop_folder(folder)
    for path, sha256 in files.items():
        target = root / folder / path
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.write_bytes(blobs.get(sha256))
        manifest.files[f"{folder}/{path}"] = sha256


def _project_assignment(folder: Path, manifest: Manifest, writer: GradebookWriter, assignment: Assignment) -> None:
    version = assignment.current
    if version is None:
        return
    blobs = assignment_blobs()
    _write_folder(folder, f"source/{assignment.name}", version.source, blobs, manifest)
    _write_folder(folder, f"release/{assignment.name}", version.release, blobs, manifest)
    writer.write_assignment(assignment.name, blobs.get_all(version.source))


def _project_learner(
    folder: Path, manifest: Manifest, writer: GradebookWriter, assignment: Assignment, learner_id: int
) -> None:
    attempt = projected_attempt(
        assignment.attempts.filter(learner=learner_id, state=AttemptState.MARKED)
        .select_related("learner", "version", "assignment")
        .prefetch_related("cells")
    )
    if attempt is None:
        return
    student, blobs = attempt.learner.hub_name, submission_blobs()
    timestamp = attempt.received_at.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    for stage, files in (("submitted", attempt.content), ("autograded", attempt.executed)):
        target = f"{stage}/{student}/{assignment.name}"
        _write_folder(folder, target, {**files, "timestamp.txt": blobs.put(timestamp.encode())}, blobs, manifest)
    if attempt.version_id != assignment.current_id:
        # The attempt answers an older version: its cells must exist in the gradebook too.
        writer.write_assignment(assignment.name, assignment_blobs().get_all(attempt.version.source))
    writer.write_submission(attempt, timestamp)
    manifest.attempts[f"{student}/{assignment.name}"] = {
        "learner": student,
        "assignment": assignment.name,
        "client_id": str(attempt.client_id),
        "number": attempt.number,
        "review_number": attempt.review_number,
    }


def project_assignment(session: str, name: str) -> None:
    """Bring the gradebook up to date with what was released under one name."""
    assignment = Assignment.objects.select_related("current").get(session=session, name=name)
    with _writing(session, wait=False) as (folder, manifest, writer):
        _project_assignment(folder, manifest, writer, assignment)


def project_learner(session: str, name: str, learner_id: int) -> None:
    """Bring the gradebook up to date with one learner's mark for one assignment."""
    assignment = Assignment.objects.select_related("current").get(session=session, name=name)
    with _writing(session, wait=False) as (folder, manifest, writer):
        if not any(path.startswith(f"source/{name}/") for path in manifest.files):
            _project_assignment(folder, manifest, writer, assignment)
        _project_learner(folder, manifest, writer, assignment, learner_id)


def rebuild(session: str) -> int:
    """Make the whole gradebook again; return how many submissions it holds."""
    with _writing(session, wait=True, afresh=True) as (folder, manifest, writer):
        for assignment in Assignment.objects.filter(session=session).select_related("current").order_by("name"):
            _project_assignment(folder, manifest, writer, assignment)
            learners = assignment.attempts.filter(state=AttemptState.MARKED).values_list("learner", flat=True)
            for learner_id in sorted(set(learners)):
                _project_learner(folder, manifest, writer, assignment, learner_id)
        return len(manifest.attempts)
