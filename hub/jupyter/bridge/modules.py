"""Pages that open, submit and restore a module: `pupitre/open`, `pupitre/submit`, `pupitre/restore`.

Laws: opening again changes nothing that is right; submitting with the same ticket is the same attempt; the person's
notebook is read as it is saved, never run.
"""

from __future__ import annotations

import asyncio
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tornado.web import authenticated

from hub.jupyter.bridge import files
from hub.jupyter.bridge.errors import BridgeError, DeliveryError
from hub.jupyter.bridge.files import Announced, Delivery
from hub.jupyter.bridge.folder import Folder, NotAFile, NotAFolder, TooLarge, split_path
from hub.jupyter.bridge.pages import Bridge, PageHandler, answer_errors
from hub.jupyter.language import gettext_noop

UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
LESSON, EXERCISES = "lecon.ipynb", "exercices.ipynb"
VIEWS = {
    "lecon": ("voila/render", (LESSON,)),
    "carnet": ("notebooks", (EXERCISES,)),
    "lab": ("lab/tree", (EXERCISES, LESSON)),
}
SUBMISSION_LIMIT_BYTES = 64 << 20

NOT_THERE = gettext_noop(
    "Votre espace ne contient pas « {path} ». Ouvrez d’abord le carnet d’exercices, enregistrez-le, puis soumettez-le."
)
TOO_LARGE = gettext_noop(
    "« {path} » est trop gros pour être soumis. Effacez les sorties du carnet (menu Édition), enregistrez-le, puis recommencez."
)
NOT_PLAIN = gettext_noop(
    "« {path} » est un lien ou un dossier : rien n’a été soumis. Ouvrez de nouveau le carnet depuis la page du module."
)
NO_TICKET = gettext_noop("L’adresse est incomplète. Revenez à la page du module et cliquez sur « Soumettre ».")
NO_VIEW = gettext_noop("Ce module n’a pas de document de cette sorte. Revenez à la page du module.")
NO_ASSIGNMENT = gettext_noop("Ce module n’a pas d’exercices à soumettre. Revenez à la page du module.")


def fetch_manifest(bridge: Bridge, session: str, module: str) -> list[Announced]:
    manifest = bridge.door.get_json(f"sessions/{session}/modules/{module}/files")
    return files.parse_manifest(manifest["files"])


def fetch_file(bridge: Bridge, session: str, module: str, file: Announced) -> bytes:
    return bridge.door.get_bytes(f"sessions/{session}/modules/{module}/files/{file.sha256}")


def deliver_module(bridge: Bridge, session: str, module: str, announced: list[Announced]) -> Delivery:
    return files.deliver(
        bridge.home,
        f"{session}/{module}",
        announced,
        lambda file: fetch_file(bridge, session, module, file),
        now=datetime.now(),
    )


def is_file(home: Path, path: str) -> bool:
    """Whether the home holds `path` as a plain file, no link on the way."""
    parts = split_path(path) or ("",)
    try:
        with Folder.open(home) as root, root.walk_to(parts[:-1]) as folder:
            return folder.kind(parts[-1]) == "file"
    except OSError:
        return False


