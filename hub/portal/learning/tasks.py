"""The queue's tasks of learning: delivering badges, which signs and draws, and must not make a page or a marking wait."""

from __future__ import annotations

from django_tasks import task

from hub.portal.learning import awarding
from hub.portal.learning.models import Completion, EarnedBadge


@task()
def deliver_badges(completion_id: int) -> None:
    """Deliver what the completion promises; running it again changes nothing."""
    awarding.deliver(Completion.objects.get(pk=completion_id))


@task()
def deliver_earned_badge(earned_id: int) -> None:
    """Deliver one badge that has its own criterion; running it again changes nothing."""
    awarding.deliver_earned(EarnedBadge.objects.get(pk=earned_id))
