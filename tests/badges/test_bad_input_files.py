"""What people bring to « Vérifier un badge » and should not: each is refused with the sentence that says what is wrong."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from badges.artwork import render_png
from badges.baking import PNG_SIGNATURE, bake_png, bake_svg
from badges.issuer import load_issuer
from badges.verify import MAX_FILE_BYTES
from tests.badges.outside.portal import Portal

AwardTo = Callable[..., Any]
Document = dict[str, Any]
CHUNK_HEADER = len(PNG_SIGNATURE) + 25
"""Where the first chunk after IHDR begins."""


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice", display_name="Alice Martin"))


@pytest.fixture
def drop(visitor: Any) -> Callable[[bytes], tuple[str, str]]:
    """drop(content): the state and the sentence that the page shows."""

    def post(content: bytes) -> tuple[str, str]:
        response = visitor.post("/verifier/", {"file": SimpleUploadedFile("fichier", content)})
        assert response.status_code == 200
        return read_page(response.content.decode())

    return post


def read_page(text: str) -> tuple[str, str]:
    found = re.search(r'data-state="([\w-]+)".*?<p[^>]*>.*?</p>\s*<p[^>]*>(.*?)</p>', text, re.DOTALL)
    assert found, text
    said = unescape(re.sub(r"<[^>]+>", "", found[2])).replace("\N{NARROW NO-BREAK SPACE}", " ")
    return found[1], " ".join(said.replace("\N{NO-BREAK SPACE}", " ").split())


def _sign(document: Document) -> Document:
    """By our own key, whatever it says."""
    return load_issuer().sign({name: value for name, value in document.items() if name != "proof"}, timezone.now())


def _store(award: Any, **changes: str) -> Document:
    """The award as if it had been issued so."""
    signed = _sign(award.credential | changes)
    award.credential_text = json.dumps(signed)
    award.save()
    return signed


def _shift(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_a_changed_field_is_named(award: Any, drop: Any) -> None:
    document = award.credential
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory"
    sentence = "Ce badge a été modifié après sa signature (credentialSubject)."
    assert drop(json.dumps(document).encode()) == ("invalid", sentence)


def test_contexts_in_another_order(award: Any, drop: Any) -> None:
    document = award.credential
    document["@context"].insert(0, document["@context"].pop(1))
    sentence = "Les deux premiers contextes JSON-LD ne sont pas, dans l’ordre, ceux d’Open Badges 3.0."
    assert drop(json.dumps(document).encode()) == ("invalid", sentence)
    # Even signed so by ourselves.
    assert drop(json.dumps(_sign(document)).encode()) == ("invalid", sentence)


def test_another_picture(award: Any, drop: Any) -> None:
    other = bytes(award.badge.image_svg).replace(b"teal", b"gold")
    sentence = "La signature est juste, mais l’image n’est pas celle de ce badge."
    for content in (bake_png(render_png(other), award.credential_text), bake_svg(other, award.credential_text)):
        assert drop(content) == ("invalid", sentence)


def test_an_expired_badge(award: Any, drop: Any) -> None:
    signed = _store(award, validUntil=_shift(-1))
    assert drop(json.dumps(signed).encode()) == ("expired", "Ce badge est expiré.")
    assert drop(load_issuer().make_token(signed).encode()) == ("expired", "Ce badge est expiré.")


def test_a_badge_of_tomorrow(award: Any, drop: Any) -> None:
    signed = _store(award, validFrom=_shift(1))
    sentence = "Ce badge n’est pas encore valable : sa date est à venir."
    for content in (json.dumps(signed).encode(), load_issuer().make_token(signed).encode()):
        state, said = drop(content)
        assert (state, said) == ("early", sentence)


def test_a_date_taken_away(award: Any, drop: Any) -> None:
    signed = _store(award, validUntil=_shift(-1))
    later = {name: value for name, value in signed.items() if name != "validUntil"}
    assert drop(json.dumps(later).encode()) == ("invalid", "Ce badge a été modifié après sa signature (validUntil).")


def test_a_token_whose_claims_and_credential_disagree(award: Any, drop: Any) -> None:
    """Signed by our own key: only the comparison sees it."""
    issuer = load_issuer()
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec, utils

    header, payload, _signature = issuer.make_token(award.credential).split(".")
    for claim, value in (("sub", "urn:uuid:0"), ("iss", "did:web:other.example"), ("nbf", 5), ("exp", 4_000_000_000)):
        claims = json.loads(base64.urlsafe_b64decode(payload + "==")) | {claim: value}
        changed = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        key: Any = issuer.keys.current("p256").private
        r, s = utils.decode_dss_signature(key.sign(f"{header}.{changed}".encode(), ec.ECDSA(hashes.SHA256())))
        raw = base64.urlsafe_b64encode(r.to_bytes(32, "big") + s.to_bytes(32, "big")).rstrip(b"=").decode()
        sentence = "Le jeton et le badge qu’il porte ne disent pas la même chose."
        assert drop(f"{header}.{changed}.{raw}".encode()) == ("invalid", sentence), claim


def test_two_proofs_that_disagree(award: Any, drop: Any, make_user: Any, award_to: AwardTo) -> None:
    other = award_to(make_user("bob"))
    # Both signatures are right, of two awards.
    document = award.credential
    document["proof"] = [award.credential["proof"], other.credential["proof"]]
    sentence = "Le document porte plusieurs signatures : Pupitre n’en met qu’une."
    assert drop(json.dumps(document).encode()) == ("invalid", sentence)
    document["proof"] = other.credential["proof"]
    sentence = "La signature ne correspond pas au contenu : le document a été modifié."
    assert drop(json.dumps(document).encode()) == ("invalid", sentence)
    picture = bake_png(bytes(award.badge.image_png), award.credential_text, f"{other.credential['id']}assertion.json")
    assert drop(picture) == ("invalid", "Ce fichier porte deux badges qui ne disent pas la même chose.")


def test_a_picture_with_two_chunks(award: Any, drop: Any, make_user: Any, award_to: AwardTo) -> None:
    other = award_to(make_user("bob"))
    png = bytes(award.badge.image_png)
    first, second = (bake_png(png, given.credential_text) for given in (award, other))
    length = 12 + int.from_bytes(second[CHUNK_HEADER : CHUNK_HEADER + 4], "big")
    chunk = second[CHUNK_HEADER : CHUNK_HEADER + length]
    assert b"openbadgecredential" in chunk
    # Before the good one, after it, or the good one twice.
    good = first[CHUNK_HEADER : CHUNK_HEADER + 12 + int.from_bytes(first[CHUNK_HEADER : CHUNK_HEADER + 4], "big")]
    end = CHUNK_HEADER + len(good)
    for content in (
        first[:CHUNK_HEADER] + chunk + first[CHUNK_HEADER:],
        first[:end] + chunk + first[end:],
        first[:end] + good + first[end:],
    ):
        state, said = drop(content)
        assert state == "unreadable"
        assert said == "Cette image PNG contient plusieurs badges : elle a été altérée."


@pytest.mark.parametrize(
    "inside",
    [
        b"<script>alert(1)</script>",
        b"<g onclick='alert(1)'/>",
        b"<foreignObject/>",
        b"<x:script xmlns:x='http://www.w3.org/2000/svg'/>",
        b"<g xmlns:x='urn:x' x:onload='alert(1)'/>",
        b"<a href='javascript:alert(1)'/>",
        b"<use href='data:image/svg+xml,x'/>",
        b"<set attributeName='href' to='javascript:alert(1)'/>",
        b"<animate attributeName='onload'/>",
        b"<style>@import 'https://elsewhere.example'</style>",
        b"<image href='https://elsewhere.example/pixel.png'/>",
        b"<g style='background:url(https://elsewhere.example)'/>",
    ],
)
def test_a_drawing_with_code_in_it(award: Any, drop: Any, inside: bytes) -> None:
    """Whether the code is known as such or not, the drawing is not the badge's, and is never « valide »."""
    svg = bake_svg(bytes(award.badge.image_svg), award.credential_text).replace(b"</svg>", inside + b"</svg>")
    state, said = drop(svg)
    assert (state, said) in (
        ("unreadable", "Cette image SVG contient du code : ne l’ouvrez pas."),
        ("invalid", "La signature est juste, mais l’image n’est pas celle de ce badge."),
    )
    if b"style" not in inside and inside.startswith((b"<script", b"<g ", b"<foreign", b"<x:", b"<a ")):
        assert state == "unreadable"


