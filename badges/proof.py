"""Data Integrity proofs, cryptosuite `eddsa-rdfc-2022`: signing and checking.

Source: Data Integrity EdDSA Cryptosuites 1.0 (W3C), section 3.2. The signature covers
SHA-256(canonical proof options, with the document's @context) followed by SHA-256(canonical document).
Only documents of our own shape come here: see `contexts.canonicalize`.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.utils.translation import gettext as _

from badges.contexts import canonicalize
from badges.credential import format_date
from badges.did import decode_base58btc, encode_base58btc
from badges.errors import ProofInvalid

CRYPTOSUITE = "eddsa-rdfc-2022"
_OPTIONS = ("type", "cryptosuite", "created", "verificationMethod", "proofPurpose")


def add_proof(
    document: dict[str, Any], private: Ed25519PrivateKey, verification_method: str, created: datetime
) -> dict[str, Any]:
    """Return the document with its proof; the given one is left as it was."""
    options: dict[str, Any] = {
        "type": "DataIntegrityProof",
        "cryptosuite": CRYPTOSUITE,
        "created": format_date(created),
        "verificationMethod": verification_method,
        "proofPurpose": "assertionMethod",
    }
    signature = private.sign(_digest(document, options))
    return document | {"proof": options | {"proofValue": encode_base58btc(signature)}}


def find_verification_method(document: dict[str, Any]) -> str:
    """The key that the proof names; `ProofInvalid` when there is no proof of our kind."""
    return str(_read_proof(document)["verificationMethod"])


def check_proof(document: dict[str, Any], public: Ed25519PublicKey) -> None:
    """Check the document's proof against a key.

    Raises
    ------
    ProofInvalid
        No proof, another kind of proof, or a signature that does not match: something was changed.
    """
    proof = _read_proof(document)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    try:
        signature = decode_base58btc(str(proof["proofValue"]))
    except ValueError as error:
        raise ProofInvalid("proof-malformed", _("La signature n’est pas lisible.")) from error
    try:
        public.verify(signature, _digest(unsigned, {name: proof[name] for name in _OPTIONS}))
    except InvalidSignature as error:
        raise ProofInvalid(
            "proof-mismatch", _("La signature ne correspond pas au contenu : le document a été modifié.")
        ) from error


def _read_proof(document: dict[str, Any]) -> dict[str, Any]:
    proof = document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        proof = proof[0]
    if isinstance(proof, list) and proof:
        raise ProofInvalid("proof-several", _("Le document porte plusieurs signatures : Pupitre n’en met qu’une."))
    if not isinstance(proof, dict):
        raise ProofInvalid("proof-missing", _("Le document ne porte pas de signature."))
    if set(proof) != {*_OPTIONS, "proofValue"} or not all(isinstance(value, str) for value in proof.values()):
        raise ProofInvalid("proof-malformed", _("La signature n’est pas lisible."))
    if proof["type"] != "DataIntegrityProof" or proof["cryptosuite"] != CRYPTOSUITE:
        raise ProofInvalid("proof-unknown", _("La signature est d’un type que Pupitre n’emploie pas."))
    if proof["proofPurpose"] != "assertionMethod":
        raise ProofInvalid("proof-purpose", _("La signature n’a pas été faite pour attester."))
    return proof


def _digest(document: dict[str, Any], options: dict[str, Any]) -> bytes:
    config = {"@context": document.get("@context"), **options}
    return hashlib.sha256(canonicalize(config)).digest() + hashlib.sha256(canonicalize(document)).digest()
