"""Releasing assignments: each content released is a version that is kept, the last one released is the one learners get."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone

from graders.blobs import assignment_blobs
from graders.engine.release import describe_notebook
from graders.models import Assignment, AssignmentVersion
from graders.signals import assignment_released

logger = logging.getLogger(__name__)


def _describe_cells(source: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Graded cells of every notebook of the source, in order."""
    return [
        {
            "notebook": path,
            "grade_id": cell.grade_id,
            "kind": cell.kind,
            "exercise": cell.exercise,
            "max_points": cell.max_points,
        }
        for path, content in sorted(source.items())
        if path.endswith(".ipynb")
        for cell in describe_notebook(content)
    ]


def publish(
    *,
    session: str,
    name: str,
    version: str,
    title: str,
    release: Mapping[str, bytes],
    source: Mapping[str, bytes],
) -> Assignment:
    """Make this content the one learners of the session get; the same content again changes nothing.

    Attempts already made stay pinned to the version they answered.
    """
    cells = _describe_cells(source)
    blobs = assignment_blobs()
    release_manifest, source_manifest = blobs.put_all(release), blobs.put_all(source)
    identity = json.dumps([version, title, release_manifest, source_manifest], sort_keys=True)
    with transaction.atomic():
        assignment, _created = Assignment.objects.get_or_create(session=session, name=name)
        row, new = AssignmentVersion.objects.get_or_create(
            assignment=assignment,
            digest=hashlib.sha256(identity.encode()).hexdigest(),
            defaults={
                "version": version,
                "title": title,
                "release": release_manifest,
                "source": source_manifest,
                "cells": cells,
                "max_points": sum(cell["max_points"] for cell in cells),
            },
        )
        if assignment.current_id != row.pk or assignment.withdrawn_at:
            assignment.current, assignment.withdrawn_at = row, None
            assignment.save(update_fields=["current", "withdrawn_at"])
            transaction.on_commit(
                partial(assignment_released.send_robust, sender=Assignment, session=session, assignment=name)
            )
    if new:
        logger.info("assignment %s/%s released: version %s, %d graded cells", session, name, version, len(cells))
    return assignment


def withdraw(*, session: str, name: str) -> None:
    """Learners no longer see the assignment nor submit to it; attempts and marks stay."""
    Assignment.objects.filter(session=session, name=name, withdrawn_at=None).update(withdrawn_at=timezone.now())


def find_assignment(session: str, name: str) -> Assignment | None:
    """The assignment as learners see it now: released and not withdrawn."""
    return (
        Assignment.objects.select_related("current")
        .filter(session=session, name=name, withdrawn_at=None, current__isnull=False)
        .first()
    )
