"""`nbgrader release_assignment`: learners' copy to the portal, with the source notebooks it will be marked by."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.abc import ExchangeReleaseAssignment as ABCExchangeReleaseAssignment

from graders.exchange.exchange import Exchange


class ExchangeReleaseAssignment(Exchange, ABCExchangeReleaseAssignment):
    src_path: Path
    source_path: Path

    def init_src(self) -> None:
        assignment = self.get_assignment()
        settings = self.coursedir
        self.src_path = Path(settings.format_path(settings.release_directory, ".", assignment))
        self.source_path = Path(settings.format_path(settings.source_directory, ".", assignment))
        if self.src_path.is_dir():
            return
        if self.source_path.is_dir():
            self.fail(
                f"« {assignment} » n’est pas encore généré : lancez d’abord `nbgrader generate_assignment {assignment}`."
            )
        self.fail(f"Le carnet d’exercices « {assignment} » est introuvable dans « {self.src_path.parent} ».")

    def init_dest(self) -> None:
        self.address = ("sessions", self.get_course(), "assignments", self.get_assignment())

    def copy_files(self) -> None:
        released = self.door.get_list(*self.address[:-1])
        if any(row.get("name") == self.address[-1] for row in released) and not self.force:
            self.fail(f"« {self.address[-1]} » est déjà publié : ajoutez --force pour publier une nouvelle version.")
        groups = {"files": self.read_folder(self.src_path)}
        if self.source_path.is_dir():  # solutions and hidden tests: the portal keeps them from learners
            groups["source"] = self.read_folder(self.source_path)
        self.door.send_files("PUT", *self.address, groups=groups)
        self.log.info("Publié : %s %s", self.coursedir.course_id, self.coursedir.assignment_id)
