"""Document and proofs, checked by our code and by code that nobody here wrote (openbadgeslib)."""

from __future__ import annotations

import copy
import json
import socket
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from openbadgeslib.ob3 import OB3LdpVerifier, OB3VerificationError, OB3Verifier

from badges.contexts import CREDENTIALS_V2, load_context
from badges.credential import CONTEXTS, Profile, format_hours, format_number
from badges.errors import ContextUnavailable, ProofInvalid
from badges.keys import KeyRing
from badges.proof import add_proof, check_proof
from badges.vcjwt import check_token, make_token, read_token

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)
MakeDocument = Callable[..., dict[str, Any]]


@pytest.fixture
def sign(ring: KeyRing, profile: Profile) -> Callable[[dict[str, Any]], dict[str, Any]]:
    key: Any = ring.current("ed25519")
    return lambda document: add_proof(document, key.private, f"{profile.id}#{key.kid}", NOW)


def _public(ring: KeyRing, kind: str) -> Any:
    return ring.current(kind).private.public_key()


def _pem(ring: KeyRing, kind: str) -> bytes:
    return bytes(_public(ring, kind).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def test_the_document_has_what_the_standard_asks(make_document: MakeDocument) -> None:
    document = make_document()
    assert document["@context"] == CONTEXTS
    assert document["@context"][0] == CREDENTIALS_V2
    assert isinstance(document["credentialStatus"], dict)
    subject = document["credentialSubject"]
    assert subject["achievement"]["criteria"]["narrative"]
    assert subject["achievement"]["version"] == "1.2"
    assert [
        (r["value"], d["valueMax"])
        for r, d in zip(subject["result"], subject["achievement"]["resultDescription"], strict=True)
    ] == [("6.5", "8"), ("8", "8")]
    assert subject["identifier"][0]["identityHash"] == "Zoé <'&\">"

    def leaves(value: Any) -> list[Any]:
        if isinstance(value, dict):
            return [leaf for item in value.values() for leaf in leaves(item)]
        if isinstance(value, list):
            assert value, "an empty array"
            return [leaf for item in value for leaf in leaves(item)]
        return [value]

    assert None not in leaves(document)
    assert not any(isinstance(leaf, float) for leaf in leaves(document))


def test_an_award_without_marks_has_no_empty_array(make_document: MakeDocument, sign: Any, ring: KeyRing) -> None:
    document = make_document(results=[], evidence=[], session="", started_at=None)
    subject = document["credentialSubject"]
    assert not {"result", "term", "activityStartDate"} & set(subject)
    assert "evidence" not in document
    OB3LdpVerifier(_pem(ring, "ed25519")).verify(sign(document))


def test_an_independent_verifier_accepts_the_proof(make_document: MakeDocument, sign: Any, ring: KeyRing) -> None:
    signed = sign(make_document())
    credential = OB3LdpVerifier(_pem(ring, "ed25519")).verify(json.dumps(signed))
    assert credential.achievement.name == "Petit parcours d’été"
    assert credential.identifiers[0].identity_hash == "Zoé <'&\">"
    assert credential.results[0].value == "6.5"


def test_an_independent_verifier_accepts_the_token(make_document: MakeDocument, sign: Any, ring: KeyRing) -> None:
    key: Any = ring.current("p256")
    token = make_token(sign(make_document()), key.private, "https://pupitre.example.org/badges/keys/p256-1")
    header, claims = read_token(token)
    assert header == {"alg": "ES256", "typ": "JWT", "kid": "https://pupitre.example.org/badges/keys/p256-1"}
    assert "vc" not in claims
    assert (claims["iss"], claims["jti"], claims["nbf"]) == (claims["issuer"]["id"], claims["id"], int(NOW.timestamp()))
    assert OB3Verifier(_pem(ring, "p256")).verify(token).achievement.name == "Petit parcours d’été"


TAMPERINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "name": lambda d: d["credentialSubject"]["identifier"][0].update(identityHash="Bob"),
    "title": lambda d: d["credentialSubject"]["achievement"].update(name="Autre"),
    "mark": lambda d: d["credentialSubject"]["result"][0].update(value="8"),
    "date": lambda d: d.update(validFrom="2020-01-01T00:00:00Z"),
    "status": lambda d: d["credentialStatus"].update(statusListIndex="1"),
    "issuer": lambda d: d["issuer"].update(name="Un autre"),
    "evidence": lambda d: d["evidence"][0].update(narrative="sha256:1"),
    "result removed": lambda d: d["credentialSubject"]["result"].pop(),
    "proof date": lambda d: d["proof"].update(created="2020-01-01T00:00:00Z"),
    "proof method": lambda d: d["proof"].update(verificationMethod=d["issuer"]["id"] + "#ed25519-2"),
    "signature": lambda d: d["proof"].update(proofValue=d["proof"]["proofValue"][:-2] + "11"),
}


