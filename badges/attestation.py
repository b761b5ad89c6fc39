"""The attestation of completion: a PDF/UA-1 with the award's check code, a QR code and the credential attached.

Law: it names the organisation that issues it and says that it is no act of the State. It is written in the reader's
language, and set by `typesetting.py`.
"""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import segno
from django.utils.formats import number_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from badges.credential import Result, format_hours, format_number
from badges.names import clean_name
from badges.pdf import add_assertion_url
from badges.typesetting import compile_document
from badges.wording import format_date, set_spaces


@dataclass(frozen=True)
class Attestation:
    """What the document says; dates are the reader's (local) dates."""

    issuer_name: str
    recipient_name: str
    title: str
    """Of the course."""
    badge_title: str
    """Of the badge, when another criterion than the whole course earns it; "" otherwise."""
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
    assertion_url: str = ""
    """Of the Open Badges 2.0 assertion, while it answers."""


def render_attestation(attestation: Attestation) -> bytes:
    """The PDF, in the active language."""
    language = (get_language() or "fr")[:2]
    data = {
        "language": language,
        "title": clean_name(attestation.title),
        "recipient": clean_name(attestation.recipient_name),
        "issuer": clean_name(attestation.issuer_name),
        "description": clean_name(attestation.description),
        "facts": [{"name": name, "value": clean_name(value)} for name, value in _list_facts(attestation)],
        "results": [
            {"title": clean_name(result.title), "points": _format_points(result.points, result.max_points)}
            for result in attestation.results
        ],
        "total": _format_points(
            sum(result.points for result in attestation.results),
            sum(result.max_points for result in attestation.results),
        ),
        "code": attestation.check_code,
        "address": attestation.address,
        "demonstration": attestation.demonstration,
        "year": attestation.edited_on.year,
        "month": attestation.edited_on.month,
        "day": attestation.edited_on.day,
        "texts": {name: set_spaces(text) for name, text in _list_texts(attestation).items()},
    }
    inputs = {
        "data": json.dumps(data, ensure_ascii=False),
        "qr": _render_qr(attestation.address),
        "badge": attestation.badge_svg.decode("utf-8-sig"),
        "credential": attestation.credential,
    }
    pdf = compile_document("badges", "attestation.typ", inputs)
    return add_assertion_url(pdf, attestation.assertion_url) if attestation.assertion_url else pdf


def _list_facts(attestation: Attestation) -> list[tuple[str, str]]:
    facts = [(_("Intitulé"), attestation.title)]
    if attestation.badge_title:
        facts.append((_("Badge"), attestation.badge_title))
    facts.append((_("Référence"), attestation.reference))
    if attestation.session:
        facts.append((_("Session"), attestation.session))
    facts.append((_("Modalité"), _("À distance, en autoformation")))
    completed = format_date(attestation.completed_on)
    if attestation.started_on is not None:
        period = _("Du %(start)s au %(end)s") % {"start": format_date(attestation.started_on), "end": completed}
        facts.append((_("Période"), period))
    facts.append((_("Date d’achèvement"), completed))
    if attestation.hours:
        planned = _("%(hours)s (durée planifiée par les auteurs, non mesurée)") % {
            "hours": format_hours(attestation.hours)
        }
        facts.append((_("Durée à distance prévue"), planned))
    if attestation.results:
        done = sum(result.points > 0 for result in attestation.results)
        facts.append((_("Modules faits"), _("%(done)d sur %(all)d") % {"done": done, "all": len(attestation.results)}))
    facts.append((_("Date d’édition"), format_date(attestation.edited_on)))
    return facts


def _list_texts(attestation: Attestation) -> dict[str, str]:
    """The template's own words; what a person wrote is in them as data."""
    title = clean_name(attestation.title)
    issuer = clean_name(attestation.issuer_name)
    return {
        "heading": _("Attestation de fin de parcours"),
        "document": _("Attestation de fin de parcours : %(title)s") % {"title": title},
        "attests": _("%(issuer)s atteste que") % {"issuer": issuer},
        "completed": _("a obtenu le badge « %(badge)s » du parcours") % {"badge": clean_name(attestation.badge_title)}
        if attestation.badge_title
        else _("a suivi et achevé, en autoformation, le parcours"),
        "quoted": _("« %(title)s »") % {"title": title},
        "course": _("Le parcours"),
        "results": _("Résultats par module"),
        "module": _("Module"),
        "points": _("Points"),
        "total": _("Total"),
        "check": _("Vérifier cette attestation"),
        "code": _("Code de vérification :"),
        "qr": _("Code QR qui mène à la page de vérification : %(address)s") % {"address": attestation.address},
        "badge": _("Badge « %(title)s »") % {"title": clean_name(attestation.badge_title or attestation.title)},
        "still": _(
            "La page dit si l’attestation est toujours valable. Le badge numérique signé (Open Badges 3.0) est joint à "
            "ce fichier PDF, qui peut aussi être déposé sur la page « Vérifier un badge »."
        ),
        "attached": _("Badge numérique signé (Open Badges 3.0) de cette attestation"),
        "issued": _("Document délivré par %(issuer)s, le %(day)s, à partir des résultats enregistrés.")
        % {"issuer": issuer, "day": format_date(attestation.edited_on)},
        "no_act": _("Il n’est pas un acte de l’État : ni diplôme, ni titre, ni certification professionnelle."),
        "demonstration": _("Démonstration."),
        "demonstration_text": _("Ce document vient d’une installation d’essai : il ne vaut pas attestation."),
    }


def _format_points(points: float, most: float) -> str:
    given, possible = (number_format(format_number(value)) for value in (points, most))
    return f"{given} / {possible}"


def _render_qr(address: str) -> str:
    stream = io.BytesIO()
    segno.make(address, error="m", micro=False).save(stream, kind="svg", border=2, xmldecl=False, light="white")
    return stream.getvalue().decode("utf-8")
