"""What other apps may listen to."""

from __future__ import annotations

from django.dispatch import Signal

course_completed = Signal()
"""The course's rule held for the first time. Sent once per enrolment, after the commit: sender=Enrolment, `enrolment`."""
