"""`…/etat/`: server-sent events while a learner waits for a mark.

Laws: the stream only says that something changed, the page then fetches `…/essais/`; it ends by itself once an attempt
that it saw waiting is marked, or after ten minutes; it reads the database in a few shared threads, so that many streams
hold few connections.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied
from django.db import close_old_connections
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase

from graders.doorbell import MARKS, SharedDoorbell
from graders.models import Attempt
from hub.portal.learning.access import get_module_access
from hub.portal.learning.feedback import PENDING_STATES

WAITING_POLL_S = 1.0
"""The bell rings when an attempt changes; a worker of another machine is not heard."""
IDLE_POLL_S = 2.0
"""Nothing waits to be marked: an attempt may still come from the notebook, in another tab."""
LIFETIME_S = 600.0
KEEP_ALIVE_S = 15.0
"""A proxy closes a silent connection."""


@dataclass(frozen=True)
class AttemptsState:
    """What the stream compares; 0 and "" when there is no attempt."""

    number: int
    state: str
    reviews: int

    @property
    def is_pending(self) -> bool:
        return self.state in PENDING_STATES


async def state(request: HttpRequest, session: str, module: str) -> HttpResponseBase:
    learner_id = await sync_to_async(_check)(request, session, module)
    response = StreamingHttpResponse(stream(learner_id, session, module), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"
    return response


def _check(request: HttpRequest, session: str, module: str) -> int:
    if not request.user.is_authenticated:
        raise PermissionDenied
    get_module_access(request, session, module)
    return int(request.user.pk)


async def stream(learner_id: int, session: str, module: str, *, lifetime_s: float = LIFETIME_S) -> AsyncIterator[bytes]:
    """Events `attempt` at each change, then one `end` (`data`: why)."""
    read = sync_to_async(read_state, thread_sensitive=False)
    ends_at = time.monotonic() + lifetime_s
    said_at = 0.0
    seen: AttemptsState | None = None
    waited = False
    with SharedDoorbell.about(MARKS, str(learner_id)) as rung:
        while time.monotonic() < ends_at:
            rung.clear()
            now = await read(learner_id, session, module)
            if now != seen:
                seen, said_at = now, time.monotonic()
                yield _event("attempt", asdict(now))
            elif time.monotonic() - said_at > KEEP_ALIVE_S:
                said_at = time.monotonic()
                yield b": \n\n"
            if waited and not now.is_pending:
                yield _event("end", {"reason": now.state})
                return
            waited = now.is_pending
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(rung.wait(), WAITING_POLL_S if now.is_pending else IDLE_POLL_S)
    yield _event("end", {"reason": "timeout"})


def read_state(learner_id: int, session: str, module: str) -> AttemptsState:
    """The last attempt's number and state, in one query."""
    close_old_connections()
    last = (
        Attempt.objects.filter(learner_id=learner_id, assignment__session=session, assignment__name=module)
        .order_by("-number")
        .values_list("number", "state", "review_number")
        .first()
    )
    return AttemptsState(*last) if last else AttemptsState(0, "", 0)


def _event(name: str, data: object) -> bytes:
    return f"event: {name}\ndata: {json.dumps(data)}\n\n".encode()
