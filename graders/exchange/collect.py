"""`nbgrader collect`: learners' attempts, into the trainer's `submitted/LEARNER/ASSIGNMENT/`."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.abc import ExchangeCollect as ABCExchangeCollect
from nbgrader.utils import parse_utc

from graders.exchange.cache import SECRET, TIMESTAMP
from graders.exchange.exchange import PERSON, Exchange
from graders.exchange.folder import write_files

Row = dict[str, Any]


class ExchangeCollect(Exchange, ABCExchangeCollect):
    rows: dict[str, Row]
    """Learner → the attempt to collect."""

    def init_src(self) -> None:
        self.address = ("sessions", self.get_course(), "assignments", self.get_assignment(), "attempts")
        by_learner: dict[str, list[Row]] = {}
        for row in self.door.get_list(*self.address, all_learners=True):
            learner = str(row.get("learner", ""))
            if PERSON.fullmatch(learner) and self.coursedir.student_id in ("*", "", learner):
                row["timestamp"] = self.format_time(row["received_at"])
                by_learner.setdefault(learner, []).append(row)
        due = self._find_due_date() if self.before_duedate else None
        self.rows = {learner: _choose(rows, due) for learner, rows in sorted(by_learner.items())}

    def init_dest(self) -> None:
        pass

    def copy_files(self) -> None:
        settings, assignment = self.coursedir, self.get_assignment()
        if not self.rows:
            self.log.warning("Aucun travail à ramasser pour « %s » (%s).", assignment, settings.course_id)
        for learner, row in self.rows.items():
            folder = Path(settings.format_path(settings.submitted_directory, learner, assignment))
            if folder.is_dir() and not self._replaces(folder, row):
                self.log.info("Déjà ramassé : %s %s (--update pour mettre à jour)", learner, assignment)
                continue
            self._collect(folder, row)
            self.log.info("Ramassé : %s %s %s", learner, assignment, row["timestamp"])

    def _collect(self, folder: Path, row: Row) -> None:
        address = (*self.address, str(row["client_id"]), "files")
        files = {path: self.door.get_bytes(digest, *address) for path, digest in self.door.get_files(*address).items()}
        # Ours last: a learner's own `timestamp.txt` must not date their work.
        files |= {TIMESTAMP: row["timestamp"].encode(), SECRET: str(row["client_id"]).encode()}
        if folder.is_dir():
            shutil.rmtree(folder)
        write_files(folder, files, replace=True)

    def _replaces(self, folder: Path, row: Row) -> bool:
        old = self.coursedir.get_existing_timestamp(str(folder))
        new = parse_utc(row["timestamp"])
        return bool((self.update and (old is None or new > old)) or (self.before_duedate and old != new))

    def _find_due_date(self) -> Any:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                return gradebook.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                return None


def _choose(rows: list[Row], due: Any) -> Row:
    """The last attempt; with a due date, the last one before it if there is one."""
    rows = sorted(rows, key=lambda row: parse_utc(row["timestamp"]))
    in_time = [row for row in rows if due is not None and parse_utc(row["timestamp"]) <= due]
    return in_time[-1] if in_time else rows[-1]
