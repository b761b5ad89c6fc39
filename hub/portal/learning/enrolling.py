"""Entering and leaving a session.

Laws: one enrolment per person; a refusal has a stable code and a French sentence, a line in the log, and changes nothing;
marks already earned in the session count again at once; who has completed the course cannot leave it.
"""

from __future__ import annotations

import hmac
import logging
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.utils.translation import gettext as _

from hub.portal.catalogue.models import CourseSession
from hub.portal.learning import progress
from hub.portal.learning.models import Completion, EarnedBadge, Enrolment

log = logging.getLogger(__name__)

WRONG_KEYS = 10
"""A person may give this many wrong keys to one session in `WRONG_KEYS_PERIOD_S`."""
WRONG_KEYS_PERIOD_S = 3600


class EnrolmentRefused(Exception):
    """The person cannot enter (or leave) the session; `message` is for them."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def enrol(session: CourseSession, learner: Any, key: str = "", *, by_manager: bool = False) -> Enrolment:
    """Enrol a person; who is enrolled already gets the same enrolment.

    Raises
    ------
    EnrolmentRefused
        The session is not open, is full, wants another key, or enrols through its managers only.
    """
    try:
        return _enrol(session, learner, key, by_manager)
    except EnrolmentRefused as refusal:
        log.warning("enrolment refused: learner %s, session %s: %s", learner.pk, session.slug, refusal.code)
        raise


def _enrol(session: CourseSession, learner: Any, key: str, by_manager: bool) -> Enrolment:
    known = find_enrolment(session, learner)
    if known is not None:
        return known
    if not (learner.is_active and learner.is_approved):
        raise EnrolmentRefused(
            "not-approved", _("Ce compte n’est pas encore approuvé : l’inscription n’est pas possible.")
        )
    if not by_manager:
        _check_way_in(session, learner, key)
    with transaction.atomic():
        # The lock counts the last seat once.
        locked = CourseSession.objects.select_for_update().get(pk=session.pk)
        if locked.capacity is not None and locked.enrolments.exclude(learner=learner).count() >= locked.capacity:
            raise EnrolmentRefused("full", _("Cette session est complète."))
        enrolment, created = Enrolment.objects.get_or_create(session=locked, learner=learner)
        if created:
            progress.rebuild(enrolment)
            log.info("session %s: learner %s enrolled", session.slug, learner.pk)
    return enrolment


def _check_way_in(session: CourseSession, learner: Any, key: str) -> None:
    if not session.is_running():
        raise EnrolmentRefused("not-open", _("Cette session n’est pas ouverte : l’inscription n’est pas possible."))
    if session.enrolment == CourseSession.EnrolmentMode.MANAGED:
        raise EnrolmentRefused("managed", _("Les inscriptions à cette session sont faites par ses gestionnaires."))
    if session.enrolment == CourseSession.EnrolmentMode.KEY:
        counter = f"wrong-keys:{session.pk}:{learner.pk}"
        if cache.get(counter, 0) >= WRONG_KEYS:
            raise EnrolmentRefused("too-many-keys", _("Trop de clés fausses : attendez une heure avant de réessayer."))
        if not hmac.compare_digest(key.strip().encode(), session.key.encode()):
            cache.add(counter, 0, WRONG_KEYS_PERIOD_S)
            cache.incr(counter)
            raise EnrolmentRefused(
                "wrong-key", _("Cette clé n’est pas celle de la session. Vérifiez-la auprès du formateur.")
            )


def withdraw(enrolment: Enrolment) -> None:
    """Leave the session: progress and quiz answers are erased, attempts are kept by the graders.

    Raises
    ------
    EnrolmentRefused
        The course is completed, or a badge was earned: its evidence must stay.
    """
    with transaction.atomic():
        if Completion.objects.filter(enrolment=enrolment).exists():
            log.warning("withdrawal refused: learner %s, session %s", enrolment.learner_id, enrolment.session_id)
            raise EnrolmentRefused(
                "completed", _("Vous avez terminé ce parcours : l’inscription reste avec votre badge.")
            )
        if EarnedBadge.objects.filter(enrolment=enrolment).exists():
            log.warning("withdrawal refused: learner %s, session %s", enrolment.learner_id, enrolment.session_id)
            raise EnrolmentRefused(
                "badge-earned", _("Vous avez obtenu un badge dans cette session : l’inscription reste avec lui.")
            )
        log.info("session %s: learner %s withdrawn", enrolment.session_id, enrolment.learner_id)
        enrolment.delete()


def find_enrolment(session: CourseSession, person: Any) -> Enrolment | None:
    if not person.is_authenticated:
        return None
    return Enrolment.objects.filter(session=session, learner=person).first()
