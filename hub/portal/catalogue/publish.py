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

from graders.engine.release import release_notebook
from hub.portal.catalogue import storage
from hub.portal.catalogue.coursecontent import ASSIGNMENT_NAME, LESSON_NAME, CourseContent, load_course_and_content
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
    with transaction.atomic():
        row, _created = Course.objects.get_or_create(slug=course.slug)
        Course.objects.select_for_update().get(pk=row.pk)
        known = CourseVersion.objects.filter(course=row, version=course.version).first()
        if known and known.digest != digest and not _may_change(course.version):
            raise _already_published(folder, course)
        outcome = _outcome(known, digest)
        if known is None or known.digest != digest or not _is_stored(known):
            _store_files(course, content)
        version = _save_version(row, known, course, content, digest)
        publication = Publication(version, outcome)
        _follow_current_version(publication)
        _open_listed_sessions(publication, course)
        touched = CourseSession.objects.filter(course_version=version).select_related("course_version__course")
        if outcome != "replaced":  # the others have these assignments already
            touched = touched.filter(pk__in=[session.pk for session in publication.opened + publication.moved])
        for session in touched:
            publish_assignments(session)
            if outcome == "replaced":
                session_moved.send(sender=CourseSession, session=session)
    if outcome != "unchanged":
        log.info("course %s: version %s %s", course.slug, course.version, outcome)
    return publication


def _may_change(version: str) -> bool:
    return bool(settings.ENVIRONMENT.debug) or version.endswith(".dev")


def _outcome(known: CourseVersion | None, digest: str) -> Outcome:
    if known is None:
        return "published"
    if known.digest != digest:
        return "replaced"
    return "unchanged" if known.is_current else "restored"


def _already_published(folder: Path, course: CourseFile) -> CourseFileError:
    line = load_yaml(folder / COURSE_FILE).line_of(("version",))
    message = _("la version %(version)s est déjà publiée avec un autre contenu : changez `version`")
    return CourseFileError(COURSE_FILE, line, "version", message % {"version": course.version})


def _is_stored(version: CourseVersion) -> bool:
    return (storage.version_folder(version.course.slug, version.version) / "manifest.json").exists()


def _digest_of(course: CourseFile, content: CourseContent) -> str:
    """One SHA-256 for everything an author can change; made from sources, so that it does not depend on our software."""
    parts: dict[str, Any] = {"course": course.model_dump(mode="json"), "modules": {}, "images": {}}
    for slug, module in content.modules.items():
        parts["modules"][slug] = {
            "lesson": _sha256(module.lesson),
            "assignment": _sha256(module.assignment),
            "quiz": module.quiz.model_dump(mode="json", by_alias=True) if module.quiz else None,
            "files": {path: _sha256(data) for path, data in module.files.items()},
        }
    parts["images"] = {path: _sha256(data) for path, data in content.images.items()}
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def _sha256(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


def _store_files(course: CourseFile, content: CourseContent) -> None:
    folder = storage.version_folder(course.slug, course.version)

    def stored(part: storage.Part, files: Mapping[str, bytes]) -> dict[str, dict[str, Any]]:
        return {
            path: {"sha256": storage.store_blob(folder, part, data), "size": len(data)} for path, data in files.items()
        }

    manifest: dict[str, Any] = {"modules": {}, "images": stored("released", content.images)}
    for slug, module in content.modules.items():
        released, source = dict(module.files), dict(module.files)
        if module.lesson is not None:
            released[LESSON_NAME] = module.lesson
        if module.assignment is not None:
            released[ASSIGNMENT_NAME] = release_notebook(module.assignment)
            source[ASSIGNMENT_NAME] = module.assignment
        manifest["modules"][slug] = {"released": stored("released", released), "source": stored("source", source)}
    storage.store_manifest(folder, manifest)


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
        version.title, version.domain = course.title, course.domain
        version.duration_minutes = course.duration.total_minutes
        version.search_text = fold(" ".join([course.title, course.abstract, course.domain, *course.keywords]))
    version.save()
    return version


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
    for listed in course.sessions:
        session = CourseSession.objects.filter(slug=listed.slug).select_related("course_version__course").first()
        if session is None:
            publication.opened.append(
                CourseSession.objects.create(
                    slug=listed.slug,
                    title=listed.title,
                    enrolment=listed.enrolment,
                    course_version=publication.version,
                    state=CourseSession.State.OPEN,
                )
            )
        elif session.course_version.course.slug != course.slug:
            message = _("la session « %(session)s » est celle d’un autre parcours") % {"session": listed.slug}
            raise CourseFileError(COURSE_FILE, None, "sessions", message)
