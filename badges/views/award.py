"""One award: its public page, which checks the proof each time it is shown; its publication; its revocation."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from django.views.decorators.vary import vary_on_headers

from badges import access
from badges.awards import revoke_award
from badges.credential import format_number
from badges.errors import RevocationRefused
from badges.forms import PublicationForm, RevocationForm
from badges.issuer import Issuer, load_issuer
from badges.models import Award
from badges.register import AwardRegister
from badges.verify import verify_credential
from badges.views.answers import prefers_json
from badges.views.files import credential_json


@require_safe
@vary_on_headers("Accept")
def award(request: HttpRequest, check_code: str) -> HttpResponse:
    found = access.get_award(check_code)
    if check_code != found.check_code:
        return redirect(found, permanent=True)
    if prefers_json(request):
        if not access.can_see_files(request.user, found):
            message = _("La personne qui a reçu ce badge n’a pas publié ses fichiers.")
            return JsonResponse({"code": "not-published", "message": message}, status=403)
        return credential_json(request, check_code)
    return _render_award(request, found, RevocationForm())


@require_POST
@login_required
def publish(request: HttpRequest, check_code: str) -> HttpResponse:
    """The holder chooses what others see."""
    found = access.get_award(check_code)
    if not access.is_holder(request.user, found):
        raise PermissionDenied(_("Ce badge n’est pas le vôtre."))
    form = PublicationForm(request.POST)
    if form.is_valid():
        if form.cleaned_data["published"]:
            found.published_at = found.published_at or timezone.now()
        else:
            found.published_at = None
        found.shows_marks = form.cleaned_data["shows_marks"]
        found.openbadges2_at = (found.openbadges2_at or timezone.now()) if form.cleaned_data["openbadges2"] else None
        found.save(update_fields=["published_at", "shows_marks", "openbadges2_at"])
        if found.published_at:
            messages.success(request, _("Votre badge est publié : qui a son adresse peut le voir et le télécharger."))
        else:
            messages.success(request, _("Vos choix sont enregistrés : les fichiers du badge sont à vous seul."))
    return redirect(found)


@require_POST
@login_required
def revoke(request: HttpRequest, check_code: str) -> HttpResponse:
    """A manager revokes, with a reason."""
    if not access.can_revoke(request.user):
        raise PermissionDenied(_("Seuls les gestionnaires révoquent un badge."))
    found = access.get_award(check_code)
    form = RevocationForm(request.POST)
    if form.is_valid():
        try:
            revoke_award(found, reason=form.cleaned_data["reason"], by=request.user)
        except RevocationRefused as error:
            messages.error(request, error.message)
        else:
            messages.success(request, _("Le badge est révoqué. Un message part à la personne concernée."))
            return redirect(found)
    return _render_award(request, found, form, status=400)


def _render_award(request: HttpRequest, found: Award, form: RevocationForm, status: int = 200) -> HttpResponse:
    issuer = load_issuer()
    holder = access.is_holder(request.user, found)
    can_revoke = access.can_revoke(request.user)
    verdict = verify_credential(found.credential, AwardRegister(issuer), timezone.now())
    context = {
        "award": found,
        "badge": found.badge,
        "verdict": verdict,
        "issuer": issuer,
        "issuer_name": found.credential["issuer"]["name"],
        "address": issuer.award_url(found.check_code),
        "assertion": f"{issuer.award_url(found.check_code)}assertion.json",
        "image": f"{issuer.badge_url(found.badge.digest)}/image.png",
        "is_holder": holder,
        "can_see_files": access.can_see_files(request.user, found),
        "can_see_reason": holder or can_revoke,
        "results": _list_results(found) if access.can_see_marks(request.user, found) else [],
        "publication_form": PublicationForm(
            initial={
                "published": found.published_at is not None,
                "shows_marks": found.shows_marks,
                "openbadges2": found.openbadges2_at is not None,
            }
        ),
        "linkedin": _linkedin_address(issuer, found) if holder and found.published_at else "",
        "revocation_form": form if can_revoke and found.revoked_at is None else None,
    }
    response = render(request, "badges/award.html", context, status=status)
    response["X-Robots-Tag"] = "noindex"
    return response


def _list_results(found: Award) -> list[dict[str, str]]:
    """Points as the reader's language writes numbers."""
    return [
        {
            "title": result.title,
            "points": number_format(format_number(result.points)),
            "max_points": number_format(format_number(result.max_points)),
        }
        for result in found.module_results
    ]


def _linkedin_address(issuer: Issuer, found: Award) -> str:
    """LinkedIn's form « add a certification », filled in; the person sends it, not us."""
    values = {
        "startTask": "CERTIFICATION_NAME",
        "name": found.badge.title,
        "organizationName": issuer.name,
        "issueYear": found.issued_at.year,
        "issueMonth": found.issued_at.month,
        "certUrl": issuer.award_url(found.check_code),
        "certId": found.check_code,
    }
    return "https://www.linkedin.com/profile/add?" + urlencode(values)
