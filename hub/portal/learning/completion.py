"""From a rule that holds to a row that asks for badges, once (docs/reference/behaviour-completion.md).

Laws: the `Completion` and `EarnedBadge` rows are unique and are written, with the task that delivers their badges
(`awarding.py`), in the transaction that saw the rule hold; the signal is sent after its commit; what could not be delivered
is tried again at the person's next step or by `pupitre awardbadges`; neither is ever taken back: when the course's rule
ceases to hold, the managers are told.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import send_mail
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from hub.portal.catalogue.coursefile import CourseFile
from hub.portal.learning import rule
from hub.portal.learning.models import Completion, EarnedBadge, Enrolment
from hub.portal.learning.signals import course_completed

log = logging.getLogger(__name__)

DELIVERY_RETRY = timedelta(minutes=1)
"""A delivery that takes longer has failed, or its worker died."""


def record(enrolment: Enrolment, course: CourseFile, rows: rule.Rows) -> None:
    """Compare the enrolment's rules with its completion and badges, inside the caller's transaction."""
    _record_badges(enrolment, course, rows)
    completion = Completion.objects.filter(enrolment=enrolment).first()
    if completion is None:
        if enrolment.rule_holds:
            completion = Completion.objects.create(enrolment=enrolment)
            _enqueue_delivery(completion)
            log.info("session %s: completed by learner %s", enrolment.session.slug, enrolment.learner_id)
            transaction.on_commit(partial(course_completed.send_robust, sender=Enrolment, enrolment=enrolment))
        return
    if completion.awarded_at is None and timezone.now() - completion.completed_at > DELIVERY_RETRY:
        _enqueue_delivery(completion)
    if enrolment.rule_holds and completion.lapsed_at is not None:
        Completion.objects.filter(pk=completion.pk).update(lapsed_at=None)
    elif not enrolment.rule_holds and completion.lapsed_at is None:
        Completion.objects.filter(pk=completion.pk).update(lapsed_at=timezone.now())
        log.warning("session %s: rule lapsed for learner %s", enrolment.session.slug, enrolment.learner_id)
        transaction.on_commit(partial(tell_managers, enrolment), robust=True)


def _record_badges(enrolment: Enrolment, course: CourseFile, rows: rule.Rows) -> None:
    """The badges with a criterion of their own; those of the course itself come with its `Completion`."""
    specs = [badge for badge in course.badges if badge.earned_when is not None]
    if not specs:
        return
    known = {earned.badge: earned for earned in EarnedBadge.objects.filter(enrolment=enrolment)}
    for spec in specs:
        earned = known.get(spec.slug)
        if earned is None and rule.rule_holds(course, rows, spec.earned_when):
            earned = EarnedBadge.objects.create(enrolment=enrolment, badge=spec.slug)
            log.info("session %s: badge %s earned by %s", enrolment.session.slug, spec.slug, enrolment.learner_id)
        elif earned is None or earned.awarded_at or timezone.now() - earned.earned_at <= DELIVERY_RETRY:
            continue
        _enqueue_earned(earned)


def _enqueue_delivery(completion: Completion) -> None:
    """The queue is in the same database: the task exists exactly when the completion does."""
    from hub.portal.learning.tasks import deliver_badges  # tasks need the apps to be loaded

    deliver_badges.enqueue(completion.pk)


def _enqueue_earned(earned: EarnedBadge) -> None:
    from hub.portal.learning.tasks import deliver_earned_badge

    deliver_earned_badge.enqueue(earned.pk)


def tell_managers(enrolment: Enrolment) -> None:
    """A badge stays although its rule no longer holds: somebody must know."""
    managers = get_user_model()._default_manager.filter(is_manager=True, is_active=True, approved_at__isnull=False)
    recipients = list(managers.values_list("email", flat=True))
    if not recipients:
        return
    address = settings.ENVIRONMENT.public_url + reverse("followed_session", args=[enrolment.session.slug])
    text = _(
        "%(learner)s avait terminé « %(session)s » et garde son badge, mais une note a baissé : "
        "les conditions de réussite ne sont plus remplies.\n\n"
        "Le suivi de la session : %(address)s\n"
    )
    values = {"learner": enrolment.learner.display_name, "session": enrolment.session.title, "address": address}
    for recipient in recipients:  # one message each: managers' addresses are not shown to one another
        send_mail(_("Pupitre : une note a baissé après l’attestation"), text % values, None, [recipient])
