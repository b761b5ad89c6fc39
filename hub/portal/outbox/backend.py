"""Django's e-mail backend of the portal: a message is not sent but written down, in the caller's transaction."""

from __future__ import annotations

from collections.abc import Sequence
from email.utils import make_msgid
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage, EmailMultiAlternatives
from django.core.mail.backends.base import BaseEmailBackend
from django.db import transaction
from django.utils import timezone

from hub.portal.outbox.models import OutgoingMessage
from hub.portal.outbox.sending import RETRY


class OutboxBackend(BaseEmailBackend):
    """`send_mail` and its kin come here; `sending.py` does the rest."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        from hub.portal.outbox.tasks import send_message  # tasks need the apps to be loaded

        for message in email_messages:
            message.message()  # refuses a header of two lines now, not in the worker
            with transaction.atomic():  # the queue is in the same database
                row = OutgoingMessage.objects.create(
                    message_id=make_msgid(domain=settings.ENVIRONMENT.portal_host),
                    content=write_message(message),
                    due_at=timezone.now() + RETRY,
                )
                send_message.enqueue(row.pk)
        return len(email_messages)


def write_message(message: EmailMessage) -> dict[str, Any]:
    """The message as JSON. Files are not carried: we send none."""
    if message.attachments:
        raise ValueError("a message of the portal carries no file")
    alternatives = getattr(message, "alternatives", None) or []
    return {
        "subject": str(message.subject),
        "body": str(message.body),
        "from_email": message.from_email,
        "to": list(message.to),
        "cc": list(message.cc),
        "bcc": list(message.bcc),
        "reply_to": list(message.reply_to),
        "headers": {name: str(value) for name, value in message.extra_headers.items()},
        "subtype": message.content_subtype,
        "alternatives": [[str(content), str(kind)] for content, kind in alternatives],
    }


def read_message(row: OutgoingMessage) -> EmailMultiAlternatives:
    content = dict(row.content)
    subtype, alternatives = content.pop("subtype"), content.pop("alternatives")
    content["headers"] = {**content["headers"], "Message-ID": row.message_id}
    message = EmailMultiAlternatives(**content)
    message.content_subtype = subtype
    for text, kind in alternatives:
        message.attach_alternative(text, kind)
    return message
