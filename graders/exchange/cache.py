"""This person's submissions: `nbgrader_cache/COURSE/STUDENT+ASSIGNMENT+TIMESTAMP/`, as nbgrader keeps them.

A folder is written before its submission is sent, with the id that makes a retry the same attempt; once the portal has
answered it takes the portal's timestamp and a `receipt.json`. A folder without a receipt has not been confirmed.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from graders.exchange.folder import write_files

CLIENT_ID = "client_id.txt"
RECEIPT = "receipt.json"
TIMESTAMP = "timestamp.txt"
SECRET = "submission_secret.txt"  # noqa: S105 — the name of nbgrader's file
OWN_FILES = {CLIENT_ID, RECEIPT, TIMESTAMP, SECRET}


@dataclass(frozen=True)
class Entry:
    """One submission of the cache."""

    folder: Path
    course: str
    student: str
    assignment: str
    timestamp: str

    @property
    def client_id(self) -> UUID | None:
        try:
            return UUID((self.folder / CLIENT_ID).read_text(encoding="ascii").strip())
        except (OSError, ValueError):
            return None

    @property
    def is_confirmed(self) -> bool:
        return (self.folder / RECEIPT).is_file()


def list_entries(cache: Path, course: str = "", assignment: str = "") -> list[Entry]:
    """Submissions in the cache, oldest first within a course; other folders are passed over."""
    entries = []
    for folder in sorted(cache.glob(f"{course or '*'}/*+*+*")):
        student, name, timestamp = folder.name.rsplit("+", 2)
        if folder.is_dir() and not folder.is_symlink() and assignment in ("", name):
            entries.append(Entry(folder, folder.parent.name, student, name, timestamp))
    return entries


def prepare_entry(
    cache: Path, course: str, student: str, assignment: str, timestamp: str, files: Mapping[str, bytes]
) -> Entry:
    """The folder of a submission about to be sent: an unconfirmed one of the same content, or a new one."""
    for entry in list_entries(cache, course, assignment):
        if entry.student == student and not entry.is_confirmed and entry.client_id and _holds(entry.folder, files):
            return entry
    client_id = str(uuid4())
    folder = cache / course / f"{student}+{assignment}+{timestamp}"
    write_files(folder, files, replace=True)
    own = {CLIENT_ID: client_id, SECRET: client_id, TIMESTAMP: timestamp}
    write_files(folder, {name: text.encode() for name, text in own.items()}, replace=True)
    return Entry(folder, course, student, assignment, timestamp)


def confirm_entry(entry: Entry, receipt: Mapping[str, Any], timestamp: str) -> Entry:
    """Note the portal's answer; the folder takes the portal's timestamp."""
    texts = {TIMESTAMP: timestamp, RECEIPT: json.dumps(dict(receipt), ensure_ascii=False)}
    write_files(entry.folder, {name: text.encode() for name, text in texts.items()}, replace=True)
    folder = entry.folder.with_name(f"{entry.student}+{entry.assignment}+{timestamp}")
    if folder != entry.folder:
        if folder.exists():  # the answer of an earlier try was lost after it was noted
            shutil.rmtree(folder)
        entry.folder.rename(folder)
    return Entry(folder, entry.course, entry.student, entry.assignment, timestamp)


def _holds(folder: Path, files: Mapping[str, bytes]) -> bool:
    held = {
        path.relative_to(folder).as_posix(): path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink()
    }
    if set(held) - OWN_FILES != set(files):
        return False
    return all(held[name].read_bytes() == content for name, content in files.items())
