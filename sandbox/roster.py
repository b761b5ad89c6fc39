"""The living sandboxes, on disk: what lets a new forkd know the children of one that died.

Laws: one small file per sandbox, `<name>.pid`, beside the sockets, in a folder that only forkd writes; a file whose process is
gone is removed with its socket. `name` is the label of a server, and `grading.<uid>` (a dot is in no label) for a grading run.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from sandbox.process import open_pidfd


@dataclass(frozen=True)
class Entry:
    """One living sandbox."""

    name: str
    label: str
    profile: str
    uid: int
    pid: int
    start_time: int
    pidfd: int


class Roster:
    """Living sandboxes by name; `folder` holds their files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._entries: dict[str, Entry] = {}

    def load(self) -> list[Entry]:
        """Read what an earlier forkd left; returns the sandboxes that still live."""
        for file in sorted(self.folder.glob("*.pid")):
            try:
                fields = json.loads(file.read_text(encoding="ascii"))
                pidfd = open_pidfd(int(fields["pid"]), int(fields["start_time"]))
                if pidfd is not None:
                    self._entries[file.stem] = Entry(**(fields | {"pidfd": pidfd, "name": file.stem}))
                    continue
            except (ValueError, KeyError, TypeError):
                pass  # cut short by a power loss: its process cannot live
            self._forget_files(file.stem)
        return list(self._entries.values())

    def add(self, entry: Entry) -> None:
        fields = asdict(entry)
        del fields["pidfd"]
        draft = self.folder / f"{entry.name}.pid.new"
        draft.write_text(json.dumps(fields), encoding="ascii")
        draft.rename(self.folder / f"{entry.name}.pid")
        self._entries[entry.name] = entry

    def remove(self, entry: Entry) -> None:
        os.close(entry.pidfd)
        del self._entries[entry.name]
        self._forget_files(entry.name)

    def find(self, name: str) -> Entry | None:
        return self._entries.get(name)

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries.values()))

    def __len__(self) -> int:
        return len(self._entries)

    def _forget_files(self, name: str) -> None:
        for suffix in (".pid", ".sock", ".sock:80"):
            with contextlib.suppress(FileNotFoundError):
                (self.folder / f"{name}{suffix}").unlink()
