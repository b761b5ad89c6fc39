"""Who calls, and what they may do: the token's owner, and the frame every view of the door stands in."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from typing import Any

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt

from graders.errors import GradersError
from hub.portal import hubapi
from hub.portal.accounts.models import User
from hub.portal.accounts.permissions import is_enrolled, knows_session
from hub.portal.door.errors import REFUSAL_STATUS, DoorError, forbidden, not_found

logger = logging.getLogger(__name__)

Handler = Callable[..., HttpResponseBase]


def get_caller(request: HttpRequest) -> User:
    """The person whose Hub token came with the call.

    Raises
    ------
    DoorError
        401: no token, or not one the Hub knows. 403: the account is not approved, or closed.
    """
    scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
    owner = hubapi.get_token_owner(token.strip()) if scheme.lower() in ("token", "bearer") else None
    if owner is None:
        raise DoorError(401, "bad-token", _("Votre serveur n’est plus reconnu : rouvrez le module depuis le portail."))
    user = User.objects.filter(hub_name=owner.name).first()
    if user is None or not user.is_active or not user.is_approved:
        raise DoorError(403, "no-account", _("Votre compte n’est pas actif, ou pas encore approuvé."))
    return user


def check_right(caller: User, permission: str, session: str) -> None:
    """Raise DoorError unless the caller has the right: 404 where they may not even know of the session."""
    if not caller.has_perm(permission, session):
        raise forbidden() if knows_session(caller, session) else not_found(_("Cette session n’existe pas."))


def check_member(caller: User, session: str) -> None:
    """Raise DoorError unless the caller studies, reviews or studied here: one's own work stays readable after the end."""
    if not is_enrolled(caller, session, running=False):
        check_right(caller, "learning.study_session", session)


def endpoint(**handlers: Handler) -> Handler:
    """A view of the door: one handler per HTTP method, called with the request, the caller and the address's parts."""

    @csrf_exempt
    @never_cache
    @functools.wraps(next(iter(handlers.values())))
    def view(request: HttpRequest, **parts: Any) -> HttpResponseBase:
        try:
            handler = handlers.get(request.method or "")
            if handler is None:
                raise DoorError(405, "bad-method", _("Cette adresse n’accepte pas cet appel."))
            return handler(request, get_caller(request), **parts)
        except GradersError as refusal:
            error = DoorError(REFUSAL_STATUS.get(refusal.code, 400), refusal.code, refusal.message)
        except DoorError as refusal:
            error = refusal
        except (OSError, DatabaseError):  # a full disk, a database that is away: the bridge tries again
            logger.exception("%s %s", request.method, request.path)
            error = DoorError(
                503,
                "unavailable",
                _(
                    "Le portail ne peut pas enregistrer pour le moment. Votre travail reste dans votre espace : réessayez."
                ),
            )
        logger.info("%s %s: %d %s", request.method, request.path, error.status, error.code)
        return error.as_response()

    return view


def unknown_address(request: HttpRequest, path: str) -> HttpResponse:
    """The door's own 404: JSON, never a page."""
    return not_found().as_response()


unknown_address = csrf_exempt(unknown_address)
