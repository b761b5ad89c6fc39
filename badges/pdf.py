"""Badges in PDF files: writes the address of a 2.0 assertion into ours, reads the badge that anyone's file carries.

Laws: what anyone made is parsed in a short process with limits (`pdfreader.py`), a few at a time; our own file keeps every
object that makes it PDF/UA: only its Info dictionary gains a key.
"""

from __future__ import annotations

import io
import logging
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from badges.apart import Apart, NoAnswer, NoTurn
from badges.errors import FileRefused

TIMEOUT_S = 15.0
READERS_AT_ONCE = 2
"""Of one portal process: others wait their turn."""
_log = logging.getLogger(__name__)
_reader = Apart("pdfreader.py", TIMEOUT_S, READERS_AT_ONCE)


@dataclass(frozen=True)
class PdfBadge:
    """What a PDF carries."""

    credential: str
    """JSON or token."""
    assertion_url: str
    """The Info key `openbadges`; empty when there is none."""


def add_assertion_url(pdf: bytes, address: str) -> bytes:
    """Our PDF with the address that older wallets look for in the Info dictionary (Open Badge Passport)."""
    import pikepdf  # 0.2 s that no other page needs

    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(pdf)) as document:
        document.docinfo["/openbadges"] = address
        document.save(result, deterministic_id=True, fix_metadata_version=False)
    return result.getvalue()


def read_badge(content: bytes) -> PdfBadge:
    """The one badge of a PDF.

    Raises
    ------
    FileRefused
        It cannot be read within the limits, or carries no badge, or more than one.
    """
    answer = _read_apart(content)
    if "error" in answer:
        raise FileRefused(answer["error"], _sentence_of(answer["error"]))
    credentials, assertion_url = answer["credentials"], answer["openbadges"]
    if len(credentials) > 1:
        raise FileRefused("pdf-two-badges", _("Ce PDF contient plusieurs badges : il a été altéré."))
    if not credentials and assertion_url:
        raise FileRefused(
            "open-badges-2",
            _("Ce PDF ne porte que l’adresse d’un badge Open Badges 2.0, sans signature : ouvrez %(address)s.")
            % {"address": assertion_url[:200]},
        )
    if not credentials:
        raise FileRefused(
            "pdf-no-badge", _("Ce PDF ne contient pas de badge : tapez le code de vérification imprimé dessus.")
        )
    return PdfBadge(credentials[0], assertion_url)


def _read_apart(content: bytes) -> dict[str, Any]:
    try:
        return _reader.read(content)
    except NoTurn:
        return {"error": "pdf-busy"}
    except NoAnswer as error:  # a decompression bomb, or too slow
        _log.warning("a PDF of %d bytes could not be read within the limits: %s", len(content), error)
        return {"error": "pdf-too-demanding"}


def _sentence_of(code: str) -> str:
    if code == "pdf-locked":
        return _("Ce PDF est protégé par un mot de passe : il ne peut pas être lu.")
    if code == "pdf-busy":
        return _("D’autres PDF sont en cours de lecture : réessayez dans un instant.")
    if code == "pdf-too-demanding":
        return _("Ce PDF demande trop de mémoire ou de temps pour être lu : une attestation est bien plus simple.")
    return _("Ce PDF n’est pas lisible.")
