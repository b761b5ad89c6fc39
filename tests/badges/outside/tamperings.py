"""Each way to tamper with an award, and who must refuse it: one row each, and no verifier sees them all.

A `Forms` is an award as its holder carries it; a tampering returns changed forms. What it signs, it signs with the
portal's own keys (an issuer that errs) or with a stranger's.
"""

from __future__ import annotations

import base64
import copy
import dataclasses
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.artwork import render_png
from badges.baking import PNG_SIGNATURE, bake_png, bake_svg
from badges.did import decode_base64url, encode_base58btc, encode_base64url
from badges.keys import ensure_keys
from badges.proof import add_proof
from badges.vcjwt import make_token
from tests.badges.outside.portal import DID, PUBLIC_URL, Portal

Document = dict[str, Any]
SUBJECT = "credentialSubject"


@dataclass(frozen=True)
class Forms:
    """One award in every form, and the address that its holder gives to a 2.0 wallet."""

    credential: Document
    token: str
    png: bytes
    svg: bytes
    email: str


class Desk:
    """What an attacker, or an issuer that errs, has at hand: good awards, the portal's pictures, keys."""

    def __init__(self, portal: Portal) -> None:
        self.portal = portal
        self.ring = ensure_keys(portal.keys_dir)
        self.stranger, self.stranger_p256 = Ed25519PrivateKey.generate(), ec.generate_private_key(ec.SECP256R1())
        self.good, self.other, self.revoked = (self.fetch(kind) for kind in ("good", "other", "revoked"))
        achievement = self.good.credential[SUBJECT]["achievement"]
        self.picture_png = portal.download(achievement["image"]["id"])
        self.picture_svg = portal.download(achievement["id"] + "/image.svg")

    def fetch(self, kind: str) -> Forms:
        """The award as the portal gives it, over HTTP."""
        address = self.portal.award_url(kind)
        get = self.portal.download
        token = get(address + "badge.jwt").decode("ascii")
        credential = json.loads(get(address + "badge.json"))
        return Forms(credential, token, get(address + "badge.png"), get(address + "badge.svg"), f"{kind}@example.org")

    def bake(self, credential: Document, forms: Forms, token: str = "") -> Forms:
        """The forms with another document in them (and in the token's payload, its signature kept, unless one is given)."""
        text = json.dumps(credential)
        if not token:
            header, payload, signature = forms.token.split(".")
            claims = json.loads(decode_base64url(payload))
            registered = {name: claims[name] for name in ("iss", "jti", "sub", "nbf")}
            token = f"{header}.{_encode(credential | registered)}.{signature}"
        png = bake_png(self.picture_png, text, f"{forms.credential['id']}assertion.json")
        return Forms(credential, token, png, bake_svg(self.picture_svg, text), forms.email)

    def sign(self, credential: Document, kid: str = "ed25519-3", token_kid: str = "p256-2") -> Forms:
        """Signed by the portal's own keys: what it would issue if it erred."""
        key, token_key = self.ring.find(kid), self.ring.find(token_kid)
        assert key and token_key
        assert isinstance(key.private, Ed25519PrivateKey) and isinstance(token_key.private, ec.EllipticCurvePrivateKey)
        document = {name: value for name, value in credential.items() if name != "proof"}
        signed = add_proof(document, key.private, f"{DID}#{kid}", datetime.now(UTC))
        token = make_token(signed, token_key.private, f"{PUBLIC_URL}/badges/keys/{token_kid}")
        return self.bake(signed, self.good, token)

    def sign_as_stranger(self, credential: Document) -> Forms:
        """Signed by a key that nobody knows, named by its did:key."""
        public = self.stranger.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        name = encode_base58btc(b"\xed\x01" + public)
        document = {name: value for name, value in credential.items() if name != "proof"}
        signed = add_proof(document, self.stranger, f"did:key:{name}#{name}", datetime.now(UTC))
        token = make_token(signed, self.stranger_p256, f"{PUBLIC_URL}/badges/keys/p256-2")
        return self.bake(signed, self.good, token)

    @property
    def stranger_did(self) -> str:
        public = self.stranger.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return "did:key:" + encode_base58btc(b"\xed\x01" + public)


