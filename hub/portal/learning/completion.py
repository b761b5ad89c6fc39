"""From a rule that holds to badges delivered, once (docs/reference/behaviour-completion.md).

Laws: the `Completion` row is unique and is written, with the task that delivers its badges, in the transaction that saw
the rule hold; the signal is sent after its commit; delivering is idempotent, and what failed is tried again at the
person's next step or by `pupitre awardbadges`; a completion is never taken back: when the rule ceases to hold, the
managers are told.
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

from badges import awards
from hub.portal.catalogue import storage
from hub.portal.catalogue.coursefile import BadgeSpec, CourseFile
from hub.portal.catalogue.models import CourseVersion
from hub.portal.learning.models import Completion, Enrolment
from hub.portal.learning.signals import course_completed

log = logging.getLogger(__name__)

DELIVERY_RETRY = timedelta(minutes=1)
"""A delivery that takes longer has failed, or its worker died."""


def record(enrolment: Enrolment) -> None:
    """Compare the enrolment's rule with its completion, inside the caller's transaction."""
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


def _enqueue_delivery(completion: Completion) -> None:
    """The queue is in the same database: the task exists exactly when the completion does."""
    from hub.portal.learning.tasks import deliver_badges  # it calls `deliver` below

    deliver_badges.enqueue(completion.pk)


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


def deliver(completion: Completion) -> None:
    """Deliver every badge of the course; idempotent.

    Raises whatever `badges.awards.ensure_award` raises: the completion then stays to be delivered.
    """
    enrolment = Enrolment.objects.select_related("learner", "session__course_version__course").get(
        pk=completion.enrolment_id
    )
    version = enrolment.session.course_version
    course = version.file
    for badge in course.badges:
        awards.ensure_award(
            recipient=enrolment.learner,
            achievement=_achievement_of(version, badge),
            session=enrolment.session.slug,
            results=_results_of(enrolment, course),
            evidence=[settings.ENVIRONMENT.public_url + version.course.get_absolute_url()],
            started_at=enrolment.enrolled_at,
        )
    Completion.objects.filter(pk=completion.pk).update(awarded_at=timezone.now())


def deliver_pending() -> tuple[int, int]:
    """Try again every completion whose badges were not all delivered; returns how many are done, and how many failed."""
    done = failed = 0
    for completion in Completion.objects.filter(awarded_at__isnull=True).order_by("pk"):
        try:
            deliver(completion)
            done += 1
        except Exception:  # one that fails must not stop the others; the command says how many failed
            log.exception("badges of completion %s not delivered", completion.pk)
            failed += 1
    return done, failed


def _achievement_of(version: CourseVersion, badge: BadgeSpec) -> awards.Achievement:
    course = version.file
    return awards.Achievement(
        key=f"{course.slug}/{badge.slug}",
        course=course.slug,
        version=course.version,
        title=badge.title,
        description=badge.description,
        criteria=badge.criteria,
        image_svg=storage.load_image(version, badge.image),
        hours=course.duration.total_minutes / 60,
    )


def _results_of(enrolment: Enrolment, course: CourseFile) -> list[awards.Result]:
    rows = {row.module: row for row in enrolment.modules.all()}
    return [
        awards.Result(
            module=module.slug,
            title=module.title,
            points=rows[module.slug].points if module.slug in rows else 0.0,
            max_points=module.points.total,
        )
        for module in course.modules
        if module.points.total
    ]
