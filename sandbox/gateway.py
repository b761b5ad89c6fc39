"""The gateway: how learners' programs reach the internet, and still not this machine, with PUPITRE_LEARNER_NETWORK=on.

A sandbox keeps its own empty network. At its birth it opens one port on its own 127.0.0.1 and hands the listening socket to
this process, which lives outside and speaks as an HTTP proxy there: CONNECT for https, absolute addresses for http. It
resolves names itself and connects to public addresses only (`sandbox.destination`).

    program ── http_proxy, in the sandbox ──> [listening socket] gateway, outside ── port 80 or 443 ──> internet

Laws: an ordinary user that holds no file and no token; a sandbox that ends takes its socket and its connections with it;
outlives forkd, as sandboxes do, and ends when neither is left; each refusal is a line of forkd's log, up to a number.
Source: RFC 9110 §9.3.6 (CONNECT), RFC 9112 §3.2.2 (absolute form).
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import resource
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from sandbox.destination import Destination, DestinationRefused, is_allowed, parse_head
from sandbox.errors import SandboxRefused
from sandbox.namespaces import set_process_name
from sandbox.service import enter_service

log = logging.getLogger("gateway")
GATEWAY_UID = 99_999
"""As root: just below the ranges of `sandbox.profile`, so nobody else's."""
_PORT = 3128
_PATIENCE_S = 5.0
_HEAD_S, _CONNECT_S, _IDLE_S = 30.0, 15.0, 300.0
_MAX_HEAD_BYTES, _BLOCK_BYTES = 16 << 10, 64 << 10
_MAX_CONNECTIONS = 64
_MAX_TOLD = 50
"""Refusals of one sandbox that are told."""
_REASONS = {400: "Bad Request", 403: "Forbidden", 502: "Bad Gateway", 503: "Service Unavailable"}


# --- in a sandbox that is being born ---------------------------------------------------------------------------------------
def offer_port(gateway: Path, label: str) -> None:
    """Open the port in this process's network and hand it over.

    Raises
    ------
    SandboxRefused
        The gateway does not answer.
    """
    try:
        with socket.create_server(("127.0.0.1", _PORT)) as port, socket.socket(socket.AF_UNIX) as door:
            door.settimeout(_PATIENCE_S)
            door.connect(str(gateway))
            socket.send_fds(door, [f"sandbox {label}".encode()], [port.fileno()])
            if door.recv(2) != b"ok":
                raise OSError("it does not take the port")
    except OSError as error:
        raise SandboxRefused(f"the gateway of the network: {error}", "system") from error


def make_variables() -> dict[str, str]:
    """What programs read to find a proxy."""
    url = f"http://127.0.0.1:{_PORT}"
    own = "localhost,127.0.0.1,::1"
    return dict.fromkeys(("http_proxy", "https_proxy", "HTTPS_PROXY"), url) | {"no_proxy": own, "NO_PROXY": own}


# --- in forkd --------------------------------------------------------------------------------------------------------------
class Gateway:
    """forkd's hold on it: a connection that tells that forkd lives."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lease: socket.socket | None = None

    def ensure(self) -> None:
        """Find the one that runs, from this forkd or an earlier one, or start one.

        Raises
        ------
        SandboxRefused
            It does not start.
        """
        if self._lease is not None and not _has_hung_up(self._lease):
            return
        self.close()
        if not self._take_lease():
            self._start()
            if not self._take_lease():
                raise SandboxRefused("the gateway of the network does not start", "system")

    def _take_lease(self) -> bool:
        lease = socket.socket(socket.AF_UNIX)
        lease.settimeout(_PATIENCE_S)
        try:
            lease.connect(str(self.path))
            lease.sendall(b"lease")
            if lease.recv(2) == b"ok":
                lease.setblocking(False)
                self._lease = lease
                return True
        except OSError:
            pass
        lease.close()
        return False

    def _start(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.path.unlink()
        with socket.socket(socket.AF_UNIX) as door:
            door.bind(str(self.path))  # 0600: forkd's umask
            door.listen(256)
            door.set_inheritable(True)
            subprocess.Popen(
                [sys.executable, "-I", "-m", "sandbox.gateway", str(door.fileno())],
                env={"LANG": "C.UTF-8"},
                cwd="/",
                stdin=subprocess.DEVNULL,
                pass_fds=[door.fileno()],
                start_new_session=True,
            )

    def close(self) -> None:
        """It ends by itself when the last sandbox has ended."""
        if self._lease is not None:
            self._lease.close()
            self._lease = None


def _has_hung_up(connection: socket.socket) -> bool:
    try:
        return not connection.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True


# --- the process -----------------------------------------------------------------------------------------------------------
class Port:
    """One sandbox's port and its connections."""

    def __init__(self, label: str) -> None:
        self.label = label
        self.tasks: set[asyncio.Task[None]] = set()
        self._told = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a program, to its end."""
        task = asyncio.current_task()
        if task is None:
            return
        self.tasks.add(task)
        try:
            if len(self.tasks) > _MAX_CONNECTIONS:
                raise DestinationRefused(503, f"more than {_MAX_CONNECTIONS} connections at once")
            destination = parse_head(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _HEAD_S))
            outside_reader, outside = await _connect(destination)
            try:
                if destination.head:
                    outside.write(destination.head)
                else:
                    writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await _relay((reader, outside), (outside_reader, writer))
            finally:
                outside.close()
        except DestinationRefused as error:
            self._tell(error)
            with contextlib.suppress(OSError):
                await _answer(writer, error)
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # a program that went away, or a host
        finally:
            self.tasks.discard(task)
            writer.close()

    def _tell(self, error: DestinationRefused) -> None:
        self._told += 1
        if self._told <= _MAX_TOLD:
            last = " (its further refusals are not told)" if self._told == _MAX_TOLD else ""
            log.warning(
                "refused label=%s %s %s%s", self.label, error.status, str(error).encode("unicode_escape").decode(), last
            )


async def _answer(writer: asyncio.StreamWriter, error: DestinationRefused) -> None:
    text = f"Pupitre: {error}\n".encode()
    head = f"HTTP/1.1 {error.status} {_REASONS[error.status]}\r\nContent-Type: text/plain; charset=utf-8\r\n"
    writer.write(f"{head}Content-Length: {len(text)}\r\nConnection: close\r\n\r\n".encode() + text)
    await writer.drain()


async def _connect(destination: Destination) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Resolve, check each address, and connect to that very address."""
    loop = asyncio.get_running_loop()
    try:
        found = await asyncio.wait_for(
            loop.getaddrinfo(destination.host, destination.port, type=socket.SOCK_STREAM), _CONNECT_S
        )
    except (OSError, UnicodeError) as error:
        raise DestinationRefused(502, f"{destination.host} is not known") from error
    addresses = [place[4][0] for place in found]
    allowed = [str(address) for address in addresses if is_allowed(str(address))]
    if not allowed:
        raise DestinationRefused(403, f"{destination.host} is this machine, its network, or no public address")
    for address in allowed:
        with contextlib.suppress(OSError, TimeoutError):
            return await asyncio.wait_for(asyncio.open_connection(address, destination.port), _CONNECT_S)
    raise DestinationRefused(502, f"{destination.host} does not answer")


