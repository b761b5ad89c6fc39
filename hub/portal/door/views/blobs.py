"""Answers that carry a stored file."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpResponse

from graders.blobs import BlobStore, MissingBlobError
from hub.portal.door.errors import not_found


def file_response(content: bytes) -> HttpResponse:
    """Bytes for a program: never shown by a browser as a page of the portal."""
    response = HttpResponse(content, content_type="application/octet-stream")
    response["Content-Disposition"] = "attachment"
    response["X-Content-Type-Options"] = "nosniff"
    return response


def blob_response(store: BlobStore, manifest: Mapping[str, str], sha256: str) -> HttpResponse:
    """The content `sha256`, if the manifest lists it: having a hash opens nothing else."""
    if sha256 not in manifest.values():
        raise not_found()
    try:
        return file_response(store.get(sha256))
    except MissingBlobError as error:
        raise not_found() from error
