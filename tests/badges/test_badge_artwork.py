"""The drawing of a badge: shapes only, and a credential put in and taken out."""

from __future__ import annotations

import shutil
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from badges.artwork import MAX_SVG_BYTES, check_svg, render_png
from badges.baking import PNG_SIGNATURE, bake_png, bake_svg, extract_png, extract_svg, strip_png
from badges.errors import ArtworkRefused, FileRefused

ROOT = Path(__file__).resolve().parents[2]
TEXT = '{"nom": "Zoé ]]> <\'&\\">", "n": "😀"}'
HEAD = b'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 4 4">'


def _svg(inside: bytes) -> bytes:
    return HEAD + inside + b"</svg>"


@pytest.fixture(scope="module")
def png() -> bytes:
    return render_png(_svg(b'<rect width="4" height="4" fill="teal"/>'))


def test_a_drawing_becomes_a_square_png(png: bytes) -> None:
    assert png.startswith(PNG_SIGNATURE)
    assert struct.unpack(">II", png[16:24]) == (512, 512)
    assert extract_png(bake_png(png, TEXT)) == TEXT


@pytest.mark.parametrize("file", sorted((ROOT / "courses").glob("*/*.svg")), ids=lambda path: path.name)
def test_every_badge_of_our_courses_is_accepted(file: Path) -> None:
    check_svg(file.read_bytes())
    assert len(render_png(file.read_bytes())) > 2000


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (b"<script>alert(1)</script>", "svg-element"),
        (b"<foreignObject/>", "svg-element"),
        (b"<style>@import 'http://x'</style>", "svg-element"),
        (b'<image href="/etc/passwd"/>', "svg-element"),
        (b'<rect onclick="x()"/>', "svg-attribute"),
        (b'<use href="https://x.example/y.svg#a"/>', "svg-attribute"),
        (b'<use xlink:href="data:text/html,x"/>', "svg-attribute"),
        (b'<rect fill="url(https://x.example/y)"/>', "svg-attribute"),
        (b'<rect style="fill:URL( http://x )"/>', "svg-attribute"),
        (b"<rect", "svg-unreadable"),
    ],
)
def test_a_drawing_that_holds_more_than_shapes_is_refused(inside: bytes, code: str) -> None:
    with pytest.raises(ArtworkRefused) as refusal:
        check_svg(_svg(inside))
    assert refusal.value.code == code
    assert refusal.value.message


@pytest.mark.parametrize(
    ("svg", "code"),
    [
        (b'<!DOCTYPE svg [<!ENTITY a "b">]>' + _svg(b""), "svg-doctype"),
        (_svg(b"<!-- " + b"x" * MAX_SVG_BYTES + b"-->"), "svg-too-large"),
        (_svg(b"").decode().encode("utf-16"), "svg-unreadable"),
        (b"<html xmlns='http://www.w3.org/1999/xhtml'/>", "svg-unreadable"),
        (b"", "svg-unreadable"),
    ],
)
def test_what_is_not_a_plain_svg_is_refused(svg: bytes, code: str) -> None:
    with pytest.raises(ArtworkRefused) as refusal:
        check_svg(svg)
    assert refusal.value.code == code


def test_references_inside_the_drawing_are_allowed() -> None:
    check_svg(_svg(b'<defs><clipPath id="c"/></defs><g clip-path="url(#c)"><use href="#c"/></g>'))


def test_baking_twice_keeps_one_badge(png: bytes) -> None:
    baked = bake_png(bake_png(png, "ancien", "https://x.example/1"), TEXT, "https://x.example/2")
    assert extract_png(baked) == TEXT
    assert baked.count(b"openbadgecredential") == 1
    assert baked.count(b"https://x.example/") == 1
    assert strip_png(baked) == png


