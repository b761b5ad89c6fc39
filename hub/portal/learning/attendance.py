"""Who took part in a session: a trainer's word, row by row (docs/reference/behaviour-attendance.md).

Laws: nobody who never signed in is present; saving one page of a list says something of the people on it and of nobody else,
all of it or none.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from hub.portal.catalogue.models import CourseSession
from hub.portal.learning.models import Attendance, AttendanceSheet, Enrolment

log = logging.getLogger(__name__)

COMMENT_MAX_LENGTH = 2000


class AttendanceRefused(Exception):
    """What was sent cannot be saved; `message` is for the trainer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def list_people(session: CourseSession) -> QuerySet[Enrolment]:
    """Everyone enrolled, as the document lists them."""
    return session.enrolments.select_related("learner", "attendance").order_by(
        "learner__display_name", "learner__email"
    )


def save_attendance(
    session: CourseSession, *, shown: Collection[int], present: Collection[int], comment: str, by: Any
) -> None:
    """Write what a trainer said of the enrolments `shown`: present or absent.

    Raises
    ------
    AttendanceRefused
        One of them is not of this session, or never signed in and is said to be present; the comment is too long.
    """
    comment = comment.replace("\0", "").strip()
    if len(comment) > COMMENT_MAX_LENGTH:
        raise AttendanceRefused(
            "comment-too-long", _("Le commentaire dépasse %(most)d caractères.") % {"most": COMMENT_MAX_LENGTH}
        )
    with transaction.atomic():
        people = {row.pk: row for row in session.enrolments.select_related("learner").filter(pk__in=shown)}
        if set(shown) - set(people) or set(present) - set(people):
            raise AttendanceRefused(
                "unknown-person",
                _("La liste des participants a changé entre-temps : rien n’est enregistré, vérifiez-la."),
            )
        for pk in present:
            if people[pk].learner.last_login is None:
                raise AttendanceRefused(
                    "never-signed-in",
                    _("%(name)s ne s’est jamais connecté(e) : sa présence ne peut pas être attestée.")
                    % {"name": people[pk].learner.display_name},
                )
        now = timezone.now()
        for pk, row in people.items():
            Attendance.objects.update_or_create(
                enrolment=row, defaults={"present": pk in present, "said_at": now, "said_by": by}
            )
        AttendanceSheet.objects.update_or_create(
            session=session, defaults={"comment": comment, "saved_at": now, "saved_by": by}
        )
    log.info("session %s: presences of %d people saved by %s", session.slug, len(people), by.pk)
