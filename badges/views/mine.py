"""« Mes badges »: what the signed-in person received."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from badges.models import Award


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    awards = (
        Award.objects.filter(recipient_id=request.user.pk)
        .select_related("badge")
        .defer("badge__image_png", "badge__image_svg", "credential_text")
    )
    return render(request, "badges/mine.html", {"awards": awards})
