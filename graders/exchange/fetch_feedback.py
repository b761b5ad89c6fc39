"""`nbgrader fetch_feedback`: feedback of one's own attempts, into `ASSIGNMENT/feedback/TIMESTAMP/NOTEBOOK.html`."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange.abc import ExchangeFetchFeedback as ABCExchangeFetchFeedback

from graders.exchange.exchange import Exchange
from graders.exchange.folder import write_files


class ExchangeFetchFeedback(Exchange, ABCExchangeFetchFeedback):
    feedback_files: list[tuple[str, str, tuple[str, ...], str]]
    """Timestamp, file name, address of the listing, sha256."""
    dest_path: Path

    def init_src(self) -> None:
        base = ("sessions", self.get_course(), "assignments", self.get_assignment(), "attempts")
        self.feedback_files = []
        for attempt in self.door.get_list(*base):
            if attempt.get("has_feedback") is False:
                continue
            address = (*base, str(attempt["client_id"]), "feedback")
            timestamp = self.format_time(attempt["received_at"])
            for path, digest in self.door.get_files(*address).items():
                if "/" not in path and path.endswith(".html"):
                    self.feedback_files.append((timestamp, path, address, digest))
        if not self.feedback_files:
            self.log.warning("Aucun retour n’est encore disponible pour « %s ».", self.coursedir.assignment_id)

    def init_dest(self) -> None:
        self.dest_path = self.get_assignment_folder(self.get_course(), self.get_assignment())

    def copy_files(self) -> None:
        for timestamp, name, address, digest in self.feedback_files:
            content = self.door.get_bytes(digest, *address)
            write_files(self.dest_path, {f"feedback/{timestamp}/{name}": content}, replace=True)
            self.log.info("Retour récupéré : %s/feedback/%s/%s", self.dest_path.name, timestamp, name)