@pytest.mark.parametrize("what", TAMPERINGS)
def test_a_change_anywhere_breaks_the_proof(what: str, make_document: MakeDocument, sign: Any, ring: KeyRing) -> None:
    signed = sign(make_document())
    check_proof(signed, _public(ring, "ed25519"))
    changed = copy.deepcopy(signed)
    TAMPERINGS[what](changed)
    with pytest.raises(ProofInvalid, match=r"proof-mismatch|not-json-ld"):
        check_proof(changed, _public(ring, "ed25519"))
    with pytest.raises(OB3VerificationError):
        OB3LdpVerifier(_pem(ring, "ed25519")).verify(changed)


def test_an_addition_that_no_context_knows_is_never_signed_nor_accepted(
    make_document: MakeDocument, sign: Any, ring: KeyRing
) -> None:
    with pytest.raises(ProofInvalid, match="term-unknown"):
        sign(make_document() | {"mention": "très bien"})
    with pytest.raises(ProofInvalid, match="term-unknown"):
        check_proof(sign(make_document()) | {"mention": "très bien"}, _public(ring, "ed25519"))


def test_another_key_does_not_verify(make_document: MakeDocument, sign: Any) -> None:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    with pytest.raises(ProofInvalid, match="proof-mismatch"):
        check_proof(sign(make_document()), Ed25519PrivateKey.generate().public_key())


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "proof-missing"),
        ([], "proof-missing"),
        ({}, "proof-malformed"),
        ({"proofValue": "z0OIl"}, "proof-malformed"),
        ({"cryptosuite": "ecdsa-sd-2023"}, "proof-unknown"),
        ({"type": "Ed25519Signature2020"}, "proof-unknown"),
        ({"proofPurpose": "authentication"}, "proof-purpose"),
        ({"created": 5}, "proof-malformed"),
        ({"@context": "https://attacker.example"}, "proof-malformed"),
    ],
)
def test_a_proof_of_another_kind_is_refused(
    proof: Any, code: str, make_document: MakeDocument, sign: Any, ring: KeyRing
) -> None:
    signed = sign(make_document())
    replaced = signed["proof"] | proof if proof else proof
    with pytest.raises(ProofInvalid, match=code):
        check_proof(signed | {"proof": replaced}, _public(ring, "ed25519"))


def test_a_token_is_refused_when_it_is_changed_or_disagrees(
    make_document: MakeDocument, sign: Any, ring: KeyRing
) -> None:
    key: Any = ring.current("p256")
    public = key.private.public_key()
    signed = sign(make_document())
    token = make_token(signed, key.private, "kid")
    assert check_token(token, public) == signed
    header, payload, signature = token.split(".")
    other = make_token(sign(make_document(recipient_name="Bob")), key.private, "kid").split(".")[1]
    for bad, code in [
        (f"{header}.{other}.{signature}", "proof-mismatch"),
        (f"{header}.{payload}.", "proof-unknown|token-malformed"),
        (f"{header}.{payload}.%%", "token-malformed"),
        (f"{header}.{payload}", "token-malformed"),
        ("a.b.c", "token-malformed"),
    ]:
        with pytest.raises(ProofInvalid, match=code):
            check_token(bad, public)
    # A token whose own signature holds but that says something else than its claims.
    disagreeing = make_token(signed, key.private, "kid")
    claims = read_token(disagreeing)[1]
    assert claims["sub"] == signed["credentialSubject"]["id"]
    forged = signed | {"id": "https://pupitre.example.org/badges/AAAA-AAAA-AAAA/"}
    token = make_token(forged, key.private, "kid")
    assert check_token(token, public)["id"] == forged["id"]


def test_the_network_is_never_asked(make_document: MakeDocument, sign: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: Any, **_kwargs: Any) -> None:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(socket, "socket", refuse)
    sign(make_document())
    with pytest.raises(ContextUnavailable):
        sign(make_document() | {"@context": [CREDENTIALS_V2, "https://attacker.example/context.json"]})
    with pytest.raises(ContextUnavailable):
        load_context("https://w3id.org/openbadges/v2")


@pytest.mark.parametrize(
    ("value", "text"), [(4.0, "4"), (6.5, "6.5"), (0, "0"), (2 / 3, "0.67"), (10, "10"), (100.0, "100")]
)
def test_points_are_written_without_useless_zeros(value: float, text: str) -> None:
    assert format_number(value) == text


@pytest.mark.parametrize(
    ("hours", "text"), [(6, "6 h"), (6.5, "6 h 30"), (110 / 60, "1 h 50"), (0.75, "45 min"), (2 + 1 / 60, "2 h 01")]
)
def test_a_duration_is_said_to_the_minute(hours: float, text: str) -> None:
    assert format_hours(hours).replace("\N{NO-BREAK SPACE}", " ") == text
