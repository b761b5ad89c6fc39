"""Publishing a course folder: `pupitre synccourses` and the workshop's « Publier » both end here.

Laws: a published version never changes (except `….dev` versions, and everything under PUPITRE_DEBUG); publishing the
same folder twice changes nothing; files are on disk before the database speaks of them; learners' files and sources are
kept apart (storage.py).
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from graders.blobs import assignment_blobs
from graders.engine.release import release_notebook
from hub.portal.catalogue import storage
from hub.portal.catalogue.coursecontent import (
    ASSIGNMENT_NAME,
    LESSON_NAME,
    SHEET_NAME,
    CourseContent,
    load_course_and_content,
)
from hub.portal.catalogue.coursefile import COURSE_FILE, CourseFile, CourseFileError
from hub.portal.catalogue.models import Course, CourseSession, CourseVersion
from hub.portal.catalogue.search import fold
from hub.portal.catalogue.sessions import move_session, publish_assignments, session_moved
from hub.portal.catalogue.yamlsource import load_yaml

log = logging.getLogger(__name__)

Outcome = Literal["published", "replaced", "restored", "unchanged"]


@dataclass
class Publication:
    """What publishing one folder did."""

    version: CourseVersion
    outcome: Outcome
    opened: list[CourseSession] = field(default_factory=list)
    moved: list[CourseSession] = field(default_factory=list)


def publish_course(folder: Path) -> CourseVersion:
    """Publish the course of a folder as its current version; idempotent.

    Raises
    ------
    CourseFileError
        The folder is not a valid course, or its version is published already with another content.
    """
    return publish(folder).version


def publish(folder: Path) -> Publication:
    """`publish_course`, saying what changed."""
    course, content = load_course_and_content(folder)
    digest = _digest_of(course, content)
    known = CourseVersion.objects.filter(course__slug=course.slug, version=course.version).first()
    _check_changes(folder, course, known, digest)
    _check_listed_sessions(folder, course)
    # The disk is slow and SQLite has one writer: every file is written before the transaction.
    if known is None or known.digest != digest or not storage.has_manifest(_folder_of(course), digest):
        _store_files(course, content, digest)
    with transaction.atomic():
        row, _created = Course.objects.get_or_create(slug=course.slug)
        row = Course.objects.select_for_update().get(pk=row.pk)
        known = CourseVersion.objects.filter(course=row, version=course.version).first()
        _check_changes(folder, course, known, digest)  # somebody may have published it meanwhile
        outcome = _outcome(known, digest)
        version = _save_version(row, known, course, content, digest)
        publication = Publication(version, outcome)
        _follow_current_version(publication)
        _open_listed_sessions(publication, course)
        _publish_assignments(publication)
    if outcome != "unchanged":
        log.info("course %s: version %s %s", course.slug, course.version, outcome)
    return publication


def _publish_assignments(publication: Publication) -> None:
    """To the sessions that use the version and do not have its assignments yet."""
    touched = CourseSession.objects.filter(course_version=publication.version).select_related("course_version__course")
    if publication.outcome != "replaced":
        touched = touched.filter(pk__in=[session.pk for session in publication.opened + publication.moved])
    for session in touched:
        publish_assignments(session)
        if publication.outcome == "replaced":
            session_moved.send(sender=CourseSession, session=session)


def _check_changes(folder: Path, course: CourseFile, known: CourseVersion | None, digest: str) -> None:
    if known and known.digest != digest and not _may_change(course.version):
        line = load_yaml(folder / COURSE_FILE).line_of(("version",))
        message = _("la version %(version)s est déjà publiée avec un autre contenu : changez `version`")
        raise CourseFileError(COURSE_FILE, line, "version", message % {"version": course.version})


def _check_listed_sessions(folder: Path, course: CourseFile) -> None:
    slugs = [session.slug for session in course.sessions]
    taken = CourseSession.objects.filter(slug__in=slugs).exclude(course_version__course__slug=course.slug).first()
    if taken is not None:
        line = load_yaml(folder / COURSE_FILE).line_of(("sessions", slugs.index(taken.slug), "slug"))
        message = _("la session « %(session)s » est celle d’un autre parcours") % {"session": taken.slug}
        raise CourseFileError(COURSE_FILE, line, "sessions", message)


def _folder_of(course: CourseFile) -> Path:
    return storage.version_folder(course.slug, course.version)


def _may_change(version: str) -> bool:
    return bool(settings.ENVIRONMENT.debug) or version.endswith(".dev")


def _outcome(known: CourseVersion | None, digest: str) -> Outcome:
    if known is None:
        return "published"
    if known.digest != digest:
        return "replaced"
    return "unchanged" if known.is_current else "restored"


def _digest_of(course: CourseFile, content: CourseContent) -> str:
    """One SHA-256 for everything an author can change; made from sources and from what they say, so that a key that a later
    version of our software adds does not change it."""
    parts: dict[str, Any] = {
        "course": course.model_dump(mode="json", exclude_defaults=True),
        "modules": {},
        "images": {},
    }
    for slug, module in content.modules.items():
        parts["modules"][slug] = {
            "lesson": _sha256(module.lesson),
            "assignment": _sha256(module.assignment),
            "quiz": module.quiz.model_dump(mode="json", by_alias=True) if module.quiz else None,
            "files": {path: _sha256(data) for path, data in module.files.items()},
        }
        if after := {path: _sha256(data) for path, data in module.files_after_submission.items()}:
            parts["modules"][slug]["files_after_submission"] = after
        if module.sheet is not None:
            parts["modules"][slug]["sheet"] = _sha256(module.sheet)
    if content.programme:
        parts["programme"] = content.programme.model_dump(mode="json")
    parts["images"] = {path: _sha256(data) for path, data in content.images.items()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _store_files(course: CourseFile, content: CourseContent, digest: str) -> None:
    folder = _folder_of(course)

    def stored(part: storage.Part, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        blobs = storage.version_blobs(folder, part)
        return {path: {"sha256": blobs.put(data), "size": len(data)} for path, data in files.items()}

    manifest: dict[str, Any] = {"modules": {}, "images": stored("released", content.images)}
    for slug, module in content.modules.items():
        released, source = dict(module.files), dict(module.files)
        if module.lesson is not None:
            released[LESSON_NAME] = module.lesson
        if module.assignment is not None:
            released[ASSIGNMENT_NAME] = release_notebook(module.assignment)
            source[ASSIGNMENT_NAME] = module.assignment
            for files in (released, source):  # the graders will ask for them in the transaction
                assignment_blobs().put_all({path: data for path, data in files.items() if path != LESSON_NAME})
        manifest["modules"][slug] = {
            "released": stored("released", released),
            "source": stored("source", source),
            "after": stored("after", module.files_after_submission),
            "sheet": stored("sheet", {} if module.sheet is None else {SHEET_NAME: module.sheet}),
        }
    storage.store_manifest(folder, digest, manifest)


def _save_version(
    course_row: Course, known: CourseVersion | None, course: CourseFile, content: CourseContent, digest: str
) -> CourseVersion:
    if known and known.is_current and known.digest == digest:
        return known
    CourseVersion.objects.filter(course=course_row, is_current=True).update(is_current=False)
    version = known or CourseVersion(course=course_row, version=course.version)
    version.is_current = True
    if version.digest != digest:
        version.digest = digest
        version.content = course.model_dump(mode="json")
        version.quizzes = {
            slug: module.quiz.model_dump(mode="json", by_alias=True)
            for slug, module in content.modules.items()
            if module.quiz
        }
        version.programme = content.programme.model_dump(mode="json") if content.programme else None
        version.title, version.domain = course.title, course.domain
        version.duration_minutes = course.duration.total_minutes
        version.search_text = fold(" ".join(_searched(course, version)))
    version.save()
    return version


def _searched(course: CourseFile, version: CourseVersion) -> list[str]:
    """What the catalogue's search finds a course by; capacities in words, since that is what a teacher types."""
    capacities = [capacity.title for module in course.modules for capacity in version.name_capacities(module)]
    return [course.title, course.abstract, course.domain, *course.keywords, *dict.fromkeys(capacities)]


def _follow_current_version(publication: Publication) -> None:
    """Sessions that `course.yml` opened by itself always use the current version."""
    followers = (
        CourseSession.objects.filter(course_version__course=publication.version.course, opened_by__isnull=True)
        .exclude(state=CourseSession.State.ARCHIVED)
        .exclude(course_version=publication.version)
        .select_related("course_version")
    )
    for session in followers:
        move_session(session, publication.version)
        publication.moved.append(session)


def _open_listed_sessions(publication: Publication, course: CourseFile) -> None:
    known = set(
        CourseSession.objects.filter(course_version__course=publication.version.course).values_list("slug", flat=True)
    )
    for listed in course.sessions:
        if listed.slug not in known:
            session = CourseSession.objects.create(
                slug=listed.slug,
                title=listed.title,
                enrolment=listed.enrolment,
                course_version=publication.version,
                state=CourseSession.State.OPEN,
            )
            publication.opened.append(session)
