"""What other people's verifiers fetch from us: keys, lists, definitions, Open Badges 2.0."""

from __future__ import annotations

import functools
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from openbadgeslib.ob3 import (
    OB3LdpVerifier,
    OB3VerificationError,
    OB3Verifier,
    decode_encoded_list,
    resolve_verification_method,
    set_indices,
    verify_data_integrity_proof,
)
from openbadgeslib.ob3.did import _jwk_to_pem

from badges.awards import revoke_award
from badges.contexts import canonicalize
from badges.issuer import load_issuer
from badges.keys import ED25519, add_key
from badges.models import Award
from badges.status_list import LENGTH

AwardTo = Callable[..., Any]


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice"))


@pytest.fixture
def download(visitor: Any) -> Callable[..., bytes]:
    """An outside verifier's HTTP client, answered by the portal."""

    def fetch(url: str, *_args: Any, **_kwargs: Any) -> bytes:
        assert url.startswith("https://pupitre.example.org/")
        response = visitor.get(url.removeprefix("https://pupitre.example.org"))
        assert response.status_code == 200, url
        return bytes(response.content)

    return fetch


def test_an_outside_verifier_resolves_our_key_and_reads_the_status(award: Any, download: Any) -> None:
    verifier = OB3LdpVerifier.for_issuer_did("did:web:pupitre.example.org")
    # Its own check of a list's signature reads JWT lists only: ours is checked just below.
    check = functools.partial(verifier.verify, check_status=True, verify_status_list=False, download=download)
    credential = check(award.credential)
    assert credential.achievement.name == "Petit parcours d’été"
    revoke_award(award, reason="Erreur", by=None)
    with pytest.raises(OB3VerificationError, match=r"(?i)revo"):
        check(award.credential)


def test_an_outside_verifier_accepts_the_signature_of_the_list(award: Any, download: Any) -> None:
    status = json.loads(download(award.credential["credentialStatus"]["statusListCredential"]))
    assert status["issuer"] == award.credential["issuer"]["id"]
    pem = resolve_verification_method(status["proof"]["verificationMethod"], download)
    verify_data_integrity_proof(status, pem)
    status["credentialSubject"]["statusPurpose"] = "suspension"
    with pytest.raises(OB3VerificationError):
        verify_data_integrity_proof(status, pem)


def test_an_outside_verifier_finds_the_token_key_by_its_kid(award: Any, download: Any, signed_in: Any) -> None:
    token = signed_in(award.recipient).get(award.get_absolute_url() + "badge.jwt").content.decode()
    import base64

    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    jwk = json.loads(download(header["kid"]))
    assert "keys" not in jwk
    assert "d" not in jwk
    assert OB3Verifier(_jwk_to_pem(jwk)).verify(token).id == award.credential["id"]


def test_rotation_keeps_old_awards_valid(award: Any, download: Any, make_user: Any, award_to: AwardTo) -> None:
    add_key(load_issuer().keys_dir, ED25519)
    newer = award_to(make_user("bob"))
    methods = [item.credential["proof"]["verificationMethod"] for item in (award, newer)]
    assert methods == [f"did:web:pupitre.example.org#ed25519-{number}" for number in (1, 2)]
    verifier = OB3LdpVerifier.for_issuer_did("did:web:pupitre.example.org")
    for item in (award, newer):
        verifier.verify(item.credential, download=download)


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/.well-known/did.json", "application/did+json"),
        ("/.well-known/jwks.json", "application/jwk-set+json"),
        ("/badges/keys/ed25519-1", "application/jwk+json"),
        ("/badges/keys/p256-1", "application/jwk+json"),
        ("/badges/etat/1", "application/vc+ld+json"),
        ("/badges/emetteur.json", "application/json"),
    ],
)
def test_documents_have_their_type_and_open_to_any_origin(
    award: Any, visitor: Any, path: str, content_type: str
) -> None:
    response = visitor.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, content_type)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "no-cache"
    assert b'"d"' not in response.content
    assert b"PRIVATE" not in response.content
    assert not response.cookies
    assert visitor.post(path).status_code in (403, 405)


@pytest.mark.parametrize(
    "path",
    ["/badges/keys/ed25519-9", "/badges/keys/openid", "/badges/etat/2", "/badges/etat/0", "/badges/modele/inconnu/"],
)
def test_what_does_not_exist_is_not_found(award: Any, visitor: Any, path: str) -> None:
    assert visitor.get(path).status_code == 404


