"""Awards of a running portal, accepted by verifiers that nobody here wrote; what those fetch, over real HTTP."""

from __future__ import annotations

import io
import json
from typing import Any

import jsonschema
import pytest
from openbadgeslib.baking import ITXT_KEYWORD_OB3, extract_png, extract_svg

from tests.badges.outside.portal import DID, PUBLIC_URL, Portal
from tests.badges.outside.tamperings import TAMPERINGS, VERIFIERS, Desk, Forms
from tests.badges.outside.verifiers import PROFILE_SCHEMA, SCHEMA, Verdicts, load_schemas, verify_everywhere
from tests.installation import ROOT

GOOD = ("good", "other", "old")
"""`old` was signed by a key that was replaced since."""


@pytest.fixture(scope="module")
def forms(portal: Portal) -> dict[str, Forms]:
    desk = Desk(portal)
    return {kind: desk.fetch(kind) for kind in GOOD}


@pytest.fixture(scope="module")
def verdicts(portal: Portal, forms: dict[str, Forms]) -> Verdicts:
    return verify_everywhere(portal, forms)


@pytest.mark.parametrize("verifier", VERIFIERS)
@pytest.mark.parametrize("kind", GOOD)
def test_a_good_award_is_accepted(kind: str, verifier: str, verdicts: Verdicts) -> None:
    assert verdicts[kind][verifier] == ""


def test_the_keys_are_those_that_the_test_is_about(forms: dict[str, Forms]) -> None:
    methods = [forms[kind].credential["proof"]["verificationMethod"] for kind in ("old", "good")]
    assert methods == [f"{DID}#ed25519-2", f"{DID}#ed25519-3"]


def test_the_awards_are_as_full_as_they_can_be(forms: dict[str, Forms]) -> None:
    """What is accepted above holds every part that we can issue: an endorsement signed by another, alignments, marks…"""
    credential = forms["good"].credential
    achievement = credential["credentialSubject"]["achievement"]
    assert {"description", "image", "address", "phone", "otherIdentifier", "parentOrg", "endorsement"} <= set(
        credential["issuer"]
    )
    assert {"criteria", "image", "creator", "alignment", "resultDescription", "inLanguage", "humanCode"} <= set(
        achievement
    )
    assert credential["credentialSubject"]["result"] and credential["evidence"]


def test_an_outside_reader_finds_the_credential_in_both_pictures(forms: dict[str, Forms]) -> None:
    for award in forms.values():
        assert json.loads(extract_png(award.png, keyword=ITXT_KEYWORD_OB3)) == award.credential
        assert (
            json.loads(extract_svg(award.svg, element="openbadges:credential", text_fallback=True)) == award.credential
        )


def test_every_award_and_its_issuer_follow_the_official_schemas(forms: dict[str, Forms]) -> None:
    """A second opinion beside ajv's."""
    schemas = load_schemas()
    award = jsonschema.Draft201909Validator(schemas[SCHEMA])
    profile = jsonschema.Draft201909Validator(schemas[PROFILE_SCHEMA])
    for form in forms.values():
        award.validate(form.credential)
        profile.validate(form.credential["issuer"])
    without_name = {name: value for name, value in forms["good"].credential.items() if name != "name"}
    assert not award.is_valid(without_name | {"credentialStatus": [without_name["credentialStatus"]]})


DOCUMENTS = {
    "/.well-known/did.json": "application/did+json",
    "/.well-known/jwks.json": "application/jwk-set+json",
    "/badges/keys/ed25519-3": "application/jwk+json",
    "/badges/keys/p256-2": "application/jwk+json",
    "/badges/etat/1": "application/vc+ld+json",
    "/badges/emetteur.json": "application/json",
    "{award}badge.json": "application/vc+ld+json",
    "{award}badge.jwt": "text/plain; charset=us-ascii",
    "{award}badge.png": "image/png",
    "{award}badge.svg": "image/svg+xml",
    "{award}assertion.json": "application/json",
    "{badge}/image.png": "image/png",
    "{badge}/classe.json": "application/json",
}


@pytest.mark.parametrize("path", DOCUMENTS)
def test_a_document_is_served_with_its_type_to_any_origin(portal: Portal, forms: dict[str, Forms], path: str) -> None:
    badge = forms["good"].credential["credentialSubject"]["achievement"]["id"].removeprefix(PUBLIC_URL)
    award = portal.award_url("good").removeprefix(PUBLIC_URL)
    answer = portal.get(PUBLIC_URL + path.format(award=award, badge=badge), Origin="https://wallet.example")
    assert (answer.status_code, answer.headers["content-type"]) == (200, DOCUMENTS[path])
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-cache"
    assert "set-cookie" not in answer.headers
    assert b"PRIVATE KEY" not in answer.content


@pytest.mark.parametrize(
    "accept", ["application/vc+ld+json", "application/vc", "application/ld+json", "application/json"]
)
def test_the_identifier_of_an_award_answers_the_document_to_who_asks_for_it(
    portal: Portal, forms: dict[str, Forms], accept: str
) -> None:
    answer = portal.get(portal.award_url("good"), Accept=accept)
    assert answer.headers["content-type"] == "application/vc+ld+json"
    assert answer.json() == forms["good"].credential
    assert "Accept" in answer.headers["vary"]
    assert portal.get(portal.award_url("good"), Accept="text/html").headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("name", ["badge.json", "badge.jwt", "badge.png", "badge.svg", "assertion.json"])
def test_nobody_fetches_what_its_holder_did_not_publish(portal: Portal, name: str) -> None:
    answer = portal.get(portal.award_url("private") + name, Accept="application/json")
    assert answer.status_code == 403
    assert b"Denis" not in answer.content


def test_a_revoked_2_0_assertion_is_gone(portal: Portal) -> None:
    answer = portal.get(portal.award_url("revoked") + "assertion.json")
    assert (answer.status_code, answer.json()["revoked"]) == (410, True)
    assert "recipient" not in answer.json()


def test_a_retired_key_is_published_nowhere(portal: Portal) -> None:
    documents = [portal.get(f"{PUBLIC_URL}/.well-known/{name}").text for name in ("did.json", "jwks.json")]
    for kid in ("ed25519-1", "p256-1"):
        assert not any(kid in text for text in documents)
        assert portal.get(f"{PUBLIC_URL}/badges/keys/{kid}").status_code == 404
    assert all("ed25519-2" in text for text in documents)


def test_the_table_of_the_documentation_is_the_tests(forms: dict[str, Forms]) -> None:
    """docs/reference/verifiers.md: one row per tampering, « refuses » where the test asks for it."""
    page = (ROOT / "docs" / "reference" / "verifiers.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in page.splitlines() if line.startswith("| ")]
    header = next(row for row in rows if row[0] == "tampering")
    assert tuple(header[1:]) == VERIFIERS
    said = {
        row[0]: {column for column, cell in zip(header[1:], row[1:], strict=True) if cell == "refuses"}
        for row in rows
        if row[0] in TAMPERINGS
    }
    assert {name: said.get(name) for name in TAMPERINGS} == {name: who for name, (_how, who) in TAMPERINGS.items()}


def test_the_picture_is_still_a_picture(forms: dict[str, Forms]) -> None:
    """Pillow, strictly: every chunk, its order and its sum."""
    from PIL import Image

    for award in forms.values():
        with Image.open(io.BytesIO(award.png)) as image:
            image.load()
            texts: dict[str, Any] = image.text  # type: ignore[attr-defined]
        assert json.loads(texts["openbadgecredential"]) == award.credential
        assert texts["openbadges"] == f"{award.credential['id']}assertion.json"
