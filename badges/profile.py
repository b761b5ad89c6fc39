"""The issuing organisation in full, from the file that `PUPITRE_ISSUER_PROFILE` names (docs/reference/settings.md).

Laws: a mistake in the file stops the start with a sentence that names file and key, never an award half described; an
endorsement is somebody else's signed document: it is embedded to the letter, once it is seen to be about this issuer.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from django.utils.translation import gettext as _
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from badges.contexts import CREDENTIALS_V2, OPEN_BADGES_V3, canonicalize
from badges.errors import BadgeError, ProfileRefused
from badges.verify import parse_json

MAX_FILE_BYTES = 200_000
MAX_ENDORSEMENTS = 20

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Url = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=500)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Address(_Strict):
    street: Text | None = None
    postal_code: Text | None = None
    locality: Text | None = None
    region: Text | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    """Two letters: FR."""


class Identifier(_Strict):
    type: Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,40}$")]
    """SIRET, UAI…"""
    value: Text


class Parent(_Strict):
    name: Text
    url: Url
    id: Text | None = None


class ProfileFile(_Strict):
    """All of the file; every key is optional."""

    description: Text | None = None
    url: Url | None = None
    """The organisation's own site; the portal otherwise."""
    phone: Text | None = None
    official: Text | None = None
    """Who answers for the badges."""
    image: Text | None = None
    """A PNG beside the file."""
    address: Address | None = None
    identifiers: list[Identifier] = []
    parent: Parent | None = None
    endorsements: Annotated[list[Text], Field(max_length=MAX_ENDORSEMENTS)] = []
    """Signed endorsement credentials (JSON) beside the file."""


def load_profile(path: Path, issuer_id: str, image_url: str) -> tuple[str, dict[str, Any]]:
    """The organisation's site ("" when the file names none) and the other members of its profile, ready to be signed.

    Raises
    ------
    ProfileRefused
        The file, or one that it names, is missing or cannot be used.
    """
    try:
        stamps = tuple((file.name, file.stat().st_mtime_ns) for file in sorted(path.parent.iterdir()) if file.is_file())
    except OSError as error:
        raise _refuse(path, error.strerror or "") from error
    url, details = _load(path, issuer_id, stamps)
    if "image" in details:
        details = details | {"image": {"id": image_url, "type": "Image", "caption": "Logo"}}
    return url, details


def load_logo(path: Path) -> bytes | None:
    """The organisation's PNG, or None."""
    file = _read_file(path)
    return (path.parent / file.image).read_bytes() if file.image else None


@lru_cache(maxsize=4)  # the date of each file of the folder is in the key: a changed file is read again
def _load(path: Path, issuer_id: str, _stamps: tuple[tuple[str, int], ...]) -> tuple[str, dict[str, Any]]:
    file = _read_file(path)
    address = file.address
    members: dict[str, Any] = {
        "description": file.description,
        "phone": file.phone,
        "official": file.official,
        "image": {} if file.image else None,
        "address": None
        if address is None
        else _without_none(
            {
                "type": ["Address"],
                "streetAddress": address.street,
                "postalCode": address.postal_code,
                "addressLocality": address.locality,
                "addressRegion": address.region,
                "addressCountryCode": address.country,
            }
        ),
        "otherIdentifier": [
            {"type": "IdentifierEntry", "identifier": entry.value, "identifierType": f"ext:{entry.type}"}
            for entry in file.identifiers
        ],
        "parentOrg": None
        if file.parent is None
        else _without_none(
            {
                "id": file.parent.id or file.parent.url,
                "type": ["Profile"],
                "name": file.parent.name,
                "url": file.parent.url,
            }
        ),
        "endorsement": [_read_endorsement(path.parent / name, issuer_id) for name in file.endorsements],
    }
    if file.image and not _read(path.parent / file.image).startswith(b"\x89PNG\r\n\x1a\n"):
        raise _refuse(path.parent / file.image, _("ce n’est pas une image PNG"))
    return file.url or "", {name: value for name, value in members.items() if value is not None and value != []}


def _read_file(path: Path) -> ProfileFile:
    try:
        data = yaml.safe_load(_read(path))
    except yaml.YAMLError as error:
        raise _refuse(path, _("ce n’est pas du YAML lisible")) from error
    try:
        return ProfileFile.model_validate(data or {})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise _refuse(
            path, _("la clé « %(key)s » n’est pas celle attendue (%(detail)s)") % {"key": key, "detail": first["msg"]}
        ) from error


def _read_endorsement(path: Path, issuer_id: str) -> dict[str, Any]:
    try:
        document = parse_json(_read(path).decode("utf-8"))
        contexts, types, subject = (document.get(name) for name in ("@context", "type", "credentialSubject"))
        if not isinstance(contexts, list) or contexts[:2] != [CREDENTIALS_V2, OPEN_BADGES_V3]:
            raise _refuse(path, _("ses deux premiers contextes ne sont pas ceux d’Open Badges 3.0.3"))
        if not isinstance(types, list) or "EndorsementCredential" not in types or "proof" not in document:
            raise _refuse(path, _("ce n’est pas un avis signé (EndorsementCredential)"))
        if not isinstance(subject, dict) or subject.get("id") != issuer_id:
            raise _refuse(path, _("cet avis porte sur un autre émetteur"))
        canonicalize({name: value for name, value in document.items() if name != "proof"})
    except UnicodeDecodeError as error:
        raise _refuse(path, _("ce n’est pas un texte en UTF-8")) from error
    except ProfileRefused:
        raise
    except BadgeError as error:
        raise _refuse(path, error.message) from error
    return document


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise _refuse(path, _("le fichier dépasse %(most)d ko") % {"most": MAX_FILE_BYTES // 1000})
        return path.read_bytes()
    except OSError as error:
        raise _refuse(path, error.strerror or "") from error


def _refuse(path: Path, reason: str) -> ProfileRefused:
    sentence = _("Profil de l’émetteur, %(file)s : %(reason)s.")
    return ProfileRefused("issuer-profile", sentence % {"file": path.name, "reason": reason.rstrip(".")})


def _without_none(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}
