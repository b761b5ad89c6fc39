"""The page of the one-time link: the administrator makes their account."""

from __future__ import annotations

import logging

from allauth.account.internal.flows.login import perform_login
from allauth.account.models import EmailAddress, Login
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters

from hub.portal.accounts import firstaccess
from hub.portal.accounts.forms import FirstAdminForm
from hub.portal.accounts.models import User

logger = logging.getLogger(__name__)


@never_cache
@sensitive_post_parameters("password1", "password2")
def first_admin(request: HttpRequest, token: str) -> HttpResponse:
    """Open only with a link that `pupitre onetimeadmin` printed, and only while there is no administrator."""
    if not firstaccess.is_valid(token):
        raise Http404
    if not firstaccess.is_needed():
        messages.info(request, _("Ce lien a déjà servi : l’administrateur existe. Connectez-vous."))
        return redirect("account_login")
    form = FirstAdminForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        user = _create_admin(form)
        if user is None:
            return redirect("account_login")
        messages.success(request, _("Bienvenue. Vous administrez ce service."))
        answer: HttpResponse = perform_login(
            request, Login(user=user, email=user.email, redirect_url="/gestion/comptes/")
        )
        return answer
    return render(request, "accounts/first_admin.html", {"form": form})


def _create_admin(form: FirstAdminForm) -> User | None:
    """None when somebody was faster."""
    with transaction.atomic():
        if not firstaccess.is_needed():
            return None
        user = User.objects.create_superuser(
            form.cleaned_data["email"],
            form.cleaned_data["password1"],
            display_name=form.cleaned_data["display_name"],
            terms_accepted_at=timezone.now(),
            is_manager=True,
        )
        EmailAddress.objects.create(user=user, email=user.email, verified=True, primary=True)
    logger.info("Administrator created: account %s", user.pk)
    return user
