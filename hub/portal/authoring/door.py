"""`GET drafts/<ticket>` of the door: what the author's bridge must write."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _

from hub.portal.accounts.models import User
from hub.portal.authoring.drafts import find_draft
from hub.portal.door.caller import endpoint
from hub.portal.door.errors import DoorError, not_found


def show_draft(request: HttpRequest, caller: User, ticket: UUID) -> JsonResponse:
    """The author's own draft; anybody else's does not exist."""
    if not caller.has_perm("catalogue.write_course"):
        raise DoorError(403, "forbidden", _("Seuls les concepteurs et les formateurs peuvent écrire un parcours."))
    draft = find_draft(caller, ticket)
    if draft is None:
        raise not_found(_("Ce parcours n’est pas dans votre atelier. Créez-le depuis la page « Atelier » du portail."))
    return JsonResponse({"slug": draft.slug, "title": draft.title, "author": caller.display_name})


draft = endpoint(GET=show_draft)