def test_a_file_of_2_mb(award: Any, drop: Any) -> None:
    state, said = drop(b"x" * (MAX_FILE_BYTES + 1))
    assert (state, said) == (
        "unreadable",
        "Ce fichier dépasse 1 Mo : un badge est bien plus petit.",
    )


def test_an_upload_of_100_mb_gets_the_sentence_and_costs_nothing(portal: Portal) -> None:
    """By a real server: nothing of it is kept in memory or written to the disk, and a person reads why."""
    size, part = 100 << 20, b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    head = (
        "POST /verifier/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept-Language: fr\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: {size}\r\n\r\n"
    )
    address = urlsplit(portal.address)
    began = time.monotonic()
    with socket.create_connection((address.hostname, address.port or 0), timeout=30) as connection:
        connection.sendall(head.encode() + part)
        for _megabyte in range((size - len(part)) >> 20):
            connection.sendall(b"\0" * (1 << 20))
        answer = b""
        while b"</html>" not in answer:
            received = connection.recv(1 << 16)
            assert received, answer[-500:]
            answer += received
    assert answer.startswith(b"HTTP/1.1 413 ")
    state, said = read_page(answer.decode("utf-8", errors="replace"))
    assert (state, said) == (
        "unreadable",
        "Ce fichier dépasse 1 Mo : un badge est bien plus petit.",
    )
    assert time.monotonic() - began < 20
    assert httpx.get(f"{portal.address}/verifier/", trust_env=False, timeout=20).status_code == 200
