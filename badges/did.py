"""The issuer's public identity: did:web, its document, and the public keys in the forms that verifiers fetch.

Sources: did:web method specification; Controlled Identifiers 1.0, section 2.2.2 (Multikey); RFC 7517 and RFC 8037 (JWK).
`assertionMethod` holds strings: 1EdTech's validator does not accept embedded objects there.
"""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from badges.keys import Key, KeyRing

DID_CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
# Multicodec prefixes of public keys (varint): ed25519-pub 0xed, p256-pub 0x1200.
_MULTICODEC = {"ed25519": b"\xed\x01", "p256": b"\x80\x24"}


def make_did(public_url: str) -> str:
    """`https://example.org` → `did:web:example.org`; a port is percent-encoded."""
    return "did:web:" + quote(urlsplit(public_url).netloc, safe="")


def make_did_document(did: str, ring: KeyRing) -> dict[str, Any]:
    """What `/.well-known/did.json` answers: every key ever used but the retired ones (compromised).

    Not to name them as assertion methods is not enough: some verifiers look no further than `verificationMethod`.
    """
    methods = [make_multikey(did, key) for key in ring.keys if not key.retired]
    return {
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT],
        "id": did,
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }


def make_multikey(did: str, key: Key) -> dict[str, str]:
    return {
        "id": f"{did}#{key.kid}",
        "type": "Multikey",
        "controller": did,
        "publicKeyMultibase": encode_base58btc(_MULTICODEC[key.kind] + _public_bytes(key)),
    }


def make_jwk(key: Key, kid: str) -> dict[str, str]:
    """The public JWK of a key."""
    if isinstance(key.private, Ed25519PrivateKey):
        return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(_public_bytes(key)), "use": "sig", "kid": kid}
    numbers = key.private.public_key().public_numbers()
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": encode_base64url(numbers.x.to_bytes(32, "big")),
        "y": encode_base64url(numbers.y.to_bytes(32, "big")),
        "use": "sig",
        "alg": "ES256",
        "kid": kid,
    }


def encode_base58btc(data: bytes) -> str:
    """Multibase `z`: base 58, Bitcoin alphabet. Source: Controlled Identifiers 1.0, section 2.4."""
    number = int.from_bytes(data, "big")
    digits = ""
    while number:
        number, rest = divmod(number, 58)
        digits = _BASE58[rest] + digits
    return "z" + "1" * (len(data) - len(data.lstrip(b"\0"))) + digits


def decode_base58btc(text: str) -> bytes:
    """The inverse of `encode_base58btc`; ValueError when it is not one."""
    if not text.startswith("z") or len(text) > 200:
        raise ValueError("not multibase base58btc")
    digits = text[1:]
    number = 0
    for digit in digits:
        number = number * 58 + _BASE58.index(digit)
    zeros = len(digits) - len(digits.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8, "big")


def encode_base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Unpadded base64url; ValueError when it is not, or when its last bits are not zero: each content has one spelling."""
    if not text.isascii() or not all(character.isalnum() or character in "-_" for character in text):
        raise ValueError("not base64url")
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    if encode_base64url(data) != text:
        raise ValueError("not base64url")
    return data


def _public_bytes(key: Key) -> bytes:
    public = key.private.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.CompressedPoint)
    return public.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
