"""Who issues: the one place of `badges/` that reads the installation's settings.

Laws: addresses are built here and nowhere else; an address on this machine only (loopback) makes every award a
« démonstration »; the keys are made the first time anything asks for them.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.conf import settings

from badges.credential import Profile
from badges.did import make_did
from badges.keys import ED25519, P256, KeyRing, ensure_keys
from badges.profile import load_profile
from badges.proof import add_proof
from badges.vcjwt import make_token


@dataclass(frozen=True)
class Issuer:
    """The issuing organisation at its public address."""

    public_url: str
    name: str
    email: str
    keys_dir: Path
    profile_path: Path | None = None
    """The organisation in full (`profile.py`)."""

    @property
    def did(self) -> str:
        return make_did(self.public_url)

    @property
    def profile(self) -> Profile:
        """Raises `ProfileRefused` when the profile's file cannot be used."""
        url, details = "", dict[str, Any]()
        if self.profile_path is not None:
            url, details = load_profile(self.profile_path, self.did, self.logo_url)
        return Profile(self.did, self.name, url or self.public_url, self.email, details)

    @property
    def is_demonstration(self) -> bool:
        """Whether nobody but this machine can reach the address."""
        host = urlsplit(self.public_url).hostname or ""
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost" or host.endswith(".localhost")

    @property
    def keys(self) -> KeyRing:
        return ensure_keys(self.keys_dir)

    @property
    def openbadges2_url(self) -> str:
        """The issuer's Open Badges 2.0 document."""
        return f"{self.public_url}/badges/emetteur.json"

    @property
    def logo_url(self) -> str:
        return f"{self.public_url}/badges/emetteur.png"

    def award_url(self, check_code: str) -> str:
        return f"{self.public_url}/badges/{check_code}/"

    def badge_url(self, digest: str) -> str:
        return f"{self.public_url}/badges/modele/{digest}"

    def status_list_url(self, number: int) -> str:
        return f"{self.public_url}/badges/etat/{number}"

    def jwk_url(self, kid: str) -> str:
        return f"{self.public_url}/badges/keys/{kid}"

    def sign(self, document: dict[str, Any], moment: datetime) -> dict[str, Any]:
        """Add a Data Integrity proof by the current Ed25519 key."""
        key = self.keys.current(ED25519)
        assert isinstance(key.private, Ed25519PrivateKey)  # noqa: S101 - the kind says so
        return add_proof(document, key.private, f"{self.did}#{key.kid}", moment)

    def make_token(self, credential: dict[str, Any]) -> str:
        """The VC-JWT of a signed credential, by the current P-256 key."""
        key = self.keys.current(P256)
        assert isinstance(key.private, ec.EllipticCurvePrivateKey)  # noqa: S101 - the kind says so
        return make_token(credential, key.private, self.jwk_url(key.kid))


def load_issuer() -> Issuer:
    environment = settings.ENVIRONMENT
    return Issuer(
        public_url=environment.public_url,
        name=environment.issuer_name,
        email=environment.issuer_email,
        keys_dir=environment.state_dir / "keys" / "badges",
        profile_path=environment.issuer_profile,
    )
