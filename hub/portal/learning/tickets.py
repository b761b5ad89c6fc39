"""Tickets to submit: made by « Soumettre », bound to one person and one module, used once.

The ticket is the attempt's `client_id`: sent twice, it is the same attempt. The door marks it as used
(hub/portal/door/views/attempts.py).
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from hub.portal.learning.models import Enrolment, SubmissionTicket

UNUSED_LIFETIME = timedelta(days=1)
"""The learner's server may have to start first; past this, nobody waits for the ticket any more."""


def make_ticket(enrolment: Enrolment, module: str) -> SubmissionTicket:
    """A new ticket; the person's old ones that were never used are cleared away."""
    SubmissionTicket.objects.filter(
        enrolment=enrolment, used_at__isnull=True, created_at__lt=timezone.now() - UNUSED_LIFETIME
    ).delete()
    return SubmissionTicket.objects.create(enrolment=enrolment, module=module)
