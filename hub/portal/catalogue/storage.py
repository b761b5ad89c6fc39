"""The bytes of published versions, on disk under `state_dir/courses/<course>/<version>/`.

Laws: a blob is named by its SHA-256 and never rewritten; what learners may have (`released/`) and what they may not
(`source/`: solutions and hidden tests) lie in two folders, so that no address can reach the second through the first;
the manifest is written last and replaced in one step.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from django.conf import settings

Part = Literal["released", "source"]
SHA256 = re.compile(r"\A[0-9a-f]{64}\Z")


@dataclass(frozen=True)
class StoredFile:
    """One file of a module as the manifest lists it."""

    path: str
    sha256: str
    size_bytes: int


def version_folder(course: str, version: str) -> Path:
    return Path(settings.ENVIRONMENT.state_dir) / "courses" / course / version


def store_blob(folder: Path, part: Part, data: bytes) -> str:
    """Keep the bytes; their name is the answer."""
    digest = hashlib.sha256(data).hexdigest()
    target = folder / part / digest
    if not target.exists():
        _write(target, data)
    return digest


def load_blob(folder: Path, part: Part, sha256: str) -> bytes:
    if not SHA256.match(sha256):
        raise FileNotFoundError(sha256)
    return (folder / part / sha256).read_bytes()


def store_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    _write(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1, sort_keys=True).encode())


def load_manifest(folder: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_bytes())
    return manifest


def list_files(manifest: Mapping[str, Any], module: str, part: Part) -> list[StoredFile]:
    """The files of one module, sorted by path; none when the version has no such module."""
    files = manifest["modules"].get(module, {}).get(part, {})
    return [StoredFile(path, entry["sha256"], entry["size"]) for path, entry in sorted(files.items())]


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
