"""/verifier/, without the web: each kind of file, each kind of lie, one sentence each."""

from __future__ import annotations

import copy
import dataclasses
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from badges.artwork import render_png
from badges.baking import bake_png, bake_svg
from badges.credential import Profile
from badges.keys import Key, KeyRing
from badges.proof import add_proof
from badges.vcjwt import make_token
from badges.verify import MAX_FILE_BYTES, Registered, State, Verdict, verify_file

NOW = datetime(2026, 11, 25, tzinfo=UTC)
MakeDocument = Callable[..., dict[str, Any]]


class MemoryRegister:
    """An issuer's register in memory."""

    def __init__(self, issuer_id: str, ring: KeyRing) -> None:
        self.issuer_id = issuer_id
        self.ring = ring
        self.awards: dict[str, Registered] = {}

    def find_key(self, kid: str) -> Key | None:
        return self.ring.find(kid)

    def find_award(self, credential_id: str) -> Registered | None:
        return self.awards.get(credential_id)


class Desk:
    """Issues into a register and verifies against it."""

    def __init__(self, profile: Profile, ring: KeyRing, make_document: MakeDocument, svg: bytes) -> None:
        self.profile, self.ring, self.make_document, self.svg = profile, ring, make_document, svg
        self.png = render_png(svg)
        self.register = MemoryRegister(profile.id, ring)

    def sign(self, document: dict[str, Any]) -> dict[str, Any]:
        key: Any = self.ring.current("ed25519")
        return add_proof(document, key.private, f"{self.profile.id}#{key.kid}", NOW)

    def issue(self, extra: dict[str, Any] | None = None, **state: Any) -> dict[str, Any]:
        signed = self.sign(self.make_document() | (extra or {}))
        values: dict[str, Any] = {
            "credential": signed,
            "check_code": "7K3M-9QXT-4D8E",
            "revoked_at": None,
            "is_demonstration": False,
            "image_png": self.png,
            "image_svg": self.svg,
        }
        self.register.awards[signed["id"]] = Registered(**(values | state))
        return copy.deepcopy(signed)

    def token(self, credential: dict[str, Any]) -> str:
        key: Any = self.ring.current("p256")
        return make_token(credential, key.private, f"{self.profile.url}/badges/keys/{key.kid}")

    def verify(self, content: bytes | str | dict[str, Any], now: datetime = NOW) -> Verdict:
        if isinstance(content, dict):
            content = json.dumps(content)
        return verify_file(content.encode() if isinstance(content, str) else content, self.register, now)


@pytest.fixture
def desk(profile: Profile, ring: KeyRing, make_document: MakeDocument, achievement: Any) -> Desk:
    return Desk(profile, ring, make_document, achievement.image_svg)


def test_a_badge_of_ours_is_valid_in_every_form(desk: Desk) -> None:
    signed = desk.issue()
    text = json.dumps(signed)
    token = desk.token(signed)
    forms: list[bytes | str] = [
        text,
        "\ufeff" + text,
        json.dumps(signed, indent=3, sort_keys=True),
        token,
        token + "\n",
        bake_png(desk.png, text),
        bake_png(desk.png, token),
        bake_svg(desk.svg, text),
    ]
    for content in forms:
        verdict = desk.verify(content)
        assert (verdict.state, verdict.code) == (State.VALID, "valid"), verdict
        assert verdict.check_code == "7K3M-9QXT-4D8E"
        assert verdict.facts is not None
        assert verdict.facts.recipient_name == "Zoé <'&\">"


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"revoked_at": NOW}, State.REVOKED),
        ({"is_demonstration": True}, State.DEMONSTRATION),
        ({"is_demonstration": True, "revoked_at": NOW}, State.REVOKED),
    ],
)
def test_what_the_register_says_wins(desk: Desk, state: dict[str, Any], expected: State) -> None:
    signed = desk.issue(**state)
    assert desk.verify(signed).state == expected
    assert desk.verify(desk.token(signed)).state == expected


def test_dates_are_read(desk: Desk) -> None:
    signed = desk.issue({"validUntil": "2026-12-31T00:00:00Z"})
    assert desk.verify(signed).state == State.VALID
    assert desk.verify(signed, datetime(2027, 1, 1, tzinfo=UTC)).state == State.EXPIRED
    early = desk.verify(signed, NOW - timedelta(days=300))
    assert (early.state, early.code) == (State.EARLY, "not-yet-valid")


def test_a_key_that_was_retired_is_said(desk: Desk) -> None:
    signed = desk.issue()
    token = desk.token(signed)
    kinds = {key.kind: key for key in desk.ring.keys}
    for retired, content in [("ed25519", json.dumps(signed)), ("p256", token)]:
        keys = tuple(dataclasses.replace(key, retired=key.kind == retired) for key in kinds.values())
        desk.register.ring = KeyRing(keys)
        assert desk.verify(content).state == State.RETIRED_KEY


