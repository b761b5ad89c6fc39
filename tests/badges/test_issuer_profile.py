"""The issuing organisation in full: its file, what it puts into a badge, and what is refused."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from openbadgeslib.ob3 import OB3LdpVerifier

from badges.contexts import CREDENTIALS_V2
from badges.errors import ProfileRefused
from badges.issuer import load_issuer
from badges.proof import check_proof
from tests.badges.outside.issuer import endorse as signed_endorsement

PNG = b"\x89PNG\r\n\x1a\n" + b"logo"
FULL = """
description: Lycée polyvalent
url: https://lycee.example.org/
phone: "+33 1 02 03 04 05"
official: Camille Martin
image: logo.png
address: { street: 1 rue des Mesures, postal_code: "75005", locality: Paris, country: FR }
identifiers: [ { type: UAI, value: 0750000A } ]
parent: { name: Académie d’essai, url: "https://academie.example.org/" }
endorsements: [ avis.json ]
"""


@pytest.fixture
def endorser() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


@pytest.fixture
def endorse(endorser: Ed25519PrivateKey) -> Callable[..., dict[str, Any]]:
    """endorse(did): what an organisation with a did:key writes and signs about another."""

    return lambda about, **changes: signed_endorsement(about, endorser, **changes)


@pytest.fixture
def write_profile(public_site: Any, tmp_path: Path) -> Callable[..., Path]:
    """write_profile(yaml, endorsement): the file, its logo, and the setting."""

    def write(text: str, endorsement: Any = None) -> Path:
        folder = tmp_path / "profile"
        folder.mkdir(exist_ok=True)
        (folder / "logo.png").write_bytes(PNG)
        (folder / "avis.json").write_text(json.dumps(endorsement))
        file = folder / "emetteur.yml"
        file.write_text(text)
        public_site.ENVIRONMENT = dataclasses.replace(public_site.ENVIRONMENT, issuer_profile=file)
        return file

    return write


def test_a_badge_carries_the_whole_organisation_and_what_others_say_of_it(
    write_profile: Any, endorse: Any, endorser: Any, make_user: Any, award_to: Any, visitor: Any
) -> None:
    endorsement = endorse(load_issuer().did)
    write_profile(FULL, endorsement)
    award = award_to(make_user("alice"))
    issuer = award.credential["issuer"]
    assert issuer["url"] == "https://lycee.example.org/"
    assert issuer["address"]["addressCountryCode"] == "FR"
    assert issuer["otherIdentifier"][0] == {
        "type": "IdentifierEntry",
        "identifier": "0750000A",
        "identifierType": "ext:UAI",
    }
    assert issuer["parentOrg"]["name"] == "Académie d’essai"
    assert issuer["endorsement"] == [endorsement]  # to the letter
    check_proof(issuer["endorsement"][0], endorser.public_key())
    logo = visitor.get(issuer["image"]["id"].removeprefix("https://pupitre.example.org"))
    assert (logo.content, logo["Content-Type"]) == (PNG, "image/png")

    def download(url: str, *_args: Any, **_kwargs: Any) -> bytes:
        return bytes(visitor.get(url.removeprefix("https://pupitre.example.org")).content)

    verified = OB3LdpVerifier.for_issuer_did(load_issuer().did).verify(award.credential, download=download)
    assert verified.id == award.credential["id"]
    assert 'data-state="valid"' in visitor.get(award.get_absolute_url()).content.decode()


def test_what_the_endorsement_says_is_signed_by_us_as_well(
    write_profile: Any, endorse: Any, make_user: Any, award_to: Any
) -> None:
    write_profile(FULL, endorse(load_issuer().did))
    document = award_to(make_user("alice")).credential
    document["issuer"]["endorsement"][0]["credentialSubject"]["endorsementComment"] = "Autre chose"
    key = load_issuer().keys.find("ed25519-1")
    with pytest.raises(Exception, match="proof-mismatch"):
        check_proof(document, key.private.public_key())


def test_a_changed_file_is_read_again(write_profile: Any, endorse: Any) -> None:
    write_profile("description: Avant\n")
    assert load_issuer().profile.as_json()["description"] == "Avant"
    write_profile("description: Après, et plus long\n")
    assert load_issuer().profile.as_json()["description"] == "Après, et plus long"


@pytest.mark.parametrize(
    ("text", "endorsement", "words"),
    [
        ("descriptio: x", None, "descriptio"),
        ("url: javascript:alert(1)", None, "url"),
        ("address: { country: France }", None, "address.country"),
        ("a: [", None, "YAML"),
        ("image: absent.png", None, "absent.png"),
        ("image: avis.json", None, "PNG"),
        ("endorsements: [ avis.json ]", [], "not-a-badge|badge"),
        ("endorsements: [ avis.json ]", {"@context": [CREDENTIALS_V2]}, "contextes"),
        ("endorsements: [ avis.json ]", "unsigned", "EndorsementCredential"),
        ("endorsements: [ avis.json ]", "other", "autre émetteur"),
        ("endorsements: [ avis.json ]", "term", "inconnue"),
    ],
)
def test_a_mistake_is_named_and_stops_the_start(
    write_profile: Any, endorse: Any, db: None, text: str, endorsement: Any, words: str
) -> None:
    did = "did:web:pupitre.example.org"
    if endorsement == "unsigned":
        endorsement = {name: value for name, value in endorse(did).items() if name != "proof"}
    elif endorsement == "other":
        endorsement = endorse("did:web:ailleurs.example")
    elif endorsement == "term":
        endorsement = endorse(did) | {"termeInconnu": "x"}
    write_profile(text, endorsement)
    with pytest.raises(ProfileRefused, match=words) as refused:
        load_issuer().profile.as_json()
    assert "Profil de l’émetteur" in refused.value.message
    with pytest.raises(SystemCheckError, match=r"badges\.E002"):
        call_command("check", databases=["default"])
