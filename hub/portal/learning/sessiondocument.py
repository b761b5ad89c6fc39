"""The session's document for trainers and managers: who was enrolled, who was present; a French PDF/UA-1.

Pure: takes values, asks nobody. Its template is `sessiondocument.typ`; every text reaches it as data.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from badges.credential import format_hours
from badges.names import clean_name
from badges.typesetting import compile_document
from badges.wording import format_date, set_spaces


@dataclass(frozen=True)
class Person:
    name: str
    school: str
    present: bool | None
    """None: the trainer has said nothing."""


@dataclass(frozen=True)
class SessionDocument:
    """What the document says; dates are local dates."""

    issuer_name: str
    title: str
    course: str
    reference: str
    starts_on: date | None
    ends_on: date | None
    distance_minutes: int
    trainers: Sequence[tuple[str, str]]
    """Name and e-mail address."""
    people: Sequence[Person]
    edited_on: date
    comment: str
    demonstration: bool


def render_session_document(document: SessionDocument) -> bytes:
    """The PDF, in the active language."""
    data = {
        "language": (get_language() or "fr")[:2],
        "issuer": clean_name(document.issuer_name),
        "facts": [{"name": name, "value": clean_name(value)} for name, value in _list_facts(document)],
        "people": [
            {
                "name": clean_name(person.name),
                "school": clean_name(person.school) or "–",
                "present": _say(person.present),
            }
            for person in document.people
        ],
        "comment": [clean_name(line) for line in document.comment.splitlines() if line.strip()],
        "unsaid": any(person.present is None for person in document.people),
        "demonstration": document.demonstration,
        "year": document.edited_on.year,
        "month": document.edited_on.month,
        "day": document.edited_on.day,
        "texts": {name: set_spaces(text) for name, text in _list_texts(document).items()},
    }
    inputs = {"data": json.dumps(data, ensure_ascii=False)}
    return compile_document("hub.portal.learning", "sessiondocument.typ", inputs)


def _list_facts(document: SessionDocument) -> list[tuple[str, str]]:
    facts = [(_("Intitulé"), document.title), (_("Parcours"), document.course), (_("Référence"), document.reference)]
    start, end = (format_date(day) if day else "" for day in (document.starts_on, document.ends_on))
    if start and end:
        facts.append((_("Dates"), _("Du %(start)s au %(end)s") % {"start": start, "end": end}))
    elif start or end:
        dates = _("À partir du %(day)s") if start else _("Jusqu’au %(day)s")
        facts.append((_("Dates"), dates % {"day": start or end}))
    facts.append(
        (
            _("Durée à distance"),
            _("%(hours)s (durée planifiée)") % {"hours": format_hours(document.distance_minutes / 60)},
        )
    )
    trainers = [f"{name} ({email})" for name, email in document.trainers]
    facts.append((_("Formateurs"), ", ".join(trainers) or "–"))
    facts.append((_("Inscrits"), str(len(document.people))))
    facts.append((_("Présents"), str(sum(person.present is True for person in document.people))))
    facts.append((_("Date d’édition"), format_date(document.edited_on)))
    return facts


def _say(present: bool | None) -> str:
    if present is None:
        return _("Non renseigné")
    return _("Présent(e)") if present else _("Absent(e)")


def _list_texts(document: SessionDocument) -> dict[str, str]:
    return {
        "document": _("Attestation de session : %(title)s") % {"title": clean_name(document.title)},
        "heading": _("Attestation de session"),
        "session": _("La session"),
        "comment": _("Commentaire"),
        "people": _("Participants"),
        "name": _("Nom Prénom"),
        "school": _("Établissement"),
        "presence": _("Présence"),
        "nobody": _("Personne n’est inscrit à cette session."),
        "unsaid": _("La présence de certaines personnes n’est pas renseignée : ce document est provisoire."),
        "attested": _("Les présences sont attestées par les formateurs de la session."),
        "no_act": _("Ce document n’est pas un acte de l’État."),
        "demonstration": _("Démonstration."),
        "demonstration_text": _("Ce document vient d’une installation d’essai : il ne vaut pas attestation."),
    }
