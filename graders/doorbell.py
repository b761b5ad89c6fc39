"""A bell between our own processes of one machine: « there is something to look at in the database », and about whom.

Laws: the database alone says what happened; a bell that is not heard costs time and nothing else, since whoever waits looks
again by itself after a while (processes of other machines are not heard at all); ringing never fails and never waits.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import secrets
import select
import socket
import weakref
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from django.conf import settings

WORK, MARKS = "work", "marks"
"""Who listens: workers, for tasks; pages, for attempts that changed (about: the learner's id)."""
_WORD_BYTES = 64


class Doorbell:
    """One listener: a datagram socket in the folder of its name, gone with it."""

    def __init__(self, name: str) -> None:
        folder = _get_folder(name)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._socket.bind(str(self._path))

    def fileno(self) -> int:
        return self._socket.fileno()

    def wait(self, timeout_s: float) -> set[str]:
        """Wait until it rings, at most `timeout_s`; about whom."""
        select.select([self], [], [], timeout_s)
        return self.take()

    def take(self) -> set[str]:
        """About whom it has rung since the last look."""
        heard = set()
        with contextlib.suppress(BlockingIOError):
            while True:
                heard.add(self._socket.recv(_WORD_BYTES).decode("utf-8", "replace"))
        return heard

    def close(self) -> None:
        self._socket.close()
        self._path.unlink(missing_ok=True)

    def __enter__(self) -> Doorbell:
        return self

    def __exit__(self, _type: type[BaseException] | None, _value: object, _trace: TracebackType | None) -> None:
        self.close()


class SharedDoorbell:
    """One bell for everything that waits in an event loop: each is woken for whom it waits only."""

    _of_loop: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, dict[str, SharedDoorbell]] = (
        weakref.WeakKeyDictionary()
    )

    def __init__(self, name: str) -> None:
        self._bell = Doorbell(name)
        self._waiting: dict[str, set[asyncio.Event]] = {}

    @classmethod
    @contextlib.contextmanager
    def about(cls, name: str, whom: str) -> Iterator[asyncio.Event]:
        """An event that is set when it rings about `whom`; whoever waits clears it before looking."""
        loop, event = asyncio.get_running_loop(), asyncio.Event()
        bells = cls._of_loop.setdefault(loop, {})
        bell = bells.get(name)
        if bell is None:
            bell = bells[name] = cls(name)
            loop.add_reader(bell._bell.fileno(), bell._wake)
        bell._waiting.setdefault(whom, set()).add(event)
        try:
            yield event
        finally:
            bell._waiting[whom].discard(event)
            if not bell._waiting[whom]:
                del bell._waiting[whom]
            if not bell._waiting:
                del bells[name]
                loop.remove_reader(bell._bell.fileno())
                bell._bell.close()

    def _wake(self) -> None:
        for whom in self._bell.take():
            for event in self._waiting.get(whom, ()):
                event.set()


def ring(name: str, about: str = "") -> None:
    """Let every listener of this name look; to be called after the commit."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as bell:
        for path in _get_folder(name).glob("*"):
            try:
                bell.sendto(about.encode()[:_WORD_BYTES], str(path))
            except OSError as error:
                if error.errno == errno.ECONNREFUSED:  # its listener was killed
                    path.unlink(missing_ok=True)


def _get_folder(name: str) -> Path:
    run_dir: Path = settings.ENVIRONMENT.run_dir
    return run_dir / "bells" / name
