"""Badges of other issuers at /verifier/, and addresses pasted there: who is asked, and what is said."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.core.files.uploadedfile import SimpleUploadedFile

from badges import foreign
from badges.baking import bake_png
from badges.credential import Profile
from badges.did import encode_base58btc
from badges.foreign import may_ask
from badges.proof import add_proof
from badges.status_list import make_status_list

HOST = "badges.example.org"
LISTED = f"did:web:{HOST}"
STATUS = f"https://{HOST}/etat/1"
MOMENT = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def _multikey(key: Ed25519PrivateKey) -> str:
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return encode_base58btc(b"\xed\x01" + raw)


@pytest.fixture
def make_foreign(make_document: Callable[..., Any], key: Ed25519PrivateKey) -> Callable[..., dict[str, Any]]:
    """make_foreign("did:key" or a did:web, **changes): a credential that somebody else signed."""

    def make(did: str = "did:key", **changes: Any) -> dict[str, Any]:
        if did == "did:key":
            did = f"did:key:{_multikey(key)}"
        document = make_document() | changes
        document["issuer"] = Profile(did, "Académie d’ailleurs", "https://ailleurs.example/", "").as_json()
        status = {"id": f"{STATUS}#5", "statusListIndex": "5", "statusListCredential": STATUS}
        document["credentialStatus"] = document["credentialStatus"] | status
        method = f"{did}#{_multikey(key)}" if did.startswith("did:key") else f"{did}#cle-1"
        return add_proof(document, key, method, MOMENT)

    return make


class Elsewhere:
    """The listed issuer's web site: what it answers, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, httpx.Response] = {}
        self.asked: list[str] = []

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(str(request.url))
        return self.pages.get(str(request.url), httpx.Response(404))


@pytest.fixture
def elsewhere(public_site: Any, key: Ed25519PrivateKey, monkeypatch: pytest.MonkeyPatch) -> Elsewhere:
    """badges.example.org is on the list, and answers."""
    site = Elsewhere()
    public_site.ENVIRONMENT = dataclasses.replace(public_site.ENVIRONMENT, verifier_hosts=(HOST,))
    method = {"id": f"{LISTED}#cle-1", "type": "Multikey", "controller": LISTED, "publicKeyMultibase": _multikey(key)}
    site.pages[f"https://{HOST}/.well-known/did.json"] = httpx.Response(
        200,
        json={
            "@context": ["https://www.w3.org/ns/did/v1"],
            "id": LISTED,
            "verificationMethod": [method],
            "assertionMethod": [method["id"]],
        },
    )
    site.pages[STATUS] = httpx.Response(200, json=_make_list(key))
    monkeypatch.setattr(
        foreign,
        "open_client",
        lambda: httpx.Client(transport=httpx.MockTransport(site.answer), follow_redirects=False, trust_env=False),
    )
    return site


def _make_list(key: Ed25519PrivateKey, *revoked: int) -> dict[str, Any]:
    profile = Profile(LISTED, "Académie d’ailleurs", "https://ailleurs.example/", "")
    return add_proof(make_status_list(profile, STATUS, revoked, MOMENT), key, f"{LISTED}#cle-1", MOMENT)


def _drop(client: Any, document: Any) -> tuple[str, str, str]:
    content = document if isinstance(document, bytes) else json.dumps(document).encode()
    return _read(client.post("/verifier/", {"file": SimpleUploadedFile("b.json", content)}))


def _read(response: Any) -> tuple[str, str, str]:
    text = response.content.decode()
    assert 'data-state="' in text, text
    return text.split('data-state="')[1].split('"')[0], text.split('data-code="')[1].split('"')[0], text


def test_a_key_in_the_file_proves_that_nothing_changed_and_no_more(
    db: None, public_site: Any, visitor: Any, make_foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "open_client", lambda: pytest.fail("an address was asked"))
    document = make_foreign()
    state, code, page = _drop(visitor, document)
    assert (state, code) == ("signed", "signed-by-its-key")
    assert "rien ne dit ici à qui elle est" in page
    assert "Badge valable" not in page
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory"
    assert _drop(visitor, document)[:2] == ("invalid", "proof-mismatch")


def test_a_baked_picture_of_another_issuer_is_read(
    db: None, public_site: Any, visitor: Any, make_foreign: Any, achievement: Any
) -> None:
    from badges.artwork import render_png

    png = bake_png(render_png(achievement.image_svg), json.dumps(make_foreign()))
    assert _drop(visitor, png)[0] == "signed"


def test_an_expired_or_future_badge_of_another_issuer_says_so(
    db: None, public_site: Any, visitor: Any, make_foreign: Any
) -> None:
    assert _drop(visitor, make_foreign(validUntil="2026-11-02T00:00:00Z"))[0] == "expired"
    assert _drop(visitor, make_foreign(validFrom="2099-01-01T00:00:00Z"))[0] == "early"