def test_the_key_set_also_holds_the_keys_of_sign_in(award: Any, visitor: Any) -> None:
    keys = visitor.get("/.well-known/jwks.json").json()["keys"]
    assert {key["kty"] for key in keys} == {"RSA", "OKP", "EC"}
    assert {key.get("iss") for key in keys if key["kty"] != "RSA"} == {"did:web:pupitre.example.org"}


def test_the_list_has_one_bit_per_revoked_award_and_says_nothing_else(
    award: Any, visitor: Any, make_user: Any, award_to: AwardTo
) -> None:
    other = award_to(make_user("bob"))

    def revoked() -> frozenset[int]:
        subject = visitor.get("/badges/etat/1").json()["credentialSubject"]
        bits = decode_encoded_list(subject["encodedList"])
        assert len(bits) * 8 == LENGTH
        return frozenset(set_indices(bits))

    assert revoked() == frozenset()
    revoke_award(award, reason="Erreur", by=None)
    assert revoked() == {award.status_index}
    revoke_award(other, reason="Erreur", by=None)
    assert revoked() == {award.status_index, other.status_index}


def test_places_in_the_list_are_drawn_at_random(public_site: Any, make_user: Any, award_to: AwardTo) -> None:
    for number in range(12):
        award_to(make_user(f"personne{number}"))
    indices = list(Award.objects.order_by("pk").values_list("status_index", flat=True))
    assert len(set(indices)) == 12
    assert indices != sorted(indices)
    assert max(indices) - min(indices) > 1_000


def test_the_badge_has_an_address_a_page_and_a_picture(award: Any, visitor: Any) -> None:
    achievement_id = award.credential["credentialSubject"]["achievement"]["id"]
    path = achievement_id.removeprefix("https://pupitre.example.org")
    assert visitor.get(path)["Location"] == path + "/"
    assert "Obtenir 60 % des points." in visitor.get(path + "/").content.decode()
    document = visitor.get(path, headers={"accept": "application/ld+json"}).json()
    signed = award.credential["credentialSubject"]["achievement"]
    assert {name: document[name] for name in signed if name != "resultDescription"} == {
        name: value for name, value in signed.items() if name != "resultDescription"
    }
    canonicalize(document)  # every property is in its contexts
    image = visitor.get(signed["image"]["id"].removeprefix("https://pupitre.example.org"))
    assert image.content.startswith(b"\x89PNG")
    svg = visitor.get(path + "/image.svg")
    assert "sandbox" in svg["Content-Security-Policy"]


def test_open_badges_2_is_hosted_once_published(award: Any, visitor: Any, signed_in: Any, download: Any) -> None:
    address = award.get_absolute_url()
    assert visitor.get(address + "assertion.json").status_code == 403
    holder = signed_in(award.recipient)
    holder.post(address + "publication/", {"published": "on"})
    assert visitor.get(address + "assertion.json").status_code == 403  # the e-mail's hash needs a consent of its own
    assert b"assertion.json" not in visitor.get(address + "badge.png").content
    holder.post(address + "publication/", {"openbadges2": "on"})
    assert visitor.get(address + "assertion.json").status_code == 403
    holder.post(address + "publication/", {"published": "on", "openbadges2": "on"})
    assertion = visitor.get(address + "assertion.json").json()
    assert assertion["id"] == f"https://pupitre.example.org{address}assertion.json"
    assert assertion["@context"] == "https://w3id.org/openbadges/v2"
    recipient = assertion["recipient"]
    expected = hashlib.sha256(("alice@example.org" + recipient["salt"]).encode()).hexdigest()
    assert recipient["identity"] == f"sha256${expected}"
    badge = json.loads(download(assertion["badge"]))
    assert (badge["id"], badge["type"]) == (assertion["badge"], "BadgeClass")
    issuer = json.loads(download(badge["issuer"]))
    assert (issuer["id"], issuer["name"]) == (badge["issuer"], "Lycée d’essai")
    assert "revoked" not in assertion
    png = visitor.get(address + "badge.png").content
    assert assertion["id"].encode() in png
    revoke_award(award, reason="Motif privé", by=None)
    gone = visitor.get(address + "assertion.json")
    revoked = gone.json()
    assert (gone.status_code, revoked["revoked"]) == (410, True)
    assert "recipient" not in revoked
    assert "Motif privé" not in json.dumps(revoked)


def test_an_unpublished_picture_holds_no_address_of_an_assertion(award: Any, signed_in: Any) -> None:
    png = signed_in(award.recipient).get(award.get_absolute_url() + "badge.png").content
    assert b"assertion.json" not in png
