"""In the fresh system: a real server under load, traced by the command line given as arguments.

Prints the report as JSON. Python's standard library only.
"""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
import time

_SECONDS = "3"
_PAUSE_S = 0.02
"""Between requests: what is tried here is the package, not how much it can take."""
_SERVER = (sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "0")


def _get(port: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/")
    connection.getresponse().read()
    connection.close()


def main(iotrace: list[str]) -> int:
    """iotrace's exit code."""
    with subprocess.Popen(
        _SERVER, cwd="/usr/share", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as server:
        assert server.stdout is not None
        found = re.search(r"port (\d+)", server.stdout.readline())
        assert found is not None
        port = int(found[1])
        _get(port)
        command = [*iotrace, "attach", str(server.pid), "-d", _SECONDS, "-f", "json"]
        with subprocess.Popen(command) as tracer:
            while tracer.poll() is None:
                _get(port)
                time.sleep(_PAUSE_S)
        server.terminate()
    return tracer.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
