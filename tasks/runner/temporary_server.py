"""A Prefect server on a free port that ends when its parent closes the pipe or dies."""

import os
import socket
import sys
import threading


def main() -> int:
    """Serve Prefect's API; the port is written to standard output first."""
    # What the server writes is its user's alone.
    os.umask(0o077)
    os.environ["PREFECT__SERVER_EPHEMERAL"] = "1"
    os.environ["PREFECT__SERVER_FINAL"] = "1"
    os.environ["PREFECT_UI_ENABLED"] = "0"
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listener = socket.create_server(("127.0.0.1", 0))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    import uvicorn

    config = uvicorn.Config(
        "prefect.server.api.server:create_app", factory=True, log_level="critical", lifespan="on"
    )
    uvicorn.Server(config).run(sockets=[listener])
    return 0


def _end_with_parent() -> None:
    # Not by way of sys.stdin, whose lock this thread would hold when the interpreter ends.
    while os.read(0, 4096):
        pass
    os._exit(0)


if __name__ == "__main__":
    sys.exit(main())
