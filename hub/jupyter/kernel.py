"""A learner's Python kernel: ipykernel, forked warm by the sandbox's zygote, or started cold as `python -P -m hub.jupyter.kernel`.

Three differences to ipykernel's own start: the working directory comes last on `sys.path`, so that a learner's `pupitre.py`
or `numpy.py` hides nothing and their own helper modules still import; it says when its sockets are open, so that the server
connects once and at once; what libraries do when they are imported in a kernel is done for those imported before the fork.
Runs as the learner, with nothing to hide from them.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ipykernel import ipkernel
from ipykernel.kernelapp import IPKernelApp

from sandbox.zygote import tell_listening

_INLINE = "matplotlib_inline.backend_inline"
_CELLS = (
    "import math, random, os, sys, json, time",
    "import numpy as np\nimport matplotlib.pyplot as plt",
    "plt.plot(np.linspace(0, 1, 5), np.arange(5.0), label='$x^2$')\nplt.legend()\nplt.title('répétition')\nplt.show()",
    "import ipywidgets\nipywidgets.interact(lambda h: print(h), h=ipywidgets.IntSlider(value=3))",
    "from IPython.display import display, Markdown, HTML\ndisplay(Markdown('*a*'), HTML('<b>b</b>'))\n[1, 2]",
    "import pupitre",
    "def f(x):\n    return 1 / x\nf(0)",
    "%matplotlib inline\nfig, ax = plt.subplots()\nax.hist(np.random.default_rng(1).normal(size=9))",
    "import io, csv, statistics, fractions, decimal, itertools, functools, collections, dataclasses, datetime, pathlib",
    "x =",
)


class KernelApp(IPKernelApp):
    """ipykernel's application."""

    def log_connection_info(self) -> None:
        super().log_connection_info()  # type: ignore[no-untyped-call]
        tell_listening()


def main() -> None:
    here = {"", str(Path.cwd())}
    sys.path[:] = [folder for folder in sys.path if folder not in here]
    app: Any = KernelApp.instance()
    # It ends with its parent, and tells nobody how to press Ctrl-C.
    app.parent_handle = app.parent_handle or os.getppid()
    with _known_modules():
        app.initialize(sys.argv[1:])
    sys.path[:] = [folder for folder in sys.path if folder not in here] + [""]
    catch_up()
    app.start()


class _Modules(dict[str, Any]):
    """What ipykernel looks at of `sys.modules` when it starts: each module's file."""

    def copy(self) -> dict[str, Any]:
        return {str(number): SimpleNamespace(__file__=file) for number, file in enumerate(_files)}


_files: list[str] = []


@contextlib.contextmanager
def _known_modules() -> Iterator[None]:
    """ipykernel asks two thousand modules for their file, which writes on two thousand shared pages; the nursery has asked."""
    if _files:
        vars(ipkernel)["sys"] = SimpleNamespace(**vars(sys) | {"modules": _Modules(sys.modules)})
    try:
        yield
    finally:
        vars(ipkernel)["sys"] = sys


def settled() -> None:
    """In the nursery, each time that it has imported more."""
    _files[:] = [file for module in sys.modules.copy().values() if (file := getattr(module, "__file__", None))]


def catch_up() -> None:
    """What these libraries do while they are imported in a kernel, when they were imported before there was one."""
    # It finds the shell while it is imported, at the first plot; imported too early, it draws nothing for good.
    if sys.modules.pop(_INLINE, None) is not None:
        del sys.modules["matplotlib_inline"].backend_inline
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is not None and os.environ.get("MPLBACKEND"):
        matplotlib.rcParams["backend"] = os.environ["MPLBACKEND"]
    widgets: Any = sys.modules.get("ipywidgets")
    if widgets is not None:
        widgets.register_comm_target()


def warm_up() -> None:
    """In the nursery: a drawing, a traceback, and the debugger's modules, which are long to read."""
    import ipykernel.debugger  # noqa: F401

    from graders.engine.rehearsal import warm

    warm()


def rehearse() -> set[str]:
    """In a sandbox of nobody: run cells in a kernel; the names of all modules that are imported by then."""
    from tempfile import mkdtemp

    folder = mkdtemp()
    os.environ["IPYTHONDIR"] = folder
    app: Any = KernelApp.instance()
    app.initialize(["--transport=ipc", f"--ip={folder}/k", "-f", f"{folder}/kernel.json"])
    catch_up()
    for source in _CELLS:
        app.shell.run_cell(source)
    app.shell.complete("np.li")
    app.shell.object_inspect_mime("f")
    return {name for name in sys.modules if not name.startswith("__main__") and name != _INLINE}


if __name__ == "__main__":
    main()
