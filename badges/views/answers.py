"""Answers that are not pages: JSON documents that anyone's verifier may read from anywhere, and files."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpRequest, HttpResponse

JSON_LD = "application/vc+ld+json"
_JSON_TYPES = [JSON_LD, "application/vc", "application/ld+json", "application/json"]
# A drawing opened alone must not run anything on our origin.
SVG_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


def answer_json(document: dict[str, Any], content_type: str = "application/json") -> HttpResponse:
    """A public document: no cookie goes with it, so any origin may read it."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return _public(HttpResponse(text.encode("utf-8"), content_type=content_type))


def answer_file(content: bytes, content_type: str, name: str, *, attached: bool = True) -> HttpResponse:
    response = _public(HttpResponse(content, content_type=content_type))
    response["Content-Disposition"] = f'{"attachment" if attached else "inline"}; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    if content_type == "image/svg+xml":
        response["Content-Security-Policy"] = SVG_POLICY
    return response


def prefers_json(request: HttpRequest) -> bool:
    """Content negotiation: JSON only when it is asked for before HTML."""
    return request.get_preferred_type(["text/html", *_JSON_TYPES]) in _JSON_TYPES


def _public(response: HttpResponse) -> HttpResponse:
    response["Access-Control-Allow-Origin"] = "*"
    response["Cache-Control"] = "no-cache"  # a revocation must be seen at once
    response["X-Robots-Tag"] = "noindex"
    return response
