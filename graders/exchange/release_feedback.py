"""`nbgrader release_feedback`: the pages that nbgrader made, each to the attempt it is about."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseFeedback as ABCExchangeReleaseFeedback

from graders.exchange.exchange import PERSON, Exchange


class ExchangeReleaseFeedback(Exchange, ABCExchangeReleaseFeedback):
    folders: dict[str, Path]

    def init_src(self) -> None:
        """Learner → folder of pages."""
        settings = self.coursedir
        excluded = set(settings.student_id_exclude.split(",")) if settings.student_id_exclude else set()
        pattern = settings.format_path(settings.feedback_directory, "*", self.get_assignment())
        mark = Path(pattern).parts.index("*")
        base = Path(*Path(pattern).parts[:mark])
        self.folders = {}
        for folder in sorted(base.glob("/".join(Path(pattern).parts[mark:]))):
            student = folder.parts[mark]
            asked = settings.student_id in ("*", "", student)
            if asked and student not in excluded and PERSON.fullmatch(student) and folder.is_dir():
                self.folders[student] = folder

    def init_dest(self) -> None:
        self.address = ("sessions", self.get_course(), "assignments", self.get_assignment(), "attempts")

    def copy_files(self) -> None:
        attempts: dict[tuple[str, str], str] = {}
        for row in self.door.get_list(*self.address, all_learners=True):
            attempts[str(row.get("learner")), self.format_time(row["received_at"])] = str(row["client_id"])
        for student, folder in self.folders.items():
            stamp = folder / "timestamp.txt"
            timestamp = stamp.read_text(encoding="utf-8").strip() if stamp.is_file() else ""
            client_id = attempts.get((student, timestamp))
            if client_id is None:
                self.log.warning(
                    "Retour de %s non publié : le portail n’a pas d’essai du %s.", student, timestamp or "?"
                )
                continue
            pages = {path.name: path.read_bytes() for path in sorted(folder.glob("*.html")) if not path.is_symlink()}
            self.door.send_files("PUT", *self.address, client_id, "feedback", groups={"files": pages})
            self.log.info("Retour publié : %s, %s, %s", student, self.coursedir.assignment_id, timestamp)
