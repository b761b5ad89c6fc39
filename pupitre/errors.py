"""The errors of this package.

AssertionError
└── CheckFailed     an answer is not right (yet): what the learner reads, and a stable code
"""

from __future__ import annotations


class CheckFailed(AssertionError):  # noqa: N818  (named for what the learner did, not for us)
    """One answer is not right. `code` is a diagnostic of docs/reference/checks.md, or "" when the value is simply wrong."""

    def __init__(
        self, message: str, code: str = "", *, hidden: bool = False, exercise: str = "", aid: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.hidden = hidden
        """The case that failed is one the learner does not see: `message` tells nothing of its values."""
        self.exercise = exercise
        self.aid = aid
        """A line about a hint that may now be read; for the notebook only."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows instead of a traceback: two or three lines."""
        title = f"Exercice {self.exercise} : à revoir" if self.exercise else "À revoir"
        return [f"{title}{f' ({self.code})' if self.code else ''}", self.message, *([self.aid] if self.aid else [])]
