"""Documents set by typst: from a template of ours and texts as data to a PDF/UA-1.

Law: a text of a person reaches typst as JSON data, never as markup. Fonts are typst's own, and the machine's only for characters that those
lack; when none has them, the file is made all the same, and is no longer PDF/UA.
"""

from __future__ import annotations

import logging
from importlib.resources import files

import typst

_log = logging.getLogger(__name__)


def compile_document(package: str, template: str, inputs: dict[str, str]) -> bytes:
    """The PDF of a template that lies in a package; `inputs` are its `sys.inputs`."""
    try:
        return _compile(package, template, inputs, system_fonts=False, accessible=True)
    except typst.TypstError as error:
        # PDF/UA refuses a character that no font can draw: a name in Chinese must still have its attestation.
        _log.warning("%s: %s", template, str(error)[:200])
    try:
        return _compile(package, template, inputs, system_fonts=True, accessible=True)
    except typst.TypstError:
        return _compile(package, template, inputs, system_fonts=True, accessible=False)


def _compile(package: str, template: str, inputs: dict[str, str], *, system_fonts: bool, accessible: bool) -> bytes:
    pdf = typst.compile(
        (files(package) / template).read_bytes(),
        format="pdf",
        sys_inputs=inputs,
        pdf_standards="ua-1" if accessible else None,
        ignore_system_fonts=not system_fonts,
    )
    assert isinstance(pdf, bytes)  # noqa: S101 - a PDF is one file, whatever its number of pages
    return pdf
