"""Delivery of a module's files into a home: `docs/reference/behaviour-files.md` numbers the cases.

The promise: what the learner wrote is never lost, whatever we deliver. A file we delivered and that they did not
touch follows our versions; anything else of theirs stays under its name and ours is put beside it.

Laws: pure files (no network: bytes come from `fetch`); nothing outside the home, no link followed (`folder.py`);
each file is delivered atomically and recorded at once, so that an interrupted delivery is resumed by the next;
one file that cannot be delivered does not stop the others.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath

from hub.jupyter.bridge.errors import DeliveryError
from hub.jupyter.bridge.folder import Folder, NotAFile, NotAFolder, TooLarge, split_path
from hub.jupyter.language import gettext_noop

log = logging.getLogger("pupitre.bridge")

STATE_FOLDER = ".pupitre"
STATE_FILE = "delivered.json"
FILE_LIMIT_BYTES = 64 << 20
STATE_LIMIT_BYTES = 4 << 20

LINK = gettext_noop(
    "« {path} » est un lien, un dossier ou un fichier spécial : rien n’a été écrit. Renommez-le ou supprimez-le, puis ouvrez le module de nouveau."
)
FOLDER_LINK = gettext_noop(
    "Le dossier « {path} » est un lien ou un fichier : rien n’y a été écrit. Renommez-le ou supprimez-le, puis ouvrez le module de nouveau."
)
TRAVERSAL = gettext_noop(
    "Le module annonce un fichier au nom interdit (« {path} ») : rien n’a été déposé. Signalez-le à votre formateur."
)
DAMAGED = gettext_noop("Le fichier « {path} » est arrivé abîmé : rien n’a été écrit. Réessayez dans un instant.")
DISK = gettext_noop(
    "« {path} » n’a pas pu être écrit ({reason}). Vos fichiers n’ont pas changé. Libérez de la place dans votre dossier, puis réessayez."
)
TOO_LARGE_TO_DELIVER = gettext_noop("« {path} » est trop gros pour être déposé. Signalez-le à votre formateur.")
TOO_MANY = gettext_noop("« {name} » a déjà mille copies. Supprimez-en, puis réessayez.")
STATE = gettext_noop(
    "Le dossier « .pupitre » de votre espace est un lien ou un fichier : rien n’a été déposé. Supprimez-le, puis réessayez."
)


@dataclass(frozen=True)
class Announced:
    """A file as the portal's manifest announces it."""

    path: str
    sha256: str
    size: int


@dataclass
class Delivery:
    """What one delivery did; paths are relative to the module's folder."""

    written: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    deleted: list[str] = field(default_factory=list)
    problems: list[DeliveryError] = field(default_factory=list)


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Delivered:
    """The record of what we delivered, `~/.pupitre/delivered.json`: path in the home → content hash.

    The learner may edit or delete it: the worst is that their own files are kept and ours put beside.
    """

    def __init__(self, home: Folder) -> None:
        try:
            self._folder = home.enter(STATE_FOLDER, create=True)
        except NotAFolder as error:
            raise DeliveryError("etat_lien", STATE, 409) from error
        self._files: dict[str, str] = {}
        self._beside: dict[str, str] = {}
        try:
            content = json.loads(self._folder.read(STATE_FILE, limit_bytes=STATE_LIMIT_BYTES))
            self._files = {str(path): str(sha) for path, sha in content["files"].items()}
            self._beside = {str(path): str(sha) for path, sha in content["beside"].items()}
        except FileNotFoundError:
            pass
        except (ValueError, KeyError, TypeError, AttributeError, NotAFile, TooLarge) as error:
            log.warning("delivered.json is unreadable (%s): the person's files count as their own", error)

    def __enter__(self) -> Delivered:
        return self

    def __exit__(self, *exception: object) -> None:
        self._folder.__exit__(None, None, None)

    def find(self, path: str) -> str | None:
        return self._files.get(path)

    def find_beside(self, path: str) -> str | None:
        return self._beside.get(path)

    def record(self, path: str, sha256: str) -> None:
        if self._files.get(path) != sha256:
            self._files[path] = sha256
            self._save()

    def record_beside(self, path: str, sha256: str) -> None:
        self._beside[path] = sha256
        self._save()

    def _save(self) -> None:
        content = json.dumps({"files": self._files, "beside": self._beside}, ensure_ascii=False, indent=1)
        self._folder.write(STATE_FILE, content.encode())


def parse_manifest(files: Iterable[dict[str, object]]) -> list[Announced]:
    """The files of a manifest, all of them checked before the first is written (case 12)."""
    announced = []
    for entry in files:
        path, sha256, size = str(entry.get("path", "")), str(entry.get("sha256", "")), entry.get("size")
        if split_path(path) is None or len(sha256) != 64 or not isinstance(size, int):
            log.error("manifest refused: %r", entry)
            raise DeliveryError("chemin_interdit", TRAVERSAL, 502, path=path[:80])
        if not 0 <= size <= FILE_LIMIT_BYTES:
            raise DeliveryError("fichier_trop_gros", TOO_LARGE_TO_DELIVER, 502, path=path)
        announced.append(Announced(path, sha256, size))
    return announced


