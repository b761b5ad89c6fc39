"""Reads a PDF that anyone may have made: run as a process of its own by `pdf.py`, never imported by the portal.

Standard input: the PDF. Standard output: {"error": code} or {"credentials": [text], "openbadges": address}.
Laws: memory, time, files and the size of what comes out are bounded before the first byte is parsed; nothing is written.
"""

from __future__ import annotations

import io
import json
import resource
import sys
import zlib
from typing import Any

import pikepdf

MEMORY_BYTES = 512 << 20
CPU_S = 5
MAX_OBJECTS = 20_000
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 1 << 20


def main() -> None:
    for limit, value in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CPU, CPU_S),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(limit, (value, value))
    try:
        answer = read(sys.stdin.buffer.read())
    except pikepdf.PasswordError:
        answer = {"error": "pdf-locked"}
    except MemoryError:
        answer = {"error": "pdf-too-demanding"}
    except (pikepdf.PdfError, ValueError, TypeError, KeyError, AttributeError, RuntimeError, RecursionError):
        answer = {"error": "pdf-unreadable"}
    json.dump(answer, sys.stdout)


def read(content: bytes) -> dict[str, Any]:
    with pikepdf.open(io.BytesIO(content), suppress_warnings=True, attempt_recovery=False) as pdf:
        if len(pdf.objects) > MAX_OBJECTS or len(pdf.attachments) > MAX_ATTACHMENTS:
            return {"error": "pdf-too-demanding"}
        texts = []
        for name in list(pdf.attachments):
            text = _read_stream(pdf.attachments[name].get_file().obj)
            if text is None:
                return {"error": "pdf-too-demanding"}
            if _is_credential(text):
                texts.append(text)
        address = pdf.docinfo.get("/openbadges", "") if "/Info" in pdf.trailer else ""
        return {"credentials": texts, "openbadges": str(address)[:1000]}


def _read_stream(stream: Any) -> str | None:
    """The text of an attachment; None when it is larger than allowed, "" when it is no text."""
    raw = bytes(stream.read_raw_bytes())
    filters = stream.get("/Filter", "")
    if isinstance(filters, pikepdf.Array):
        filters = filters[0] if len(filters) == 1 else "several"
    if str(filters) == "/FlateDecode":
        inflater = zlib.decompressobj()
        try:
            raw = inflater.decompress(raw, MAX_ATTACHMENT_BYTES + 1)
        except zlib.error:
            return ""
    elif str(filters):
        return ""
    if len(raw) > MAX_ATTACHMENT_BYTES:
        return None
    try:
        return raw.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return ""


def _is_credential(text: str) -> bool:
    """A JSON-LD document, or a token: other attachments are none of our business."""
    return (text.startswith("{") and '"@context"' in text) or (text.count(".") == 2 and text.startswith("eyJ"))


if __name__ == "__main__":
    main()
