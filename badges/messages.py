"""Messages to learners about their badges, in their language.

Law: to be called in the transaction of what they tell; the portal's mail backend writes them down there, so that nobody is told twice, or of an
award that was not made.
"""

from __future__ import annotations

from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _

from badges.issuer import load_issuer
from badges.models import Award


def announce_award(award: Award) -> None:
    """Tell the learner that a badge was awarded."""
    with translation.override(_language_of(award)):
        _send(award, _("Votre badge « %(title)s »") % {"title": award.badge.title}, "badges/award_message.txt")


def announce_revocation(award: Award) -> None:
    """Tell the learner that a badge was revoked, and why."""
    with translation.override(_language_of(award)):
        subject = _("Votre badge « %(title)s » a été révoqué") % {"title": award.badge.title}
        _send(award, subject, "badges/revocation_message.txt")


def _language_of(award: Award) -> str:
    """The language in which the learner last signed in; the course's before that is known."""
    return getattr(award.recipient, "language", "") or award.badge.language


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
