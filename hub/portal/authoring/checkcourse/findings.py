"""What the proof-reader found: values, in the order of the course."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from typing import Any

_CODE = re.compile(r"(`[^`]*`)")


def set_spaces(text: str) -> str:
    """French no-break spaces; what stands between backticks is code and stays."""
    parts = _CODE.split(text)
    parts[::2] = [re.sub(r" (?=[;?!])", "\u202f", re.sub(r"(?<=«) | (?=[:»])", "\u00a0", part)) for part in parts[::2]]
    return "".join(parts)


@dataclass(frozen=True)
class Finding:
    """One thing to mend. `message` says what is wrong and what to do, in French."""

    file: str
    """Relative to the course folder."""
    cell: str
    """The cell's id; "" for the whole file."""
    code: str
    """Stable name of the rule: `figure`, `spelling`…; docs/reference/commands.md lists them."""
    message: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "message", set_spaces(self.message))

    def __str__(self) -> str:
        where = f"{self.file}, cellule « {self.cell} »" if self.cell else self.file
        return set_spaces(f"{where} : ") + self.message


@dataclass
class Report:
    """What one run found."""

    course: str
    findings: list[Finding] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    """What could not be checked, and what to install: one sentence each."""
    durations_s: dict[str, float] = field(default_factory=dict)
    """File of a notebook → its whole run."""
    points: dict[str, float] = field(default_factory=dict)
    isolated: bool = False
    """Notebooks ran in a sandbox."""

    @property
    def exit_code(self) -> int:
        """0: nothing to mend; 1: something to mend; 2: nothing found, but something could not be checked."""
        return 1 if self.findings else 2 if self.unchecked else 0

    def as_json(self) -> dict[str, Any]:
        return {
            "course": self.course,
            "exit_code": self.exit_code,
            "isolated": self.isolated,
            "points": self.points,
            "durations_s": {file: round(seconds, 2) for file, seconds in self.durations_s.items()},
            "findings": [asdict(finding) for finding in self.findings],
            "unchecked": self.unchecked,
        }
