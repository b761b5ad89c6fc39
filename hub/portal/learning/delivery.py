"""The files of a session's modules, as the door delivers them.

Laws: only what the version's manifest lists for that module and learners may have; a name is a SHA-256, never a path.
Rights are the caller's to check (`learning.study_session`).
"""

from __future__ import annotations

from dataclasses import dataclass

from hub.portal.catalogue import storage
from hub.portal.catalogue.models import CourseSession, CourseVersion


@dataclass(frozen=True)
class ModuleFiles:
    """What a module's folder holds in a learner's home."""

    version: str
    files: list[storage.StoredFile]


def module_files(session: CourseSession | str, module: str) -> ModuleFiles | None:
    """The manifest of one module of a session; None when the session or the module does not exist."""
    version = _find_version(session)
    if version is None or version.file.find_module(module) is None:
        return None
    files = storage.list_files(storage.load_manifest(version), module, "released")
    return ModuleFiles(version.version, files)


def open_blob(session: CourseSession | str, module: str, sha256: str) -> bytes | None:
    """The bytes of one file that `module_files` lists; None for any other name."""
    version = _find_version(session)
    if version is None:
        return None
    files = storage.list_files(storage.load_manifest(version), module, "released")
    if sha256 not in {file.sha256 for file in files}:
        return None
    return storage.get_blobs(version, "released").get(sha256)


def _find_version(session: CourseSession | str) -> CourseVersion | None:
    if isinstance(session, CourseSession):
        return session.course_version
    return CourseVersion.objects.select_related("course").filter(sessions__slug=session).first()
