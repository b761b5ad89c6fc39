"""A learner's server and the proxy: who closes the connection between them."""

from __future__ import annotations

import asyncio
from pathlib import Path

from tornado.http1connection import HTTP1Connection
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_unix_socket
from tornado.web import Application, RequestHandler

from hub.jupyter.singleuser import leave_closing_to_the_proxy


class Saved(RequestHandler):
    def put(self) -> None:
        self.write("saved")


async def ask(path: Path) -> tuple[bytes, bool, bool]:
    """The answer to a PUT as the proxy sends it, whether the server closed, and whether it saw that we did."""
    server = HTTPServer(Application([("/", Saved)]))
    server.add_socket(bind_unix_socket(str(path)))
    reader, writer = await asyncio.open_unix_connection(path)
    try:
        writer.write(b"PUT / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 4\r\n\r\nwork")
        answer = await asyncio.wait_for(reader.readuntil(b"saved"), 5)
        try:
            closed_by_the_server = await asyncio.wait_for(reader.read(1), 0.3) == b""
        except TimeoutError:
            closed_by_the_server = False
        writer.close()
        for _ in range(100):
            if not server._connections:
                break
            await asyncio.sleep(0.02)
        return answer, closed_by_the_server, not server._connections
    finally:
        server.stop()


def test_the_proxy_closes_the_connection_not_the_server(tmp_path, monkeypatch):
    usual = HTTP1Connection._can_keep_alive
    monkeypatch.setattr(HTTP1Connection, "_can_keep_alive", usual)  # put back at the end
    _, closed_by_the_server, _ = asyncio.run(ask(tmp_path / "usual"))
    assert closed_by_the_server, "Tornado has changed: is leave_closing_to_the_proxy still needed?"

    leave_closing_to_the_proxy()
    answer, closed_by_the_server, gone = asyncio.run(ask(tmp_path / "ours"))
    assert answer.startswith(b"HTTP/1.1 200")
    assert not closed_by_the_server
    assert gone, "nothing of the connection is left once the proxy has closed it"
