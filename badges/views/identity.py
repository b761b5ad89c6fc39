"""What verifiers fetch: the issuer's keys and its revocation lists."""

from __future__ import annotations

import json
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from badges.did import make_did_document, make_jwk
from badges.issuer import Issuer, load_issuer
from badges.keys import ED25519
from badges.models import Award
from badges.openbadges2 import make_issuer
from badges.profile import load_logo
from badges.status_list import make_status_list
from badges.views.answers import JSON_LD, answer_file, answer_json


@require_safe
def did_document(request: HttpRequest) -> HttpResponse:
    issuer = load_issuer()
    return answer_json(make_did_document(issuer.did, issuer.keys), "application/did+json")


@require_safe
def key_set(request: HttpRequest) -> HttpResponse:
    """Every public key of this host: the keys of sign-in share the address, which OpenID Connect also claims."""
    issuer = load_issuer()
    keys: list[dict[str, Any]] = [
        make_jwk(key, issuer.jwk_url(key.kid)) | {"iss": issuer.did} for key in issuer.keys.keys if not key.retired
    ]
    if apps.is_installed("allauth.idp.oidc"):
        from allauth.idp.oidc.views import jwks as sign_in_keys

        keys = json.loads(sign_in_keys(request).content)["keys"] + keys
    return answer_json({"keys": keys}, "application/jwk-set+json")


@require_safe
def key(request: HttpRequest, kid: str) -> HttpResponse:
    """One JWK: what the `kid` of a token points at; a retired key verifies nothing any more."""
    issuer = load_issuer()
    found = issuer.keys.find(kid)
    if found is None or found.retired:
        raise Http404
    return answer_json(make_jwk(found, issuer.jwk_url(kid)), "application/jwk+json")


@require_safe
def openbadges2_issuer(request: HttpRequest) -> HttpResponse:
    issuer = load_issuer()
    return answer_json(make_issuer(issuer.profile, issuer.openbadges2_url))


@require_safe
def logo(request: HttpRequest) -> HttpResponse:
    path = load_issuer().profile_path
    image = load_logo(path) if path is not None else None
    if image is None:
        raise Http404
    return answer_file(image, "image/png", "emetteur.png", attached=False)


@require_safe
def status_list(request: HttpRequest, number: int) -> HttpResponse:
    """A revocation list, signed from what the database says now."""
    issuer = load_issuer()
    awards = Award.objects.filter(status_list=number)
    dates = awards.aggregate(first=Min("issued_at"), changed=Max("revoked_at"))
    if dates["first"] is None:
        raise Http404
    revoked = tuple(
        awards.filter(revoked_at__isnull=False).order_by("status_index").values_list("status_index", flat=True)
    )
    kid = issuer.keys.current(ED25519).kid
    moment = max(filter(None, dates.values())).replace(microsecond=0)
    return answer_json(_sign_status_list(issuer, kid, number, revoked, moment), JSON_LD)


@lru_cache(maxsize=16)  # signing costs some 10 ms; every argument that changes the list is in the key
def _sign_status_list(
    issuer: Issuer, kid: str, number: int, revoked: tuple[int, ...], moment: datetime
) -> dict[str, Any]:
    return issuer.sign(make_status_list(issuer.profile, issuer.status_list_url(number), revoked, moment), moment)
