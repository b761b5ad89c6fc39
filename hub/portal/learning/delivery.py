"""The files of a session's modules, as the door and the module's page deliver them.

Laws: only what the version's manifest lists for that module and the person may have: released files, and those kept for
after the hand-in once the person has an attempt (their trainers and graders always); a name is a SHA-256, never a path of
the disk. Whether the person is in the session is the caller's to check (`learning.study_session`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from graders.models import Attempt, AttemptState
from hub.portal.catalogue import storage
from hub.portal.catalogue.models import CourseSession, CourseVersion


@dataclass(frozen=True)
class ModuleFiles:
    """What a module's folder holds in a learner's home."""

    version: str
    files: list[storage.StoredFile]


def module_files(session: CourseSession | str, module: str, person: Any = None) -> ModuleFiles | None:
    """The files of one module for this person (None: for anybody); None when the session or the module does not exist."""
    version = _find_version(session)
    if version is None or version.file.find_module(module) is None:
        return None
    files = [file for part in _list_parts(session, module, person) for file in _list_files(version, module, part)]
    return ModuleFiles(version.version, sorted(files, key=lambda file: file.path))


def open_blob(session: CourseSession | str, module: str, sha256: str, person: Any = None) -> bytes | None:
    """The bytes of one file that `module_files` lists for this person; None for any other name."""
    version = _find_version(session)
    if version is None:
        return None
    for part in _list_parts(session, module, person):
        if any(file.sha256 == sha256 for file in _list_files(version, module, part)):
            return storage.get_blobs(version, part).get(sha256)
    return None


def list_files_after_submission(session: CourseSession | str, module: str, person: Any) -> list[storage.StoredFile]:
    """Those that the hand-in has opened for this person."""
    version = _find_version(session)
    if version is None or "after" not in _list_parts(session, module, person):
        return []
    return _list_files(version, module, "after")


def load_sheet(session: CourseSession, module: str) -> bytes | None:
    """The source of the module's classroom sheet; None when it has none."""
    found = _list_files(session.course_version, module, "sheet")
    return storage.get_blobs(session.course_version, "sheet").get(found[0].sha256) if found else None


def has_handed_in(person: Any, session: str, module: str) -> bool:
    """Whether the person has an attempt that was accepted."""
    attempts = Attempt.objects.filter(learner=person, assignment__session=session, assignment__name=module)
    return attempts.exclude(state=AttemptState.REFUSED).exists()


def _list_parts(session: CourseSession | str, module: str, person: Any) -> list[storage.Part]:
    slug = session.slug if isinstance(session, CourseSession) else session
    if person is not None and (person.has_perm("graders.review_session", slug) or has_handed_in(person, slug, module)):
        return ["released", "after"]
    return ["released"]


def _list_files(version: CourseVersion, module: str, part: storage.Part) -> list[storage.StoredFile]:
    return storage.list_files(storage.load_manifest(version), module, part)


def _find_version(session: CourseSession | str) -> CourseVersion | None:
    if isinstance(session, CourseSession):
        return session.course_version
    return CourseVersion.objects.select_related("course").filter(sessions__slug=session).first()
