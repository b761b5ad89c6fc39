"""LaunchError: the installation cannot start or stop; its text is shown as it is to the administrator."""

from __future__ import annotations


class LaunchError(Exception):
    """One sentence, in French, that says what to do."""
