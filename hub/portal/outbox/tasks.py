"""The queue's task of the outbox: talking to a mail server must not make a page wait."""

from __future__ import annotations

from django_tasks import task

from hub.portal.outbox import sending


@task()
def send_message(pk: int) -> str:
    """Send one message; running it again changes nothing."""
    return sending.send(pk)