def test_the_baked_drawing_follows_the_standard() -> None:
    svg = b"\xef\xbb\xbf<?xml version='1.0'?><!-- <svg> --><svg xmlns='http://www.w3.org/2000/svg' data-x='a>b'><rect/></svg>"
    baked = bake_svg(svg, TEXT)
    assert extract_svg(baked) == TEXT
    assert b"<![CDATA[" in baked
    root = ElementTree.fromstring(baked)
    assert root[0].tag == "{https://purl.imsglobal.org/ob/v3p0}credential"
    assert b"xmlns:openbadges=" in baked.split(b"<openbadges:credential>")[0]
    with pytest.raises(ArtworkRefused, match="svg-empty"):
        bake_svg(b'<svg xmlns="http://www.w3.org/2000/svg"/>', TEXT)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _with_chunk(png: bytes, kind: bytes, data: bytes) -> bytes:
    return png[:33] + _chunk(kind, data) + png[33:]


BAKED = b"openbadgecredential\0"
PNG_DAMAGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no badge": (lambda png: png, "png-no-badge"),
    "two badges": (lambda png: _with_chunk(bake_png(png, "a"), b"iTXt", BAKED + b"\0\0\0\0b"), "png-two-badges"),
    "tEXt and iTXt": (lambda png: _with_chunk(bake_png(png, "a"), b"tEXt", BAKED + b"b"), "png-two-badges"),
    "compressed": (
        lambda png: _with_chunk(png, b"iTXt", BAKED + b"\1\0\0\0" + zlib.compress(b"{}")),
        "png-badge-unreadable",
    ),
    "zTXt": (lambda png: _with_chunk(png, b"zTXt", BAKED + b"\0" + zlib.compress(b"{}")), "png-badge-unreadable"),
    "no field": (lambda png: _with_chunk(png, b"iTXt", BAKED + b"\0\0"), "png-badge-unreadable"),
    "not UTF-8": (lambda png: _with_chunk(png, b"iTXt", BAKED + b"\0\0\0\0\xff"), "png-badge-unreadable"),
    "cut": (lambda png: png[:-20], "png-unreadable"),
    "cut in a header": (lambda png: png[:40], "png-unreadable"),
    "checksum": (lambda png: png[:-5] + b"\0" + png[-4:], "png-unreadable"),
    "length lies": (lambda png: png[:33] + b"\xff\xff\xff\xff" + png[37:], "png-unreadable"),
    "signature only": (lambda png: png[:8], "png-unreadable"),
}


@pytest.mark.parametrize("damage", PNG_DAMAGES)
def test_a_damaged_picture_is_refused_with_a_sentence(png: bytes, damage: str) -> None:
    spoil, code = PNG_DAMAGES[damage]
    with pytest.raises(FileRefused) as refusal:
        extract_png(spoil(png))
    assert refusal.value.code == code
    assert refusal.value.message.endswith((".", "?"))


@pytest.mark.parametrize(
    ("svg", "code"),
    [
        (_svg(b"<rect/>"), "svg-no-badge"),
        (_svg(b"<script/>"), "svg-script"),
        (_svg(b"<rect onload='x'/>"), "svg-script"),
        (
            bake_svg(
                bake_svg(_svg(b"<rect/>"), "a")
                .replace(b"xmlns:openbadges", b"xmlns:ob")
                .replace(b"openbadges:", b"ob:"),
                "b",
            ),
            "svg-two-badges",
        ),
        (b"<!DOCTYPE svg>" + _svg(b""), "svg-doctype"),
        (b"<svg", "svg-unreadable"),
    ],
)
def test_a_drawing_without_one_badge_is_refused(svg: bytes, code: str) -> None:
    with pytest.raises(FileRefused) as refusal:
        extract_svg(svg)
    assert refusal.value.code == code


def test_a_course_is_not_published_with_a_drawing_that_no_badge_may_carry(tmp_path: Path) -> None:
    """Learners would complete the course and never receive anything."""
    from hub.portal.catalogue.coursecontent import load_course_and_content
    from hub.portal.catalogue.coursefile import CourseFileError

    folder = tmp_path / "petit"
    shutil.copytree(ROOT / "tests" / "data" / "courses" / "petit", folder)
    load_course_and_content(folder)
    (folder / "badge.svg").write_bytes(_svg(b"<script>alert(1)</script>"))
    with pytest.raises(CourseFileError, match="des formes seulement"):
        load_course_and_content(folder)
