"""Which sessions a person reviews, and which attempts wait there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from graders.models import Assignment, Attempt, AttemptState, CellMark


@dataclass(frozen=True)
class ReviewedSession:
    """A session as its graders see it in a list."""

    slug: str
    title: str
    waiting: int


def waiting_attempts(session: str) -> QuerySet[Attempt]:
    """Attempts a grader is awaited for, oldest first: a learner's last marked one, where a manual cell has no points."""
    later = Attempt.objects.filter(
        assignment=OuterRef("assignment"),
        learner=OuterRef("learner"),
        state=AttemptState.MARKED,
        number__gt=OuterRef("number"),
    )
    unmarked = CellMark.objects.filter(
        attempt=OuterRef("pk"), kind="manual", points__isnull=True, manual_points__isnull=True
    )
    return (
        Attempt.objects.filter(assignment__session=session, state=AttemptState.MARKED)
        .filter(Exists(unmarked), ~Exists(later))
        .order_by("received_at", "pk")
    )


def session_titles(slugs: Iterable[str]) -> dict[str, str]:
    """Titles as people know them: `settings.GRADERS_SESSION_MODEL` has `slug` and `title`."""
    rows = apps.get_model(settings.GRADERS_SESSION_MODEL)._default_manager.filter(slug__in=list(slugs))
    return dict(rows.values_list("slug", "title"))


def sessions_reviewed_by(user: Any) -> list[ReviewedSession]:
    """Sessions with assignments that the person may review."""
    slugs = Assignment.objects.order_by("session").values_list("session", flat=True).distinct()
    allowed = [slug for slug in slugs if user.has_perm("graders.review_session", slug)]
    titles = session_titles(allowed)
    return [ReviewedSession(slug, titles.get(slug, slug), waiting_attempts(slug).count()) for slug in allowed]
