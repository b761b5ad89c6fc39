"""`nbgrader submit`: the folder's files, sent as one attempt. A retry of the same files is the same attempt."""

from __future__ import annotations

import difflib
from pathlib import Path

from nbgrader.exchange.abc import ExchangeSubmit as ABCExchangeSubmit
from nbgrader.utils import get_username
from traitlets import Bool

from graders.exchange.cache import OWN_FILES, confirm_entry, prepare_entry
from graders.exchange.exchange import PERSON, Exchange


class ExchangeSubmit(Exchange, ABCExchangeSubmit):
    add_random_string = Bool(True, help="Without effect here: attempts are not files in a shared folder.").tag(
        config=True
    )
    src_path: Path
    student: str
    timestamp: str

    def init_src(self) -> None:
        # nbgrader's command may be given a path; its last part is the assignment.
        self.coursedir.assignment_id = Path(self.coursedir.assignment_id).name
        course, assignment = self.get_course(), self.get_assignment()
        self.src_path = self.get_assignment_folder(course, assignment)
        if not self.src_path.is_dir() or self.src_path.is_symlink():
            self._fail_not_found(assignment)

    def init_dest(self) -> None:
        """The name under which the cache keeps it; the portal knows the person by the token alone."""
        self.student = self.coursedir.student_id if self.coursedir.student_id != "*" else get_username()
        if not PERSON.fullmatch(self.student):
            self.fail(f"L’identifiant « {self.student[:80]} » ne convient pas (ni « * » ni « + »).")

    def copy_files(self) -> None:
        course, assignment = self.get_course(), self.get_assignment()
        address = ("sessions", course, "assignments", assignment)
        files = {path: content for path, content in self.read_folder(self.src_path).items() if not _is_own(path)}
        self._compare_notebooks(set(self.door.get_files(*address, "files")), set(files))
        entry = prepare_entry(Path(self.cache), course, self.student, assignment, self.timestamp, files)
        fields = {"client_id": str(entry.client_id)}
        receipt = self.door.send_files("POST", *address, "attempts", groups={"files": files}, fields=fields)
        timestamp = self.format_time(receipt.get("received_at") if isinstance(receipt, dict) else "")
        confirm_entry(entry, receipt, timestamp)
        self.timestamp = timestamp
        self.log.info("Soumis : %s %s, essai n° %s, %s", course, assignment, receipt.get("number", "?"), timestamp)

    def _compare_notebooks(self, released: set[str], sent: set[str]) -> None:
        missing = sorted(path for path in released - sent if path.endswith(".ipynb"))
        extra = sorted(path for path in sent - released if path.endswith(".ipynb"))
        if missing and self.strict:
            self.fail(f"Rien n’a été soumis : il manque {', '.join(missing)}.")
        if missing or extra:
            self.log.warning(
                "Carnets manquants : %s. Carnets en plus : %s.",
                ", ".join(missing) or "aucun",
                ", ".join(extra) or "aucun",
            )

    def _fail_not_found(self, assignment: str) -> None:
        folder = self.src_path.parent
        names = [path.name for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []
        near = difflib.get_close_matches(assignment, names, n=1)
        hint = f" Vouliez-vous dire « {near[0]} » ?" if near else ""
        self.fail(f"Le dossier « {assignment} » est introuvable.{hint}")


def _is_own(path: str) -> bool:
    """Files of ours or of earlier feedback, which are no answer."""
    return path in OWN_FILES or path.startswith("feedback/")
