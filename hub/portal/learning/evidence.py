"""The fingerprint of the attempts that earned a badge: what its credential holds, and what proves later that they stayed the same.

Law: the same attempts give the same digest, on any machine, for ever: docs/reference/behaviour-award.md says how it is computed.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection
from typing import Any

from graders.marks import attempt_that_counts
from graders.models import Attempt, AttemptState


def digest_attempts(learner: Any, session: str, assignments: Collection[str]) -> str:
    """`sha256:…` of the learner's attempts that count, one for each assignment; "" when there is none."""
    attempts: dict[str, list[Attempt]] = {}
    marked = Attempt.objects.filter(
        learner=learner,
        assignment__session=session,
        assignment__name__in=assignments,
        state=AttemptState.MARKED,
    ).select_related("assignment", "version")
    for attempt in marked.prefetch_related("cells"):
        attempts.setdefault(attempt.assignment.name, []).append(attempt)
    counting = {name: attempt_that_counts(group) for name, group in attempts.items()}
    rows = [
        {
            "assignment": name,
            "client_id": str(attempt.client_id),
            "files": attempt.content,
            "number": attempt.number,
            "version": attempt.version.digest,
        }
        for name, attempt in sorted(counting.items())
        if attempt is not None
    ]
    if not rows:
        return ""
    text = json.dumps(rows, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "sha256:" + hashlib.sha256(text.encode("utf-8")).hexdigest()
