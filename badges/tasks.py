"""Messages to learners, sent by the worker: each at least once, and no more than once unless a worker dies sending."""

from __future__ import annotations

import logging

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django_tasks import task

from badges.issuer import load_issuer
from badges.models import Award

_log = logging.getLogger(__name__)


@task()
def announce_award(award_id: int) -> None:
    """Tell the learner that a badge was awarded."""
    award = Award.objects.select_related("recipient", "badge").get(pk=award_id)
    if award.announced_at is None:
        with translation.override("fr"):
            _send(award, _("Votre badge « %(title)s »") % {"title": award.badge.title}, "badges/award_message.txt")
        Award.objects.filter(pk=award_id).update(announced_at=timezone.now())


@task()
def announce_revocation(award_id: int) -> None:
    """Tell the learner that a badge was revoked, and why."""
    award = Award.objects.select_related("recipient", "badge").get(pk=award_id)
    if award.revocation_announced_at is None:
        with translation.override("fr"):
            subject = _("Votre badge « %(title)s » a été révoqué") % {"title": award.badge.title}
            _send(award, subject, "badges/revocation_message.txt")
        Award.objects.filter(pk=award_id).update(revocation_announced_at=timezone.now())


def _send(award: Award, subject: str, template: str) -> None:
    issuer = load_issuer()
    context = {
        "award": award,
        "issuer_name": issuer.name,
        "issuer_email": issuer.email,
        "address": issuer.award_url(award.check_code),
    }
    # A header is one line: a title may hold any character.
    send_mail(" ".join(subject.split()), render_to_string(template, context), None, [award.recipient.email])
    _log.info("award %s: message %s sent", award.check_code, template)
