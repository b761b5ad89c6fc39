"""Marks and messages of the marking engine, on a real forkd where the tests run as root."""

from __future__ import annotations

import subprocess
import sys

import pytest
from nbformat.v4 import new_code_cell

from graders.engine import sentences
from tests.graders.engine_fixtures import Mark, messages, points
from tests.graders.engine_notebooks import COURSE, RIGHT, answer, check, edit, locked, manual, notebook, submission


def one(test: str, typed: str, points: float = 2, **cells):
    """A course of one exercise, and a submission of `typed`."""
    source = notebook(
        answer("ex-1-1", "# Exercice 1.1\n### BEGIN SOLUTION\npass\n### END SOLUTION"),
        check("ex-1-1-test", test, points),
    )
    return source, submission(source, {"ex-1-1": typed})


def test_right_answers_earn_all_points(mark: Mark) -> None:
    result = mark(COURSE, submission())
    assert (result.state, result.code, result.repairs) == ("marked", "", [])
    assert points(result) == {"ex-1-1-test": 1, "ex-1-2-test": 2, "ex-9-1": 0}
    assert [cell.passed for cell in result.cells] == [True, True, False]
    assert [cell.exercise for cell in result.cells] == ["1.1", "1.2", "9.1"]
    assert b"secret 42" in result.notebook  # for graders


def test_the_solution_earns_all_points_and_the_released_copy_none(mark: Mark) -> None:
    assert points(mark(COURSE, COURSE)) == {"ex-1-1-test": 1, "ex-1-2-test": 2, "ex-9-1": None}
    result = mark(COURSE, submission(answers={}))
    assert set(points(result).values()) == {0}
    assert set(messages(result).values()) == {sentences.NO_ANSWER}


def test_a_manual_answer_waits_and_an_untouched_one_does_not(mark: Mark) -> None:
    result = mark(COURSE, submission(answers={**RIGHT, "ex-9-1": "Ma réponse."}))
    assert points(result)["ex-9-1"] is None
    assert messages(result)["ex-9-1"] == sentences.WAITS


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("# Exercice 1.1\nvolume = 34", "Relisez l’unité."),
        ("# Exercice 1.1\nvolume = 0.34 +", sentences.BY_ERROR["SyntaxError"] + " (ligne 2)"),
        ("# Exercice 1.1\nvolume = volum", sentences.BY_ERROR["NameError"]),
        ("# Exercice 1.1\nvolume = 1 / 0", sentences.BY_ERROR["ZeroDivisionError"]),
        ("# Exercice 1.1\nvolume = input()", sentences.BY_ERROR["StdinNotImplementedError"]),
        ("# Exercice 1.1\nimport sys; sys.exit()", sentences.BY_ERROR["SystemExit"]),
        ("# Exercice 1.1\nexit()", sentences.BY_ERROR["SystemExit"]),
        ("# Exercice 1.1\n", sentences.BY_ERROR["NameError"]),
    ],
)
def test_a_visible_failure_says_why(mark: Mark, typed: str, message: str) -> None:
    result = mark(COURSE, submission(answers={**RIGHT, "ex-1-1": typed}))
    assert messages(result)["ex-1-1-test"] == message
    assert points(result) == {"ex-1-1-test": 0, "ex-1-2-test": 2, "ex-9-1": 0}


def test_a_hidden_failure_tells_nothing_of_the_test(mark: Mark) -> None:
    result = mark(COURSE, submission(answers={**RIGHT, "ex-1-2": "def double(x):\n    return 4"}))
    cell = result.cells[1]
    assert (cell.points, cell.hidden, cell.message) == (0, True, sentences.HIDDEN_FAILS)


def test_an_error_in_the_answer_called_by_a_hidden_test_tells_nothing(mark: Mark) -> None:
    typed = "def double(x):\n    if x == 2: return 4\n    raise ValueError(f'reçu {x}')"
    result = mark(COURSE, submission(answers={**RIGHT, "ex-1-2": typed}))
    assert result.cells[1].message == sentences.HIDDEN_FAILS


