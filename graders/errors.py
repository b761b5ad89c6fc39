"""Errors of the graders.

    GradersError                 stable `code`, `message` for the person (a French sentence that says what to do)
    ├── ReleaseError             a source notebook that cannot be released: for its author
    ├── SubmissionRefused        a submission that the door does not take: for the learner
    ├── ReviewRefused            a grader's marks that are not saved: for the grader
    └── SandboxUnavailable       the isolated processes do not answer: the task is tried again

A wrong answer is never an error: it is a `Result`.
"""

from __future__ import annotations


class GradersError(Exception):
    """An error whose `code` is stable and whose `message` is a sentence for the person concerned."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


class ReleaseError(GradersError):
    """The source notebook cannot become a learner's copy; the message names the cell."""


class SubmissionRefused(GradersError):
    """A submission that is not stored."""


class ReviewRefused(GradersError):
    """A grader's marks that are not saved; nothing was changed."""


class SandboxUnavailable(GradersError):
    """No isolated process could be had, for a reason that is not the learner's."""

    def __init__(self, message: str, code: str = "sandbox-unavailable") -> None:
        super().__init__(code, message)
