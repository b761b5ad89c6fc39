"""What marking gives: values only."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["auto", "manual"]


@dataclass(frozen=True)
class MarkingLimits:
    """What one marking run may use. Past a limit the run stops as a mark and a sentence, never as an error."""

    cell_s: float = 10.0
    """Time of one cell; then it is interrupted and the next one runs."""
    run_s: float = 60.0
    """Time of the whole notebook."""
    grace_s: float = 3.0
    """How long a cell may resist its interruption before the process is ended."""
    submitted_bytes: int = 10_000_000
    output_bytes: int = 100_000
    """Text kept per cell: its head and its tail."""
    rich_bytes: int = 1_000_000
    """Pictures and HTML kept per cell."""
    memory_bytes: int = 1 << 30
    processes: int = 64
    file_bytes: int = 64 << 20
    open_files: int = 256


@dataclass(frozen=True)
class CellSpec:
    """One graded cell of an assignment."""

    grade_id: str
    kind: Kind
    exercise: str
    """`1.2` for `ex-1-2-test`; the grade_id itself when it is not of that form."""
    max_points: float


@dataclass(frozen=True)
class CellMark:
    """The mark of one graded cell. `message` is safe for the learner: it holds nothing of a hidden test."""

    grade_id: str
    exercise: str
    kind: Kind
    points: float | None
    """None: waits for a grader."""
    max_points: float
    passed: bool
    message: str
    code: str = ""
    """Code of the diagnostic (« E13 ») or of the stop (« timeout »); empty when there is none."""
    hidden: bool = False
    """The failure is in a hidden test."""


@dataclass(frozen=True)
class Result:
    """What one submission gave."""

    state: Literal["marked", "refused"]
    code: str = ""
    message: str = ""
    cells: list[CellMark] = field(default_factory=list)
    notebook: bytes = b""
    """The notebook as it ran, hidden tests and outputs included: for graders only, never for the learner."""
    repairs: list[str] = field(default_factory=list)
    """What was put back in place, one French sentence each."""
    duration_s: float = 0.0
