"""The server's own client of a kernel, with which Voilà runs the cells of a lesson.

jupyter_client's, with two repairs. *A reply is never overlooked*: jupyter_client sends on the socket behind the back of the
asyncio socket that waits for a reply; we infer that a reply which arrives during such a send wakes nobody: some lessons whose
widgets talk to the kernel while a cell runs waited for ever, and none does since (docs/why/warm-processes.md). *Ready is ready*: the
stock client then listens for another fifth of a second, to throw away messages that nbclient does not look at anyway.
"""

from __future__ import annotations

import asyncio
import time
from queue import Empty
from typing import Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.channels import AsyncZMQSocketChannel
from traitlets import Type

_REPLY_S, _IOPUB_S = 1.0, 0.2


class AttentiveChannel(AsyncZMQSocketChannel):
    """A channel that looks for what may have arrived while it sent."""

    def send(self, msg: dict[str, Any]) -> None:
        super().send(msg)
        # A new poll looks at the socket's state and, if something has arrived, wakes the oldest poll. It is let go at once: one
        # that ran out of time would look again, for itself alone, and take the signal of what arrives in that moment.
        # Source: zmq_getsockopt(3), ZMQ_FD: after a send the application must look at ZMQ_EVENTS, or may miss a signal.
        asyncio.ensure_future(self.socket.poll()).cancel()


class LearnerKernelClient(AsyncKernelClient):
    """A client that neither overlooks a reply nor waits longer than it must."""

    shell_channel_class = Type(AttentiveChannel)
    stdin_channel_class = Type(AttentiveChannel)
    control_channel_class = Type(AttentiveChannel)

    async def wait_for_ready(self, timeout: float | None = None) -> None:
        """Wait until the kernel has described itself and its outputs arrive.

        Raises
        ------
        RuntimeError
            The kernel died, or had its time.
        """
        deadline = time.monotonic() + (float("inf") if timeout is None else timeout)
        while True:
            self.kernel_info()
            try:
                reply = await self.shell_channel.get_msg(timeout=_REPLY_S)
                if reply["msg_type"] == "kernel_info_reply":
                    await self.iopub_channel.get_msg(timeout=_IOPUB_S)
                    self._handle_kernel_info_reply(reply)
                    return
            except Empty:
                pass
            if not await self._async_is_alive():
                raise RuntimeError("Kernel died before replying to kernel_info")
            if time.monotonic() > deadline:
                raise RuntimeError(f"Kernel didn't respond in {timeout} seconds")
