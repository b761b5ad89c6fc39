"""The award in every form a wallet takes: JSON, JWT, PNG, SVG, Open Badges 2.0; and the attestation."""

from __future__ import annotations

import json

from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from badges.access import check_files, get_award, is_holder
from badges.attestation import Attestation, render_attestation
from badges.baking import bake_png, bake_svg
from badges.issuer import Issuer, load_issuer
from badges.models import Award
from badges.openbadges2 import make_assertion
from badges.publication import shown_credential
from badges.views.answers import JSON_LD, answer_file, answer_json


@require_safe
def credential_json(request: HttpRequest, check_code: str) -> HttpResponse:
    award = get_award(check_code)
    check_files(request.user, award)
    response = answer_json(shown_credential(load_issuer(), award), JSON_LD)
    response["Content-Disposition"] = f'inline; filename="badge-{award.check_code}.json"'
    return response


@require_safe
def credential_token(request: HttpRequest, check_code: str) -> HttpResponse:
    award = get_award(check_code)
    check_files(request.user, award)
    issuer = load_issuer()
    token = issuer.make_token(shown_credential(issuer, award))
    return answer_file(token.encode("ascii"), "text/plain; charset=us-ascii", f"badge-{award.check_code}.jwt")


@require_safe
def baked_png(request: HttpRequest, check_code: str) -> HttpResponse:
    award = get_award(check_code)
    check_files(request.user, award)
    issuer = load_issuer()
    text = json.dumps(shown_credential(issuer, award))
    png = bake_png(bytes(award.badge.image_png), text, _assertion_url(issuer, award))
    return answer_file(png, "image/png", f"badge-{award.check_code}.png", attached=False)


@require_safe
def baked_svg(request: HttpRequest, check_code: str) -> HttpResponse:
    award = get_award(check_code)
    check_files(request.user, award)
    svg = bake_svg(bytes(award.badge.image_svg), json.dumps(shown_credential(load_issuer(), award)))
    return answer_file(svg, "image/svg+xml", f"badge-{award.check_code}.svg", attached=False)


@require_safe
def openbadges2_assertion(request: HttpRequest, check_code: str) -> HttpResponse:
    """The hosted assertion: it holds a hash of the e-mail, so it exists only while the holder agrees to that."""
    award = get_award(check_code)
    if not award.hosts_openbadges2:
        raise PermissionDenied(_("La personne qui a reçu ce badge ne l’a pas ouvert aux anciens porte-badges."))
    issuer = load_issuer()
    badge_address = issuer.public_url + reverse("badges:class-2", args=[award.badge.digest])
    document = make_assertion(
        issuer.public_url + reverse("badges:assertion-2", args=[award.check_code]),
        badge_address,
        award.recipient.email,
        award.email_salt,
        award.issued_at,
        revoked=award.revoked_at is not None,
    )
    response = answer_json(document)
    if award.revoked_at is not None:
        response.status_code = 410  # Gone: how older wallets read a revocation
    return response


@require_safe
@login_required
def attestation(request: HttpRequest, check_code: str) -> HttpResponse:
    """The PDF, for its holder alone: they decide to whom they show it."""
    award = get_award(check_code)
    if not is_holder(request.user, award):
        raise PermissionDenied(_("Cette attestation n’est pas la vôtre."))
    if award.revoked_at is not None:
        return render(request, "badges/attestation_revoked.html", {"award": award}, status=410)
    issuer = load_issuer()
    badge = award.badge
    pdf = render_attestation(
        Attestation(
            issuer_name=str(award.credential["issuer"]["name"]),
            recipient_name=award.recipient_name,
            title=badge.course_title or badge.title,
            badge_title="" if badge.kind == "Course" else badge.title,
            description=badge.description,
            reference=f"{badge.course} (version {badge.version})",
            session=award.session,
            hours=badge.hours,
            started_on=timezone.localdate(award.started_at) if award.started_at else None,
            completed_on=timezone.localdate(award.issued_at),
            edited_on=timezone.localdate(),
            results=award.module_results,
            check_code=award.check_code,
            address=issuer.award_url(award.check_code),
            demonstration=award.is_demonstration,
            badge_svg=bytes(badge.image_svg),
            credential=award.credential_text,
            assertion_url=_assertion_url(issuer, award),
        )
    )
    return answer_file(pdf, "application/pdf", f"attestation-{award.check_code}.pdf", attached=False)


def _assertion_url(issuer: Issuer, award: Award) -> str:
    """The 2.0 assertion's address, or "" while it does not answer: no file then points at it."""
    return issuer.public_url + reverse("badges:assertion-2", args=[award.check_code]) if award.hosts_openbadges2 else ""
