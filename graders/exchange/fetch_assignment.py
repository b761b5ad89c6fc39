"""`nbgrader fetch_assignment`: the released files, into the person's folder, over nothing of theirs."""

from __future__ import annotations

import fnmatch
from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchAssignment as ABCExchangeFetchAssignment

from graders.exchange.exchange import Exchange
from graders.exchange.folder import write_files


class ExchangeFetchAssignment(Exchange, ABCExchangeFetchAssignment):
    files: dict[str, str]
    dest_path: Path

    def init_src(self) -> None:
        self.address = ("sessions", self.get_course(), "assignments", self.get_assignment(), "files")
        self.files = self.door.get_files(*self.address)

    def init_dest(self) -> None:
        self.dest_path = self.get_assignment_folder(self.get_course(), self.get_assignment())
        if self.dest_path.is_dir() and not self.replace_missing_files:
            self.fail(f"Vous avez déjà ce carnet d’exercices dans « {self.dest_path.name} » : rien n’a été changé.")

    def copy_files(self) -> None:
        # Everything is here before anything is written: a failure half-way leaves no half assignment.
        contents = {
            path: self.door.get_bytes(digest, *self.address) for path, digest in self.files.items() if self._wants(path)
        }
        written = write_files(self.dest_path, contents, replace=False)
        self.log.info(
            "Récupéré : %s %s (%d fichiers)", self.coursedir.course_id, self.coursedir.assignment_id, len(written)
        )

    def _wants(self, path: str) -> bool:
        return not any(fnmatch.fnmatch(part, pattern) for part in path.split("/") for pattern in self.coursedir.ignore)
