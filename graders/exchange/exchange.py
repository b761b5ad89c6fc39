"""What every operation shares: configuration, names, timestamps, and errors that become sentences."""

from __future__ import annotations

import os
import re
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn
from zoneinfo import ZoneInfo

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError
from nbgrader.exchange.abc import Exchange as ABCExchange
from nbgrader.utils import ignore_patterns
from traitlets import Bool, Unicode, default

from graders.exchange.door import Door, DoorError, open_door
from graders.exchange.folder import read_files

NAME = re.compile(r"\w[\w .-]{0,127}")
PERSON = re.compile(r"\w[\w .@-]{0,127}")


class Exchange(ABCExchange):
    """Base of our operations. Configured as nbgrader's own: `c.Exchange.cache`, `c.Exchange.path_includes_course`."""

    root = Unicode("", help="Without effect: there is no exchange directory. Accepted because scripts give it.").tag(
        config=True
    )
    cache = Unicode(
        "", help="Folder of this person's submissions. Default: nbgrader_cache in Jupyter's data folder."
    ).tag(config=True)
    path_includes_course = Bool(False, help="Put assignments in ./COURSE/ASSIGNMENT instead of ./ASSIGNMENT.").tag(
        config=True
    )
    _door: Door | None = None

    @default("cache")
    def _cache_default(self) -> str:
        """In a learner's server Jupyter's data folder is the installation's, read-only; a terminal's is in the home."""
        data = Path(jupyter_data_dir())
        if data.exists() and not os.access(data, os.W_OK):
            data = Path.home() / ".local" / "share" / "jupyter"
        return str(data / "nbgrader_cache")

    @property
    def door(self) -> Door:
        if self._door is None:
            self._door = open_door()
        return self._door

    def start(self) -> Any:
        """Run the operation; whatever the portal or the disk refuses becomes one sentence."""
        try:
            return super().start()
        except DoorError as error:
            self.fail(f"{error.message} [{error.code}]")
        except OSError as error:
            self.fail(f"Lecture ou écriture impossible : {error.strerror or error} ({error.filename or '?'}).")
        finally:
            if self._door is not None:
                self._door.close()
                self._door = None

    def fail(self, message: str) -> NoReturn:
        self.log.fatal(message)
        raise ExchangeError(message)

    def get_course(self) -> str:
        """The session's slug, which is nbgrader's course id."""
        course: str = self.coursedir.course_id
        if not course:
            self.fail("Aucune session n’est indiquée : ajoutez l’option --course.")
        return self.check_name(course)

    def get_assignment(self) -> str:
        if not self.coursedir.assignment_id:
            self.fail("Aucun carnet d’exercices n’est indiqué.")
        return self.check_name(self.coursedir.assignment_id)

    def check_name(self, name: str) -> str:
        """A name that is one part of a path, wherever it comes from."""
        if not NAME.fullmatch(name):
            self.fail(f"Le nom « {name[:80]} » ne convient pas : lettres, chiffres, espaces, points et tirets.")
        return name

    def get_assignment_folder(self, course: str, assignment: str) -> Path:
        folder = Path(self.assignment_dir).absolute()
        return folder / course / assignment if self.path_includes_course else folder / assignment

    def format_time(self, received_at: object) -> str:
        """The portal's time of an attempt as nbgrader writes it; the same everywhere, so that it names feedback folders."""
        try:
            moment = datetime.fromisoformat(str(received_at))
            return moment.astimezone(ZoneInfo(self.timezone)).strftime(self.timestamp_format)
        except (TypeError, ValueError, KeyError) as error:
            raise DoorError("portail_illisible", f"Date illisible : {str(received_at)[:40]}.") from error

    def read_folder(self, folder: Path) -> dict[str, bytes]:
        """Files of a folder that the course's settings do not leave out, within its size."""
        settings = self.coursedir
        ignored = ignore_patterns(
            exclude=settings.ignore, include=settings.include, max_file_size=settings.max_file_size, log=self.log
        )
        files = read_files(folder, lambda directory, names: set(ignored(str(directory), names)))
        size_bytes = sum(map(len, files.values()))
        if size_bytes > 1000 * settings.max_dir_size:
            # nbgrader's own error for this, which its callers know
            raise RuntimeError(
                f"Le dossier est trop gros : {size_bytes} octets, {1000 * settings.max_dir_size} au plus."
            )
        return files

    def list_sessions(self) -> list[str]:
        """The course asked for, or all of this person's."""
        if self.coursedir.course_id:
            return [self.get_course()]
        told = self.door.get("me")
        return [row["slug"] for row in told.get("sessions", []) if NAME.fullmatch(str(row.get("slug", "")))]
