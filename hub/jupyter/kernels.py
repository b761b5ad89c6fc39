"""The kernels of one learner's server: how many, and how long those of a lesson outlive its page.

Laws: at the limit a start is refused with a sentence, and nothing is ended to make room; a lesson's kernel (Voilà starts one
per page) ends when its page is left, and soon after when the page was lost without a word; a notebook's kernel never ends here.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager
from tornado.ioloop import IOLoop
from tornado.web import HTTPError
from traitlets import Float, Integer

from hub.jupyter.language import gettext, gettext_noop
from sandbox.errors import ForkRefused

TOO_MANY = gettext_noop(
    "Vous avez déjà {count} noyaux ouverts, c’est le maximum. Arrêtez-en (onglet « Noyaux en cours d’exécution »), puis réessayez."
)
NO_PROCESS = gettext_noop(
    "Vous avez trop de programmes en cours : le noyau n’a pas pu démarrer. Arrêtez-en, ou redémarrez votre serveur, puis réessayez."
)
NOT_STARTED = gettext_noop(
    "Le noyau n’a pas pu démarrer. Réessayez ; si cela se répète, redémarrez votre serveur ou prévenez l’administrateur."
)
_OF_A_LESSON = "VOILA_REQUEST_URL"


class KernelRefused(HTTPError):
    """A kernel was not started; the sentence is what every page of Jupyter shows."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(status, sentence.replace("%", "%%"))
        self.sentence = sentence

    def __str__(self) -> str:
        return self.sentence


class LearnerKernels(AsyncMappingKernelManager):
    """jupyter_server's kernels, counted, and ended with the lesson they were for."""

    max_kernels = Integer(12, config=True, help="Kernels one learner may have at once.")
    left_page_s = Float(30.0, config=True, help="Time a lesson that lost its connection has to come back, seconds.")
    unopened_page_s = Float(120.0, config=True, help="Time a new lesson has to connect to its kernel, seconds.")

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)  # type: ignore[no-untyped-call]
        self._lessons: set[str] = set()

    async def _async_start_kernel(self, *, kernel_id: str | None = None, path: Any = None, **options: Any) -> str:
        is_new = kernel_id is None or kernel_id not in self
        if is_new and len({*self.list_kernel_ids(), *self._pending_kernels}) >= self.max_kernels:
            self.log.warning("a kernel is refused: there are %d", self.max_kernels)
            raise KernelRefused(409, gettext(TOO_MANY).format(count=self.max_kernels))
        try:
            started: str = await super()._async_start_kernel(kernel_id=kernel_id, path=path, **options)
        except ForkRefused as error:
            self.log.warning("a kernel did not start: %s: %s", error.code, error)
            sentence = NO_PROCESS if error.code == "too_many_processes" else NOT_STARTED
            raise KernelRefused(503, gettext(sentence)) from error
        if is_new and _OF_A_LESSON in (options.get("env") or {}):
            self._lessons.add(started)
            self._end_later(started, self.unopened_page_s)
        return started

    start_kernel = _async_start_kernel  # type: ignore[assignment]

    def remove_kernel(self, kernel_id: str) -> Any:
        self._lessons.discard(kernel_id)
        return super().remove_kernel(kernel_id)

    def end_if_left(self, kernel_id: str, *, is_left: bool) -> None:
        """A page has closed its connection: `is_left` when it said that it goes away."""
        if kernel_id in self._lessons:
            self._end_later(kernel_id, 0 if is_left else self.left_page_s)

    def _end_later(self, kernel_id: str, delay_s: float) -> None:
        IOLoop.current().call_later(delay_s, self._end_unless_connected, kernel_id)

    async def _end_unless_connected(self, kernel_id: str) -> None:
        if kernel_id in self._lessons and kernel_id in self and not self._kernel_connections.get(kernel_id):
            self._lessons.discard(kernel_id)
            self.log.info("the lesson of kernel %s was left", kernel_id)
            await self.shutdown_kernel(kernel_id, now=True)  # type: ignore[no-untyped-call]
