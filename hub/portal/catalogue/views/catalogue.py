"""`/`: every course that is published, searched and filtered by a plain GET form (htmx only makes it quicker)."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from hub.portal.catalogue.coursefile import CourseFile
from hub.portal.catalogue.models import CourseVersion
from hub.portal.catalogue.presentation import compute_modality
from hub.portal.catalogue.search import fold

COURSES_PER_PAGE = 12
# Bounds are inclusive: a course of 6 h is in both « 3 à 6 h » and « 6 à 9 h », as teachers are used to.
DURATIONS = {"0-180": (0, 180), "180-360": (180, 360), "360-540": (360, 540), "540-": (540, 10**6)}


@dataclass(frozen=True)
class CourseCard:
    """What the catalogue shows of one course."""

    version: CourseVersion
    file: CourseFile
    modality: str

    @classmethod
    def of(cls, version: CourseVersion) -> CourseCard:
        return cls(version, version.file, compute_modality(version.file))


class SearchForm(forms.Form):
    q = forms.CharField(
        label=_("Chercher un parcours"), required=False, max_length=100, widget=forms.TextInput({"type": "search"})
    )
    duree = forms.ChoiceField(
        label=_("Durée"),
        required=False,
        choices=[
            ("", _("toutes")),
            ("0-180", _("jusqu’à 3 h")),
            ("180-360", _("de 3 à 6 h")),
            ("360-540", _("de 6 à 9 h")),
            ("540-", _("plus de 9 h")),
        ],
    )
    domaine = forms.ChoiceField(label=_("Domaine"), required=False)

    def __init__(self, data: object, domains: list[str]) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        field = self.fields["domaine"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 - for mypy
        field.choices = [("", _("tous")), *((domain, domain) for domain in domains)]


@require_safe
def catalogue(request: HttpRequest) -> HttpResponse:
    versions = CourseVersion.objects.filter(is_current=True).select_related("course").order_by("title")
    domains = list(versions.exclude(domain="").order_by("domain").values_list("domain", flat=True).distinct())
    form = SearchForm(request.GET, domains)
    found = _search(versions, form)
    page: Page[CourseVersion] = Paginator(found, COURSES_PER_PAGE).get_page(request.GET.get("page"))
    query = urlencode({name: value for name, value in form.cleaned_data.items() if value})
    context = {
        "form": form,
        "page": page,
        "cards": [CourseCard.of(version) for version in page],
        "query": query,
        "is_filtered": bool(query),
    }
    is_fragment = request.headers.get("HX-Request") == "true" and not request.headers.get("HX-History-Restore-Request")
    response = render(request, "catalogue/_results.html" if is_fragment else "catalogue/catalogue.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _search(versions: QuerySet[CourseVersion], form: SearchForm) -> QuerySet[CourseVersion]:
    """A filter that is not valid filters nothing: an old link must still find courses."""
    form.is_valid()
    for word in fold(form.cleaned_data.get("q", "")).split():
        versions = versions.filter(search_text__contains=word)
    if form.cleaned_data.get("duree"):
        shortest, longest = DURATIONS[form.cleaned_data["duree"]]
        versions = versions.filter(duration_minutes__gte=shortest, duration_minutes__lte=longest)
    if form.cleaned_data.get("domaine"):
        versions = versions.filter(domain=form.cleaned_data["domaine"])
    return versions
