"""A badge's drawing: SVG from the course, checked, and its PNG raster, made once when the badge is first seen.

Laws: the SVG is shown on our own pages, so it holds shapes and nothing else (no script, no style sheet, no outside address);
rasterising asks neither the network nor the machine's fonts. Draw letters as paths: no font is promised.
"""

from __future__ import annotations

import re
from xml.etree import ElementTree

import typst
from django.utils.translation import gettext as _

from badges.errors import ArtworkRefused

MAX_SVG_BYTES = 200_000
RASTER_PIXELS = 512
SVG_NAMESPACE = "http://www.w3.org/2000/svg"
_ELEMENTS = frozenset(
    [
        "svg",
        "g",
        "defs",
        "title",
        "desc",
        "path",
        "circle",
        "ellipse",
        "rect",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "use",
        "symbol",
        "linearGradient",
        "radialGradient",
        "stop",
        "clipPath",
        "mask",
    ]
)
_REFERENCE = re.compile(r"url\(\s*(?!['\"]?#)", re.IGNORECASE)
# The drawing fills a square page; `contain` keeps its proportions.
_RASTER_PAGE = f"""
#set page(width: {RASTER_PIXELS}pt, height: {RASTER_PIXELS}pt, margin: 0pt, fill: none)
#image(bytes(sys.inputs.svg), format: "svg", width: 100%, height: 100%, fit: "contain")
"""


def check_svg(svg: bytes) -> ElementTree.Element:
    """Return the root of a drawing that is safe to show; raise `ArtworkRefused` otherwise."""
    if len(svg) > MAX_SVG_BYTES:
        raise ArtworkRefused(
            "svg-too-large", _("L’image du badge dépasse %(most)d ko.") % {"most": MAX_SVG_BYTES // 1000}
        )
    root = parse_svg(svg)
    for element in root.iter():
        name = element.tag.removeprefix(f"{{{SVG_NAMESPACE}}}") if isinstance(element.tag, str) else ""
        if name not in _ELEMENTS:
            raise ArtworkRefused(
                "svg-element", _("L’image du badge contient « %(name)s » : des formes seulement.") % {"name": name[:40]}
            )
        for attribute, value in element.attrib.items():
            local = attribute.rpartition("}")[2].lower()
            outside = local == "href" and not value.strip().startswith("#")
            if local.startswith("on") or outside or _REFERENCE.search(value):
                raise ArtworkRefused(
                    "svg-attribute",
                    _("L’image du badge contient l’attribut interdit « %(name)s ».") % {"name": local[:40]},
                )
    return root


def parse_svg(svg: bytes) -> ElementTree.Element:
    """The root of an SVG; without a document type, XML has no entity to expand and nothing to fetch."""
    try:
        text = svg.decode("utf-8-sig")
        if "<!doctype" in text.lower() or "<!entity" in text.lower():
            raise ArtworkRefused("svg-doctype", _("L’image SVG contient une déclaration de type : enlevez-la."))
        root = ElementTree.fromstring(text)  # noqa: S314 - no DTD, hence no entity (checked above)
    except (UnicodeDecodeError, ElementTree.ParseError, ValueError) as error:
        raise ArtworkRefused("svg-unreadable", _("L’image n’est pas un SVG lisible (XML, UTF-8).")) from error
    if root.tag != f"{{{SVG_NAMESPACE}}}svg":
        raise ArtworkRefused("svg-unreadable", _("L’image n’est pas un SVG lisible (XML, UTF-8)."))
    return root


def render_png(svg: bytes) -> bytes:
    """Rasterise a checked SVG to a square PNG with a transparent ground."""
    check_svg(svg)
    try:
        png = typst.compile(
            _RASTER_PAGE.encode(),
            format="png",
            ppi=72.0,
            sys_inputs={"svg": svg.decode("utf-8-sig")},
            ignore_system_fonts=True,
        )
    except typst.TypstError as error:
        raise ArtworkRefused("svg-unreadable", _("L’image du badge ne peut pas être dessinée.")) from error
    assert isinstance(png, bytes)  # noqa: S101 - one page, one picture
    return png
