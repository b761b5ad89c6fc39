"""The portal as a process: uvicorn on a local port (for the proxy) and on a socket (for learners' servers)."""

from __future__ import annotations

import os
import socket

import uvicorn

from hub.environment import load_environment


def main() -> None:
    environment = load_environment()
    tcp = socket.create_server(("127.0.0.1", environment.portal_port), backlog=2048)
    path = environment.run_dir / "doors" / "portal.sock"
    path.unlink(missing_ok=True)
    unix = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    unix.bind(str(path))
    os.chmod(path, 0o666)  # noqa: PTH101, S103  learners' servers have other uids; the folder and the token protect it
    unix.listen(2048)
    config = uvicorn.Config(
        "hub.portal.asgi:application",
        log_config=None,
        access_log=False,
        lifespan="off",
        proxy_headers=True,
        forwarded_allow_ips="127.0.0.1",
        timeout_graceful_shutdown=5,
    )
    uvicorn.Server(config).run(sockets=[tcp, unix])


if __name__ == "__main__":
    main()
