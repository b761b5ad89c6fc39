"""What can go wrong in `badges/`, each with a stable code and a French sentence for the person.

BadgeError
├── ArtworkRefused        a course's SVG that cannot be a badge
├── FileRefused           a file brought to /verifier/ that cannot be read
├── ProofInvalid          a signature that does not hold
├── ContextUnavailable    a JSON-LD context that is not in our packages: it is never fetched
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


class ArtworkRefused(BadgeError):  # noqa: N818 - a refusal, not a fault
    """The badge's SVG is unreadable, too large, or holds more than a drawing."""


class FileRefused(BadgeError):  # noqa: N818 - a refusal, not a fault
    """The file is not one that can carry a badge."""


class ProofInvalid(BadgeError):  # noqa: N818 - a refusal, not a fault
    """The proof is missing, malformed or does not match the document."""


class ContextUnavailable(BadgeError):  # noqa: N818 - a refusal, not a fault
    """A document names a context that we do not carry."""


class IssuerChanged(BadgeError):  # noqa: N818 - a refusal, not a fault
    """The public address changed while awards exist: their addresses would die."""


class RevocationRefused(BadgeError):  # noqa: N818 - a refusal, not a fault
    """The award cannot be revoked as asked."""
