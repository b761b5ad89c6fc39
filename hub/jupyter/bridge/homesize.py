"""Watches how much a learner's home holds, and says so when it is more than the installation grants.

A soft limit: nothing is refused, because most file systems cannot refuse for one folder. Measured in a thread of the server,
ten seconds after its start and then every few minutes; the walk is bounded (`sandbox.quota`).
"""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from babel.numbers import format_decimal

from hub.jupyter.language import get_language, gettext, gettext_noop
from sandbox.quota import Usage, measure_folder

log = logging.getLogger("pupitre.homesize")
FIRST_S, EVERY_S = 10.0, 300.0
_SAID_AGAIN_S = 3600.0
_GIB = 1 << 30
TOO_LARGE = gettext_noop(
    "Votre dossier occupe {used} Gio, et la limite est de {limit} Gio. Supprimez les fichiers dont vous n’avez plus besoin :"
    " l’espace est partagé entre tous les participants."
)


class HomeSize:
    """What is known of one home."""

    def __init__(self, home: Path, limit_bytes: int) -> None:
        self.home, self.limit_bytes = home, limit_bytes
        self.usage: Usage | None = None
        self._said = -_SAID_AGAIN_S

    @property
    def is_too_large(self) -> bool:
        return self.usage is not None and self.usage.size_bytes > self.limit_bytes

    async def watch(self) -> None:
        """Measure for as long as the server lives."""
        await asyncio.sleep(FIRST_S)
        while True:
            await asyncio.to_thread(self.measure)
            await asyncio.sleep(EVERY_S)

    def measure(self) -> None:
        was_too_large = self.is_too_large
        try:
            self.usage = measure_folder(self.home)
        except OSError as error:
            log.warning("the home cannot be measured: %s", error)
            return
        if self.is_too_large and not was_too_large:
            log.warning(
                "the home holds %d bytes in %d files%s: more than %d",
                self.usage.size_bytes,
                self.usage.files,
                "" if self.usage.complete else " and more",
                self.limit_bytes,
            )

    def take_warning(self) -> str:
        """The sentence for the learner, once an hour at most; empty: nothing to say."""
        if not self.is_too_large or self.usage is None or time.monotonic() - self._said < _SAID_AGAIN_S:
            return ""
        self._said = time.monotonic()
        used, limit = (
            format_decimal(each / _GIB, "0.0", get_language()) for each in (self.usage.size_bytes, self.limit_bytes)
        )
        return gettext(TOO_LARGE).format(used=used, limit=limit)
