"""Messages that wait for the mail server.

Law: a row is written in the transaction of what it tells, and deleted when a mail server has taken the message: nobody is told of what
did not happen, and what happened is told even if whoever was sending is killed.
"""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OutgoingMessage(models.Model):
    """One message to one or more people."""

    message_id = models.CharField(_("identifiant"), max_length=255, unique=True)
    """Its `Message-ID`: sent twice by a process that died in between, a mailbox can still tell that it is one message."""
    content = models.JSONField(editable=False)
    """Subject, texts, addresses, headers (`backend.py`)."""
    created_at = models.DateTimeField(_("écrit le"), default=timezone.now)
    due_at = models.DateTimeField(_("prochain essai"))
    """When it is queued again, unless it was sent."""
    claimed_until = models.DateTimeField(null=True, editable=False)
    """A process is sending it until then; after that, it is dead."""
    tries = models.PositiveIntegerField(_("essais"), default=0)
    failed_at = models.DateTimeField(_("abandonné le"), null=True)
    error = models.CharField(_("dernière erreur"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("message à envoyer")
        verbose_name_plural = _("messages à envoyer")
        ordering = ["created_at"]

    def __str__(self) -> str:
        return self.message_id
