"""Open Badges 2.0, hosted: assertion, badge class and issuer on our own address, for older wallets.

Source: Open Badges 2.0 (IMS Global). Nothing is signed: the address is the proof, so it must answer with the award's state.
The salted hash of the e-mail is what such wallets compare: it is published only when the learner agreed to that.
"""

from __future__ import annotations

import hashlib
from datetime import datetime
from typing import Any

from badges.credential import Achievement, Profile, format_date

CONTEXT = "https://w3id.org/openbadges/v2"


def make_issuer(issuer: Profile, address: str) -> dict[str, Any]:
    document = {"@context": CONTEXT, "type": "Issuer", "id": address, "name": issuer.name, "url": issuer.url}
    return document | ({"email": issuer.email} if issuer.email else {})


def make_badge_class(achievement: Achievement, badge_url: str, address: str, issuer_address: str) -> dict[str, Any]:
    return {
        "@context": CONTEXT,
        "type": "BadgeClass",
        "id": address,
        "name": achievement.title,
        "description": achievement.description or achievement.title,
        "image": f"{badge_url}/image.png",
        "criteria": {"id": f"{badge_url}/", "narrative": achievement.criteria or achievement.title},
        "issuer": issuer_address,
    }


def make_assertion(
    address: str, badge_address: str, email: str, salt: str, issued_at: datetime, revoked: bool
) -> dict[str, Any]:
    """The hosted assertion; once revoked, it says that alone. Source: Open Badges 2.0, Assertion, `revoked`."""
    document: dict[str, Any] = {"@context": CONTEXT, "type": "Assertion", "id": address}
    if revoked:
        # Nothing else: 1EdTech's validator does not read `revoked`, and refuses only what lacks the rest.
        # The reason is between the organisation and the learner: it is not published.
        return document | {"revoked": True, "revocationReason": "Badge révoqué par l’émetteur."}
    return document | {
        "recipient": {"type": "email", "hashed": True, "salt": salt, "identity": hash_email(email, salt)},
        "badge": badge_address,
        "issuedOn": format_date(issued_at),
        "verification": {"type": "HostedBadge"},
    }


def hash_email(email: str, salt: str) -> str:
    return "sha256$" + hashlib.sha256((email.strip().lower() + salt).encode("utf-8")).hexdigest()
