"""The issuer of the outside portal, described as fully as `PUPITRE_ISSUER_PROFILE` allows, with an endorsement signed by another."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from badges.artwork import render_png
from badges.contexts import CREDENTIALS_V2, OPEN_BADGES_V3
from badges.did import encode_base58btc
from badges.proof import add_proof

PROFILE = """
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


def write_profile(folder: Path, about: str, svg: bytes) -> Path:
    """The file that `PUPITRE_ISSUER_PROFILE` names, and those that it names."""
    folder.mkdir(parents=True)
    (folder / "logo.png").write_bytes(render_png(svg))
    (folder / "avis.json").write_text(json.dumps(endorse(about, Ed25519PrivateKey.generate())), encoding="utf-8")
    path = folder / "emetteur.yml"
    path.write_text(PROFILE, encoding="utf-8")
    return path


def endorse(about: str, key: Ed25519PrivateKey, **changes: object) -> dict[str, object]:
    """What an organisation with a did:key writes and signs about another."""
    name = encode_base58btc(b"\xed\x01" + key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))
    document: dict[str, object] = {
        "@context": [CREDENTIALS_V2, OPEN_BADGES_V3],
        "id": "urn:uuid:3c1bd0d6-6f30-4f0a-8a0b-60f7a5a2f1b1",
        "type": ["VerifiableCredential", "EndorsementCredential"],
        "name": "Avis de l’académie",
        "issuer": {"id": f"did:key:{name}", "type": ["Profile"], "name": "Académie d’essai"},
        "validFrom": "2026-11-01T00:00:00Z",
        "credentialSubject": {
            "id": about,
            "type": ["EndorsementSubject"],
            "endorsementComment": "Ses badges sont délivrés avec soin.",
        },
    }
    return add_proof(document | changes, key, f"did:key:{name}#{name}", datetime(2026, 11, 1, tzinfo=UTC))