def test_an_issuer_that_nobody_listed_is_not_asked(
    db: None, public_site: Any, visitor: Any, make_foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "open_client", lambda: pytest.fail("an address was asked"))
    state, code, page = _drop(visitor, make_foreign(LISTED))
    assert (state, code) == ("unverifiable", "issuer-unknown")
    assert "Signature non vérifiable ici" in page


def test_a_listed_issuer_is_verified_with_its_key_and_its_list(
    db: None, elsewhere: Elsewhere, visitor: Any, make_foreign: Any, key: Ed25519PrivateKey
) -> None:
    document = make_foreign(LISTED)
    assert _drop(visitor, document)[:2] == ("valid", "valid-elsewhere")
    assert elsewhere.asked == [f"https://{HOST}/.well-known/did.json", STATUS]
    elsewhere.pages[STATUS] = httpx.Response(200, json=_make_list(key, 5))
    assert _drop(visitor, document)[0] == "revoked"
    elsewhere.pages[STATUS] = httpx.Response(200, json=_make_list(key, 6))
    assert _drop(visitor, document)[0] == "valid"
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory"
    assert _drop(visitor, document)[0] == "invalid"


@pytest.mark.parametrize("what", ["did", "list", "redirect", "huge", "list elsewhere"])
def test_a_listed_issuer_that_does_not_answer_is_not_valid(
    db: None, elsewhere: Elsewhere, visitor: Any, make_foreign: Any, what: str
) -> None:
    document = make_foreign(LISTED)
    did = f"https://{HOST}/.well-known/did.json"
    if what == "did":
        del elsewhere.pages[did]
    elif what == "list":
        del elsewhere.pages[STATUS]
    elif what == "redirect":
        elsewhere.pages[did] = httpx.Response(302, headers={"Location": "https://127.0.0.1/"})
    elif what == "huge":
        elsewhere.pages[did] = httpx.Response(200, content=b" " * (2 << 20))
    else:
        status = document["credentialStatus"] | {"statusListCredential": "https://127.0.0.1/liste"}
        document = make_foreign(LISTED)
        document["credentialStatus"] = status
    assert _drop(visitor, document)[0] == "unverifiable"
    assert not any("127.0.0.1" in address for address in elsewhere.asked)


@pytest.mark.parametrize(
    "address",
    [
        "http://badges.example.org/b.json",
        "https://badges.example.org:8443/b.json",
        "https://user:secret@badges.example.org/b.json",
        "https://badges.example.org.evil.example/b.json",
        "https://evil.example/badges.example.org",
        "https://127.0.0.1/b.json",
        "https://[::1]/b.json",
        "https://localhost/b.json",
        "https://169.254.169.254/latest/meta-data",
        "https://2130706433/",
        "file:///etc/passwd",
        "gopher://badges.example.org/",
        "https://badges.example.org\\@127.0.0.1/",
        "https://[",
    ],
)
def test_addresses_that_are_never_asked(db: None, elsewhere: Elsewhere, visitor: Any, address: str) -> None:
    assert not may_ask(address, (HOST,))
    response = visitor.post("/verifier/", {"address": address})
    assert response.status_code == 400
    assert 'class="field-error"' in response.content.decode()
    assert elsewhere.asked == []


def test_the_address_of_a_listed_badge_is_verified(
    db: None, elsewhere: Elsewhere, visitor: Any, make_foreign: Any
) -> None:
    address = f"https://{HOST}/badges/1.json"
    elsewhere.pages[address] = httpx.Response(200, json=make_foreign(LISTED))
    state, _code, page = _read(visitor.post("/verifier/", {"address": address}))
    assert state == "valid"
    assert "Académie d’ailleurs" in page
    response = visitor.post("/verifier/", {"address": f"https://{HOST}/absent"})
    assert (response.status_code, "ne donne pas de badge" in response.content.decode()) == (400, True)


def test_our_own_address_leads_to_its_page(
    public_site: Any, make_user: Any, award_to: Any, visitor: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(foreign, "open_client", lambda: pytest.fail("an address was asked"))
    award = award_to(make_user("alice"))
    for end in ("", "badge.png", "attestation.pdf"):
        typed = f"https://pupitre.example.org{award.get_absolute_url()}{end}"
        response = visitor.post("/verifier/", {"address": typed})
        assert (response.status_code, response["Location"]) == (302, award.get_absolute_url())


def test_a_hostile_graph_ends_with_its_process(
    db: None, public_site: Any, visitor: Any, make_foreign: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blank nodes that all look alike: canonicalisation would try their orders one by one."""
    monkeypatch.setattr(foreign, "TIMEOUT_S", 12.0)
    document = make_foreign()
    nodes = [f"_:n{number}" for number in range(12)]
    document["evidence"] = [{"id": node, "type": ["Evidence"], "genre": "x"} for node in nodes] + [
        {"id": node, "type": ["Evidence", other]} for node in nodes for other in nodes if other != node
    ]
    state, _code, page = _drop(visitor, document)
    assert state in ("invalid", "unverifiable")
    assert "Badge valable" not in page
