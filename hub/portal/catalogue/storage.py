"""The bytes of published versions, on disk under `state_dir/courses/<course>/<version>/`.

Laws: files are kept by content and never rewritten (`graders.blobs`); what learners may have (`released/`), what they may
have once they have handed in (`after/`), classroom sheets (`sheet/`) and what they may not have (`source/`: solutions and hidden tests) lie in
folders apart, so that no address can reach one through another; a manifest is named by the digest that the database holds (`CourseVersion.digest`) and written last, so that
row and files agree whatever is interrupted.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from django.conf import settings

from graders.blobs import BlobStore

if TYPE_CHECKING:
    from hub.portal.catalogue.models import CourseVersion

Part = Literal["released", "source", "after", "sheet"]


@dataclass(frozen=True)
class StoredFile:
    """One file of a module as the manifest lists it."""

    path: str
    sha256: str
    size_bytes: int


def version_folder(course: str, version: str) -> Path:
    return Path(settings.ENVIRONMENT.state_dir) / "courses" / course / version


def version_blobs(folder: Path, part: Part) -> BlobStore:
    return BlobStore(folder / part)


def store_manifest(folder: Path, digest: str, manifest: Mapping[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / f".{digest}.{os.getpid()}"
    with draft.open("w", encoding="utf-8") as file:
        json.dump(manifest, file, ensure_ascii=False, indent=1, sort_keys=True)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(folder / f"{digest}.json")


def has_manifest(folder: Path, digest: str) -> bool:
    return (folder / f"{digest}.json").exists()


def load_manifest(version: CourseVersion) -> dict[str, Any]:
    folder = version_folder(version.course.slug, version.version)
    manifest: dict[str, Any] = json.loads((folder / f"{version.digest}.json").read_bytes())
    return manifest


def get_blobs(version: CourseVersion, part: Part) -> BlobStore:
    return version_blobs(version_folder(version.course.slug, version.version), part)


def list_files(manifest: Mapping[str, Any], module: str, part: Part) -> list[StoredFile]:
    """The files of one module, sorted by path; none when the version has no such module."""
    files = manifest["modules"].get(module, {}).get(part, {})
    return [StoredFile(path, entry["sha256"], entry["size"]) for path, entry in sorted(files.items())]


def load_image(version: CourseVersion, name: str) -> bytes:
    """A picture that `course.yml` names.

    Raises
    ------
    LookupError, OSError
        The version has no such picture, or its files are gone.
    """
    return get_blobs(version, "released").get(load_manifest(version)["images"][name]["sha256"])