def _encode(value: Document) -> str:
    return encode_base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))


def _change(change: Callable[[Document], Any]) -> Callable[[Desk], Forms]:
    """The signed document is changed after its signature, in every form."""

    def tamper(desk: Desk) -> Forms:
        credential = copy.deepcopy(desk.good.credential)
        change(credential)
        return desk.bake(credential, desk.good)

    return tamper


def _change_document_only(change: Callable[[Document], Any]) -> Callable[[Desk], Forms]:
    """As `_change`, but the token stays as it was."""

    def tamper(desk: Desk) -> Forms:
        return dataclasses.replace(_change(change)(desk), token=desk.good.token)

    return tamper


def _issue(change: Callable[[Document], Any]) -> Callable[[Desk], Forms]:
    """The portal itself signed the changed document."""

    def tamper(desk: Desk) -> Forms:
        credential = copy.deepcopy(desk.good.credential)
        change(credential)
        return desk.sign(credential)

    return tamper


def _change_token(change: Callable[[Desk, str, str, str], str]) -> Callable[[Desk], Forms]:
    """Only the token changes."""

    def tamper(desk: Desk) -> Forms:
        return dataclasses.replace(desk.good, token=change(desk, *desk.good.token.split(".")))

    return tamper


def _rename(payload: str) -> str:
    claims = json.loads(decode_base64url(payload))
    claims[SUBJECT]["identifier"][0]["identityHash"] = "Mallory"
    return _encode(claims)


def _sign_with_public_key(desk: Desk, _header: str, payload: str, _signature: str) -> str:
    """RFC 8725, section 3.1: a verifier that lets the header choose takes the public key for a shared secret."""
    key = desk.ring.find("p256-2")
    assert key
    secret = key.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    signed = f"{_encode({'alg': 'HS256', 'typ': 'JWT', 'kid': f'{PUBLIC_URL}/badges/keys/p256-2'})}.{_rename(payload)}"
    return f"{signed}.{encode_base64url(hmac.digest(secret, signed.encode(), hashlib.sha256))}"


def _sign_by_stranger(desk: Desk, _header: str, payload: str, _signature: str) -> str:
    return make_token(_without_claims(_rename(payload)), desk.stranger_p256, f"{PUBLIC_URL}/badges/keys/p256-2")


def _carry_own_key(desk: Desk, _header: str, payload: str, _signature: str) -> str:
    """The header brings the key that signed: RFC 7515, section 4.1.3; whoever trusts it verifies anything."""
    numbers = desk.stranger_p256.public_key().public_numbers()
    x, y = (encode_base64url(number.to_bytes(32, "big")) for number in (numbers.x, numbers.y))
    signed = _sign_by_stranger(desk, "", payload, "").split(".")[1]
    header = _encode({"alg": "ES256", "typ": "JWT", "jwk": {"kty": "EC", "crv": "P-256", "x": x, "y": y}})
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(desk.stranger_p256.sign(f"{header}.{signed}".encode(), ec.ECDSA(hashes.SHA256())))
    return f"{header}.{signed}.{encode_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def _without_claims(payload: str) -> Document:
    claims = json.loads(decode_base64url(payload))
    return {name: value for name, value in claims.items() if name not in ("iss", "jti", "sub", "nbf", "exp")}


def _disagree(desk: Desk) -> Forms:
    """A token that the portal's key really signed, around a document whose own proof says another name."""
    credential = copy.deepcopy(desk.good.credential)
    credential[SUBJECT]["identifier"][0]["identityHash"] = "Mallory"
    key = desk.ring.find("p256-2")
    assert key and isinstance(key.private, ec.EllipticCurvePrivateKey)
    token = make_token(credential, key.private, f"{PUBLIC_URL}/badges/keys/p256-2")
    return desk.bake(credential, desk.good, token)


