"""`nbgrader list` and the Assignment List: released assignments, this person's submissions, or (trainers) everybody's.

The log lines are nbgrader's own: its users' scripts read them.
"""

from __future__ import annotations

import hashlib
import shutil
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from nbgrader.exchange.abc import ExchangeList as ABCExchangeList

from graders.exchange.cache import list_entries
from graders.exchange.door import DoorError
from graders.exchange.exchange import NAME, PERSON, Exchange

Info = dict[str, Any]


class ExchangeList(Exchange, ABCExchangeList):
    def init_src(self) -> None:
        self.wanted = self.coursedir.assignment_id or ""

    def init_dest(self) -> None:
        self._feedback: dict[tuple[str, str], dict[str, dict[str, str]]] = {}

    def copy_files(self) -> None:
        pass

    def list_files(self) -> list[Info]:
        found = self._list_submitted() if self.inbound or self.cached else self._list_released()
        self._log(found)
        return found

    def remove_files(self) -> list[Info]:
        found = self._list_submitted() if self.inbound or self.cached else self._list_released()
        self._log(found, "Removing ")
        if self.inbound:
            self.log.warning("Les travaux reçus restent au portail : rien n’a été effacé.")
            return found
        for info in found:
            info["status"] = "removed"
            if self.cached:
                for submission in info["submissions"]:
                    submission["status"] = "removed"
                    shutil.rmtree(submission["path"])
            else:
                self.door.delete("sessions", info["course_id"], "assignments", info["assignment_id"])
        return found

    def _list_released(self) -> list[Info]:
        found = []
        for course in self.list_sessions():
            for row in self._get_assignments(course):
                if not NAME.fullmatch(str(row.get("name", ""))) or self.wanted not in ("", row["name"]):
                    continue
                folder = self.get_assignment_folder(course, row["name"])
                fetched = folder.is_dir()
                names = (
                    sorted(p.name for p in folder.glob("*.ipynb"))
                    if fetched
                    else [str(n) for n in row.get("notebooks", [])]
                )
                notebooks = [{"notebook_id": Path(n).stem, "path": str(folder / Path(n).name)} for n in names]
                found.append(
                    {
                        "course_id": course,
                        "assignment_id": row["name"],
                        "status": "fetched" if fetched else "released",
                        "path": str(folder),
                        "notebooks": notebooks,
                    }
                )
        return sorted(found, key=lambda info: (info["course_id"], info["assignment_id"]))

    def _list_submitted(self) -> list[Info]:
        rows = sorted(
            self._list_cached() if self.cached else self._list_inbound(),
            key=itemgetter("course_id", "student_id", "assignment_id", "timestamp"),
        )
        found = []
        for key, group in groupby(rows, itemgetter("course_id", "student_id", "assignment_id")):
            course, student, assignment = key
            submissions = list(group)
            found.append(
                {
                    "course_id": course,
                    "student_id": student,
                    "assignment_id": assignment,
                    "status": "submitted",
                    "submissions": submissions,
                }
            )
        return found

    def _list_cached(self) -> list[Info]:
        rows = []
        for entry in list_entries(Path(self.cache), self.coursedir.course_id or "", self.wanted):
            if not entry.is_confirmed or self.coursedir.student_id not in ("*", "", entry.student):
                continue
            names = sorted(path.stem for path in entry.folder.glob("*.ipynb"))
            remote = self._get_feedback(entry.course, entry.assignment).get(entry.timestamp, {})
            rows.append(
                self._describe(
                    entry.course, entry.student, entry.assignment, entry.timestamp, str(entry.folder), names, remote
                )
            )
        return rows

    def _list_inbound(self) -> list[Info]:
        """Everybody's attempts for a trainer, otherwise one's own."""
        rows = []
        for course in self.list_sessions():
            for assignment in [
                row["name"] for row in self._get_assignments(course) if self.wanted in ("", row.get("name"))
            ]:
                base = ("sessions", course, "assignments", self.check_name(assignment), "attempts")
                for attempt in self.door.get_list(*base, all_learners=True):
                    student = str(attempt.get("learner", ""))
                    if not PERSON.fullmatch(student) or self.coursedir.student_id not in ("*", "", student):
                        continue
                    timestamp = self.format_time(attempt["received_at"])
                    address = (*base, str(attempt["client_id"]))
                    names = [
                        Path(p).stem
                        for p in self.door.get_files(*address, "files")
                        if p.endswith(".ipynb") and "/" not in p
                    ]
                    remote = (
                        self.door.get_files(*address, "feedback") if attempt.get("has_feedback") is not False else {}
                    )
                    rows.append(self._describe(course, student, assignment, timestamp, "", names, remote))
        return rows

    def _describe(
        self,
        course: str,
        student: str,
        assignment: str,
        timestamp: str,
        path: str,
        names: list[str],
        remote: dict[str, str],
    ) -> Info:
        local = self.get_assignment_folder(course, assignment) / "feedback" / timestamp
        notebooks = [
            self._describe_notebook(name, Path(path or ".") / f"{name}.ipynb", local, remote) for name in sorted(names)
        ]
        has_local = bool(notebooks) and all(row["has_local_feedback"] for row in notebooks)
        return {
            "course_id": course,
            "student_id": student,
            "assignment_id": assignment,
            "timestamp": timestamp,
            "status": "submitted",
            "path": path,
            "notebooks": notebooks,
            "has_local_feedback": has_local,
            "has_exchange_feedback": bool(notebooks) and all(row["has_exchange_feedback"] for row in notebooks),
            "feedback_updated": any(row["feedback_updated"] for row in notebooks),
            "local_feedback_path": str(local) if has_local else None,
        }

    @staticmethod
    def _describe_notebook(name: str, path: Path, local: Path, remote: dict[str, str]) -> Info:
        page = local / f"{name}.html"
        has_local, digest = page.is_file(), remote.get(f"{name}.html")
        changed = has_local and digest is not None and hashlib.sha256(page.read_bytes()).hexdigest() != digest
        return {
            "notebook_id": name,
            "path": str(path),
            "has_local_feedback": has_local,
            "has_exchange_feedback": digest is not None,
            "local_feedback_path": str(page) if has_local else None,
            "feedback_updated": changed,
        }

    def _get_assignments(self, course: str) -> list[Info]:
        try:
            return self.door.get_list("sessions", course, "assignments")
        except DoorError as error:
            if error.status not in (403, 404):
                raise
            self.log.warning("%s : %s", course, error.message)  # one closed session must not hide the others
            return []

    def _get_feedback(self, course: str, assignment: str) -> dict[str, dict[str, str]]:
        """Timestamp → feedback pages at the portal; nothing when the session is closed to this person."""
        key = (course, assignment)
        if key not in self._feedback:
            self._feedback[key] = {}
            base = ("sessions", course, "assignments", assignment, "attempts")
            try:
                for attempt in self.door.get_list(*base):
                    if attempt.get("has_feedback") is not False:
                        pages = self.door.get_files(*base, str(attempt["client_id"]), "feedback")
                        self._feedback[key][self.format_time(attempt["received_at"])] = pages
            except DoorError as error:
                if error.status not in (403, 404):
                    raise
        return self._feedback[key]

    def _log(self, found: list[Info], verb: str = "") -> None:
        submitted = self.inbound or self.cached
        what = "submitted assignments:" if submitted else "released assignments:"
        self.log.info(verb + (what if verb else what.capitalize()))
        for info in found:
            if submitted:
                for row in info["submissions"]:
                    self.log.info(
                        "%s %s %s %s %s",
                        row["course_id"],
                        row["student_id"],
                        row["assignment_id"],
                        row["timestamp"],
                        _state(row),
                    )
            else:
                done = " (already downloaded)" if info["status"] == "fetched" else ""
                self.log.info("%s %s%s", info["course_id"], info["assignment_id"], done)


def _state(row: Info) -> str:
    if row["has_local_feedback"] and not row["feedback_updated"]:
        return "(feedback already fetched)"
    return "(feedback ready to be fetched)" if row["has_exchange_feedback"] else "(no feedback available)"
