"""`pupitre autograde` beside `nbgrader autograde`: whole command against whole command, on nbgrader's own sample `ps1`.

Half of the learners hand in `bitdiddle`'s notebooks, half `hacker`'s. Stock marks one notebook after another, so it is measured
on a few learners: its start-up (a command that finds everything marked) is taken off, and the rest is scaled by learner.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbgrader

from bench.results import Notes, Row

GUIDE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide"
LEARNERS, STOCK_LEARNERS, MANY = 50, 12, 500
BIN = Path(sys.executable).parent
PATIENCE_S = 1800


def measure() -> tuple[list[Row], Notes]:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        place = Path(name)
        course = make_course(place / "course", MANY)
        stock = copy_course(course, place / "stock", STOCK_LEARNERS)
        stock_s = time_stock(stock)
        stock_start_s = time_stock(stock)
        scaled_s = stock_start_s + (stock_s - stock_start_s) * LEARNERS / STOCK_LEARNERS
        first = copy_course(course, place / "first", LEARNERS)
        cold_s = time_ours(first, 2)
        start_s = time_ours(first, 2)
        warm_s = time_ours(copy_course(course, place / "warm", LEARNERS), 2)
        alone_s = time_ours(copy_course(course, place / "alone", LEARNERS), 1)
        many_s = time_ours(course, 2)
    scaled = f"stock scaled from {STOCK_LEARNERS}"
    rows = [
        Row(f"autograde ps1, {LEARNERS} learners, 2 jobs, first time ({scaled})", (cold_s,), (scaled_s,)),
        Row(f"autograde ps1, {LEARNERS} learners, 2 jobs, again ({scaled})", (warm_s,), (scaled_s,)),
        Row(f"autograde ps1, {LEARNERS} learners, 1 job ({scaled})", (alone_s,), (scaled_s,)),
        Row("autograde ps1, everything marked already", (start_s,), (stock_start_s,)),
    ]
    notes: dict[str, float | str] = {
        f"autograde, {MANY} learners, 2 jobs": many_s,
        f"autograde, {MANY} learners: time per learner over that of {LEARNERS}": f"{many_s / MANY / (warm_s / LEARNERS):.2f}",
        f"nbgrader autograde, {STOCK_LEARNERS} learners": stock_s,
    }
    return rows, notes


def make_course(folder: Path, learners: int) -> Path:
    shutil.copytree(GUIDE / "source" / "ps1", folder / "source" / "ps1")
    for number in range(learners):
        sample = GUIDE / "submitted" / ("bitdiddle", "hacker")[number % 2] / "ps1"
        shutil.copytree(sample, folder / "submitted" / f"eleve{number:03d}" / "ps1")
    run([str(BIN / "nbgrader"), "generate_assignment", "ps1"], folder)
    return folder


def copy_course(course: Path, folder: Path, learners: int) -> Path:
    """The same course, prepared and unmarked, with its first learners."""
    folder.mkdir()
    shutil.copytree(course / "source", folder / "source")
    shutil.copy(course / "gradebook.db", folder / "gradebook.db")
    for path in sorted((course / "submitted").iterdir())[:learners]:
        shutil.copytree(path, folder / "submitted" / path.name)
    return folder


def time_stock(folder: Path) -> float:
    return run([str(BIN / "nbgrader"), "autograde", "ps1"], folder)


def time_ours(folder: Path, jobs: int) -> float:
    return run([str(BIN / "pupitre"), "autograde", "ps1", "--jobs", str(jobs), "--quiet"], folder)


def run(command: list[str], folder: Path) -> float:
    """Seconds of the whole command."""
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    began = time.perf_counter()
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=PATIENCE_S)
    duration_s = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-2000:]}")
    return duration_s
