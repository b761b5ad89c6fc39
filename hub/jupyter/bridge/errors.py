"""What can go wrong in the bridge, said to the person.

    BridgeError            code, message (French, says what to do next), status
    ├── DoorError          the portal refused, or does not answer
    ├── DeliveryError      a file cannot be delivered; nothing of the learner's was touched
    └── WorkshopError      an author's course cannot be made, previewed or published

Laws: `message` is safe to show and is all that reaches a browser; the context goes to the log.
"""

from __future__ import annotations


class BridgeError(Exception):
    """Caught in one place, the pages' `answer_errors`, and shown there."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.status = status


class DoorError(BridgeError):
    """The portal said no, or said nothing."""


class DeliveryError(BridgeError):
    """A file was not delivered."""


class WorkshopError(BridgeError):
    """An author's course was not made, previewed or published."""
