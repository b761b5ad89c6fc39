"""What a course's notebook may import: checks that answer in French, re-running an answer, hints, readable errors.

Laws: imports nothing of ours, nor numpy, nor IPython (both are used if already loaded): importing costs less than 30 ms.
A wrong answer is one neutral French sentence that names the clue, never a traceback of this package. Works in any Jupyter.

    from pupitre import check, rerun
    check.answer("1.1")
    check.number("v_ms", 25.0, unit="m/s")
    check.success("1.1")
"""

from pupitre import check, contract
from pupitre.cells import rerun, source
from pupitre.errors import CheckFailed
from pupitre.explanations import explain
from pupitre.hints import hint

__all__ = ["CheckFailed", "check", "contract", "explain", "hint", "rerun", "source"]
