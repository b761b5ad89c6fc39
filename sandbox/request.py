"""What a caller may ask forkd: one JSON line, checked here and nowhere else.

Laws: a request names a kind of child, a label, a uid and limits; never a path, a command or a module. Whatever is not
exactly of this form is refused with a code, and nothing is started.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from sandbox.errors import SandboxRefused
from sandbox.limits import Limits, load_limits
from sandbox.profile import LEARNER_UIDS, PROFILES

MAX_LINE_BYTES = 4096
_LABEL = re.compile(r"[a-z0-9-]{1,64}")


@dataclass(frozen=True)
class Request:
    """A child to start. `uid` is None for a grading run: forkd picks one."""

    profile: str
    label: str
    uid: int | None
    limits: Limits

    def as_line(self) -> bytes:
        fields = {
            "action": "start",
            "profile": self.profile,
            "label": self.label,
            "uid": self.uid,
            "limits": self.limits.as_dict(),
        }
        return json.dumps(fields).encode() + b"\n"


@dataclass(frozen=True)
class Signal:
    """A signal to a sandbox that forkd started: `end` asks, `kill` does not."""

    pid: int
    start_time: int
    kill: bool

    def as_line(self) -> bytes:
        fields = {"action": "signal", "pid": self.pid, "start_time": self.start_time, "kill": self.kill}
        return json.dumps(fields).encode() + b"\n"


@dataclass(frozen=True)
class EndAll:
    """Kill every sandbox: what `make stop` asks."""

    def as_line(self) -> bytes:
        return b'{"action": "end_all"}\n'


def load_request(line: bytes) -> Request | Signal | EndAll:
    """Read one line.

    Raises
    ------
    SandboxRefused
        With the code of the first thing that is wrong.
    """
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise SandboxRefused("not a JSON line") from error
    if not isinstance(fields, dict):
        raise SandboxRefused("not a JSON object")
    match fields.pop("action", None):
        case "start" if set(fields) == {"profile", "label", "uid", "limits"}:
            return _load_start(fields)
        case "signal" if set(fields) == {"pid", "start_time", "kill"}:
            pid, start_time, kill = fields["pid"], fields["start_time"], fields["kill"]
            if type(pid) is int and type(start_time) is int and type(kill) is bool:
                return Signal(pid, start_time, kill)
        case "end_all" if not fields:
            return EndAll()
    raise SandboxRefused("unknown action or fields")


def _load_start(fields: dict[str, object]) -> Request:
    profile, label, uid = fields["profile"], fields["label"], fields["uid"]
    if not isinstance(profile, str) or profile not in PROFILES:
        raise SandboxRefused(f"unknown profile {profile!r}", "bad_profile")
    if not isinstance(label, str) or not _LABEL.fullmatch(label):
        raise SandboxRefused(f"label {label!r} is not [a-z0-9-]{{1,64}}", "bad_label")
    if PROFILES[profile].keeps_home:
        if type(uid) is not int or uid not in LEARNER_UIDS:
            raise SandboxRefused(f"uid {uid!r} is not a learner's", "bad_uid")
    elif uid is not None:
        raise SandboxRefused("forkd picks the uid of this profile", "bad_uid")
    try:
        limits = load_limits(fields["limits"])
    except ValueError as error:
        raise SandboxRefused(str(error)) from error
    return Request(profile, label, uid if isinstance(uid, int) else None, limits)
