"""Pages that belong to no app: errors, the health check, legal pages, and every element of our pages (debug)."""

from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.paginator import Paginator
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def health(request: HttpRequest) -> HttpResponse:
    """200 when the database answers and has its tables."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT COUNT(*) FROM django_migrations")
        count = cursor.fetchone()[0]
    return HttpResponse(f"ok {count}\n", content_type="text/plain")


def accessibility(request: HttpRequest) -> HttpResponse:
    return render(request, "portal/accessibility.html", {"contact": settings.ENVIRONMENT.issuer_email})


def privacy(request: HttpRequest) -> HttpResponse:
    context = {"contact": settings.ENVIRONMENT.issuer_email, "organisation": settings.ENVIRONMENT.issuer_name}
    return render(request, "portal/privacy.html", context)


class PatternForm(forms.Form):
    """Every kind of field, for the page of elements."""

    name = forms.CharField(label="Champ de texte", help_text="Une aide courte.")
    email = forms.EmailField(label="Adresse électronique")
    choice = forms.ChoiceField(label="Liste", choices=[("a", "Premier choix"), ("b", "Second choix")])
    text = forms.CharField(label="Texte long", widget=forms.Textarea(attrs={"rows": 3}), required=False)
    tick = forms.BooleanField(label="Case à cocher")


def patterns(request: HttpRequest) -> HttpResponse:
    """Every element of our pages, to look at and to photograph; only with PUPITRE_DEBUG."""
    context = {
        "form": PatternForm(),
        "wrong_form": PatternForm({"email": "sans-arobase"}, auto_id="wrong_%s"),
        "page": Paginator(range(30), 10).get_page(2),
    }
    return render(request, "portal/patterns.html", context)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "400.html", status=400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The exception's own sentence, for the person, is better than ours."""
    return render(request, "403.html", {"sentence": str(exception)}, status=403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    return render(request, "500.html", status=500)
