"""Giving a session its course: assignments handed to the graders, change of version.

Laws: a session uses one version at a time; learners' enrolments and dates survive a change of version, and their
progress is computed again (through the signal `session_moved`, so that nothing here knows `learning`).
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.dispatch import Signal

from graders import assignments
from hub.portal.catalogue import storage
from hub.portal.catalogue.coursecontent import LESSON_NAME
from hub.portal.catalogue.models import CourseSession, CourseVersion

log = logging.getLogger(__name__)

session_moved = Signal()
"""The session uses another version, or its version was replaced. Sent inside the transaction: `session`."""


def publish_assignments(session: CourseSession) -> None:
    """Give the graders every assignment of the session's version; idempotent."""
    version = session.course_version
    manifest = storage.load_manifest(version)
    for module in version.modules:
        if module.assignment is None:
            continue
        assignments.publish(
            session=session.slug,
            name=module.slug,
            version=version.version,
            title=module.title,
            release=_load_files(version, manifest, module.slug, "released"),
            source=_load_files(version, manifest, module.slug, "source"),
        )


def move_session(session: CourseSession, version: CourseVersion) -> None:
    """Make the session use `version`; the caller publishes the assignments."""
    with transaction.atomic():
        kept = {module.slug for module in version.modules if module.assignment}
        for module in session.course_version.modules:
            if module.assignment and module.slug not in kept:
                assignments.withdraw(session=session.slug, name=module.slug)
        log.info("session %s: moved to version %s", session.slug, version.version)
        session.course_version = version
        session.save(update_fields=["course_version"])
        session_moved.send(sender=CourseSession, session=session)


def _load_files(
    version: CourseVersion, manifest: Mapping[str, Any], module: str, part: storage.Part
) -> dict[str, bytes]:
    """The lesson is no part of an assignment: nbgrader would ask learners to hand it in."""
    blobs = storage.get_blobs(version, part)
    return {
        file.path: blobs.get(file.sha256)
        for file in storage.list_files(manifest, module, part)
        if file.path != LESSON_NAME
    }
