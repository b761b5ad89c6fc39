"""A folder of a person's home, held by its descriptor and never through a link.

Laws: every component of a path is opened with O_NOFOLLOW, relative to the folder above it, so that no link
made by a learner (or by their running kernel, between a check and its use) leads a read or a write elsewhere;
a write is a new file renamed over the old one, so that a reader sees one or the other and a full disk loses nothing.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType

TEMPORARY_PREFIX = ".pupitre-"
TEMPORARY_SUFFIX = ".tmp"


class NotAFolder(OSError):
    """A component of a path is a link, a file or a special file where a folder is needed."""


class NotAFile(OSError):
    """A link, a folder or a special file stands where a file is needed."""


class TooLarge(OSError):
    """A file is larger than what the caller accepts to read."""


class Folder:
    """An open folder; use as a context manager."""

    def __init__(self, descriptor: int, path: Path) -> None:
        self.descriptor = descriptor
        self.path = path

    @classmethod
    def open(cls, path: Path) -> Folder:
        """The folder at `path`, which the caller trusts (a home): only what is below it is checked."""
        return cls(os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), path)

    def __enter__(self) -> Folder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self.descriptor)

    def enter(self, name: str, *, create: bool = False) -> Folder:
        """The folder `name` inside this one.

        Raises
        ------
        NotAFolder
            `name` is a link or something else than a folder.
        FileNotFoundError
            It is absent and `create` is false.
        """
        if create:
            with suppress(FileExistsError):
                os.mkdir(name, 0o755, dir_fd=self.descriptor)
        kind = self.kind(name)
        if kind not in ("folder", "absent"):
            raise NotAFolder(20, "not a folder", str(self.path / name))
        flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        return Folder(os.open(name, flags, dir_fd=self.descriptor), self.path / name)

    @contextmanager
    def walk_to(self, parts: tuple[str, ...], *, create: bool = False) -> Iterator[Folder]:
        """The folder at the end of `parts`, one component at a time."""
        current = Folder(os.dup(self.descriptor), self.path)
        try:
            for part in parts:
                below = current.enter(part, create=create)
                os.close(current.descriptor)
                current = below
            yield current
        finally:
            os.close(current.descriptor)

    def kind(self, name: str) -> str:
        """ "absent", "file", "folder", "link" or "special"."""
        try:
            mode = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False).st_mode
        except FileNotFoundError:
            return "absent"
        if stat.S_ISREG(mode):
            return "file"
        if stat.S_ISDIR(mode):
            return "folder"
        return "link" if stat.S_ISLNK(mode) else "special"

    def names(self) -> list[str]:
        return sorted(os.listdir(self.descriptor))  # noqa: PTH208 - of a descriptor

    def read(self, name: str, *, limit_bytes: int) -> bytes:
        """The bytes of a regular file."""
        if self.kind(name) not in ("file", "absent"):
            raise NotAFile(22, "not a regular file", str(self.path / name))
        # O_NONBLOCK: a pipe put there meanwhile must not hold the server.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        with os.fdopen(os.open(name, flags, dir_fd=self.descriptor), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise NotAFile(22, "not a regular file", str(self.path / name))
            data = file.read(limit_bytes + 1)
        if len(data) > limit_bytes:
            raise TooLarge(27, "file too large", str(self.path / name))
        return data

    def write(self, name: str, data: bytes) -> None:
        """Put `data` at `name`, entirely or not at all; a link standing there is replaced, never followed."""
        temporary = f"{TEMPORARY_PREFIX}{secrets.token_hex(8)}{TEMPORARY_SUFFIX}"
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(temporary, flags, 0o644, dir_fd=self.descriptor), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=self.descriptor)
            raise

    def keep_as(self, name: str, copy: str) -> None:
        """Give the file a second name, which must be free: writing to the first then leaves the second as it was."""
        os.link(name, copy, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor, follow_symlinks=False)

    def remove_leftovers(self) -> None:
        """Remove what an interrupted write left."""
        for name in self.names():
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX):
                os.unlink(name, dir_fd=self.descriptor)


def split_path(path: str) -> tuple[str, ...] | None:
    """The components of a relative path that may be delivered, or None.

    Refused: absolute, `.`/`..`, empty or hidden components (`.jupyter/` would configure the server), separators of
    other systems, control characters, components longer than a file system takes.
    """
    parts = tuple(path.split("/"))
    for part in parts:
        if not part or part.startswith(".") or "\\" in part or len(part.encode()) > 200:
            return None
        if any(not character.isprintable() for character in part):
            return None
    return parts if len(parts) <= 12 else None
