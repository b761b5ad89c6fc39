"""An author's workshop: `~/atelier/<slug>/`, made from a small complete course, previewed, published.

Laws: an author's file is never overwritten (only `apercu/`, which we make, is); a folder is read without following links;
publishing sends the folder as it is saved, and the portal alone judges it.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml
from tornado.web import authenticated

from graders.engine.release import release_notebook
from graders.errors import ReleaseError
from hub.jupyter.bridge.coursetemplate import make_course_files
from hub.jupyter.bridge.errors import BridgeError, WorkshopError
from hub.jupyter.bridge.folder import Folder, NotAFile, NotAFolder, TooLarge, split_path
from hub.jupyter.bridge.pages import Bridge, PageHandler, answer_errors
from hub.jupyter.language import gettext_noop

WORKSHOP, PREVIEW = "atelier", "apercu"
LESSON, EXERCISES = "lecon.ipynb", "exercices.ipynb"
COURSE_LIMIT_BYTES = 48 << 20
FILES_LIMIT = 2000
UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"

NOT_THERE = gettext_noop(
    "Votre atelier ne contient pas le parcours « {slug} ». Créez-le depuis la page « Atelier » du portail."
)
NOT_PLAIN = gettext_noop(
    "« {path} » est un lien ou un fichier spécial. Supprimez-le de votre atelier, puis recommencez."
)
TOO_BIG = gettext_noop(
    "Le parcours dépasse 48 Mo ou 2 000 fichiers. Enlevez les gros fichiers de « atelier/{slug} », puis recommencez."
)
NO_ACTION = gettext_noop("Cette action n’existe pas. Revenez à la page du parcours.")
BAD_FILE = gettext_noop("{file} : {reason}")
BAD_YAML = gettext_noop(
    "course.yml, ligne {line} : la syntaxe YAML est incorrecte. Corrigez cette ligne, enregistrez, puis recommencez."
)
UNREADABLE_YAML = gettext_noop(
    "course.yml : la syntaxe YAML est incorrecte. Corrigez le fichier, enregistrez, puis recommencez."
)
NO_MODULES = gettext_noop(
    "course.yml : la clé « modules » doit être une liste, et chaque module doit avoir un « slug »."
)
NO_FILE = gettext_noop("course.yml : le fichier « {path} » (« {key} ») n’existe pas.")
NO_TICKET = gettext_noop("L’adresse est incomplète. Revenez à la page « Atelier » du portail.")
DISK = gettext_noop(
    "Le parcours n’a pas pu être écrit ({reason}). Libérez de la place dans votre espace, puis recommencez."
)


def write_course(home: Path, slug: str, title: str, author: str) -> bool:
    """Write a new course unless its folder exists; returns whether it was made."""
    try:
        with Folder.open(home) as root, root.enter(WORKSHOP, create=True) as workshop:
            if workshop.kind(slug) == "folder" and "course.yml" in workshop.enter(slug).names():
                return False
            # course.yml comes last: without it the folder counts as not made, and the next try completes it.
            for path, data in make_course_files(slug, title, author):
                parts = (slug, *path.split("/"))
                with workshop.walk_to(parts[:-1], create=True) as folder:
                    if folder.kind(parts[-1]) == "absent":
                        folder.write(parts[-1], data)
            return True
    except (NotAFolder, NotAFile) as error:
        raise WorkshopError("place_prise", NOT_PLAIN, 409, path=f"{WORKSHOP}/{slug}") from error
    except OSError as error:
        raise WorkshopError("ecriture_impossible", DISK, 507, reason=error.strerror) from error


def read_course(home: Path, slug: str) -> dict[str, bytes]:
    """The files of a course as saved, without previews, hidden files and editors' copies."""
    found: dict[str, bytes] = {}
    left_bytes = COURSE_LIMIT_BYTES
    try:
        with _open_course(home, slug) as course:
            for path, folder, name in _walk(course, ()):
                found[path] = folder.read(name, limit_bytes=left_bytes)
                left_bytes -= len(found[path])
                if len(found) > FILES_LIMIT:
                    raise WorkshopError("parcours_trop_gros", TOO_BIG, 413, slug=slug)
    except TooLarge as error:
        raise WorkshopError("parcours_trop_gros", TOO_BIG, 413, slug=slug) from error
    except NotAFile as error:
        place = Path(str(error.filename)).relative_to(home)
        raise WorkshopError("place_prise", NOT_PLAIN, 409, path=place) from error
    return found