def test_a_helper_defined_before_the_hidden_part_is_still_hidden_when_called_from_it(mark: Mark) -> None:
    test = "def same(a, b):\n    assert a == b, f'attendu {b}'\n\n### BEGIN HIDDEN TESTS\nsame(x, 77)\n### END HIDDEN TESTS"
    result = mark(*one(test, "x = 1"))
    assert (result.cells[0].message, result.cells[0].hidden) == (sentences.HIDDEN_FAILS, True)


@pytest.mark.parametrize(
    ("last", "expected"),
    [
        ("0.5", 0.5),
        ("1", 1),
        ("2", 2),
        ("-1", 2),
        ("'texte'", 2),
        ("True", 2),
        ("None", 2),
        ("0.5;", 2),
        ("3", None),
        ("0", 0),
    ],
)
def test_partial_points_follow_nbgrader(mark: Mark, last: str, expected: float | None) -> None:
    assert points(mark(*one(f"x = 3\n{last}", "pass"))) == {"ex-1-1-test": expected}


def test_numpy_numbers_are_points(mark: Mark) -> None:
    assert points(mark(*one("import numpy\nnumpy.float64(0.25)", "pass"))) == {"ex-1-1-test": 0.25}


def test_what_a_test_writes_on_the_error_output_fails_it_as_in_nbgrader(mark: Mark) -> None:
    result = mark(*one("import sys; print('attention', file=sys.stderr)", "pass"))
    assert (result.cells[0].points, result.cells[0].message) == (0, sentences.WROTE_WARNING)


def test_an_empty_test_cell_earns_its_points_as_in_nbgrader(mark: Mark) -> None:
    assert points(mark(*one("", "pass"))) == {"ex-1-1-test": 2}


def test_top_level_await_magics_and_figures_run(mark: Mark) -> None:
    typed = (
        "import asyncio\nawait asyncio.sleep(0)\n%matplotlib inline\nimport matplotlib.pyplot as plt\n"
        "plt.plot([1, 2]); plt.show()\nx = !echo bonjour\nprint('a')\nimport os; os.system('echo c-level')\nx"
    )
    result = mark(*one("assert x == ['bonjour']\nawait asyncio.sleep(0)\n%time 1", typed))
    assert points(result) == {"ex-1-1-test": 1}, messages(result)
    assert b"image/png" in result.notebook
    assert b"c-level" in result.notebook
    assert b"bonjour" in result.notebook


def test_the_diagnostic_of_the_library_is_given_even_from_a_hidden_test(mark: Mark) -> None:
    library = "class CheckFailed(AssertionError):\n    def __init__(self, code, message):\n        self.code, self.message = code, message\n"
    test = (
        library + "### BEGIN HIDDEN TESTS\nraise CheckFailed('E13', 'Convertissez en ampères.')\n### END HIDDEN TESTS"
    )
    cell = mark(*one(test, "pass")).cells[0]
    assert (cell.code, cell.message, cell.hidden, cell.points) == ("E13", "Convertissez en ampères.", True, 0)


def test_the_library_pupitre_gives_its_diagnostic_and_reruns_the_answer(mark: Mark) -> None:
    test = (
        "from pupitre.errors import CheckFailed\nimport pupitre.cells\n"
        "names = pupitre.cells.rerun('1.1', v=10)\n"
        "if names['d'] != 20: raise CheckFailed('Doublez la vitesse.', 'E17', hidden=True)"
    )
    assert points(mark(*one(test, "# Exercice 1.1\nv = 3\nd = 2 * v"))) == {"ex-1-1-test": 2}
    cell = mark(*one(test, "# Exercice 1.1\nv = 3\nd = 6")).cells[0]
    assert (cell.points, cell.code, cell.message, cell.hidden) == (0, "E17", "Doublez la vitesse.", True)


def test_a_learner_cannot_make_a_diagnostic_tell_hidden_values(mark: Mark) -> None:
    typed = (
        "class CheckFailed(Exception):\n    code = 'E1'\n    message = ''\n"
        "def f(x):\n    error = CheckFailed(); error.message = f'reçu {x}'\n    raise error"
    )
    cell = mark(*one("### BEGIN HIDDEN TESTS\nf(1789)\n### END HIDDEN TESTS", typed)).cells[0]
    assert (cell.message, cell.code) == (sentences.HIDDEN_FAILS, "")


