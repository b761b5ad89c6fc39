"""A grader's own server, `relecture-…`: one session's gradebook as a folder, formgrader on it, marks sent back.

The session is the one, among those the person reviews, whose server has this name. formgrader is loaded at the first visit.

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

from jupyter_server.services.sessions.handlers import SessionRootHandler
from nbgrader.server_extensions.formgrader import apihandlers, formgrader
from tornado.ioloop import PeriodicCallback
from tornado.web import HTTPError, authenticated

from hub.jupyter.bridge import files
from hub.jupyter.bridge.errors import BridgeError, DeliveryError
from hub.jupyter.bridge.folder import Folder
from hub.jupyter.bridge.pages import Bridge, PageHandler, answer_errors
from hub.jupyter.bridge.submissionpage import SubmissionExporter
from hub.jupyter.bridge.surroundings import name_review_server
from hub.jupyter.bridge.trust import OF_THIS_SERVER
from hub.jupyter.language import gettext, gettext_noop

log = logging.getLogger("pupitre.bridge")

FOLDER, DATABASE = "relecture", "gradebook.db"
POLL_S = 2.0
NO_RUNNING = gettext_noop("La relecture n’exécute aucun carnet : la notation automatique se fait dans le portail.")
NOT_REVIEWER = gettext_noop("Vous ne relisez pas cette session, ou plus. Revenez à la page « Relecture » du portail.")
NO_GRADEBOOK = gettext_noop(
    "Le carnet de notes de cette session est illisible. Réessayez dans une minute ; si cela continue, prévenez l’administrateur."
)
NOT_REVIEW = gettext_noop("Ce serveur n’est pas un serveur de relecture. Ouvrez la relecture depuis le portail.")

QUERY = """
SELECT submitted_assignment.student_id, assignment.name, notebook.name, base_cell.name,
       grade.manual_score, grade.extra_credit, said.manual_comment
FROM grade
JOIN submitted_notebook ON submitted_notebook.id = grade.notebook_id
JOIN submitted_assignment ON submitted_assignment.id = submitted_notebook.assignment_id
JOIN assignment ON assignment.id = submitted_assignment.assignment_id
JOIN notebook ON notebook.id = submitted_notebook.notebook_id
JOIN base_cell ON base_cell.id = grade.cell_id
LEFT JOIN (
    SELECT comment.notebook_id, base_cell.name, comment.manual_comment
    FROM comment JOIN base_cell ON base_cell.id = comment.cell_id
) AS said ON said.notebook_id = grade.notebook_id AND said.name = base_cell.name
"""
"""Tables of nbgrader's gradebook; a grade belongs to a grade cell and a comment to a solution cell of the same name. Source: nbgrader 0.9.6, `nbgrader/api.py`."""


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

    @property
    def cell_key(self) -> tuple[str, str, str, str]:
        return self.learner, self.assignment, self.notebook, self.cell


def read_marks(database: Path) -> frozenset[ManualMark]:
    """Every cell that carries something typed by hand."""
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)
    try:
        rows = connection.execute(QUERY).fetchall()
    finally:
        connection.close()
    marks = set()
    for learner, assignment, notebook, cell, points, extra, comment in rows:
        if points is not None or extra or comment:
            marks.add(ManualMark(learner, assignment, notebook, cell, points, float(extra or 0), comment or None))
    return frozenset(marks)


