"""The queue's task of learning: delivering badges, which signs and draws, and must not make a page or a marking wait."""

from __future__ import annotations

from django_tasks import task

from hub.portal.learning import completion
from hub.portal.learning.models import Completion


@task()
def deliver_badges(completion_id: int) -> None:
    """Deliver what the completion promises; running it again changes nothing."""
    completion.deliver(Completion.objects.get(pk=completion_id))