def _pose_as_issuer(desk: Desk) -> Forms:
    """A stranger's own badge, rightly signed by them, under the organisation's name."""
    credential = copy.deepcopy(desk.good.credential)
    credential["issuer"]["id"] = desk.stranger_did
    return desk.sign_as_stranger(credential)


def _forge(desk: Desk) -> Forms:
    """Our issuer, a stranger's signature."""
    credential = copy.deepcopy(desk.good.credential)
    credential[SUBJECT]["identifier"][0]["identityHash"] = "Mallory"
    return desk.sign_as_stranger(credential)


def _replace_picture(desk: Desk) -> Forms:
    other = desk.picture_svg.replace(b"teal", b"gold")
    assert other != desk.picture_svg
    text = json.dumps(desk.good.credential)
    png = bake_png(render_png(other), text, f"{desk.good.credential['id']}assertion.json")
    return dataclasses.replace(desk.good, png=png, svg=bake_svg(other, text))


def _bake_twice(desk: Desk) -> Forms:
    """Two badges in one picture: the good one, and before it the other's."""
    first = desk.good.png
    header = first[: len(PNG_SIGNATURE) + 25]
    other = desk.other.png[len(header) :]
    length = int.from_bytes(other[:4], "big") + 12
    assert b"openbadgecredential" in other[:length]
    return dataclasses.replace(desk.good, png=header + other[:length] + first[len(header) :])


def _mix_versions(desk: Desk) -> Forms:
    """One person's 3.0 credential and another's 2.0 assertion in one picture."""
    text = json.dumps(desk.good.credential)
    png = bake_png(desk.picture_png, text, f"{desk.other.credential['id']}assertion.json")
    return dataclasses.replace(desk.good, png=png)


def _host_elsewhere(desk: Desk) -> Forms:
    png = bake_png(desk.picture_png, json.dumps(desk.good.credential), "https://elsewhere.example/assertion.json")
    return dataclasses.replace(desk.good, png=png)


def _in(days: int) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _swap_contexts(credential: Document) -> None:
    contexts = credential["@context"]
    contexts[0], contexts[1] = contexts[1], contexts[0]


def _break_signature(signature: str) -> str:
    """Another signature of the same length."""
    raw = bytearray(base64.urlsafe_b64decode(signature + "=="))
    raw[10] ^= 1
    return encode_base64url(bytes(raw))


# Columns, in the table's order.
VC, STATUS, CORE, SCHEMA = "vc", "status list", "verifier-core", "schema"
JOSE, OBL, OBL_JWT, OB2, OURS = "jose", "openbadgeslib", "openbadgeslib JWT", "openbadges 2.0", "Pupitre"
VERIFIERS = (VC, STATUS, CORE, SCHEMA, JOSE, OBL, OBL_JWT, OB2, OURS)
PROOF = {VC, CORE, OBL}
"""Who checks the Data Integrity proof."""
TOKEN = {JOSE, OBL_JWT}