class OpenHandler(PageHandler):
    """`open?session&module&view`: deliver the module's files, then go to the document."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        session, module, view = self.get_slug("session"), self.get_slug("module"), self.get_argument("view", "carnet")
        if view not in VIEWS:
            raise BridgeError("vue_inconnue", NO_VIEW, 404)
        bridge = self.bridge
        announced = await asyncio.to_thread(fetch_manifest, bridge, session, module)
        async with bridge.lock(f"{session}/{module}"):
            delivery = await asyncio.to_thread(deliver_module, bridge, session, module, announced)
        application, names = VIEWS[view]
        paths = {file.path for file in announced}
        name = next((name for name in names if name in paths), None)
        if name is None:
            raise BridgeError("document_absent", NO_VIEW, 404)
        context: dict[str, Any] = {
            "session": session,
            "module": module,
            "view": view,
            "module_url": bridge.module_url(session, module),
        }
        if not is_file(bridge.home, f"{session}/{module}/{name}"):
            if delivery.problems:
                self.show("delivery.html", status=409, delivery=delivery, target=None, warning="", **context)
            else:
                self.show("deleted.html", status=404, name=name, **context)
            return
        target = self.server_url(application, session, module, name)
        warning = bridge.home_size.take_warning() if bridge.home_size else ""
        if delivery.problems or delivery.beside or warning:
            self.show("delivery.html", delivery=delivery, target=target, warning=warning, **context)
        else:
            self.redirect(target)


class RestoreHandler(PageHandler):
    """`restore?session&module`: « Repartir de l'original », a page and its POST."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        session, module = self.get_slug("session"), self.get_slug("module")
        announced = await asyncio.to_thread(fetch_manifest, self.bridge, session, module)
        self.show(
            "restore.html",
            session=session,
            module=module,
            files=[file.path for file in announced],
            module_url=self.bridge.module_url(session, module),
        )

    @authenticated
    @answer_errors
    async def post(self) -> None:
        session, module, path = self.get_slug("session"), self.get_slug("module"), self.get_argument("path", "")
        bridge = self.bridge
        announced = await asyncio.to_thread(fetch_manifest, bridge, session, module)
        file = next((file for file in announced if file.path == path), None)
        if file is None:
            raise DeliveryError("document_absent", NO_VIEW, 404)
        data = await asyncio.to_thread(fetch_file, bridge, session, module, file)
        async with bridge.lock(f"{session}/{module}"):
            copy = await asyncio.to_thread(
                files.restore, bridge.home, f"{session}/{module}", file, data, now=datetime.now()
            )
        application = "voila/render" if path == LESSON else "notebooks" if path.endswith(".ipynb") else "lab/tree"
        self.show(
            "restored.html",
            path=path,
            copy=copy,
            target=self.server_url(application, session, module, path),
            module_url=bridge.module_url(session, module),
        )


def read_saved(home: Path, path: str) -> bytes:
    """The saved bytes of a file of the home, a learner's link never followed."""
    parts = split_path(path)
    if parts is None:
        raise DeliveryError("chemin_interdit", NOT_PLAIN, 400, path=path[:80])
    try:
        with Folder.open(home) as root, root.walk_to(parts[:-1]) as folder:
            return folder.read(parts[-1], limit_bytes=SUBMISSION_LIMIT_BYTES)
    except FileNotFoundError as error:
        raise DeliveryError("carnet_absent", NOT_THERE, 404, path=path) from error
    except TooLarge as error:
        raise DeliveryError("carnet_trop_gros", TOO_LARGE, 413, path=path) from error
    except (NotAFile, NotAFolder) as error:
        raise DeliveryError("place_prise", NOT_PLAIN, 409, path=path) from error


def submit_module(bridge: Bridge, session: str, module: str, ticket: str) -> Any:
    """Send the module's saved notebooks as one attempt, whose id is the ticket."""
    assignments = bridge.door.get_json(f"sessions/{session}/assignments")
    assignment = next((item for item in assignments if item["name"] == module), None)
    if assignment is None:
        raise BridgeError("sans_exercices", NO_ASSIGNMENT, 404)
    names = [name if name.endswith(".ipynb") else f"{name}.ipynb" for name in map(str, assignment["notebooks"])]
    saved = {name: read_saved(bridge.home, f"{session}/{module}/{name}") for name in names}
    return bridge.door.send_files(
        "POST",
        f"sessions/{session}/assignments/{quote(module)}/attempts",
        saved,
        {"client_id": ticket, "ticket": ticket},
    )


class SubmitHandler(PageHandler):
    """`submit?ticket&session&module`: the portal's « Soumettre »; the ticket makes it safe to ask twice."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        session, module, ticket = self.get_slug("session"), self.get_slug("module"), self.get_argument("ticket", "")
        if not re.fullmatch(UUID, ticket):
            raise BridgeError("ticket_absent", NO_TICKET, 400)
        await asyncio.to_thread(submit_module, self.bridge, session, module, ticket)
        self.redirect(self.bridge.module_url(session, module))
