"""Managers' pages about people: who waits, approve, refuse, deactivate."""

from __future__ import annotations

from urllib.parse import urlencode

from allauth.account.models import EmailAddress
from django.contrib import messages
from django.core.paginator import Paginator
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from hub.portal.accounts import approval
from hub.portal.accounts.forms import RefusalForm
from hub.portal.accounts.models import User
from hub.portal.accounts.permissions import SignedInRequest, role_required

PAGE_SIZE = 50
WAITING, REFUSED, INACTIVE, ALL = "attente", "refusees", "inactives", "toutes"
manager_only = role_required("accounts.approve_user")


def _confirmed() -> Exists:
    return Exists(EmailAddress.objects.filter(user=OuterRef("pk"), verified=True))


def _people() -> QuerySet[User]:
    return User.objects.annotate(has_confirmed=_confirmed())


def _waiting() -> QuerySet[User]:
    """Requests a manager can decide on: whoever did not confirm an address is perhaps nobody."""
    return _people().filter(_confirmed(), approved_at=None, refused_at=None, is_active=True)


def _filtered(view: str, words: str) -> QuerySet[User]:
    match view:
        case "refusees":
            people = _people().filter(approved_at=None, refused_at__isnull=False)
        case "inactives":
            people = _people().filter(is_active=False)
        case "toutes":
            people = _people()
        case _:
            people = _waiting().order_by("created_at")
    for word in words.split():
        people = people.filter(Q(display_name__icontains=word) | Q(email__icontains=word) | Q(school__icontains=word))
    return people


@manager_only
def accounts(request: SignedInRequest) -> HttpResponse:
    """The list, by state, with a search in name, address and school."""
    view = request.GET.get("vue", WAITING)
    if view not in (WAITING, REFUSED, INACTIVE, ALL):
        view = WAITING
    words = request.GET.get("q", "").replace("\0", "")[:100].strip()
    page = Paginator(_filtered(view, words), PAGE_SIZE).get_page(request.GET.get("page"))
    context = {
        "page": page,
        "words": words,
        "view": view,
        "query": urlencode({"vue": view, "q": words}),
        "tabs": [
            (WAITING, _("En attente (%(count)d)") % {"count": _waiting().count()}),
            (ALL, _("Toutes les personnes")),
            (REFUSED, _("Demandes refusées")),
            (INACTIVE, _("Comptes désactivés")),
        ],
    }
    return render(request, "accounts/accounts.html", context)


@manager_only
@require_POST
def approve(request: SignedInRequest) -> HttpResponse:
    """Approve the ticked requests."""
    keys = [int(key) for key in request.POST.getlist("person") if key.isascii() and key.isdigit() and len(key) < 18]
    count = sum(
        approval.approve(user, request.user) for user in User.objects.filter(pk__in=keys[:500], approved_at=None)
    )
    if count:
        text = ngettext("%(count)d compte ouvert.", "%(count)d comptes ouverts.", count)
        messages.success(request, text % {"count": count})
    else:
        messages.warning(request, _("Aucune demande n’était cochée : rien n’a changé."))
    return redirect("accounts")


@manager_only
def account(request: SignedInRequest, pk: int) -> HttpResponse:
    """One person and what can be decided about them."""
    person = get_object_or_404(_people(), pk=pk)
    return render(request, "accounts/account.html", _account_context(request, person, RefusalForm()))


def _account_context(request: SignedInRequest, person: User, form: RefusalForm) -> dict[str, object]:
    return {"person": person, "form": form, "may_deactivate": approval.may_deactivate(person, request.user)}


@manager_only
@require_POST
def refuse(request: SignedInRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(_people(), pk=pk)
    form = RefusalForm(request.POST)
    if not form.is_valid():
        return render(request, "accounts/account.html", _account_context(request, person, form), status=400)
    if approval.refuse(person, request.user, form.cleaned_data["reason"]):
        messages.success(request, _("Demande refusée. La personne en est informée par courriel."))
    else:
        messages.warning(request, _("Cette demande avait déjà reçu une réponse : rien n’a changé."))
    return redirect("account", pk=pk)


@manager_only
@require_POST
def deactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if approval.deactivate(person, request.user):
        messages.success(request, _("Compte désactivé : ses sessions, ses jetons et ses serveurs prennent fin."))
    else:
        messages.warning(request, _("Ce compte ne peut pas être désactivé par vous, ou l’est déjà."))
    return redirect("account", pk=pk)


@manager_only
@require_POST
def reactivate(request: SignedInRequest, pk: int) -> HttpResponse:
    person = get_object_or_404(User, pk=pk)
    if approval.reactivate(person, request.user):
        messages.success(request, _("Compte réactivé."))
    else:
        messages.warning(request, _("Rien n’a changé."))
    return redirect("account", pk=pk)
