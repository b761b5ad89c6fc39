"""Finding an answer cell again and running it with other values, as the marking engine and as IPython do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from pupitre import cells, hints, rerun, source
from pupitre.errors import CheckFailed

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _no_sources() -> Iterator[None]:
    cells.SOURCES.clear()
    hints._failures.clear()
    yield
    cells.SOURCES.clear()


@pytest.mark.parametrize(
    "cell",
    [
        "# Exercice 1.1\nv_kmh = 90\nv_ms = v_kmh / 3.6",
        "#exercice 1.1 — ma réponse\nv_kmh = float(90)\nv_ms = v_kmh / 3.6",
        "\n# Exercice 1.1\nv_kmh: int = 90\nv_ms = v_kmh / 3.6",
        "# Exercice 1.1\nv_kmh, t = 90, 2\nv_ms = v_kmh / 3.6 * t / t",
        "# Exercice 1.1\nv_ms = v_kmh / 3.6",
    ],
)
def test_rerun_replaces_what_is_written_out(cell: str) -> None:
    cells.SOURCES["1.1"] = cell
    assert rerun("1.1", v_kmh=36)["v_ms"] == pytest.approx(10)


def test_rerun_keeps_what_is_computed() -> None:
    cells.SOURCES["1.2"] = "# Exercice 1.2\nT1 = 18.5\nT2 = 64.0\nT1, T2 = T2, T1"
    names = rerun("1.2", T1="a", T2=3)
    assert (names["T1"], names["T2"]) == (3, "a")


def test_rerun_does_not_touch_names_inside_functions_nor_the_learners_own() -> None:
    cells.SOURCES["1.1"] = "# Exercice 1.1\ndef f():\n    v_kmh = 1\n    return v_kmh\nv_ms = f()"
    names = rerun("1.1", v_kmh=36)
    assert names["v_ms"] == 1
    assert "v_ms" not in globals()


def test_rerun_that_fails_is_a_sentence() -> None:
    cells.SOURCES["1.2"] = "# Exercice 1.2\nT1 = 1\nT2 = 2\nT1 = T1 + T2"
    with pytest.raises(CheckFailed) as caught:
        rerun("1.2", T1="froid", T2=3)
    assert caught.value.message.startswith("Avec d’autres valeurs")
    assert caught.value.hidden


def test_lost_marker_is_a_kind_sentence() -> None:
    with pytest.raises(CheckFailed) as caught:
        source("1.1")
    assert "`# Exercice 1.1`" in caught.value.message


@pytest.mark.parametrize(
    ("cell", "exercise"),
    [
        ("# Exercice 1.1\nx", "1.1"),
        ("# exercice 12.3 : x", "12.3"),
        ("# Exercice B2.1\nx", "B2.1"),
        ("# Exercice 1.11\n", "1.11"),
        ("x = 1", ""),
        ("# Test 1.1", ""),
    ],
)
def test_exercise_of_a_cell(cell: str, exercise: str) -> None:
    assert cells.exercise_of(cell) == exercise


SESSION = """
    import warnings
    from IPython.core.interactiveshell import InteractiveShell
    from traitlets.config import Config
    shell = InteractiveShell.instance(config=Config({"HistoryManager": {"hist_file": ":memory:"}}))
    def run(cell):
        print("---")
        shell.run_cell(cell, store_history=True)
    TEST = '''
    from pupitre import check, rerun
    check.answer("1.1")
    check.number("v_ms", 25.0, unit="m/s")
    check.success("1.1")
    check.number("v_ms", 10.0, namespace=rerun("1.1", v_kmh=36), hidden=True)
    '''.replace("\\n    ", "\\n")
    run(TEST)
    run("# Exercice 1.1\\nv_kmh = 90\\nv_ms = v_kmh / 3,6")
    run(TEST)
    run("# Exercice 1.1\\nv_kmh = 90\\n%time v_ms = 25.0")
    run(TEST)
    run("# Exercice 1.1\\nv_kmh = 90\\nv_ms = v_kmh / 3.6")
    run(TEST)
    run("# Exercice 1.1\\nv_kmh = 90\\nv_ms v_kmh / 3.6")
    run(TEST)
"""


def test_in_plain_ipython_without_any_traceback(tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "IPYTHONDIR": str(tmp_path), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SESSION)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    not_run, _, comma, _, frozen, _, right, _, syntax = done.stdout.split("---\n")[1:]
    assert not_run.startswith("Exercice 1.1") and "(E21)" in not_run
    assert "(E04)" in comma
    assert "Test réussi" in frozen and "(E24)" in frozen
    assert right.strip() == "Test réussi\u00a0: exercice 1.1."
    assert "(E09)" in syntax
    for shown in (not_run, comma, frozen, right, syntax):
        assert "Traceback" not in shown and "pupitre/" not in shown


def test_hints_open_after_two_four_and_six_failures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "indices.json").write_text(
        json.dumps({"1.1": ["premier", "second", "exemple"]}), encoding="utf-8"
    )
    hints.hint("1.1")
    assert "après 2 tests" in capsys.readouterr().out
    lines = [hints.count_failure("1.1") for _ in range(7)]
    assert [bool(line) for line in lines] == [False, True, False, True, False, True, False]
    assert 'hint("1.1", 3)' in lines[5]
    hints.hint("1.1", 2)
    assert capsys.readouterr().out == "Indice 2 — second\n"
    hints.hint("1.1", 4)
    assert "Il y a 3 indices" in capsys.readouterr().out


@pytest.mark.parametrize("content", [None, "{", "[]", '{"1.1": 3}'])
def test_without_hints_file_nothing_breaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    if content is not None:
        (tmp_path / "data").mkdir()
        (tmp_path / "data" / "indices.json").write_text(content, encoding="utf-8")
    hints.hint("1.1")
    assert "pas d’indice" in capsys.readouterr().out
    assert hints.count_failure("1.1") == hints.count_failure("1.1") == ""


def test_import_is_light() -> None:
    code = (
        "import sys, time, json, re, IPython; before = set(sys.modules); start = time.process_time(); import pupitre;"
        "spent = time.process_time() - start; new = {m.split('.')[0] for m in set(sys.modules) - before};"
        "assert spent < 0.03, spent; assert not new & {'numpy', 'matplotlib', 'ipywidgets', 'django', 'hub', 'graders', 'badges', 'sandbox'}, new"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
