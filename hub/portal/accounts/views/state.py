"""What the Hub asks about a person: may they still come in? Only the Hub may ask (`PortalAuthenticator`)."""

from __future__ import annotations

import logging

from django.http import HttpRequest, JsonResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from hub.portal.accounts.access import ended_stamp, may_use_hub
from hub.portal.accounts.management.commands.ensurehubclient import get_client_secret
from hub.portal.accounts.models import User

logger = logging.getLogger(__name__)


@require_GET
@never_cache
def person_state(request: HttpRequest, hub_name: str) -> JsonResponse:
    """`active` for an approved, active person who is signed in to the portal; `ended`: see `ended_stamp`."""
    if not constant_time_compare(request.headers.get("Authorization", ""), f"Bearer {get_client_secret()}"):
        logger.warning("Refused: somebody else than the Hub asked about a person")
        return JsonResponse({"code": "not_the_hub", "message": "Cette adresse est réservée au Hub."}, status=403)
    user = User.objects.filter(hub_name=hub_name).first()
    return JsonResponse({"active": may_use_hub(user), "ended": ended_stamp(user)})
