"""The same award as a VC-JWT (`ES256`): some wallets read nothing else.

Source: Open Badges 3.0, section 8.2; RFC 7515. The header holds `alg`, `typ` and `kid` only, `kid` being the address of one
JWK; EdDSA is not used here (1EdTech's validator refuses it in a JWT); no `vc` claim.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils
from django.utils.translation import gettext as _

from badges.did import decode_base64url, encode_base64url
from badges.errors import ProofInvalid

CLAIMS = ("iss", "jti", "sub", "nbf", "exp")


def make_token(credential: dict[str, Any], private: ec.EllipticCurvePrivateKey, kid: str) -> str:
    """The compact token of a credential (its embedded proof included)."""
    claims = credential | _make_claims(credential)
    header = {"alg": "ES256", "typ": "JWT", "kid": kid}
    signed = f"{_encode(header)}.{_encode(claims)}"
    r, s = utils.decode_dss_signature(private.sign(signed.encode("ascii"), ec.ECDSA(hashes.SHA256())))
    return f"{signed}.{encode_base64url(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def read_token(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, unchecked; `ProofInvalid` when it is not a token."""
    parts = token.strip().split(".")
    if len(parts) != 3:
        raise ProofInvalid("token-malformed", _("Ce texte n’est pas un jeton signé."))
    try:
        header, claims = (json.loads(decode_base64url(part)) for part in parts[:2])
    except (ValueError, RecursionError) as error:
        raise ProofInvalid("token-malformed", _("Ce texte n’est pas un jeton signé.")) from error
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise ProofInvalid("token-malformed", _("Ce texte n’est pas un jeton signé."))
    return header, claims


def check_token(token: str, public: ec.EllipticCurvePublicKey) -> dict[str, Any]:
    """The credential of a token whose signature holds; `ProofInvalid` otherwise."""
    header, claims = read_token(token)
    signed, _dot, signature_text = token.strip().rpartition(".")
    try:
        signature = decode_base64url(signature_text)
    except ValueError as error:
        raise ProofInvalid("token-malformed", _("Ce texte n’est pas un jeton signé.")) from error
    if header.get("alg") != "ES256" or len(signature) != 64:
        raise ProofInvalid("proof-unknown", _("La signature est d’un type que Pupitre n’emploie pas."))
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    try:
        public.verify(utils.encode_dss_signature(r, s), signed.encode("ascii"), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise ProofInvalid(
            "proof-mismatch", _("La signature ne correspond pas au contenu : le document a été modifié.")
        ) from error
    credential = {name: value for name, value in claims.items() if name not in CLAIMS}
    try:
        agrees = {name: claims[name] for name in CLAIMS if name in claims} == _make_claims(credential)
    except (KeyError, TypeError, ValueError):
        agrees = False
    if not agrees:
        raise ProofInvalid("token-disagrees", _("Le jeton et le badge qu’il porte ne disent pas la même chose."))
    return credential


def _make_claims(credential: dict[str, Any]) -> dict[str, Any]:
    """What a token repeats of its credential. Source: Open Badges 3.0, section 8.2.2."""
    issuer = credential["issuer"]
    claims: dict[str, Any] = {
        "iss": issuer if isinstance(issuer, str) else issuer["id"],
        "jti": credential["id"],
        "sub": credential["credentialSubject"]["id"],
    }
    for claim, name in (("nbf", "validFrom"), ("exp", "validUntil")):
        if name in credential:
            claims[claim] = int(datetime.fromisoformat(credential[name]).timestamp())
    return claims


def _encode(value: dict[str, Any]) -> str:
    return encode_base64url(json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8"))
