"""The IPython shell of a marking run, without a kernel: displays, results and errors go to a `Capture`."""

from __future__ import annotations

import builtins
import getpass
import os
import sys
from typing import Any, NoReturn

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from graders.engine.capture import Capture

INLINE = "module://matplotlib_inline.backend_inline"
TRACEBACK_LINES_MAX = 100
TRACEBACK_CHARS_MAX = 20_000
MIME_CHARS_MAX = 100


class CellTimeout(BaseException):
    """The cell has used its time. Not an `Exception`, so that `except Exception` in a loop does not swallow it."""


class StdinNotImplementedError(RuntimeError):
    """`input()` while nobody is there to answer. Named as ipykernel's."""


class _Publisher(DisplayPublisher):
    def publish(
        self, data: Any, metadata: Any = None, *_: Any, transient: Any = None, update: bool = False, **__: Any
    ) -> None:
        add_bundle(MarkingShell.capture, "display_data", data)

    def clear_output(self, wait: bool = False) -> None:
        MarkingShell.capture.forget()


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        pass

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        add_bundle(MarkingShell.capture, "execute_result", format_dict)

    def finish_displayhook(self) -> None:
        self._is_active = False


class MarkingShell(InteractiveShell):
    """One per process. `capture` is set before any cell runs."""

    displayhook_class = Type(_Hook)
    display_pub_class = Type(_Publisher)
    capture: Any
    system = InteractiveShell.system_raw  # through the descriptors, which are captured

    def showtraceback(self, *args: Any, **kwargs: Any) -> None:
        kind = sys.exc_info()[0]
        if kind is CellTimeout:  # no time is left for a long traceback
            self._showtraceback(kind, "", ["CellTimeout: le temps prévu est dépassé"])
        else:
            super().showtraceback(*args, **kwargs)

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        lines = [str(line)[:TRACEBACK_CHARS_MAX] for line in stb][-TRACEBACK_LINES_MAX:]
        name = getattr(etype, "__name__", "Error")
        output = {"output_type": "error", "ename": name, "evalue": str(evalue)[:1000], "traceback": lines}
        self.capture.add_rich(output, sum(map(len, lines)))

    def enable_gui(self, gui: Any = None) -> None:
        pass  # `%matplotlib inline` asks for it; there is no window here

    def ask_exit(self) -> NoReturn:
        raise SystemExit

    def init_virtualenv(self) -> None:
        pass  # our interpreter is the one that runs: no path to add, no warning to give


def make_shell(capture: Capture, folder: str) -> MarkingShell:
    """A fresh shell whose settings live under `folder`; learners' or system IPython settings are not read."""
    os.environ["IPYTHONDIR"] = folder
    InteractiveShell.clear_instance()
    MarkingShell.clear_instance()
    MarkingShell.capture = capture
    config: Any = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.enable_tip = False
    shell: MarkingShell = MarkingShell.instance(config=config)
    builtins.input = getpass.getpass = _refuse_input
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115, PTH123 — for the life of the process
    _use_inline_figures()
    return shell


def add_bundle(capture: Capture, output_type: str, data: Any) -> None:
    """Keep the text representations of a display; what is not text (JSON, widget state) has no use once it ran."""
    kept = {
        m: t for m, t in dict(data).items() if isinstance(m, str) and isinstance(t, str) and len(m) <= MIME_CHARS_MAX
    }
    if not kept:
        return
    output: dict[str, Any] = {"output_type": output_type, "data": kept, "metadata": {}}
    if output_type == "execute_result":
        output["execution_count"] = None
    capture.add_rich(output, sum(map(len, kept.values())))


def _use_inline_figures() -> None:
    """As in a notebook: figures are shown at the end of the cell, then closed."""
    os.environ["MPLBACKEND"] = INLINE
    if "matplotlib" not in sys.modules:
        return  # read when it is imported
    import matplotlib

    matplotlib.rcParams["backend"] = INLINE
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].switch_backend(INLINE)


def _refuse_input(prompt: object = "", *_: object, **__: object) -> NoReturn:
    raise StdinNotImplementedError("input() n’est pas possible pendant la correction")