class Gradebook:
    """The session's folder in this server: pulled from the portal, watched, sent back."""

    def __init__(self, bridge: Bridge, session: str) -> None:
        self.bridge = bridge
        self.session = session
        self.folder = bridge.home / FOLDER / session
        self.lock = asyncio.Lock()
        self.refused: list[str] = []
        """Sentences of the portal about marks it did not take, until they are shown."""
        self._known: frozenset[ManualMark] = frozenset()
        self._seen: tuple[float, ...] = ()
        self._attempts: dict[tuple[str, str], str] = {}

    @property
    def database(self) -> Path:
        return self.folder / DATABASE

    def pull(self) -> None:
        """Replace the folder's files by the portal's; marks not yet sent are sent first, so that none is lost."""
        if self._seen:
            self.send()
        door = self.bridge.door
        manifest = door.get_json(f"sessions/{self.session}/gradebook")
        announced = files.parse_manifest(manifest["files"])
        try:
            with Folder.open(self.bridge.home) as root:
                for file in announced:
                    parts = (FOLDER, self.session, *file.path.split("/"))
                    with root.walk_to(parts[:-1], create=True) as folder:
                        self._pull_one(folder, file)
        except OSError as error:
            raise DeliveryError("ecriture_impossible", files.DISK, 507, path=FOLDER, reason=error.strerror) from error
        for name in (f"{DATABASE}-wal", f"{DATABASE}-shm", f"{DATABASE}-journal"):
            self.folder.joinpath(name).unlink(missing_ok=True)  # of the database that was replaced
        self._attempts = {
            (str(attempt["learner"]), str(attempt["assignment"])): str(attempt["client_id"])
            for attempt in manifest.get("attempts", [])
        }
        try:
            self._known, self._seen = read_marks(self.database), self._times()
        except sqlite3.Error as error:
            log.error("gradebook of %s: %s", self.session, error)
            raise BridgeError("carnet_de_notes", NO_GRADEBOOK, 502) from error

    def _pull_one(self, folder: Folder, file: files.Announced) -> None:
        name = file.path.rpartition("/")[2]
        here = folder.read(name, limit_bytes=files.FILE_LIMIT_BYTES) if folder.kind(name) == "file" else b""
        if files.digest(here) == file.sha256:
            return
        data = self.bridge.door.get_bytes(f"sessions/{self.session}/gradebook/{file.sha256}")
        folder.write(name, files.check_bytes(file, data))

    def send(self) -> int:
        """Send what was typed since the last time; returns how many marks."""
        times = self._times()
        if times == self._seen:
            return 0
        marks = read_marks(self.database)
        before = {mark.cell_key: mark for mark in self._known}
        after = {mark.cell_key: mark for mark in marks}
        changed = [mark for key, mark in sorted(after.items()) if before.get(key) != mark]
        changed += [ManualMark(*key, None, 0, None) for key in sorted(before.keys() - after.keys())]
        if changed:
            value = {"marks": [self._describe(mark, before.get(mark.cell_key)) for mark in changed]}
            answer = self.bridge.door.send_json("POST", f"sessions/{self.session}/gradebook/marks", value)
            for refusal in answer.get("refused", []):
                log.warning("gradebook: refused %s", refusal)
                sentence = f"{refusal.get('assignment')}, {refusal.get('learner')} : {refusal.get('message')}"
                self.refused.append(sentence)
            log.info("gradebook: %d marks sent", len(changed))
        self._known, self._seen = marks, times
        return len(changed)

    def _describe(self, mark: ManualMark, before: ManualMark | None) -> dict[str, Any]:
        """A mark as the door takes it, with what it was when the gradebook came, so that nobody's later mark is lost."""
        seen = {"points": before.points if before else None, "comment": before.comment if before else None}
        client_id = self._attempts.get((mark.learner, mark.assignment))
        return {**asdict(mark), "client_id": client_id, "seen": seen}

    def _times(self) -> tuple[float, ...]:
        paths = (self.database, self.database.with_name(f"{DATABASE}-wal"))
        return tuple(path.stat().st_mtime_ns for path in paths if path.exists())

    async def poll(self) -> None:
        """Called every two seconds; what fails is tried again."""
        if self.lock.locked() or not self._seen:
            return
        async with self.lock:
            try:
                await asyncio.to_thread(self.send)
            except (BridgeError, sqlite3.Error) as error:
                log.warning("gradebook: marks not sent yet: %s", error)


def find_session(bridge: Bridge) -> str:
    """The session this server reviews, among those of the person."""
    for session in bridge.door.get_json("me")["sessions"]:
        reviews = {"grader", "trainer"} & set(session["roles"])
        if reviews and name_review_server(str(session["slug"])) == bridge.surroundings.review_server:
            return str(session["slug"])
    raise BridgeError("pas_de_relecture", NOT_REVIEWER, 403)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise HTTPError(403, gettext(NO_RUNNING))


RUNNING_HANDLERS: tuple[Any, ...] = (
    SessionRootHandler,  # a session is a kernel and a notebook: it would say 500 for the kernel manager's refusal
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


def forbid_running(app: Any) -> None:
    """No kernel, no terminal, none of formgrader's actions that run or release something."""
    app.terminals_enabled = False
    app.kernel_manager.start_kernel = _refuse
    for handler in RUNNING_HANDLERS:
        handler.post = _refuse


def load_formgrader(app: Any, gradebook: Gradebook) -> None:
    """formgrader on the session's folder, and the watch on its database."""
    OF_THIS_SERVER.CourseDirectory.root = str(gradebook.folder)
    OF_THIS_SERVER.CourseDirectory.course_id = gradebook.session
    formgrader.FormgradeExtension.debug.default_value = False  # it would show configuration in the page
    formgrader.load_jupyter_server_extension(app)
    settings = app.web_app.settings
    settings["nbgrader_exporter"] = SubmissionExporter(settings["base_url"], settings["nbgrader_exporter"].config)
    PeriodicCallback(gradebook.poll, POLL_S * 1000).start()


class ReviewHandler(PageHandler):
    """`relecture`: pull the gradebook, then formgrader. A GET, since pulling again loses nothing."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        if not self.bridge.surroundings.review_server:
            raise BridgeError("pas_de_relecture", NOT_REVIEW, 404)
        gradebook: Gradebook | None = self.settings.get("pupitre_gradebook")
        if gradebook is None:
            gradebook = Gradebook(self.bridge, await asyncio.to_thread(find_session, self.bridge))
            async with gradebook.lock:
                await asyncio.to_thread(gradebook.pull)
            if self.settings.setdefault("pupitre_gradebook", gradebook) is gradebook:
                load_formgrader(self.serverapp, gradebook)
        else:
            async with gradebook.lock:
                self._close_formgrader_database()
                await asyncio.to_thread(gradebook.pull)
        target = self.server_url("formgrader", "gradebook")
        if gradebook.refused:
            refused, gradebook.refused = gradebook.refused, []
            self.show("refused.html", refused=refused, target=target)
        else:
            self.redirect(target)

    def _close_formgrader_database(self) -> None:
        """formgrader keeps the database open; the file is about to be replaced."""
        opened = self.settings.get("nbgrader_gradebook")
        if opened is not None:
            opened.close()
            self.settings["nbgrader_gradebook"] = None


PAGES = ((r"relecture", ReviewHandler),)