def test_files_are_beside_the_notebook_and_shadow_nothing(mark: Mark) -> None:
    files = {
        "data/mesures.csv": b"1,2",
        "outils.py": b"def triple(x): return 3 * x",
        "math.py": b"pi = 3",
        "pupitre.py": b"raise RuntimeError('mine')",
        "numpy.py": b"raise RuntimeError('mine')",
        "../evil.py": b"",
        "/etc/evil": b"",
    }
    typed = "from outils import triple\nimport numpy, pupitre, math\ntext = open('data/mesures.csv').read()"
    test = "assert triple(2) == 6 and text == '1,2' and math.pi > 3.1 and numpy.pi > 3.1 and 'carnet-' not in pupitre.__file__"
    result = mark(*one(test, typed), files=files)
    assert points(result) == {"ex-1-1-test": 2}, messages(result)


def test_tests_read_the_answers_text(mark: Mark) -> None:
    test = "import pupitre.cells\nassert pupitre.cells.SOURCES['1.1'].endswith('x = 5')"
    assert points(mark(*one(test, "# Exercice 1.1\nx = 5"))) == {"ex-1-1-test": 2}


def test_answers_are_in_the_history_and_tests_are_not(mark: Mark) -> None:
    source = notebook(
        answer("ex-1-1", "# Exercice 1.1\n"),
        check("ex-1-1-test", "SECRET_TEST = 1\n### BEGIN HIDDEN TESTS\nSECRET_HIDDEN = 2\n### END HIDDEN TESTS"),
        answer("ex-1-2", "# Exercice 1.2\n"),
        check("ex-1-2-test", "assert not leaks, leaks\nassert 'marque' in ''.join(In)"),
    )
    spy = (
        "import linecache, gc\nmarque = 1\nneedle = 'SECRET_' + 'HIDDEN'\n"
        "leaks = [n for n, e in linecache.cache.items() if len(e) > 2 and any(needle in l for l in e[2])]\n"
        "leaks += [c for c in In + _ih if needle in c and 'needle' not in c]\n"
        "leaks += [str(k) for k, v in list(globals().items()) if isinstance(v, str) and needle in v and k not in ('needle', '_i', '_ii', '_iii') and 'needle' not in v]\n"
    )
    result = mark(source, submission(source, {"ex-1-1": "a = 1", "ex-1-2": spy}))
    assert points(result) == {"ex-1-1-test": 1, "ex-1-2-test": 1}, messages(result)


def test_the_locked_cells_run_from_the_source(mark: Mark) -> None:
    source = notebook(locked("setup", "g = 9.81"), answer("ex-1-1", "x"), check("ex-1-1-test", "assert g == 9.81"))

    def change(cells):
        cells[0]["source"] = "g = 0"

    result = mark(source, edit(submission(source, {"ex-1-1": "x = 1"}), change))
    assert points(result) == {"ex-1-1-test": 1}
    assert result.repairs == [sentences.repaired_test("setup")]


def test_a_manual_code_cell_runs_and_waits(mark: Mark) -> None:
    source = notebook(manual("ex-2-1", "# Exercice 2.1\n", 4, new_code_cell), check("ex-2-1-test", "assert y == 1"))
    result = mark(source, submission(source, {"ex-2-1": "y = 1"}))
    assert points(result) == {"ex-2-1": None, "ex-2-1-test": 1}


def test_without_the_library_nothing_is_marked() -> None:
    """Course notebooks do without `pupitre` where it is absent, and check nothing: a run must not begin there."""
    script = (
        "import socket, sys; sys.modules['pupitre'] = None; ours, theirs = socket.socketpair()\n"
        'ours.sendall(b\'{"files": {}, "sources": {}, "environment": {},'
        ' "limits": {"output_bytes": 1000, "rich_bytes": 1000}}\\n\'); ours.shutdown(socket.SHUT_WR)\n'
        "from graders.engine.child import main; main(theirs); raise SystemExit(0 if not ours.recv(100) else 7)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "ModuleNotFoundError" in done.stderr, (done.returncode, done.stderr[-500:])
