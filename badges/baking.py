"""Puts a credential into a picture, and takes it out again.

Sources: Open Badges 3.0, section 5.3 (baking); PNG, section 11.3.4.5 (iTXt).
PNG: exactly one uncompressed iTXt chunk `openbadgecredential` (and `openbadges`, the address of the 2.0 assertion, when
there is one). SVG: one `<openbadges:credential>` directly after `<svg>`, its JSON in CDATA.
What is taken out comes from anyone: nothing is decompressed, every length is checked.
"""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator
from xml.parsers import expat

from django.utils.translation import gettext as _

from badges.artwork import parse_svg
from badges.errors import ArtworkRefused, FileRefused

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
OPEN_BADGES_3 = b"openbadgecredential"
OPEN_BADGES_2 = b"openbadges"
SVG_BADGE_NAMESPACE = "https://purl.imsglobal.org/ob/v3p0"
_ROOT_TAG = re.compile(rb"""<(?:[^<>"']|"[^"]*"|'[^']*')*>""")
_TEXT_CHUNKS = (b"iTXt", b"tEXt", b"zTXt")


def bake_png(png: bytes, credential: str, assertion_url: str = "") -> bytes:
    """The PNG with the credential in it, replacing what it may carry already."""
    chunks = [(kind, data) for kind, data in _read_chunks(png) if not _is_badge(kind, data)]
    baked = [_text_chunk(OPEN_BADGES_3, credential)]
    if assertion_url:
        baked.append(_text_chunk(OPEN_BADGES_2, assertion_url))
    return PNG_SIGNATURE + b"".join(_write_chunk(kind, data) for kind, data in [chunks[0], *baked, *chunks[1:]])


def extract_png(png: bytes) -> str:
    """The credential text (JSON or token) of a baked PNG; `FileRefused` when there is none or more than one."""
    found = [(kind, data) for kind, data in _read_chunks(png) if _is_badge(kind, data, OPEN_BADGES_3)]
    if not found:
        raise FileRefused("png-no-badge", _("Cette image PNG ne contient pas de badge."))
    if len(found) > 1:
        raise FileRefused("png-two-badges", _("Cette image PNG contient plusieurs badges : elle a été altérée."))
    return _read_text(*found[0])


def find_assertion_url(png: bytes) -> str:
    """What a baked PNG says to Open Badges 2.0 wallets: the address of its assertion; empty when it says nothing."""
    found = [(kind, data) for kind, data in _read_chunks(png) if _is_badge(kind, data, OPEN_BADGES_2)]
    if not found:
        return ""
    if len(found) > 1:
        raise FileRefused("png-two-badges", _("Cette image PNG contient plusieurs badges : elle a été altérée."))
    return _read_text(*found[0])


def strip_png(png: bytes) -> bytes:
    """The picture alone, to compare it with the badge's own."""
    chunks = [(kind, data) for kind, data in _read_chunks(png) if not _is_badge(kind, data)]
    return PNG_SIGNATURE + b"".join(_write_chunk(kind, data) for kind, data in chunks)


def bake_svg(svg: bytes, credential: str) -> bytes:
    """The SVG with the credential directly after its root tag."""
    svg = svg.removeprefix(b"\xef\xbb\xbf")
    start = _find_root(svg)
    tag = _ROOT_TAG.match(svg, start)
    if tag is None or tag.group().endswith(b"/>"):
        raise ArtworkRefused("svg-empty", _("L’image du badge est vide."))
    opened = tag.group()[:-1] + f' xmlns:openbadges="{SVG_BADGE_NAMESPACE}">'.encode()
    text = credential.replace("]]>", "]]]]><![CDATA[>")
    element = f"<openbadges:credential><![CDATA[{text}]]></openbadges:credential>".encode()
    return svg[:start] + opened + element + svg[tag.end() :]


def extract_svg(svg: bytes) -> str:
    """The credential text of a baked SVG; `FileRefused` when there is none, more than one, or code in the picture."""
    try:
        root = parse_svg(svg)
    except ArtworkRefused as error:
        raise FileRefused(error.code, error.message) from error
    for element in root.iter():
        local = str(element.tag).rpartition("}")[2].lower()
        if local in ("script", "foreignobject") or any(_is_code(*attribute) for attribute in element.attrib.items()):
            raise FileRefused("svg-script", _("Cette image SVG contient du code : ne l’ouvrez pas."))
    found = root.findall(f".//{{{SVG_BADGE_NAMESPACE}}}credential")
    if not found:
        raise FileRefused("svg-no-badge", _("Cette image SVG ne contient pas de badge."))
    if len(found) > 1:
        raise FileRefused("svg-two-badges", _("Cette image SVG contient plusieurs badges : elle a été altérée."))
    return found[0].get("verify") or found[0].text or ""


def _read_text(kind: bytes, data: bytes) -> str:
    fields = data.split(b"\0", 1)[1]
    if kind != b"iTXt" or fields[:1] != b"\0":
        raise FileRefused(
            "png-badge-unreadable", _("Le badge de cette image n’est pas rangé comme la norme le demande.")
        )
    try:
        return fields[2:].split(b"\0", 2)[2].decode("utf-8")
    except (IndexError, UnicodeDecodeError) as error:
        raise FileRefused("png-badge-unreadable", _("Le badge de cette image est illisible.")) from error


def _is_code(name: str, value: str) -> bool:
    """Whether an attribute runs something; what is not known as such is still not the badge's own picture."""
    return name.rpartition("}")[2].lower().startswith("on") or value.strip().lower().startswith("javascript:")


def _find_root(svg: bytes) -> int:
    """Offset of the root tag, past any prolog and comment."""
    offsets: list[int] = []
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda _name, _attributes: offsets.append(parser.CurrentByteIndex)
    parser.Parse(svg, True)
    return offsets[0]


def _is_badge(kind: bytes, data: bytes, *keywords: bytes) -> bool:
    return kind in _TEXT_CHUNKS and data.split(b"\0", 1)[0] in (keywords or (OPEN_BADGES_3, OPEN_BADGES_2))


def _read_chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    if not png.startswith(PNG_SIGNATURE):
        raise FileRefused("png-unreadable", _("Ce fichier n’est pas une image PNG lisible."))
    position = len(PNG_SIGNATURE)
    kind = b""
    while position < len(png):
        if position + 12 > len(png):
            raise FileRefused("png-unreadable", _("Cette image PNG est tronquée."))
        length, kind = struct.unpack_from(">I4s", png, position)
        if position + 12 + length > len(png):
            raise FileRefused("png-unreadable", _("Cette image PNG est tronquée."))
        data = png[position + 8 : position + 8 + length]
        (checksum,) = struct.unpack_from(">I", png, position + 8 + length)
        if checksum != zlib.crc32(kind + data):
            raise FileRefused("png-unreadable", _("Cette image PNG est abîmée (somme de contrôle)."))
        yield kind, data
        position += 12 + length
    if kind != b"IEND":
        raise FileRefused("png-unreadable", _("Cette image PNG est tronquée."))


def _text_chunk(keyword: bytes, text: str) -> tuple[bytes, bytes]:
    # keyword, compression flag and method (none), language and translated keyword (empty), text
    return b"iTXt", keyword + b"\0" + b"\0\0" + b"\0" + b"\0" + text.encode("utf-8")


def _write_chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
