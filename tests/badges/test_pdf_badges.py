"""PDF files at /verifier/: the attestation is verified by the badge attached to it; hostile files cost little and say why."""

from __future__ import annotations

import io
import json
import re
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from typing import Any

import pikepdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from badges import pdf as badge_pdf
from badges import pdfreader
from badges.awards import revoke_award
from badges.errors import FileRefused

AwardTo = Callable[..., Any]
NAME = pikepdf.Name


@pytest.fixture
def award(public_site: Any, make_user: Any, award_to: AwardTo) -> Any:
    return award_to(make_user("alice", display_name="Alice Martin"))


@pytest.fixture
def attestation(award: Any, signed_in: Any) -> bytes:
    content = signed_in(award.recipient).get(award.get_absolute_url() + "attestation.pdf").content
    return bytes(content)


def _drop(client: Any, content: bytes) -> tuple[str, str, str]:
    """State, code and page after dropping a PDF."""
    text = client.post("/verifier/", {"file": SimpleUploadedFile("a.pdf", content)}).content.decode()
    return text.split('data-state="')[1].split('"')[0], text.split('data-code="')[1].split('"')[0], text


def _edit(content: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    result = io.BytesIO()
    with pikepdf.open(io.BytesIO(content)) as document:
        change(document)
        document.save(result)
    return result.getvalue()


def _make_pdf(change: Callable[[pikepdf.Pdf], None], **options: Any) -> bytes:
    document = pikepdf.new()
    document.add_blank_page()
    change(document)
    result = io.BytesIO()
    document.save(result, **options)
    return result.getvalue()


def test_the_attestation_is_verified_and_revoked_with_its_award(award: Any, attestation: bytes, visitor: Any) -> None:
    state, _code, page = _drop(visitor, attestation)
    assert state == "valid"
    assert "Alice Martin" in page
    assert "comparez" in page  # the signature is on the badge, not on what the page of paper says
    revoke_award(award, reason="Erreur", by=None)
    assert _drop(visitor, attestation)[0] == "revoked"


def test_the_address_for_older_wallets_comes_with_consent(award: Any, attestation: bytes, signed_in: Any) -> None:
    with pikepdf.open(io.BytesIO(attestation)) as document:
        assert "/openbadges" not in document.docinfo
    holder = signed_in(award.recipient)
    holder.post(award.get_absolute_url() + "publication/", {"published": "on", "openbadges2": "on"})
    content = holder.get(award.get_absolute_url() + "attestation.pdf").content
    with pikepdf.open(io.BytesIO(content)) as document:
        address = str(document.docinfo["/openbadges"])
    assert address == f"https://pupitre.example.org{award.get_absolute_url()}assertion.json"
    assert holder.get(address.removeprefix("https://pupitre.example.org")).json()["id"] == address
    assert _drop(holder, content)[0] == "valid"
    other = _edit(content, lambda pdf: pdf.docinfo.__setitem__("/openbadges", "https://ailleurs.example/a.json"))
    assert _drop(holder, other)[:2] == ("invalid", "badges-disagree")


def test_a_changed_badge_in_the_pdf_is_refused(award: Any, attestation: bytes, visitor: Any) -> None:
    document = award.credential
    document["credentialSubject"]["identifier"][0]["identityHash"] = "Mallory"

    def replace(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["badge.json"] = json.dumps(document).encode()

    assert _drop(visitor, _edit(attestation, replace))[:2] == ("invalid", "altered")


def test_two_badges_or_none_are_refused(award: Any, attestation: bytes, visitor: Any) -> None:
    def add(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["autre.json"] = award.credential_text.encode()

    assert _drop(visitor, _edit(attestation, add))[:2] == ("unreadable", "pdf-two-badges")

    def empty(pdf: pikepdf.Pdf) -> None:
        del pdf.attachments["badge.json"]

    assert _drop(visitor, _edit(attestation, empty))[:2] == ("unreadable", "pdf-no-badge")

    def only_address(pdf: pikepdf.Pdf) -> None:
        pdf.docinfo["/openbadges"] = "https://ailleurs.example/a.json"

    state, code, page = _drop(visitor, _make_pdf(only_address))
    assert (state, code) == ("unreadable", "open-badges-2")
    assert "https://ailleurs.example/a.json" in page


def test_other_attachments_do_not_count(attestation: bytes, visitor: Any) -> None:
    def add(pdf: pikepdf.Pdf) -> None:
        pdf.attachments["photo.png"] = b"\x89PNG\r\n\x1a\n\xff\xfe"
        pdf.attachments["notes.txt"] = b"bonjour"

    assert _drop(visitor, _edit(attestation, add))[0] == "valid"


def _bomb_in_attachment(pdf: pikepdf.Pdf) -> None:
    """600 MB of spaces in 0.6 MB."""
    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(b" " * (1 << 20)) for _megabyte in range(600)]) + packer.flush()
    pdf.attachments["badge.json"] = b"{}"
    stream = pdf.attachments["badge.json"].get_file().obj
    stream.write(packed, filter=NAME.FlateDecode)


def _many_attachments(pdf: pikepdf.Pdf) -> None:
    for number in range(30):
        pdf.attachments[f"{number}.json"] = b'{"@context": 1}'


def _many_objects(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Extra = pikepdf.Array([pdf.make_indirect(pikepdf.Array([])) for _number in range(30_000)])


@pytest.mark.parametrize("change", [_bomb_in_attachment, _many_attachments, _many_objects])
def test_a_bomb_costs_little(db: None, public_site: Any, visitor: Any, change: Callable[[pikepdf.Pdf], None]) -> None:
    content = _make_pdf(change, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert len(content) < 1 << 20
    start = time.monotonic()
    state, code, page = _drop(visitor, content)
    assert (state, code) == ("unreadable", "pdf-too-demanding")
    assert "trop de mémoire ou de temps" in page
    assert time.monotonic() - start < 15


def test_a_bomb_in_the_structure_meets_the_limit_of_its_process(db: None, public_site: Any, visitor: Any) -> None:
    """An object stream of 900 MB that holds the root: qpdf would inflate it whole, before anybody can count."""
    packer = zlib.compressobj(9)
    packed = b"".join([packer.compress(b" " * (1 << 20)) for _megabyte in range(900)]) + packer.flush()
    head = b"%PDF-1.5\n"
    bomb = f"1 0 obj\n<< /Type /ObjStm /N 1 /First 4 /Filter /FlateDecode /Length {len(packed)} >>\nstream\n".encode()
    bomb += packed + b"\nendstream\nendobj\n"
    start = len(head) + len(bomb)
    entries = struct.pack(">BIHBIHBIHBIH", 0, 0, 0, 1, len(head), 0, 1, start, 0, 2, 1, 0)
    table = b"2 0 obj\n<< /Type /XRef /Size 4 /W [1 4 2] /Root 3 0 R /Length 28 >>\nstream\n" + entries
    content = head + bomb + table + f"\nendstream\nendobj\nstartxref\n{start}\n%%EOF\n".encode()
    assert len(content) < 1 << 20
    began = time.monotonic()
    assert _drop(visitor, content)[:2] == ("unreadable", "pdf-unreadable")
    assert time.monotonic() - began < 15
    program = (
        "import runpy, sys; runpy.run_path(sys.argv[1], run_name='__main__'); print(open('/proc/self/status').read())"
    )
    command = [sys.executable, "-I", "-c", program, pdfreader.__file__]
    done = subprocess.run(command, input=content, capture_output=True, check=True, timeout=30)
    peak = re.search(rb"VmHWM:\s+(\d+) kB", done.stdout)
    assert peak is not None
    assert int(peak[1]) << 10 < pdfreader.MEMORY_BYTES


def test_a_locked_or_broken_file_gets_a_sentence(db: None, public_site: Any, attestation: bytes, visitor: Any) -> None:
    locked = _make_pdf(lambda _pdf: None, encryption=pikepdf.Encryption(owner="a", user="b"))
    assert _drop(visitor, locked)[:2] == ("unreadable", "pdf-locked")
    for content in (attestation[: len(attestation) // 2], b"%PDF-1.7\n" + b"\xff" * 1000):
        assert _drop(visitor, content)[:2] == ("unreadable", "pdf-unreadable")


def test_a_reader_that_hangs_is_ended(attestation: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(badge_pdf._reader, "_timeout_s", 0.01)
    with pytest.raises(FileRefused, match="pdf-too-demanding"):
        badge_pdf.read_badge(attestation)
