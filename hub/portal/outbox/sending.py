"""Sends what waits in the outbox (docs/why/mail.md).

Laws: a message is claimed before it is sent and deleted after; a claim outlives any patience of the mail server, so a live process is never
doubled; a mail server that refuses is asked again, ever less often, for three days; then the message stays, marked as failed.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from smtplib import SMTPException

from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F, Q
from django.utils import timezone

from hub.portal.outbox.models import OutgoingMessage

log = logging.getLogger(__name__)

RETRY = timedelta(seconds=60)
CLAIM = timedelta(seconds=180)
"""More than the mail server's time-out (`EMAIL_TIMEOUT`) for each step of one message."""
GIVE_UP = timedelta(days=3)
LONGEST_WAIT = timedelta(hours=2)


def send(pk: int) -> str:
    """Send one message unless somebody else does; the returned word is for the queue's table."""
    from hub.portal.outbox.backend import read_message  # it needs the delays above

    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    waiting = OutgoingMessage.objects.filter(free, pk=pk, failed_at=None)
    if not waiting.update(claimed_until=now + CLAIM, tries=F("tries") + 1):
        return "skipped"
    row = OutgoingMessage.objects.get(pk=pk)
    try:
        get_connection(settings.OUTBOX_BACKEND).send_messages([read_message(row)])
    except (OSError, SMTPException) as error:
        _wait(row, error)
        return "waiting"
    row.delete()
    log.info("message %s sent", row.message_id)
    return "sent"


def _wait(row: OutgoingMessage, error: Exception) -> None:
    now = timezone.now()
    changes: dict[str, object] = {"claimed_until": None, "error": f"{type(error).__name__}: {error}"[:500]}
    if now - row.created_at > GIVE_UP:
        changes["failed_at"] = now
        log.error("message %s given up after %d tries: %s", row.message_id, row.tries, changes["error"])
    else:
        changes["due_at"] = now + min(RETRY * 2 ** (row.tries - 1), LONGEST_WAIT)
        log.warning("message %s not sent, try %d: %s", row.message_id, row.tries, changes["error"])
    OutgoingMessage.objects.filter(pk=row.pk).update(**changes)


def queue_again() -> int:
    """Queue the messages whose time has come: their mail server failed, or their process died; returns how many."""
    from hub.portal.outbox.tasks import send_message

    now = timezone.now()
    free = Q(claimed_until=None) | Q(claimed_until__lt=now)
    count = 0
    for row in OutgoingMessage.objects.filter(free, due_at__lt=now, failed_at=None).only("due_at")[:100]:
        # Several workers look at once: one of them queues it.
        if OutgoingMessage.objects.filter(pk=row.pk, due_at=row.due_at).update(due_at=now + RETRY):
            send_message.enqueue(row.pk)
            count += 1
    return count
