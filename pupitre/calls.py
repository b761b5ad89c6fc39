"""One guarded call of a learner's code: a time limit, its printed output kept (a little of it), its error as a value.

The time limit needs signals, so it holds in the main thread of a Unix process: everywhere a kernel runs on Linux or macOS.
Elsewhere (Windows, Pyodide) the call is simply not limited. This is a help for the learner, not a defence: the marking engine has its own.
"""

from __future__ import annotations

import contextlib
import io
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any

TIME_LIMIT_S = 2.0
KEPT_OUTPUT_CHARACTERS = 2_000


class TimeLimitReached(BaseException):
    """The learner's code ran too long. Not an Exception, so that their `except Exception` lets it pass."""


@dataclass(frozen=True)
class Outcome:
    value: Any
    output: str
    error: BaseException | None


class _FirstCharacters(io.StringIO):
    """Keeps the beginning of what is printed: an endless `print` must not fill the memory."""

    def write(self, text: str) -> int:
        room = KEPT_OUTPUT_CHARACTERS - self.tell()
        if room > 0:
            super().write(text[:room])
        return len(text)


@contextlib.contextmanager
def _time_limit(limit_s: float) -> Iterator[None]:
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return
    running = True

    def stop(_signal: int, _frame: FrameType | None) -> None:
        if running:
            raise TimeLimitReached

    if 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= limit_s:
        yield  # whoever runs this cell stops it sooner
        return
    started = time.monotonic()
    previous_handler = signal.signal(signal.SIGALRM, stop)
    # Repeated, because a bare `except:` in the learner's loop swallows the first one.
    previous_s, previous_interval_s = signal.setitimer(signal.ITIMER_REAL, limit_s, 0.25)
    try:
        yield
    finally:
        running = False
        # The caller's own limit goes on counting.
        left_s = max(previous_s - (time.monotonic() - started), 0.001) if previous_s else 0.0
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, previous_handler)
        signal.setitimer(signal.ITIMER_REAL, left_s, previous_interval_s)


def call(function: Callable[..., Any], *args: Any, time_limit_s: float = TIME_LIMIT_S) -> Outcome:
    """Call a learner's function. Only Ctrl+C (« Interrompre le noyau ») goes through."""
    output = _FirstCharacters()
    value: Any = None
    error: BaseException | None = None
    try:
        with contextlib.redirect_stdout(output), _time_limit(time_limit_s):
            value = function(*args)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:  # noqa: BLE001  (whatever a learner's code raises becomes a sentence)
        error = raised
    return Outcome(value, output.getvalue(), error)
