"""The attestation of completion: a French PDF (PDF/UA-1) with the award's check code, a QR code and the credential attached.

Laws: every text of a person reaches typst as JSON data, never as markup; fonts are typst's own, and the machine's only for
characters that those lack (when none has them, the file is made all the same, and is no longer PDF/UA); it names the organisation that issues it and says that it is no act of the State.
"""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files

import segno
import typst

from badges.credential import Result, format_hours, format_number
from badges.names import clean_name

_log = logging.getLogger(__name__)
_MONTHS = [
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
]


@dataclass(frozen=True)
class Attestation:
    """What the document says; dates are the reader's (local) dates."""

    issuer_name: str
    recipient_name: str
    title: str
    description: str
    reference: str
    session: str
    hours: float
    started_on: date | None
    completed_on: date
    edited_on: date
    results: Sequence[Result]
    check_code: str
    address: str
    """Where the award is checked; the QR code holds it."""
    demonstration: bool
    badge_svg: bytes
    credential: str
    """The signed JSON, attached to the file."""


def render_attestation(attestation: Attestation) -> bytes:
    """The PDF."""
    data = {
        "issuer": clean_name(attestation.issuer_name),
        "recipient": clean_name(attestation.recipient_name),
        "title": clean_name(attestation.title),
        "description": clean_name(attestation.description),
        "facts": [{"name": name, "value": clean_name(value)} for name, value in _list_facts(attestation)],
        "results": [
            {"title": clean_name(result.title), "points": _format_points(result)} for result in attestation.results
        ],
        "code": attestation.check_code,
        "address": attestation.address,
        "demonstration": attestation.demonstration,
        "edited": format_date_fr(attestation.edited_on),
        "year": attestation.edited_on.year,
        "month": attestation.edited_on.month,
        "day": attestation.edited_on.day,
    }
    inputs = {
        "data": json.dumps(data, ensure_ascii=False),
        "qr": _render_qr(attestation.address),
        "badge": attestation.badge_svg.decode("utf-8-sig"),
        "credential": attestation.credential,
    }
    try:
        return _compile(inputs, system_fonts=False, accessible=True)
    except typst.TypstError as error:
        # PDF/UA refuses a character that no font can draw: a name in Chinese must still have its attestation.
        _log.warning("attestation %s: %s", attestation.check_code, str(error)[:200])
    try:
        return _compile(inputs, system_fonts=True, accessible=True)
    except typst.TypstError:
        return _compile(inputs, system_fonts=True, accessible=False)


def _compile(inputs: dict[str, str], *, system_fonts: bool, accessible: bool) -> bytes:
    pdf = typst.compile(
        (files("badges") / "attestation.typ").read_bytes(),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards="ua-1" if accessible else None,
        ignore_system_fonts=not system_fonts,
    )
    assert isinstance(pdf, bytes)  # noqa: S101 - a PDF is one file, whatever its number of pages
    return pdf


def format_date_fr(day: date) -> str:
    """`1er mars 2027`; not by locale, which the machine may lack."""
    return f"{'1er' if day.day == 1 else day.day} {_MONTHS[day.month - 1]} {day.year}"


def _list_facts(attestation: Attestation) -> list[tuple[str, str]]:
    facts = [("Intitulé", attestation.title), ("Référence", attestation.reference)]
    if attestation.session:
        facts.append(("Session", attestation.session))
    facts.append(("Modalité", "À distance, en autoformation"))
    completed = format_date_fr(attestation.completed_on)
    if attestation.started_on is not None:
        facts.append(("Période", f"Du {format_date_fr(attestation.started_on)} au {completed}"))
    facts.append(("Date d’achèvement", completed))
    if attestation.hours:
        facts.append(
            ("Durée prévue", f"{format_hours(attestation.hours)} (durée planifiée par les auteurs, non mesurée)")
        )
    facts.append(("Date d’édition", format_date_fr(attestation.edited_on)))
    return facts


def _format_points(result: Result) -> str:
    points, most = (format_number(value).replace(".", ",") for value in (result.points, result.max_points))
    return f"{points} / {most}"


def _render_qr(address: str) -> str:
    stream = io.BytesIO()
    segno.make(address, error="m", micro=False).save(stream, kind="svg", border=2, xmldecl=False, light="white")
    return stream.getvalue().decode("utf-8")
