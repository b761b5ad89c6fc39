"""Files to and from a person's folder.

Laws: no link is followed, whoever made it; nothing is read or written outside the folder; a file appears whole or not at
all. A course's folder is the person's own, so another process of theirs may change it meanwhile: that fails, no more.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from graders.engine.wire import check_path

DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class UnsafePathError(OSError):
    """A link or another kind of file stands where a folder or a file should be."""


def write_files(folder: Path, files: Mapping[str, bytes], *, replace: bool) -> list[str]:
    """Write files below `folder` (made if absent); without `replace`, what exists stays. Gives the paths written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for path, content in files.items():
        *parents, name = check_path(path).split("/")
        with _open_below(folder, parents) as descriptor:
            if not replace and _exists(descriptor, name):
                continue
            _write_whole(descriptor, name, content)
            written.append(path)
    return written


def read_files(folder: Path, skip: Callable[[Path, list[str]], set[str]]) -> dict[str, bytes]:
    """Regular files below `folder`, by relative path. `skip(directory, names)` gives the names left out."""
    files: dict[str, bytes] = {}
    for directory, names, filenames, descriptor in os.fwalk(folder, follow_symlinks=False):
        left_out = skip(Path(directory), [*names, *filenames])
        names[:] = sorted(name for name in names if name not in left_out)
        for name in sorted(filenames):
            if name in left_out:
                continue
            content = _read_regular(descriptor, name)
            if content is not None:
                files[(Path(directory) / name).relative_to(folder).as_posix()] = content
    return files


@contextlib.contextmanager
def _open_below(folder: Path, parents: list[str]) -> Iterator[int]:
    """A descriptor of `folder/parents…`, made if absent, opened part by part without following links."""
    descriptor = os.open(folder, DIRECTORY)
    try:
        for part in parents:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, 0o755, dir_fd=descriptor)
            try:
                inner = os.open(part, DIRECTORY, dir_fd=descriptor)
            except OSError as error:
                raise UnsafePathError(error.errno, "not a folder", part) from error
            os.close(descriptor)
            descriptor = inner
        yield descriptor
    finally:
        os.close(descriptor)


def _exists(descriptor: int, name: str) -> bool:
    try:
        os.stat(name, dir_fd=descriptor, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def _write_whole(descriptor: int, name: str, content: bytes) -> None:
    draft = f".{secrets.token_hex(8)}.tmp"
    file = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=descriptor)
    try:
        with os.fdopen(file, "wb") as stream:
            stream.write(content)
        os.rename(draft, name, src_dir_fd=descriptor, dst_dir_fd=descriptor)  # replaces a link itself, not its target
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft, dir_fd=descriptor)
        raise


def _read_regular(descriptor: int, name: str) -> bytes | None:
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=descriptor)
    except OSError:
        return None  # a link, or gone meanwhile
    with os.fdopen(file, "rb") as stream:
        return stream.read() if stat.S_ISREG(os.fstat(file).st_mode) else None
