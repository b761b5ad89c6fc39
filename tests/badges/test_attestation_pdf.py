"""The attestation: a tagged French PDF whose texts are data, with the credential attached."""

from __future__ import annotations

import dataclasses
import io
import re
import zlib
from datetime import date
from typing import Any

import pikepdf
import pypdf
import pytest
from django.utils import translation

from badges.attestation import Attestation, render_attestation
from badges.credential import Achievement, Result
from badges.wording import format_date


@pytest.fixture
def attestation(achievement: Achievement, results: list[Result]) -> Attestation:
    return Attestation(
        issuer_name="Lycée d’essai",
        recipient_name="Zoé Martin",
        title="Petit parcours d’été, le cours",
        badge_title="",
        description=achievement.description,
        reference="petit-parcours (version 1.2)",
        session="essai",
        hours=6.5,
        started_on=date(2026, 10, 1),
        completed_on=date(2026, 11, 24),
        edited_on=date(2026, 11, 24),
        results=results,
        check_code="7K3M-9QXT-4D8E",
        address="https://pupitre.example.org/badges/7K3M-9QXT-4D8E/",
        demonstration=False,
        badge_svg=achievement.image_svg,
        credential='{"nom": "Zoé"}',
    )


def _streams(pdf: bytes) -> bytes:
    """Every stream of the file, inflated."""
    found = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            found.append(zlib.decompress(match.group(1)))
        except zlib.error:
            found.append(match.group(1))
    return b"\n".join(found)


def test_the_pdf_is_accessible_and_carries_the_credential(attestation: Attestation) -> None:
    pdf = render_attestation(attestation)
    everything = pdf + _streams(pdf)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"pdfuaid:part" in everything
    assert b"/Lang(fr-FR)" in everything
    assert b"/MarkInfo" in everything
    assert b"badge.json" in everything
    assert attestation.credential.encode() in everything
    assert b"/URI(https://pupitre.example.org/badges/7K3M-9QXT-4D8E/)" in everything


def test_the_same_facts_give_the_same_file(attestation: Attestation) -> None:
    assert render_attestation(attestation) == render_attestation(attestation)


@pytest.mark.parametrize(
    "text",
    [
        '#panic("x")',
        '#read("/etc/passwd")',
        "*gras* _it_ $x^2$ @ref <label> `code`",
        "]] } \\ // /* \" ' #let x = 1",
        "<'&\">",
        "מִרְיָם 李 😀",
        "é" * 300,
        "\u0000\u0007\u202e",
    ],
)
def test_a_text_of_a_person_is_never_markup(attestation: Attestation, text: str) -> None:
    changed = dataclasses.replace(
        attestation,
        recipient_name=text,
        title=text,
        description=text,
        issuer_name=text,
        session=text,
        results=[Result("m1", text, 1, 2)],
    )
    assert render_attestation(changed).startswith(b"%PDF-1.7")


def test_many_modules_take_more_pages_and_few_take_one(attestation: Attestation) -> None:
    def pages(count: int) -> int:
        results = [Result(f"m{i}", f"Module {i}", 5, 8) for i in range(count)]
        pdf = render_attestation(dataclasses.replace(attestation, results=results))
        return max(int(number) for number in re.findall(rb"/Count (\d+)", pdf + _streams(pdf)))

    assert pages(8) == 1
    assert pages(60) > 1


def test_it_works_without_dates_hours_marks_or_session(attestation: Attestation) -> None:
    bare = dataclasses.replace(attestation, started_on=None, hours=0, results=[], session="", demonstration=True)
    assert render_attestation(bare).startswith(b"%PDF-1.7")


@pytest.mark.parametrize(
    ("day", "text"),
    [
        (date(2026, 3, 1), "1er mars 2026"),
        (date(2026, 8, 15), "15 août 2026"),
        (date(2026, 12, 31), "31 décembre 2026"),
    ],
)
def test_dates_are_written_in_french(day: date, text: str) -> None:
    with translation.override("fr"):
        assert format_date(day) == text
    with translation.override("en"):
        assert format_date(date(2026, 3, 1)) == "1 March 2026"


def _text_of(pdf: bytes) -> str:
    """What a reader sees, by an outside library; every space an ordinary one."""
    pages = pypdf.PdfReader(io.BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text() for page in pages).split())


def test_it_says_everything_that_an_attestation_must_say(attestation: Attestation) -> None:
    text = _text_of(render_attestation(attestation))
    for words in [
        "Lycée d’essai atteste que Zoé Martin a suivi et achevé, en autoformation, le parcours",
        "Intitulé Petit parcours d’été, le cours",
        "Référence petit-parcours (version 1.2)",
        "Session essai",
        "Période Du 1er octobre 2026 au 24 novembre 2026",
        "Date d’achèvement 24 novembre 2026",
        "Durée à distance prévue 6 h 30",
        "Modules faits 2 sur 2",
        "Date d’édition 24 novembre 2026",
        "Les unités 6,5 / 8",
        "Total 14,5 / 16",
        "7K3M-9QXT-4D8E",
        "Document délivré par Lycée d’essai, le 24 novembre 2026",
        "Il n’est pas un acte de l’État",
    ]:
        assert words in text, words


def test_it_is_written_in_the_readers_language(attestation: Attestation) -> None:
    with translation.override("en"):
        pdf = render_attestation(attestation)
    text = _text_of(pdf)
    assert "Certificate of completion" in text
    assert "From 1 October 2026 to 24 November 2026" in text
    assert "6.5 / 8" in text
    assert "acte de l’État" not in text
    assert b"/Lang(en)" in pdf + _streams(pdf)


def test_a_badge_of_another_criterion_names_its_course_too(attestation: Attestation) -> None:
    text = _text_of(render_attestation(dataclasses.replace(attestation, badge_title="Explorateur")))
    assert "a obtenu le badge « Explorateur » du parcours « Petit parcours d’été, le cours »" in text.replace(
        "\u00a0", " "
    )


def test_the_address_for_older_wallets_leaves_the_document_as_it_was(attestation: Attestation) -> None:
    address = "https://pupitre.example.org/badges/7K3M-9QXT-4D8E/assertion.json"
    before = pikepdf.open(io.BytesIO(render_attestation(attestation)))
    pdf = render_attestation(dataclasses.replace(attestation, assertion_url=address))
    assert pdf == render_attestation(dataclasses.replace(attestation, assertion_url=address))
    after = pikepdf.open(io.BytesIO(pdf))
    assert after.docinfo["/openbadges"] == address
    assert "/openbadges" not in before.docinfo
    # What makes it PDF/UA: the mark in the metadata, the language, the tags, the title shown.
    assert after.Root.Metadata.read_bytes() == before.Root.Metadata.read_bytes()
    for name in ("/Lang", "/MarkInfo", "/ViewerPreferences"):
        assert after.Root[name] == before.Root[name]
    assert _list_tags(after.Root.StructTreeRoot) == _list_tags(before.Root.StructTreeRoot) != []
    assert _text_of(pdf) == _text_of(render_attestation(attestation))


def _list_tags(element: Any, depth: int = 0) -> list[str]:
    """The structure of a tagged PDF, in reading order."""
    assert depth < 40
    if isinstance(element, pikepdf.Array):
        return [tag for child in element for tag in _list_tags(child, depth + 1)]
    if not isinstance(element, pikepdf.Dictionary):
        return []
    tags = [f"{depth} {element.S}"] if "/S" in element else []
    return tags + (_list_tags(element.K, depth + 1) if "/K" in element else [])
