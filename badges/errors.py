"""What can go wrong in `badges/`, each with a stable code and a French sentence for the person.

BadgeError
├── ArtworkRefused        a course's SVG that cannot be a badge
├── FileRefused           a file brought to /verifier/ that cannot be read
├── ProofInvalid          a signature that does not hold
├── ContextUnavailable    a JSON-LD context that is not in our packages: it is never fetched
├── ProfileRefused        the issuer's profile file, or one that it names, cannot be used
├── IssuerChanged         awards exist under another public address
└── RevocationRefused     no reason, or already revoked
"""

from __future__ import annotations


class BadgeError(Exception):
    """Base: catch it where a person must be told something."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ArtworkRefused(BadgeError):
    """The badge's SVG is unreadable, too large, or holds more than a drawing."""


class FileRefused(BadgeError):
    """The file is not one that can carry a badge."""


class ProofInvalid(BadgeError):
    """The proof is missing, malformed or does not match the document."""


class ContextUnavailable(BadgeError):
    """A document names a context that we do not carry."""


class ProfileRefused(BadgeError):
    """The file of `PUPITRE_ISSUER_PROFILE` cannot be used as it stands."""


class IssuerChanged(BadgeError):
    """The public address changed while awards exist: their addresses would die."""


class RevocationRefused(BadgeError):
    """The award cannot be revoked as asked."""