FORGERIES: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "name": (lambda d: d["credentialSubject"]["identifier"][0].update(identityHash="Bob"), "altered"),
    "mark": (lambda d: d["credentialSubject"]["result"][0].update(value="8"), "altered"),
    "title": (lambda d: d.update(name="Doctorat"), "altered"),
    "date": (lambda d: d.update(validFrom="2020-01-01T00:00:00Z"), "altered"),
    "expiry added": (lambda d: d.update(validUntil="2099-01-01T00:00:00Z"), "altered"),
    "unsigned addition": (lambda d: d.update(mention="très bien"), "altered"),
    "status removed": (lambda d: d.pop("credentialStatus"), "altered"),
    "contexts swapped": (lambda d: d["@context"].reverse(), "context-order"),
    "context replaced": (lambda d: d["@context"].__setitem__(1, "https://attacker.example/c.json"), "context-order"),
    "context added": (lambda d: d["@context"].append("https://attacker.example/c.json"), "altered"),
    "another award's number": (lambda d: d.update(id=d["id"].replace("7K3M", "0000")), "award-unknown"),
    "no number": (lambda d: d.pop("id"), "award-unknown"),
    "proof removed": (lambda d: d.pop("proof"), "proof-missing"),
    "two proofs": (lambda d: d.update(proof=[d["proof"], d["proof"]]), "proof-several"),
    "proof value": (lambda d: d["proof"].update(proofValue="z" + "1" * 64), "proof-mismatch"),
    "proof date": (lambda d: d["proof"].update(created="2020-01-01T00:00:00Z"), "proof-mismatch"),
    "unknown key": (lambda d: d["proof"].update(verificationMethod=d["issuer"]["id"] + "#ed25519-9"), "key-unknown"),
    "key of another kind": (
        lambda d: d["proof"].update(verificationMethod=d["issuer"]["id"] + "#p256-1"),
        "key-unknown",
    ),
    "another's key": (
        lambda d: d["proof"].update(verificationMethod="did:web:attacker.example#ed25519-1"),
        "key-unknown",
    ),
}


@pytest.mark.parametrize("what", FORGERIES)
def test_a_forged_badge_is_never_valid(desk: Desk, what: str) -> None:
    forge, code = FORGERIES[what]
    document = desk.issue()
    forge(document)
    verdict = desk.verify(document)
    assert (verdict.state, verdict.code) == (State.INVALID, code)
    assert verdict.check_code == ""


def test_a_token_is_held_to_its_own_signature_and_to_the_register(desk: Desk) -> None:
    signed = desk.issue()
    header, payload, signature = desk.token(signed).split(".")
    assert desk.verify(f"{header}.{payload}.{'A' * 86}").code == "proof-mismatch"
    assert desk.verify(f"{header}.{payload}.AAAA").code == "proof-unknown"
    unsigned = desk.token({name: value for name, value in signed.items() if name != "proof"})
    assert desk.verify(unsigned).code == "proof-missing"
    other = desk.token(signed | {"name": "Doctorat"})
    assert desk.verify(other).code == "altered"
    assert desk.verify("aaaa.bbbb.cccc").code == "token-malformed"
    assert desk.verify(f"{header}.{payload}").state == State.UNREADABLE
    assert signature


def test_a_picture_that_is_not_the_badges_is_said(desk: Desk) -> None:
    text = json.dumps(desk.issue())
    other = desk.svg.replace(b"teal", b"gold")
    assert desk.verify(bake_png(render_png(other), text)).code == "picture-replaced"
    assert desk.verify(bake_svg(other, text)).code == "picture-replaced"


@pytest.mark.parametrize(
    "issuer", ["did:web:other.example", {"id": "did:key:z6Mk", "name": "Autre <b>"}, 5, None, ["x"]]
)
def test_an_unknown_issuer_is_never_valid(desk: Desk, issuer: Any) -> None:
    verdict = desk.verify(desk.issue() | {"issuer": issuer})
    assert (verdict.state, verdict.code) == (State.UNVERIFIABLE, "issuer-unknown")
    assert verdict.sentence.startswith("Signature non vérifiable ici")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-badge"),
        (b"bonjour", "not-a-badge"),
        (b"[]", "not-a-badge"),
        (b"{}", "not-a-badge"),
        (b'"texte"', "not-a-badge"),
        (b"\xff\xfe\x00", "not-a-badge"),
        (b'{"a": NaN}', "not-a-badge"),
        (b'{"a": 1, "a": 2}', "json-duplicate"),
        (b"[" * 100_000, "not-a-badge"),
        (b'{"a":' * 50_000, "not-a-badge"),
        (b'{"@context": "https://w3id.org/openbadges/v2", "type": "Assertion"}', "open-badges-2"),
        (
            b'{"@context": ["https://www.w3.org/ns/credentials/v2", "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"], "type": ["VerifiableCredential"]}',
            "not-a-badge",
        ),
        (b"%PDF-1.7 ...", "pdf-unreadable"),
        (b"\x89PNG\r\n\x1a\n", "png-unreadable"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "svg-script"),
        (b"<html></html>", "svg-unreadable"),
        (b"\xff\xd8\xff\xe0JFIF", "not-a-badge"),
        (b"x" * (MAX_FILE_BYTES + 1), "file-too-large"),
        (b'{"a": ' + b"1" * 10_000 + b"}", "not-a-badge"),
    ],
)
def test_what_is_no_badge_is_said_so(desk: Desk, content: bytes, code: str) -> None:
    verdict = desk.verify(content)
    assert (verdict.state, verdict.code) == (State.UNREADABLE, code)
    assert verdict.sentence.endswith(".")


def test_hostile_json_costs_nothing(desk: Desk) -> None:
    """Blank nodes that would keep the canonicalisation busy for hours never reach it."""
    document = desk.issue()
    document["evidence"] = [{"type": ["Evidence"], "name": "x"} for _ in range(2_000)]
    began = time.monotonic()
    assert desk.verify(document).code == "altered"
    unknown = document | {"id": "https://pupitre.example.org/badges/0000-0000-0000/"}
    assert desk.verify(unknown).code == "award-unknown"
    assert time.monotonic() - began < 2
