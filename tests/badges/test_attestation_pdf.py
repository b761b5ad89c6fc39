"""The attestation: a tagged French PDF whose texts are data, with the credential attached."""

from __future__ import annotations

import dataclasses
import re
import zlib
from datetime import date

import pytest

from badges.attestation import Attestation, format_date_fr, render_attestation
from badges.credential import Achievement, Result


@pytest.fixture
def attestation(achievement: Achievement, results: list[Result]) -> Attestation:
    return Attestation(
        issuer_name="Lycée d’essai",
        recipient_name="Zoé Martin",
        title=achievement.title,
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
    assert format_date_fr(day) == text
