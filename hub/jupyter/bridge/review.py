"""A grader's own server, `relecture-<session>`: the session's gradebook as a folder, formgrader on it, marks sent back.

Laws: one session's folder and nothing else; no terminal, no kernel, nothing executed (marking is the portal's);
the portal's database is the one truth: what is typed here is sent there, and the folder is replaced by what comes back.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from nbgrader.server_extensions.formgrader import apihandlers, formgrader
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError, authenticated
from traitlets.config import Config

from hub.jupyter.bridge import files
from hub.jupyter.bridge.errors import BridgeError
from hub.jupyter.bridge.folder import Folder
from hub.jupyter.bridge.pages import Bridge, PageHandler, answer_errors

log = logging.getLogger("pupitre.bridge")

FOLDER, DATABASE = "relecture", "gradebook.db"
POLL_S = 2.0
NO_RUNNING = "La relecture n’exécute aucun carnet : la notation automatique se fait dans le portail."
NOT_REVIEW = "Ce serveur n’est pas un serveur de relecture. Ouvrez la relecture depuis le portail."

QUERY = """
SELECT submitted_assignment.student_id, assignment.name, notebook.name, base_cell.name,
       grade.manual_score, grade.extra_credit, grade.needs_manual_grade, comment.manual_comment
FROM grade
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
JOIN notebook ON notebook.id = submitted_notebook.notebook_id
JOIN base_cell ON base_cell.id = grade.cell_id
LEFT JOIN comment ON comment.notebook_id = grade.notebook_id AND comment.cell_id = grade.cell_id
"""
"""Tables of nbgrader's gradebook. Source: nbgrader 0.9.6, `nbgrader/api.py`."""


@dataclass(frozen=True)
class ManualMark:
    """What a grader typed for one cell of one learner."""

    learner: str
    assignment: str
    notebook: str
    cell: str
    points: float | None
    extra_points: float
    comment: str | None


def read_marks(database: Path) -> frozenset[ManualMark]:
    """Every cell that carries something typed by hand."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        rows = connection.execute(QUERY).fetchall()
    finally:
        connection.close()
    marks = set()
    for learner, assignment, notebook, cell, points, extra, _needs, comment in rows:
        if points is not None or extra or comment:
            marks.add(ManualMark(learner, assignment, notebook, cell, points, float(extra or 0), comment or None))
    return frozenset(marks)


class Gradebook:
    """The session's folder in this server: pulled from the portal, watched, sent back."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.session = bridge.surroundings.review_session
        self.folder = bridge.home / FOLDER / self.session
        self._known: frozenset[ManualMark] = frozenset()
        self._seen: tuple[float, ...] = ()
        self.lock = asyncio.Lock()
        self.failure: BridgeError | None = None

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    def pull(self) -> None:
        """Replace the folder's files by the portal's; marks not yet sent are sent first, so that none is lost."""
        if self.database.exists():
            self.send()
        door = self.bridge.door
        announced = files.parse_manifest(door.get_json(f"sessions/{self.session}/gradebook")["files"])
        with Folder.open(self.bridge.home) as root:
            for file in announced:
                parts = (FOLDER, self.session, *file.path.split("/"))
                with root.walk_to(parts[:-1], create=True) as folder:
                    if folder.kind(parts[-1]) == "file":
                        current = folder.read(parts[-1], limit_bytes=files.FILE_LIMIT_BYTES)
                        if files.digest(current) == file.sha256:
                            continue
                    data = door.get_bytes(f"sessions/{self.session}/gradebook/{file.sha256}")
                    folder.write(parts[-1], files.check_bytes(file, data))
        if self.database.exists():
            self._known = read_marks(self.database)
            self._seen = self._times()

    def send(self) -> int:
        """Send what was typed since the last time; returns how many marks."""
        times = self._times()
        if times == self._seen:
            return 0
        marks = read_marks(self.database)
        changed = sorted(marks - self._known, key=lambda mark: (mark.assignment, mark.learner, mark.cell))
        cleared = {(m.learner, m.assignment, m.notebook, m.cell) for m in self._known} - {
            (m.learner, m.assignment, m.notebook, m.cell) for m in marks
        }
        changed += [ManualMark(*key, points=None, extra_points=0, comment=None) for key in sorted(cleared)]
        if changed:
            value = {"marks": [asdict(mark) for mark in changed]}
            self.bridge.door.send_json("POST", f"sessions/{self.session}/gradebook/marks", value)
            log.info("gradebook: %d marks sent", len(changed))
        self._known, self._seen = marks, times
        return len(changed)

    def _times(self) -> tuple[float, ...]:
        paths = (self.database, self.database.with_name(DATABASE + "-wal"))
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    async def poll(self) -> None:
        """Called every two seconds; a failure is kept for the page and tried again."""
        if self.lock.locked() or not self.database.exists():
            return
        async with self.lock:
            try:
                await asyncio.to_thread(self.send)
                self.failure = None
            except (BridgeError, sqlite3.Error) as error:
                log.warning("gradebook: marks not sent: %s", error)
                self.failure = (
                    error if isinstance(error, BridgeError) else BridgeError("carnet_de_notes", str(error), 500)
                )


def make_nbgrader_config(bridge: Bridge) -> Config:
    """What formgrader reads besides `share/config`: this session's folder only."""
    session = bridge.surroundings.review_session
    config = Config()
    config.CourseDirectory.root = str(bridge.home / FOLDER / session)
    config.CourseDirectory.course_id = session
    config.FormgradeExtension.debug = False
    return config


def _refuse(*_: object, **__: object) -> NoReturn:
    raise HTTPError(403, NO_RUNNING)


RUNNING_HANDLERS = (
    apihandlers.AssignHandler,
    apihandlers.UnReleaseHandler,
    apihandlers.ReleaseHandler,
    apihandlers.CollectHandler,
    apihandlers.AutogradeHandler,
    apihandlers.GenerateAllFeedbackHandler,
    apihandlers.ReleaseAllFeedbackHandler,
    apihandlers.GenerateFeedbackHandler,
    apihandlers.ReleaseFeedbackHandler,
)


def load_review(app: Any, bridge: Bridge) -> None:
    """Formgrader on the session's folder; kernels and terminals off."""
    app.terminals_enabled = False
    app.kernel_manager.start_kernel = _refuse
    for handler in RUNNING_HANDLERS:
        handler.post = _refuse
    gradebook = Gradebook(bridge)
    app.web_app.settings["pupitre_gradebook"] = gradebook
    gradebook.folder.mkdir(parents=True, exist_ok=True)
    formgrader.load_jupyter_server_extension(app)
    PeriodicCallback(gradebook.poll, POLL_S * 1000).start()


class ReviewHandler(PageHandler):
    """`relecture`: pull the gradebook, then formgrader. GET since pulling again changes nothing that is not sent."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        gradebook: Gradebook | None = self.settings.get("pupitre_gradebook")
        if gradebook is None:
            raise BridgeError("pas_de_relecture", NOT_REVIEW, 404)
        async with gradebook.lock:
            self._close_formgrader_database()
            await asyncio.to_thread(gradebook.pull)
        self.redirect(self.server_url("formgrader", "gradebook"))

    def _close_formgrader_database(self) -> None:
        """formgrader keeps the database open; the file is about to be replaced."""
        opened = self.settings.get("nbgrader_gradebook")
        if opened is not None:
            opened.close()
            self.settings["nbgrader_gradebook"] = None


PAGES = ((r"relecture", ReviewHandler),)