async def _relay(*ways: tuple[asyncio.StreamReader, asyncio.StreamWriter]) -> None:
    """Both ways until both have ended, or nothing has passed for a while."""
    moved = time.monotonic()

    async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal moved
        while True:
            try:
                block = await asyncio.wait_for(reader.read(_BLOCK_BYTES), _IDLE_S)
            except TimeoutError:
                if time.monotonic() - moved < _IDLE_S:
                    continue  # the other way is busy
                raise
            moved = time.monotonic()
            if not block:
                with contextlib.suppress(OSError):
                    writer.write_eof()
                return
            writer.write(block)
            await writer.drain()

    await asyncio.gather(*(pass_on(*way) for way in ways))


class Service:
    """The gateway's process: leases of forkd, and ports of sandboxes."""

    def __init__(self) -> None:
        self.leases = 0
        self.ports = 0
        self.over = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, door: socket.socket) -> None:
        """Until neither a forkd nor a sandbox is left."""
        door.setblocking(False)
        accepting = asyncio.create_task(self._accept(door))
        await self.over.wait()
        accepting.cancel()

    async def _accept(self, door: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            connection, _ = await loop.sock_accept(door)
            try:
                self._welcome(connection)
            except OSError as error:
                log.warning("not understood: %s", error)
                connection.close()

    def _welcome(self, connection: socket.socket) -> None:
        """Whoever may open our socket is forkd or a sandbox that root, or this user, gives birth to: it does not linger."""
        connection.settimeout(_PATIENCE_S)
        message, descriptors, _, _ = socket.recv_fds(connection, 256, 1)
        pid, _uid, _gid = struct.unpack("iII", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        if message == b"lease":
            serving = self._hold(connection)
        elif message.startswith(b"sandbox ") and len(descriptors) == 1:
            # Taken before the answer: until then the caller waits, and its pid is nobody else's.
            serving = self._serve(message[8:].decode("ascii", "replace"), descriptors[0], os.pidfd_open(pid))
        else:
            raise OSError(f"{message!r} with {len(descriptors)} descriptors")
        connection.sendall(b"ok")
        if message != b"lease":
            connection.close()
        task = asyncio.create_task(serving)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _hold(self, connection: socket.socket) -> None:
        self.leases += 1
        connection.setblocking(False)
        with contextlib.suppress(OSError), connection:
            await asyncio.get_running_loop().sock_recv(connection, 1)
        self.leases -= 1
        self._end_if_alone()

    async def _serve(self, label: str, listening: int, pidfd: int) -> None:
        """A sandbox's port, until its pid 1 ends."""
        self.ports += 1
        loop, ended, port = asyncio.get_running_loop(), asyncio.Event(), Port(label)
        loop.add_reader(pidfd, ended.set)
        try:
            server = await asyncio.start_server(port.serve, sock=socket.socket(fileno=listening), limit=_MAX_HEAD_BYTES)
            await ended.wait()
            server.close()
        finally:
            loop.remove_reader(pidfd)
            os.close(pidfd)
            for task in list(port.tasks):
                task.cancel()
            self.ports -= 1
            self._end_if_alone()

    def _end_if_alone(self) -> None:
        if not self.leases and not self.ports:
            self.over.set()


def main(arguments: list[str]) -> int:
    """`python -I -m sandbox.gateway SOCKET_FD`"""
    set_process_name("sandbox-gateway")
    logging.basicConfig(format="%(asctime)s %(levelname)s gateway %(message)s", level=logging.INFO, stream=sys.stderr)
    door = socket.socket(fileno=int(arguments[0]))
    os.umask(0o022)  # the folders on the way to Python are made anew, and must be crossed
    if os.geteuid() == 0:
        enter_service(GATEWAY_UID, GATEWAY_UID, visible=[Path(sys.base_prefix), Path(sys.prefix)], writable=[])
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    log.info("ready")
    asyncio.run(Service().run(door))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
