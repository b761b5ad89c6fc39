"""What other apps may listen to."""

from __future__ import annotations

from django.dispatch import Signal

mark_changed = Signal()
"""A mark of a learner may have changed. Sent after the commit, sender=Attempt,
with `learner_id`, `session` (slug) and `assignment` (name)."""

worker_round = Signal()
"""A worker lives, and has looked for attempts to bring back: every few seconds, from each worker, no arguments. For other apps' own repairs,
which must be short and may run in several processes at once."""

assignment_released = Signal()
"""Another content was released under an assignment's name. Sent after the commit, sender=Assignment,
with `session` (slug) and `assignment` (name)."""
