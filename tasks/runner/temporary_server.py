"""A Prefect server on a free port that ends with its parent."""

import os
import socket
import sys

from pav.tasks.runner.parent import Parent


def main(command_line: list[str]) -> int:
    """Serve Prefect's API; the port is sent to the parent first."""
    parent = Parent(command_line)
    # What the server writes is its user's alone.
    os.umask(0o077)
    os.environ["PREFECT__SERVER_EPHEMERAL"] = "1"
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    os.environ["PREFECT_UI_ENABLED"] = "0"
    listener = socket.create_server(("127.0.0.1", 0))
    parent.send(listener.getsockname()[1])
    import uvicorn

    config = uvicorn.Config(
        "prefect.server.api.server:create_app", factory=True, log_level="critical", lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
