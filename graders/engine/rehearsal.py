"""One marking run of nobody's notebook, so that the nursery knows what a run imports, and has done it once.

Law: nothing here leaves a trace that a learner's run would see: `warm` runs in the nursery itself, `rehearse` in a process
that ends after it.
"""

from __future__ import annotations

import json
import socket
import sys
from typing import Any

# Imported where no shell is, this one makes `plt.show()` silent for good.
_ONLY_IN_A_SHELL = "matplotlib_inline.backend_inline"
_LIMITS = {"output_bytes": 1 << 20, "rich_bytes": 1 << 24}
_CELLS = (
    (
        "answer",
        "%matplotlib inline\nimport math, random, statistics, fractions, decimal, datetime, itertools, functools",
    ),
    (
        "answer",
        "import numpy as np\nimport matplotlib.pyplot as plt\nimport pupitre\nfrom IPython.display import display",
    ),
    (
        "answer",
        "plt.plot(np.arange(3), [1, 2, 4], 'o')\nplt.title('répétition $x^2$')\nplt.xlabel('t (s)')\nplt.show()",
    ),
    ("answer", "np.polyfit([0.0, 1.0, 2.0], [1.0, 3.0, 5.0], 1), np.linalg.solve(np.eye(2), np.ones(2))"),
    ("answer", "import asyncio\nawait asyncio.sleep(0)\ndef f(x):\n    return 1 / x\nf(0)"),
    ("answer", "display({'a': [1, 2]})\nx ="),
    ("test", "assert f(1) == 2"),
    ("test", "from numpy.testing import assert_allclose\nassert_allclose(f(1), 2)"),
    ("test", "from nose.tools import assert_equal"),
)


def rehearse() -> set[str]:
    """Run a notebook as a worker would ask for it; the names of all modules that are imported by then."""
    from graders.engine.child import main

    ours, theirs = socket.socketpair()
    first: dict[str, Any] = {"files": {}, "sources": {}, "environment": {}, "limits": _LIMITS}
    cells = [{"nonce": "", "kind": kind, "source": source, "timeout_s": 30} for kind, source in _CELLS]
    with ours:
        for message in (first, *cells):
            ours.sendall(json.dumps(message).encode() + b"\n")
        ours.shutdown(socket.SHUT_WR)
        main(theirs)
    return {name for name in sys.modules if not name.startswith("__main__") and name != _ONLY_IN_A_SHELL}


def warm() -> None:
    """Do what is slow the first time only: the fonts' list, a drawing, a traceback."""
    import traceback

    import IPython.core.ultratb
    import numpy
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure()
    axes = figure.add_subplot()
    axes.plot(numpy.arange(3.0), [1.0, 2.0, 4.0], "o-", label="u (V)")
    axes.set_title("répétition $x^2$")
    axes.legend()
    FigureCanvasAgg(figure).draw()  # type: ignore[no-untyped-call]
    try:
        raise ValueError("répétition")
    except ValueError:
        traceback.format_exc()
        IPython.core.ultratb.VerboseTB(theme_name="nocolor").text(*sys.exc_info())
