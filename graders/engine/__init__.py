"""From a source notebook and a submitted one to marks. Pure: no Django, no database, no clock but elapsed time.

    release.py    source notebook → learner's copy, and what it will be marked on
    notebook.py   bytes of anybody → a notebook with a known shape, or a refusal
    repair.py     a mangled submission → the cells to run, in order
    mark.py       the run, seen from the worker: one cell at a time, limits, marks
    runner.py     the worker's end of the channel; wire.py what passes on it
    verdict.py    what happened in a test cell → points and a sentence; sentences.py the sentences
    child.py      the run, seen from the isolated process; shell.py, capture.py its parts
    feedback.py   a result → one HTML page for the learner

Law: what leaves the isolated process is data to be checked, never an instruction; marks are computed here, not there.
"""
