"""What a person sees of their own account: their profile, and the page of those who wait for approval."""

from __future__ import annotations

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from hub.portal.accounts.forms import ProfileForm
from hub.portal.accounts.permissions import SignedInRequest


@login_required
def waiting(request: SignedInRequest) -> HttpResponse:
    if request.user.is_approved:
        return redirect("/mes-parcours/")
    return render(request, "accounts/waiting.html")


@login_required
def profile(request: SignedInRequest) -> HttpResponse:
    """The name that attestations bear, and the school."""
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Votre profil est enregistré."))
        return redirect("profile")
    return render(request, "accounts/profile.html", {"form": form})