def list_course(home: Path, slug: str) -> list[str]:
    """The notebooks and texts of a course that its author edits."""
    with _open_course(home, slug) as course:
        paths = [path for path, folder, name in _walk(course, ()) if folder.kind(name) == "file"]
    return [path for path in paths if path.endswith((".ipynb", ".yml", ".md", ".py"))]


@contextmanager
def _open_course(home: Path, slug: str) -> Iterator[Folder]:
    try:
        with Folder.open(home) as root, root.walk_to((WORKSHOP, slug)) as course:
            if course.kind("course.yml") == "absent":
                raise WorkshopError("parcours_absent", NOT_THERE, 404, slug=slug)
            yield course
    except NotAFolder as error:
        place = Path(str(error.filename)).relative_to(home)
        raise WorkshopError("place_prise", NOT_PLAIN, 409, path=place) from error
    except FileNotFoundError as error:
        raise WorkshopError("parcours_absent", NOT_THERE, 404, slug=slug) from error


def _walk(folder: Folder, above: tuple[str, ...]) -> Iterator[tuple[str, Folder, str]]:
    """Path, folder and name of everything that is not a folder; hidden: checkpoints, editors' files."""
    for name in folder.names():
        path = "/".join((*above, name))
        if split_path(path) is None or (not above and name == PREVIEW):
            continue
        if folder.kind(name) == "folder":
            with folder.enter(name) as below:
                yield from _walk(below, (*above, name))
        else:
            yield path, folder, name


def list_modules(course: dict[str, bytes]) -> list[dict[str, Any]]:
    """The modules of `course.yml`, as far as a preview needs them; publishing validates everything."""
    try:
        content = yaml.safe_load(course["course.yml"])
        modules = [
            module for module in content["modules"] if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,62}", str(module["slug"]))
        ]
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        if mark is None:
            raise WorkshopError("course_yml", UNREADABLE_YAML, 422) from error
        raise WorkshopError("course_yml", BAD_YAML, 422, line=mark.line + 1) from error
    except (TypeError, KeyError) as error:
        raise WorkshopError("course_yml", NO_MODULES, 422) from error
    return modules


def make_preview(home: Path, slug: str) -> list[dict[str, str]]:
    """Write what a participant would get into `atelier/<slug>/apercu/<module>/`; returns each module's documents."""
    course = read_course(home, slug)
    modules = [(module, dict(_deliverables(module, course))) for module in list_modules(course)]
    try:
        with Folder.open(home) as root, root.walk_to((WORKSHOP, slug, PREVIEW), create=True) as preview:
            for module, delivered in modules:
                for path, data in delivered.items():
                    parts = (str(module["slug"]), *path.split("/"))
                    with preview.walk_to(parts[:-1], create=True) as folder:
                        folder.write(parts[-1], data)
    except NotAFolder as error:
        raise WorkshopError("place_prise", NOT_PLAIN, 409, path=f"{WORKSHOP}/{slug}/{PREVIEW}") from error
    except OSError as error:
        raise WorkshopError("ecriture_impossible", DISK, 507, reason=error.strerror) from error
    return [_describe_preview(slug, module, delivered) for module, delivered in modules]


def _describe_preview(slug: str, module: dict[str, Any], delivered: dict[str, bytes]) -> dict[str, str]:
    place = f"{WORKSHOP}/{slug}/{PREVIEW}/{module['slug']}"
    return {
        "title": str(module.get("title", module["slug"])),
        "lesson": f"{place}/{LESSON}" if LESSON in delivered else "",
        "assignment": f"{place}/{EXERCISES}" if EXERCISES in delivered else "",
    }