TAMPERINGS: dict[str, tuple[Callable[[Desk], Forms], set[str]]] = {
    "name changed": (
        _change(lambda d: d[SUBJECT]["identifier"][0].update(identityHash="Mallory")),
        PROOF | TOKEN | {OURS},
    ),
    "title changed": (_change(lambda d: d[SUBJECT]["achievement"].update(name="Doctorat")), PROOF | TOKEN | {OURS}),
    "mark changed": (_change(lambda d: d[SUBJECT]["result"][0].update(value="8")), PROOF | TOKEN | {OURS}),
    "date changed": (_change(lambda d: d.update(validFrom="2020-01-01T00:00:00Z")), PROOF | TOKEN | {OURS}),
    "evidence removed": (_change(lambda d: d.pop("evidence")), PROOF | TOKEN | {OURS}),
    "criteria removed": (
        _change(lambda d: d[SUBJECT]["achievement"].pop("criteria")),
        PROOF | TOKEN | {SCHEMA, OURS},
    ),
    "property that no context knows added": (_change(lambda d: d.update(mention="très bien")), PROOF | TOKEN | {OURS}),
    "status removed": (_change(lambda d: d.pop("credentialStatus")), PROOF | TOKEN | {STATUS, OURS}),
    "status moved to another place of the list": (
        _change(lambda d: d["credentialStatus"].update(statusListIndex="1")),
        PROOF | TOKEN | {OURS},
    ),
    "two first contexts swapped": (_change(_swap_contexts), PROOF | TOKEN | {SCHEMA, OURS}),
    "context of another added": (
        _change(lambda d: d["@context"].append("https://elsewhere.example/context.json")),
        PROOF | TOKEN | {OURS},
    ),
    "proof removed": (_change_document_only(lambda d: d.pop("proof")), PROOF | {OURS}),
    "proof dated otherwise": (
        _change_document_only(lambda d: d["proof"].update(created="2020-01-01T00:00:00Z")),
        PROOF | {OURS},
    ),
    "proof value changed": (
        _change_document_only(lambda d: d["proof"].update(proofValue=d["proof"]["proofValue"][:-2] + "11")),
        PROOF | {OURS},
    ),
    "signed by a stranger in our name": (_forge, PROOF | TOKEN | {OURS}),
    "signed by a stranger under our organisation's name": (_pose_as_issuer, TOKEN | {STATUS, OBL, OURS}),
    "signed by a retired key": (
        lambda desk: desk.sign(desk.good.credential, "ed25519-1", "p256-1"),
        PROOF | TOKEN | {OURS},
    ),
    "revoked": (lambda desk: desk.revoked, {STATUS, CORE, OBL, OBL_JWT, OB2, OURS}),
    "expired": (_issue(lambda d: d.update(validUntil=_in(-1))), PROOF | TOKEN | {OURS}),
    "dated in the future": (_issue(lambda d: d.update(validFrom=_in(1))), (PROOF - {CORE}) | TOKEN | {OURS}),
    "issued against the schema": (
        _issue(lambda d: d[SUBJECT]["achievement"].update(achievementType="Compétence")),
        {SCHEMA, CORE, OURS},
    ),
    "token: name changed": (
        _change_token(lambda _desk, header, payload, signature: f"{header}.{_rename(payload)}.{signature}"),
        TOKEN | {OURS},
    ),
    "token: signature changed": (
        _change_token(lambda _desk, header, payload, signature: f"{header}.{payload}.{_break_signature(signature)}"),
        TOKEN | {OURS},
    ),
    "token: unsigned (`alg` none)": (
        _change_token(
            lambda _desk, _header, payload, _signature: f"{_encode({'alg': 'none', 'typ': 'JWT'})}.{_rename(payload)}."
        ),
        TOKEN | {OURS},
    ),
    "token: our public key taken as a secret (`HS256`)": (_change_token(_sign_with_public_key), TOKEN | {OURS}),
    "token: a stranger's key under our `kid`": (_change_token(_sign_by_stranger), TOKEN | {OURS}),
    "token: brings its own key (`jwk`)": (_change_token(_carry_own_key), TOKEN | {OURS}),
    "token and proof disagree": (_disagree, PROOF | {OURS}),
    "picture replaced": (_replace_picture, {OURS}),
    "two badges in one picture": (_bake_twice, {OURS}),
    "picture of one's 3.0 and another's 2.0": (_mix_versions, {OB2, OURS}),
    "2.0 assertion hosted elsewhere": (_host_elsewhere, {OB2, OURS}),
    "2.0 badge of another person": (
        lambda desk: dataclasses.replace(desk.good, email="mallory@example.org"),
        {OB2},
    ),
}
"""name -> how, and who must refuse; the others accept, and the test holds that too."""
