"""What the learning app does when others say that something changed."""

from __future__ import annotations

import logging
from typing import Any

from django.dispatch import receiver

from graders.models import Attempt
from graders.signals import mark_changed
from hub.portal.catalogue.models import CourseSession
from hub.portal.catalogue.sessions import session_moved
from hub.portal.learning import progress
from hub.portal.learning.models import Enrolment

log = logging.getLogger(__name__)


@receiver(mark_changed, sender=Attempt, dispatch_uid="refresh-progress")
def on_mark_changed(sender: type[Attempt], learner_id: int, session: str, assignment: str, **_kwargs: Any) -> None:
    enrolment = Enrolment.objects.filter(learner_id=learner_id, session__slug=session).first()
    if enrolment is None:  # they left meanwhile: the mark counts again if they come back
        log.info("mark of learner %s in %s: not enrolled any more", learner_id, session)
        return
    progress.refresh(enrolment, assignment)


@receiver(session_moved, sender=CourseSession, dispatch_uid="rebuild-progress")
def on_session_moved(sender: type[CourseSession], session: CourseSession, **_kwargs: Any) -> None:
    for enrolment in Enrolment.objects.filter(session=session).order_by("pk"):
        progress.rebuild(enrolment)
