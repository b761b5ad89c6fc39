"""The errors of this package.

AssertionError
└── CheckFailed     an answer is not right (yet): what the learner reads, and a stable code
"""

from __future__ import annotations

from pupitre.typography import set_spaces


class CheckFailed(AssertionError):
    """One answer is not right. `code` is a diagnostic of docs/reference/checks.md, or "" when the value is simply wrong."""

    def __init__(
        self, message: str, code: str = "", *, hidden: bool = False, exercise: str = "", aid: str = ""
    ) -> None:
        self.message = set_spaces(message)
        super().__init__(self.message)
        self.code = code
        self.hidden = hidden
        """The case that failed is one the learner does not see: `message` tells nothing of its values."""
        self.exercise = exercise
        self.aid = set_spaces(aid)
        """A line about a hint that may now be read; for the notebook only."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: two or three lines."""
        title = f"Exercice {self.exercise}\u00a0: à revoir" if self.exercise else "À revoir"
        return [f"{title}{f' ({self.code})' if self.code else ''}", self.message, *([self.aid] if self.aid else [])]
