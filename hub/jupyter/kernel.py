"""A learner's Python kernel: `python -P -m hub.jupyter.kernel -f CONNECTION_FILE`.

ipykernel, except that the working directory comes last on `sys.path`: a learner's `pupitre.py` or `numpy.py` hides
nothing, and their own helper modules still import. Runs as the learner, with nothing to hide from them.
"""

from __future__ import annotations

import sys
from pathlib import Path

from ipykernel.kernelapp import IPKernelApp


def main() -> None:
    here = {"", str(Path.cwd())}
    sys.path[:] = [folder for folder in sys.path if folder not in here]
    app = IPKernelApp.instance()
    app.initialize(sys.argv[1:])  # type: ignore[no-untyped-call]
    sys.path[:] = [folder for folder in sys.path if folder not in here] + [""]
    app.start()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
