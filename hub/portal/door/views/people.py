"""`GET me`: who the caller is, and in which sessions."""

from __future__ import annotations

from django.http import HttpRequest, JsonResponse

from hub.portal.accounts.models import User
from hub.portal.catalogue.models import SessionRole
from hub.portal.door.caller import endpoint
from hub.portal.learning.models import Enrolment


def show_me(request: HttpRequest, caller: User) -> JsonResponse:
    sessions: dict[str, dict[str, object]] = {}
    roles: dict[str, list[str]] = {}

    def add(slug: str, title: str, role: str) -> None:
        sessions.setdefault(slug, {"slug": slug, "title": title})
        roles.setdefault(slug, []).append(role)

    for enrolment in Enrolment.objects.filter(learner=caller).select_related("session"):
        add(enrolment.session.slug, enrolment.session.title, "learner")
    for held in SessionRole.objects.filter(user=caller).select_related("session"):
        add(held.session.slug, held.session.title, held.role)
    return JsonResponse(
        {
            "name": caller.hub_name,
            "display_name": caller.display_name,
            "sessions": [{**sessions[slug], "roles": sorted(roles[slug])} for slug in sorted(sessions)],
        }
    )


me = endpoint(GET=show_me)
