"""What a browser hears of its kernel: jupyter_server's websocket, which also says why a kernel died, where the learner looks.

The sentence is an output of the cell that was running, before the browser is told that the kernel restarts.
"""

from __future__ import annotations

import json
from typing import Any

from jupyter_server.services.kernels.connection.base import deserialize_msg_from_ws_v1
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection

from hub.jupyter.language import get_language, gettext, gettext_noop, use_language

OUT_OF_MEMORY = gettext_noop(
    "Mémoire épuisée : ce programme en a demandé plus que votre serveur n’en a. Le noyau a été arrêté puis redémarré ; "
    "vos variables sont perdues, votre notebook est intact. Réduisez la taille des données, puis réexécutez les cellules."
)
DIED = gettext_noop(
    "Le noyau s’est arrêté pendant l’exécution de cette cellule ; il redémarre. Vos variables sont perdues, votre notebook est intact."
)
_GOING_AWAY = 1001  # RFC 6455, section 7.4.1: what a browser says when its page is left
_V1 = "v1.kernel.websocket.jupyter.org"


class KernelConnection(ZMQChannelsWebsocketConnection):
    """One browser's connection to one kernel."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._language = get_language()
        self._running: dict[str, dict[str, Any]] = {}
        """Headers of the executions that were asked for and not answered, the oldest first: that one is running."""

    def handle_incoming_message(self, incoming_msg: str) -> None:
        header = self._read_request(incoming_msg)
        if header.get("msg_type") == "execute_request":
            self._running[str(header.get("msg_id"))] = header
        super().handle_incoming_message(incoming_msg)

    def handle_outgoing_message(self, stream: Any, outgoing_msg: list[Any]) -> None:
        if self._running and getattr(stream, "channel", None) == "shell":
            _, parts = self.session.feed_identities(outgoing_msg)
            parent = self.session.unpack(parts[2])
            self._running.pop(str(parent.get("msg_id")), None)
        super().handle_outgoing_message(stream, outgoing_msg)

    def on_kernel_restarted(self) -> None:
        self._tell_why()
        super().on_kernel_restarted()  # type: ignore[no-untyped-call]

    def on_restart_failed(self) -> None:
        self._tell_why()
        super().on_restart_failed()  # type: ignore[no-untyped-call]

    def disconnect(self) -> None:  # type: ignore[override]
        super().disconnect()  # type: ignore[no-untyped-call]
        is_left = self.websocket_handler.close_code == _GOING_AWAY
        self.multi_kernel_manager.end_if_left(self.kernel_id, is_left=is_left)

    def _read_request(self, message: str | bytes) -> dict[str, Any]:
        """The header of what the browser asks; empty when it is not a request to run something."""
        try:
            if self.subprotocol == _V1:
                channel, parts = deserialize_msg_from_ws_v1(message)  # type: ignore[no-untyped-call]
                header = self.session.unpack(parts[0]) if channel == "shell" else {}
            else:
                header = json.loads(message).get("header", {}) if isinstance(message, str) else {}
        except (ValueError, IndexError, AttributeError):
            return {}  # the parent class says what is wrong with it
        return header if isinstance(header, dict) else {}

    def _tell_why(self) -> None:
        running, self._running = list(self._running.values()), {}
        provisioner = self.kernel_manager.provisioner
        is_out_of_memory = getattr(provisioner, "is_out_of_memory", False)
        if not running:
            return
        iopub = self.channels.get("iopub")
        if iopub is not None and not iopub.closed():
            iopub.flush()  # what the kernel printed comes before
        use_language(self._language)
        self.write_stderr(gettext(OUT_OF_MEMORY if is_out_of_memory else DIED), running[0])  # type: ignore[no-untyped-call]
