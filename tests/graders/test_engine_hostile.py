"""Hostile and broken submissions: each ends as marks and a French sentence, and the next run is not disturbed."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.engine import sentences
from graders.engine.mark import MarkingLimits
from graders.engine.notebook import NotebookRefused, read_notebook
from tests.graders.engine_fixtures import QUICK, Mark, messages, points
from tests.graders.engine_notebooks import COURSE, answer, check, notebook, submission

SHORT = MarkingLimits(cell_s=1, run_s=6, grace_s=1, memory_bytes=400 << 20, processes=40)
THREE = notebook(
    answer("ex-1-1", "# Exercice 1.1\n"),
    check("ex-1-1-test", "assert x == 1"),
    answer("ex-1-2", "# Exercice 1.2\n"),
    check("ex-1-2-test", "assert y == 2\n### BEGIN HIDDEN TESTS\nassert f(3) == 3\n### END HIDDEN TESTS"),
    answer("ex-1-3", "# Exercice 1.3\n"),
    check("ex-1-3-test", "assert z == 3"),
)
GOOD = {"ex-1-1": "x = 1", "ex-1-2": "y = 2\ndef f(x): return x", "ex-1-3": "z = 3"}
ALL = {"ex-1-1-test": 1, "ex-1-2-test": 1, "ex-1-3-test": 1}


@pytest.fixture(autouse=True)
def next_run_is_undisturbed(mark: Mark):
    yield
    assert points(mark(THREE, submission(THREE, GOOD))) == ALL


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not-a-notebook"),
        (b"\xff\xfe\x00", "not-a-notebook"),
        (b"[" * 100_000, "not-a-notebook"),
        (b"{}", "not-a-notebook"),
        (b"[1, 2]", "not-a-notebook"),
        (b'{"cells": 3, "nbformat": 4}', "not-a-notebook"),
        (b'{"nbformat": 5, "cells": []}', "notebook-too-new"),
        (b'{"nbformat": 3, "worksheets": 7}', "not-a-notebook"),
        (b'{"nbformat": 4, "cells": []}', "wrong-assignment"),
        (b" " * 10_000_001, "too-large"),
        (submission()[:60], "not-a-notebook"),
        (notebook(answer("tp-7-1", "a = 1"), check("tp-7-1-test", "assert a")), "wrong-assignment"),
    ],
)
def test_what_is_not_the_notebook_is_refused(mark: Mark, content: bytes, code: str) -> None:
    result = mark(COURSE, content)
    assert (result.state, result.code, result.message) == ("refused", code, sentences.REFUSALS[code])
    assert result.cells == []


def test_an_endless_loop_costs_its_exercise_only(mark: Mark) -> None:
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-2": "while True:\n    pass"}), SHORT)
    assert points(result) == {**ALL, "ex-1-2-test": 0}
    assert messages(result)["ex-1-2-test"] == sentences.BY_ERROR["CellTimeout"]
    assert result.code == ""


def test_an_endless_loop_inside_a_test_is_a_timeout(mark: Mark) -> None:
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-2": "y = 2\ndef f(x):\n    while True: pass"}), SHORT)
    assert points(result) == {**ALL, "ex-1-2-test": 0}
    assert (result.cells[1].code, result.cells[1].message) == ("timeout", sentences.BY_ERROR["CellTimeout"])


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        (
            "import signal, time\nsignal.signal(signal.SIGALRM, signal.SIG_IGN)\nsignal.setitimer(signal.ITIMER_REAL, 0)\ntime.sleep(60)",
            "timeout",
        ),
        ("import os\nos._exit(0)", "died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "died"),
        ("import os, signal\nos.kill(os.getpid(), signal.SIGTERM)", "died"),
        ("import ctypes\nctypes.string_at(0)", "died"),
        ("import os\nfor fd in range(3, 256):\n    try: os.close(fd)\n    except OSError: pass", "died"),
        (
            "import os, stat\nfor fd in range(3, 256):\n    try:\n"
            '        if stat.S_ISSOCK(os.fstat(fd).st_mode): os.write(fd, b\'{"nonce": "x", "outputs": [], "error": null}\\n\')\n'
            "    except OSError: pass",
            "garbled",
        ),
    ],
)
def test_what_ends_the_run_costs_what_follows(mark: Mark, typed: str, code: str) -> None:
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-2": typed}), SHORT)
    assert (result.state, result.code, result.message) == ("marked", code, sentences.STOPS[code])
    assert points(result) == {"ex-1-1-test": 1, "ex-1-2-test": 0, "ex-1-3-test": 0}
    assert messages(result)["ex-1-2-test"] == sentences.STOPS[code]
    assert "à l’exercice 1.2" in messages(result)["ex-1-3-test"]
    assert result.duration_s < 8


@pytest.mark.parametrize(
    "typed",
    [
        "class E:\n    def __repr__(self):\n        while True: pass\nz = 3\nE()",
        "class E(Exception):\n    def __str__(self): raise ValueError\nz = 3\nraise E",
        "from IPython.display import display\ndisplay({'text/plain': 'a', 'x' * 500: 'b', 3: 4}, raw=True)\nz = 3",
        "from IPython.display import HTML, display\ndisplay(HTML('x' * 5_000_000))\nz = 3",
        "import subprocess\nsubprocess.Popen(['yes'])\nz = 3",
        "import threading\ndef g():\n    while True: print('x' * 1000)\nthreading.Thread(target=g, daemon=True).start()\nz = 3",
        "import sys\nsys.stdout = None\nz = 3",
        "import os\nos.close(1); os.close(2)\nz = 3",
        "print('\\ud800')\nz = 3",
        "z = 3\nraise KeyboardInterrupt",
        "import signal\nsignal.signal(signal.SIGALRM, lambda *_: None)\nz = 3",
    ],
)
def test_odd_ways_to_be_right_cost_nothing(mark: Mark, typed: str) -> None:
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-3": typed}), SHORT)
    assert (result.code, points(result)) == ("", ALL)


def test_a_loop_that_swallows_its_interruption_ends_all_the_same(mark: Mark) -> None:
    typed = "while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-2": typed}), SHORT)
    assert points(result)["ex-1-2-test"] == 0  # interrupted between two handlers, or ended: both are fine
    assert result.duration_s < 8


def test_the_whole_run_is_bounded(mark: Mark) -> None:
    slow = {name: f"import time\ntime.sleep(0.9)\n{text}" for name, text in GOOD.items()}
    result = mark(THREE, submission(THREE, slow), MarkingLimits(cell_s=2, run_s=1.5, grace_s=1))
    assert result.cells[0].points == 1
    assert result.cells[2].points == 0
    assert result.duration_s < 6


@pytest.mark.parametrize(
    "typed",
    [
        "import os\nfor _ in range(1000):\n    if os.fork() == 0:\n        import time; time.sleep(60)",
        "import os\nwhile True: os.fork()",
        "data = []\nwhile True: data.append(bytearray(10_000_000))",
        "x = ' ' * (1 << 40)",
        "import threading, time\nfor _ in range(5000): threading.Thread(target=time.sleep, args=(60,)).start()",
        "def f(n): return f(n)\nimport sys; sys.setrecursionlimit(10**9)\nf(1)",
    ],
    ids=["children", "fork bomb", "memory bomb", "one large block", "threads", "recursion"],
)
def test_bombs_end_as_a_mark(mark: Mark, real_forkd, typed: str) -> None:
    if real_forkd is None:
        pytest.skip("without the sandbox these would harm this machine")
    began = time.monotonic()
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-2": typed}), SHORT)
    assert result.state == "marked"
    assert points(result)["ex-1-1-test"] == 1
    assert points(result)["ex-1-2-test"] == 0
    assert messages(result)["ex-1-2-test"]
    assert time.monotonic() - began < 15


def test_fifty_megabytes_of_output_keep_head_and_tail(mark: Mark) -> None:
    typed = "print('début')\nfor _ in range(500): print('x' * 100_000)\nprint('fin')\nimport os\nos.system('yes | head -c 5000000; echo dernier')\nz = 3"
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-3": typed}), QUICK)
    assert points(result) == ALL
    cell = json.loads(result.notebook)["cells"][4]
    text = "".join(output["text"] for output in cell["outputs"])
    assert text.startswith("début") and "dernier" in text and sentences_omitted(text)
    assert len(text) < 110_000


def sentences_omitted(text: str) -> bool:
    return "sortie trop longue" in text


def test_a_learner_who_replaces_the_shells_methods_fails_all_the_same(mark: Mark) -> None:
    cheats = [
        "from IPython.core.interactiveshell import InteractiveShell\nInteractiveShell.showtraceback = lambda *a, **k: None",
        "ip = get_ipython()\nip.showtraceback = ip._showtraceback = ip.run_code = ip.run_cell = lambda *a, **k: None",
        "import builtins\nbuiltins.exec = builtins.compile = builtins.eval = lambda *a, **k: None",
        "import json, sys\njson.dumps = lambda *a, **k: '{}'\nsys.excepthook = sys.displayhook = lambda *a: None",
        "import ast\nast.parse = lambda *a, **k: 1/0",
        "import sys\nsys.settrace(lambda *a: None)\nsys.displayhook(1)",
    ]
    for cheat in cheats:
        result = mark(THREE, submission(THREE, {**GOOD, "ex-1-1": cheat, "ex-1-2": "y = 0"}))
        assert points(result)["ex-1-1-test"] == 0, cheat
        assert points(result)["ex-1-2-test"] == 0, cheat


def test_a_displayed_result_before_an_error_earns_nothing(mark: Mark) -> None:
    typed = "def f(x):\n    import sys\n    sys.displayhook(1)\n    return 0\ny = 2"
    assert points(mark(THREE, submission(THREE, {**GOOD, "ex-1-2": typed})))["ex-1-2-test"] == 0


def test_edited_tests_and_points_change_nothing(mark: Mark) -> None:
    data = json.loads(submission(THREE, {**GOOD, "ex-1-2": "y = 0"}))
    for cell in data["cells"]:
        meta = cell["metadata"].get("nbgrader", {})
        if meta.get("grade"):
            cell["source"] = "pass"
            meta["points"] = 1000
    result = mark(THREE, json.dumps(data).encode())
    assert points(result) == {**ALL, "ex-1-2-test": 0}
    assert [cell.max_points for cell in result.cells] == [1, 1, 1]
    assert len(result.repairs) == 3


def test_a_forked_child_that_comes_back_answers_nothing(mark: Mark) -> None:
    typed = "import os\npid = os.fork()\nz = 3"
    assert points(mark(THREE, submission(THREE, {**GOOD, "ex-1-3": typed}))) == ALL


def test_nothing_outside_is_reachable(mark: Mark, real_forkd) -> None:
    if real_forkd is None:
        pytest.skip("the sandbox is what is tested")
    typed = (
        "import os, socket\nz = 3\ntry:\n    socket.create_connection(('127.0.0.1', 22), 1)\n    z = 'network'\nexcept OSError: pass\n"
        f"z = 'clone' if os.path.exists({__file__!r}) else z\nz = 'root' if os.getuid() == 0 else z\n"
        "z = 'secret' if any(k.startswith(('PUPITRE', 'JUPYTERHUB')) for k in os.environ) else z"
    )
    result = mark(THREE, submission(THREE, {**GOOD, "ex-1-3": typed}))
    assert points(result) == ALL, result.notebook.decode()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["cells", "source", "metadata", "nbgrader", "cell_type", "grade_id", "outputs", "id"]),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(
    cells=st.lists(
        st.dictionaries(st.sampled_from(["source", "metadata", "cell_type", "id", "outputs"]), json_values, max_size=5)
        | json_values,
        max_size=5,
    ),
    major=st.sampled_from([2, 3, 4, "4", None]),
)
def test_any_json_gives_a_notebook_or_a_refusal(cells, major) -> None:
    content = json.dumps({"cells": cells, "nbformat": major, "metadata": {}, "worksheets": cells}).encode()
    try:
        found = read_notebook(content, 10_000_000)
    except NotebookRefused as refusal:
        assert refusal.message == sentences.REFUSALS[refusal.code]
    else:
        assert all(
            isinstance(cell.source, str) and cell.cell_type in ("code", "markdown", "raw") for cell in found.cells
        )


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=200))
def test_any_bytes_give_a_notebook_or_a_refusal(content: bytes) -> None:
    try:
        found = read_notebook(content, 10_000_000)
    except NotebookRefused as refusal:
        assert refusal.code == "not-a-notebook"
    else:
        assert found.cells == []  # so few bytes hold no cell