def name_beside(name: str, label: str, is_free: Callable[[str], bool]) -> str:
    """`exercices.ipynb` → `exercices (version du 24-11-2026).ipynb`, numbered if that is taken."""
    path = PurePosixPath(name)
    for number in range(1, 1000):
        suffix = "" if number == 1 else f" {number}"
        candidate = f"{path.stem} ({label}{suffix}){path.suffix}"
        if is_free(candidate):
            return candidate
    raise DeliveryError("trop_de_copies", TOO_MANY, 409, name=name)


def deliver(
    home: Path, base: str, announced: list[Announced], fetch: Callable[[Announced], bytes], *, now: datetime
) -> Delivery:
    """Deliver the announced files into `home/base`; `fetch` gives bytes only for files that must be written."""
    result = Delivery()
    base_parts = split_path(base)
    if base_parts is None:
        raise DeliveryError("chemin_interdit", TRAVERSAL, 400, path=base[:80])
    with Folder.open(home) as root, Delivered(root) as delivered:
        for file in announced:
            parts = (*base_parts, *file.path.split("/"))
            try:
                with root.walk_to(parts[:-1], create=True) as folder:
                    folder.remove_leftovers()
                    _deliver_one(folder, parts, file, fetch, delivered, result, now)
            except DeliveryError as error:
                result.problems.append(error)
            except NotAFolder as error:
                place = Path(str(error.filename)).relative_to(home)
                result.problems.append(DeliveryError("dossier_lien", FOLDER_LINK, 409, path=place))
            except OSError as error:
                result.problems.append(_not_written(file.path, error))
    for problem in result.problems:
        log.warning("delivery to %s: %s", base, problem)
    return result


def _deliver_one(
    folder: Folder,
    parts: tuple[str, ...],
    file: Announced,
    fetch: Callable[[Announced], bytes],
    delivered: Delivered,
    result: Delivery,
    now: datetime,
) -> None:
    name, key = parts[-1], "/".join(parts)
    kind, ours = folder.kind(name), delivered.find(key)
    if kind not in ("absent", "file"):
        raise DeliveryError("place_prise", LINK, 409, path=file.path)  # case 10
    if kind == "absent":
        if ours is not None:  # case 7: they deleted it; only « Repartir de l'original » brings it back
            result.deleted.append(file.path)
            return
        folder.write(name, _fetch_checked(file, fetch))  # case 1
        delivered.record(key, file.sha256)
        result.written.append(file.path)
        return
    try:
        theirs = digest(folder.read(name, limit_bytes=FILE_LIMIT_BYTES))
    except TooLarge:
        theirs = "larger than anything we deliver"
    if theirs == file.sha256:  # case 2; also a delivery interrupted before it was recorded (case 13)
        delivered.record(key, file.sha256)
    elif ours == theirs:  # case 3
        folder.write(name, _fetch_checked(file, fetch))
        delivered.record(key, file.sha256)
        result.updated.append(file.path)
    elif ours == file.sha256 or delivered.find_beside(key) == file.sha256:  # case 4, and 5 once it is done
        result.kept.append(file.path)
    else:  # cases 5 and 6
        beside = name_beside(name, f"version du {now:%d-%m-%Y}", lambda free: folder.kind(free) == "absent")
        folder.write(beside, _fetch_checked(file, fetch))
        delivered.record_beside(key, file.sha256)
        result.kept.append(file.path)
        result.beside.append(str(PurePosixPath(file.path).with_name(beside)))


def restore(home: Path, base: str, file: Announced, data: bytes, *, now: datetime) -> str | None:
    """« Repartir de l'original » (case 8): the original under its name; returns where their copy went, if they had one."""
    base_parts = split_path(base)
    if base_parts is None:
        raise DeliveryError("chemin_interdit", TRAVERSAL, 400, path=base[:80])
    data = check_bytes(file, data)
    parts = (*base_parts, *file.path.split("/"))
    copy: str | None = None
    try:
        with Folder.open(home) as root, Delivered(root) as delivered, root.walk_to(parts[:-1], create=True) as folder:
            name = parts[-1]
            kind = folder.kind(name)
            if kind not in ("absent", "file"):
                raise DeliveryError("place_prise", LINK, 409, path=file.path)
            if kind == "file" and digest(folder.read(name, limit_bytes=FILE_LIMIT_BYTES)) == file.sha256:
                delivered.record("/".join(parts), file.sha256)
                return None
            if kind == "file":
                copy = name_beside(
                    name, f"ma copie du {now:%d-%m-%Y %Hh%M}", lambda free: folder.kind(free) == "absent"
                )
                folder.keep_as(name, copy)
            folder.write(name, data)
            delivered.record("/".join(parts), file.sha256)
    except NotAFolder as error:
        place = Path(str(error.filename)).relative_to(home)
        raise DeliveryError("dossier_lien", FOLDER_LINK, 409, path=place) from error
    except OSError as error:
        raise _not_written(file.path, error) from error
    return copy


def _not_written(path: str, error: OSError) -> DeliveryError:
    return DeliveryError("ecriture_impossible", DISK, 507, path=path, reason=error.strerror or type(error).__name__)


def _fetch_checked(file: Announced, fetch: Callable[[Announced], bytes]) -> bytes:
    return check_bytes(file, fetch(file))


def check_bytes(file: Announced, data: bytes) -> bytes:
    """The bytes, if they are those announced (case 14)."""
    if len(data) != file.size or digest(data) != file.sha256:
        raise DeliveryError("fichier_abime", DAMAGED, 502, path=file.path)
    return data
