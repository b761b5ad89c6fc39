"""What the header of every page shows: where this person may go. One query at most, and none for a visitor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.formats import number_format
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from hub.portal.accounts.permissions import roles_of


@dataclass(frozen=True)
class Entry:
    """One link of the header."""

    address: str
    label: str
    is_current: bool


class Navigation:
    """Made when a template asks for it: a fragment or an API answer costs nothing."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request

    @property
    def signup_is_open(self) -> bool:
        return bool(settings.ENVIRONMENT.signup != "closed")

    @cached_property
    def entries(self) -> list[Entry]:
        path = self._request.path
        user = getattr(self._request, "user", None)
        found = [Entry("/", _("Catalogue"), path == "/" or path.startswith("/parcours/"))]

        def add(address: str, label: str) -> None:
            found.append(Entry(address, label, path.startswith(address)))

        if user is None or not user.is_authenticated or not user.is_approved:
            return found
        add("/mes-parcours/", _("Mes parcours"))
        add("/badges/", _("Mes badges"))
        if user.is_superuser or roles_of(user):
            add("/relecture/", _("Relecture"))
        if user.has_perm("catalogue.write_course"):
            add("/atelier/", _("Atelier"))
        if user.has_perm("accounts.approve_user"):
            add("/gestion/", _("Gestion"))
        return found

    @property
    def dangers(self) -> list[str]:
        """What whoever manages must not forget, on their pages."""
        user = getattr(self._request, "user", None)
        here = self._request.path.startswith(("/gestion/", "/administration/"))
        if not here or user is None or not user.is_authenticated or settings.ENVIRONMENT.isolation != "none":
            return []
        return [
            _(
                "Les programmes des participants tournent sans isolation (PUPITRE_ISOLATION=none) : chacun peut lire les"
                " fichiers des autres et ceux de cette installation. N’ouvrez pas cette machine à des inconnus."
            )
        ]

    @property
    def facts(self) -> list[str]:
        """How this machine treats learners' programs, for its administrator."""
        environment = settings.ENVIRONMENT
        home = number_format(environment.home_bytes / (1 << 30), 1)
        return [
            _(
                "Un dossier personnel peut occuper {home} Gio : au-delà, la personne est prévenue, rien n’est refusé."
            ).format(home=home),
            _("Les programmes des participants accèdent au web, mais ni à cette machine ni à son réseau.")
            if environment.learner_network
            else _("Les programmes des participants n’ont pas de réseau."),
        ]


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    return {"navigation": Navigation(request)}
