"""Addresses of badges; an award's address never changes once it is signed."""

from __future__ import annotations

from django.urls import path, re_path

from badges.views import award, badge, files, identity, mine, verifier

app_name = "badges"

_CODE = r"(?P<check_code>[0-9A-Za-z]{4}-[0-9A-Za-z]{4}-[0-9A-Za-z]{4})"

urlpatterns = [
    path(".well-known/did.json", identity.did_document, name="did"),
    path(".well-known/jwks.json", identity.key_set, name="jwks"),
    path("badges/keys/<slug:kid>", identity.key, name="key"),
    path("badges/etat/<int:number>", identity.status_list, name="status-list"),
    path("badges/emetteur.json", identity.openbadges2_issuer, name="issuer-2"),
    path("badges/emetteur.png", identity.logo, name="logo"),
    path("badges/modele/<slug:digest>", badge.achievement, name="achievement"),
    path("badges/modele/<slug:digest>/", badge.badge, name="badge"),
    path("badges/modele/<slug:digest>/image.png", badge.image_png, name="image-png"),
    path("badges/modele/<slug:digest>/image.svg", badge.image_svg, name="image-svg"),
    path("badges/modele/<slug:digest>/classe.json", badge.openbadges2_class, name="class-2"),
    path("badges/", mine.mine, name="mine"),
    re_path(rf"^badges/{_CODE}/$", award.award, name="award"),
    re_path(rf"^badges/{_CODE}/publication/$", award.publish, name="publish"),
    re_path(rf"^badges/{_CODE}/revocation/$", award.revoke, name="revoke"),
    re_path(rf"^badges/{_CODE}(?:/badge)?\.json$", files.credential_json, name="json"),
    re_path(rf"^badges/{_CODE}/badge\.jwt$", files.credential_token, name="token"),
    re_path(rf"^badges/{_CODE}/badge\.png$", files.baked_png, name="png"),
    re_path(rf"^badges/{_CODE}/badge\.svg$", files.baked_svg, name="svg"),
    re_path(rf"^badges/{_CODE}/assertion\.json$", files.openbadges2_assertion, name="assertion-2"),
    re_path(rf"^badges/{_CODE}/attestation\.pdf$", files.attestation, name="attestation"),
    path("verifier/", verifier.verifier, name="verifier"),
]
