"""What can go wrong in the bridge, said to the person.

    BridgeError            code, message (says what to do next), status
    ├── DoorError          the portal refused, or does not answer
    ├── DeliveryError      a file cannot be delivered; nothing of the learner's was touched
    └── WorkshopError      an author's course cannot be made, previewed or published

Laws: `message` is safe to show and is all that reaches a browser, in the language of the request; the context goes to
the log. The portal's own sentences arrive translated.
"""

from __future__ import annotations

from hub.jupyter.language import gettext


class BridgeError(Exception):
    """Caught in one place, the pages' `answer_errors`, and shown there.

    `message` is a French sentence marked by `gettext_noop`; `values` fill its `{names}`.
    """

    def __init__(self, code: str, message: str, status: int = 400, **values: object) -> None:
        said = gettext(message)
        self.message = said.format(**values) if values else said
        super().__init__(f"{code}: {self.message}")
        self.code = code
        self.status = status


class DoorError(BridgeError):
    """The portal said no, or said nothing."""


class DeliveryError(BridgeError):
    """A file was not delivered."""


class WorkshopError(BridgeError):
    """An author's course was not made, previewed or published."""
