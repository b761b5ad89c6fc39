"""Being warm: everything imported once, so that a child forked from here imports nothing.

Laws: one thread, always (a fork copies only the thread that calls it, and the locks that others hold); nothing secret and no
learner's byte is ever read here; what a fork must not share with its siblings is made anew by `refresh`.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import gc
import importlib
import importlib.metadata
import importlib.util
import logging
import os
import random
import re
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NoReturn

log = logging.getLogger("nursery")


class NotSingleThreaded(RuntimeError):
    """Something that was imported has started a thread: nothing may be forked from here."""


_entries: list[Any] = []


def _nothing() -> None:
    pass


def warm_up(modules: Iterable[str]) -> None:
    """Import entry modules; each may have a `warm_up()`, which runs what is slow the first time and leaves nothing open."""
    _keep_entry_points()
    for name in modules:
        module = importlib.import_module(name)
        getattr(module, "warm_up", _nothing)()
        _entries.append(module)
    settle()


def _keep_entry_points() -> None:
    """What is installed is asked once, before those who ask are imported: each time, hundreds of files are read.

    The installation is read-only for every child, and another one has another nursery.
    """
    known: Any = importlib.metadata.entry_points()

    def entry_points(**wanted: Any) -> Any:
        return known.select(**wanted)

    importlib.metadata.entry_points = entry_points


def preload(names: Iterable[str]) -> int:
    """Import modules that a rehearsal needed; one that refuses is left to the children. Returns how many are new."""
    before = len(sys.modules)
    for name in names:
        if name in sys.modules or not _is_installed(name):
            continue
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 - the module is somebody else's, and a child can do without
            log.info("not preloaded %s: %r", name, error)
    settle()
    return len(sys.modules) - before


def _is_installed(name: str) -> bool:
    """Found in Python or in its packages, and nowhere else."""
    with contextlib.suppress(Exception):
        spec = importlib.util.find_spec(name)
        if spec is None:
            return False
        if spec.origin in ("built-in", "frozen"):
            return True
        where = spec.origin or next(iter(spec.submodule_search_locations or ()), "")
        return any(Path(where).is_relative_to(root) for root in (sys.prefix, sys.base_prefix, *_get_site_folders()))
    return False


def _get_site_folders() -> list[str]:
    return [folder for folder in sys.path if folder.endswith("site-packages")]


def settle() -> None:
    """Put all that lives aside for good, so that a child's garbage collector does not write on shared pages.

    Raises
    ------
    NotSingleThreaded
        Forking from here could hang a child.
    """
    count = len(list(Path("/proc/self/task").iterdir()))
    if count != 1:
        names = ", ".join(thread.name for thread in threading.enumerate())
        raise NotSingleThreaded(f"{count} threads ({names})")
    for module in _entries:
        getattr(module, "settled", _nothing)()
    gc.disable()
    gc.unfreeze()
    gc.collect()
    _fill_holes()
    gc.freeze()


_filling: list[bytes] = []
_BYTES_HEADER = sys.getsizeof(b"")
_STATISTICS = re.compile(r"^ *\d+ +(\d+) +\d+ +\d+ +(\d+)$", re.MULTILINE)


def _fill_holes() -> None:
    """Leave no small free place between objects that live for good.

    A child's new objects would be put there, and each would copy a shared page for a few bytes of its own. Filled, they go to
    pages of their own, packed. Source: Objects/obmalloc.c, the table of `sys._debugmallocstats`: class, size, number of pools,
    blocks in use, blocks available. Free memory of the C library is given back for the same reason (malloc_trim(3)).
    """
    table = os.memfd_create("mallocstats")
    kept = os.dup(2)
    try:
        os.dup2(table, 2)
        sys._debugmallocstats()
    finally:
        os.dup2(kept, 2)
        os.close(kept)
    text = os.pread(table, 1 << 20, 0).decode("ascii", "replace")
    os.close(table)
    for size, available in _STATISTICS.findall(text):
        if int(size) > _BYTES_HEADER:
            _filling.extend(bytes(int(size) - _BYTES_HEADER) for _ in range(int(available)))
    ctypes.CDLL(None).malloc_trim(0)


def reset_signals() -> None:
    """Nothing of what signals mean to the nursery."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
    signal.set_wakeup_fd(-1)


def refresh() -> None:
    """In a new child: what siblings must not have in common, and what belonged to the nursery."""
    gc.enable()
    reset_signals()
    root = logging.getLogger()
    for handler in list(root.handlers):
        root.removeHandler(handler)
    root.setLevel(logging.WARNING)
    random.seed()
    tempfile._name_sequence = None  # type: ignore[attr-defined] # its generator was seeded before the fork
    tempfile.tempdir = None
    uuid = sys.modules.get("uuid")
    if uuid is not None:
        uuid._last_timestamp = None  # type: ignore[attr-defined] # uuid1
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        numpy_random.seed()


def set_environment(variables: dict[str, str]) -> None:
    """The child's whole environment."""
    os.environ.clear()
    os.environ.update(variables)


def run_to_end(work: Callable[[], None]) -> NoReturn:
    """Run in a forked process, which then ends as an interpreter does: it must not return through its parent's frames."""
    code: object = 1
    try:
        work()
        code = None
    except SystemExit as end:
        code = end.code
    except BaseException:  # noqa: BLE001 - it is said in the log, and the process ends
        traceback.print_exc()
    finally:
        os._exit(_finish(code))


def _finish(code: object) -> int:
    """What an interpreter does at its end."""
    status = code if isinstance(code, int) else 0 if code is None else 1
    if status == 1 and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
    with contextlib.suppress(BaseException):
        threading._shutdown()  # type: ignore[attr-defined]
    with contextlib.suppress(BaseException):
        atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(BaseException):
            stream.flush()
    return status & 0xFF
