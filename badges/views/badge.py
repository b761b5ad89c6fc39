"""What a badge promises: its page, its picture, its documents. Public, and about nobody."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_headers

from badges.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from badges.credential import make_achievement
from badges.issuer import load_issuer
from badges.models import Badge
from badges.openbadges2 import make_badge_class
from badges.views.answers import JSON_LD, answer_file, answer_json, prefers_json


@require_safe
@vary_on_headers("Accept")
def achievement(request: HttpRequest, digest: str) -> HttpResponse:
    """The identifier of the achievement: its document, or its page for a browser."""
    found = get_object_or_404(Badge, digest=digest)
    if not prefers_json(request):
        return redirect(found)
    issuer = load_issuer()
    document = make_achievement(issuer.profile, found.achievement, issuer.badge_url(digest))
    return answer_json({"@context": [CREDENTIALS_V2, OPEN_BADGES_V3]} | document, JSON_LD)


@require_safe
def badge(request: HttpRequest, digest: str) -> HttpResponse:
    found = get_object_or_404(Badge, digest=digest)
    return render(request, "badges/badge.html", {"badge": found, "issuer": load_issuer()})


@require_safe
def image_png(request: HttpRequest, digest: str) -> HttpResponse:
    found = get_object_or_404(Badge, digest=digest)
    return answer_file(bytes(found.image_png), "image/png", "badge.png", attached=False)


@require_safe
def image_svg(request: HttpRequest, digest: str) -> HttpResponse:
    found = get_object_or_404(Badge, digest=digest)
    return answer_file(bytes(found.image_svg), "image/svg+xml", "badge.svg", attached=False)


@require_safe
def openbadges2_class(request: HttpRequest, digest: str) -> HttpResponse:
    found = get_object_or_404(Badge, digest=digest)
    issuer = load_issuer()
    address = issuer.public_url + request.path
    return answer_json(make_badge_class(found.achievement, issuer.badge_url(digest), address, issuer.openbadges2_url))