def _deliverables(module: dict[str, Any], course: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    """The files of one module as they lie in a participant's folder (interfaces.md, section 5)."""
    for key, name in (("lesson", LESSON), ("assignment", EXERCISES)):
        path = module.get(key)
        if path is None:
            continue
        if path not in course:
            raise WorkshopError("fichier_absent", NO_FILE, 422, path=path, key=key)
        data = course[path]
        if key == "assignment":
            try:
                data = release_notebook(data)
            except ReleaseError as error:
                raise WorkshopError(error.code, BAD_FILE, 422, file=path, reason=error.message) from error
        yield name, data
    for wanted in module.get("files") or []:
        for path, data in course.items():
            if path == wanted or path.startswith(f"{wanted}/"):
                above = str(wanted).rpartition("/")[0]
                yield path.removeprefix(f"{above}/") if above else path, data


def publish(bridge: Bridge, slug: str) -> dict[str, Any]:
    """Send the course as it is saved; the portal judges it and gives its version."""
    course = read_course(bridge.home, slug)
    return bridge.door.send_files("PUT", f"courses/{quote(slug)}", course) or {}


class NewCourseHandler(PageHandler):
    """`newcourse?ticket`: the portal's « Nouveau parcours »; the ticket names the draft, so it is safe to ask twice."""

    @authenticated
    @answer_errors
    async def get(self) -> None:
        ticket = self.get_argument("ticket", "")
        if not re.fullmatch(UUID, ticket):
            raise BridgeError("ticket_absent", NO_TICKET, 400)
        draft = await asyncio.to_thread(self.bridge.door.get_json, f"drafts/{ticket}")
        slug, title, author = str(draft["slug"]), str(draft["title"]), str(draft["author"])
        await asyncio.to_thread(write_course, self.bridge.home, slug, title, author)
        self.redirect(self.server_url("pupitre", "atelier", slug))


class WorkshopHandler(PageHandler):
    """`atelier/<slug>`: edit, preview, publish."""

    @authenticated
    @answer_errors
    async def get(self, slug: str) -> None:
        await self.show_workshop(slug)

    @authenticated
    @answer_errors
    async def post(self, slug: str) -> None:
        action = self.get_argument("action", "")
        async with self.bridge.lock(f"{WORKSHOP}/{slug}"):
            try:
                if action == "preview":
                    await self.show_workshop(slug, shown=await asyncio.to_thread(make_preview, self.bridge.home, slug))
                elif action == "publish":
                    await self.show_workshop(slug, published=await asyncio.to_thread(publish, self.bridge, slug))
                else:
                    raise BridgeError("action_inconnue", NO_ACTION, 400)
            except BridgeError as error:
                if error.status not in (400, 403, 409, 413, 422):
                    raise
                # The author's own mistakes are shown on the page they act from.
                self.log.warning("workshop %s: %s", slug, error)
                await self.show_workshop(slug, error=error)

    async def show_workshop(
        self,
        slug: str,
        *,
        shown: list[dict[str, str]] | None = None,
        published: dict[str, Any] | None = None,
        error: BridgeError | None = None,
    ) -> None:
        paths = await asyncio.to_thread(list_course, self.bridge.home, slug)

        def link(application: str, path: str) -> str:
            return self.server_url(application, *path.split("/")) if path else ""

        self.show(
            "workshop.html",
            status=error.status if error else 200,
            slug=slug,
            edit=[(path, link("lab/tree", f"{WORKSHOP}/{slug}/{path}")) for path in paths],
            folder=link("lab/tree", f"{WORKSHOP}/{slug}"),
            shown=[
                {
                    "title": entry["title"],
                    "lesson": link("voila/render", entry["lesson"]),
                    "assignment": link("notebooks", entry["assignment"]),
                }
                for entry in shown or []
            ],
            published=published,
            error=error,
        )


PAGES = ((r"newcourse", NewCourseHandler), (r"atelier/([a-z0-9][a-z0-9-]{0,62})", WorkshopHandler))
