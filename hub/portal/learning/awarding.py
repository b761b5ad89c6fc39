"""Badges asked for by a completion or by a badge's own criterion, delivered (docs/reference/behaviour-completion.md).

Laws: delivering is idempotent (`badges.awards.ensure_award`) and may be killed anywhere: the row keeps `awarded_at` empty
until its last badge is there.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from badges import awards
from hub.portal.catalogue import storage
from hub.portal.catalogue.coursefile import BadgeSpec, CourseFile, Module
from hub.portal.catalogue.models import CourseVersion
from hub.portal.learning.evidence import digest_attempts
from hub.portal.learning.models import Completion, EarnedBadge, Enrolment

log = logging.getLogger(__name__)


def deliver(completion: Completion) -> None:
    """Deliver every badge of the course that its completion gives; idempotent.

    Raises whatever `badges.awards.ensure_award` raises: the completion then stays to be delivered.
    """
    _deliver_badges(completion.enrolment_id, lambda badge: badge.earned_when is None)
    Completion.objects.filter(pk=completion.pk).update(awarded_at=timezone.now())


def deliver_earned(earned: EarnedBadge) -> None:
    """Deliver the badge whose own criterion held; idempotent. Raises as `deliver`.

    A badge that the course's next version no longer has waits, in case a later one has it again.
    """
    if _deliver_badges(earned.enrolment_id, lambda badge: badge.slug == earned.badge):
        EarnedBadge.objects.filter(pk=earned.pk).update(awarded_at=timezone.now())
    else:
        log.warning("badge %s of enrolment %s: the course has it no more", earned.badge, earned.enrolment_id)


def deliver_pending() -> tuple[int, int]:
    """Try again everything that was not delivered; returns how many are done, and how many failed."""
    done = failed = 0
    rows: list[tuple[Callable[[Any], None], Iterable[Any]]] = [
        (deliver, Completion.objects.filter(awarded_at__isnull=True).order_by("pk")),
        (deliver_earned, EarnedBadge.objects.filter(awarded_at__isnull=True).order_by("pk")),
    ]
    for deliver_row, waiting in rows:
        for row in waiting:
            try:
                deliver_row(row)
                done += 1
            except Exception:  # one that fails must not stop the others; the command says how many failed
                log.exception("badges of %s %s not delivered", type(row).__name__.lower(), row.pk)
                failed += 1
    return done, failed


def renew_demonstrations() -> int:
    """Drop the badges of the time when the address was this machine's, and ask for the real ones; returns how many were dropped."""
    with transaction.atomic():
        holders = awards.drop_demonstrations()
        for learner, session in holders:
            owned = {"enrolment__learner": learner, "enrolment__session__slug": session}
            Completion.objects.filter(**owned).update(awarded_at=None)
            EarnedBadge.objects.filter(**owned).update(awarded_at=None)
    return len(holders)


def _deliver_badges(enrolment_id: int, wanted: Callable[[BadgeSpec], bool]) -> int:
    enrolment = Enrolment.objects.select_related("learner", "session__course_version__course").get(pk=enrolment_id)
    version = enrolment.session.course_version
    course = version.file
    badges = [badge for badge in course.badges if wanted(badge)]
    for badge in badges:
        awards.ensure_award(
            recipient=enrolment.learner,
            achievement=_achievement_of(version, badge),
            session=enrolment.session.slug,
            results=_results_of(enrolment, course, badge),
            evidence=_evidence_of(enrolment, version, badge),
            started_at=enrolment.enrolled_at,
        )
    return len(badges)


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
        # The authors plan the course's duration, not that of a part of it.
        hours=0.0 if badge.earned_when else course.duration.total_minutes / 60,
        course_title=course.title,
        kind="Badge" if badge.earned_when else "Course",
        language=course.language,
        alignment=_alignment_of(version, badge),
    )


def _alignment_of(version: CourseVersion, badge: BadgeSpec) -> tuple[awards.Alignment, ...]:
    """The official capacities of the badge's modules, each once; a course's own words are no alignment."""
    programme = version.programme_title
    address = settings.ENVIRONMENT.public_url + version.course.get_absolute_url()
    named = [capacity for module in _modules_of(version.file, badge) for capacity in version.name_capacities(module)]
    return tuple(
        awards.Alignment(
            code=capacity.code,
            name=capacity.title,
            framework=f"{programme} ({capacity.where})",
            url=f"{address}#{capacity.code}",
        )
        for capacity in dict.fromkeys(named)
        if capacity.code
    )


def _evidence_of(enrolment: Enrolment, version: CourseVersion, badge: BadgeSpec) -> list[str]:
    """The course, and the fingerprint of the attempts that earned the badge."""
    address = settings.ENVIRONMENT.public_url + version.course.get_absolute_url()
    names = [module.slug for module in _modules_of(version.file, badge)]
    digest = digest_attempts(enrolment.learner, enrolment.session.slug, names)
    return [address, digest] if digest else [address]


def _modules_of(course: CourseFile, badge: BadgeSpec) -> list[Module]:
    """The modules that the badge is about."""
    return course.modules_of(badge.earned_when) if badge.earned_when else course.main_modules


def _results_of(enrolment: Enrolment, course: CourseFile, badge: BadgeSpec) -> list[awards.Result]:
    """The marks of the modules that the badge is about."""
    rows = {row.module: row for row in enrolment.modules.all()}
    return [
        awards.Result(
            module=module.slug,
            title=module.title,
            points=rows[module.slug].points if module.slug in rows else 0.0,
            max_points=module.points.total,
        )
        for module in _modules_of(course, badge)
        if module.points.total
    ]
