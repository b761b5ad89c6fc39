"""Every error of `sandbox`.

    SandboxError
    ├── SandboxRefused      forkd said no: the request breaks a law, or the system cannot isolate
    ├── ForkRefused         pid 1 of a sandbox did not fork a kernel
    └── SandboxUnavailable  forkd does not answer; try again later

`code` is stable: the Hub and the portal choose their French sentence by it. `message` is English, for the log.
They are OSErrors: whoever treats the system's refusals treats these.
"""

from __future__ import annotations


class SandboxError(OSError):
    """Base of this package's errors."""

    code = "sandbox_error"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        if code is not None:
            self.code = code


class SandboxRefused(SandboxError):
    """The request was refused, and nothing was started.

    Codes: `bad_request`, `bad_label`, `bad_uid`, `bad_profile`, `already_running`, `home_refused`, `socket_path`,
    `not_isolated` (the kernel refused a namespace), `no_such_process`, `forbidden`, `system`.
    """

    code = "bad_request"


class ForkRefused(SandboxError):
    """A sandbox's zygote did not fork. Codes: `too_many_processes`, `bad_order`, `system`."""

    code = "system"


class SandboxUnavailable(SandboxError):
    """forkd is not there, or was lost in the middle."""

    code = "forkd_unavailable"
