"""Files kept by content: what is stored under a sha256 is never changed, and is on the disk before anyone is told so.

Laws: a name is 64 hexadecimal digits and comes from the bytes, so nothing a person sends ever becomes a path;
a file appears whole or not at all (written aside, fsync, rename, fsync of the folder).
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

SHA256 = re.compile(r"[0-9a-f]{64}")

Manifest = dict[str, str]
"""Relative path (with "/") → sha256 of the bytes."""


class MissingBlobError(LookupError):
    """No such content: a name that was never stored, or a damaged state folder."""


def _fsync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@dataclass(frozen=True)
class BlobStore:
    """One folder of contents."""

    folder: Path

    def path(self, sha256: str) -> Path:
        if not SHA256.fullmatch(sha256):
            raise MissingBlobError(sha256)
        return self.folder / sha256[:2] / sha256

    def put(self, content: bytes) -> str:
        """Store `content` durably and return its sha256; the same bytes again cost nothing."""
        sha256 = hashlib.sha256(content).hexdigest()
        path = self.path(sha256)
        if path.exists():
            return sha256
        if not path.parent.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _fsync_folder(self.folder)
        draft = path.with_name(f".{sha256}.{secrets.token_hex(4)}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
        _fsync_folder(path.parent)
        return sha256

    def get(self, sha256: str) -> bytes:
        try:
            return self.path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise MissingBlobError(sha256) from error

    def put_all(self, files: Mapping[str, bytes]) -> Manifest:
        return {path: self.put(content) for path, content in sorted(files.items())}

    def get_all(self, manifest: Mapping[str, str]) -> dict[str, bytes]:
        return {path: self.get(sha256) for path, sha256 in manifest.items()}

    def describe(self, manifest: Mapping[str, str]) -> list[dict[str, str | int]]:
        """The manifest as the door lists it: path, sha256, size in bytes."""
        return [
            {"path": path, "sha256": sha256, "size": self.path(sha256).stat().st_size}
            for path, sha256 in sorted(manifest.items())
        ]


def submission_blobs() -> BlobStore:
    """What learners sent, and what came out of its marking."""
    return BlobStore(settings.ENVIRONMENT.state_dir / "submissions")


def assignment_blobs() -> BlobStore:
    """Releases and sources of assignments: solutions and hidden tests are in there."""
    return BlobStore(settings.ENVIRONMENT.state_dir / "assignments")
