# SPDX-License-Identifier: Apache-2.0
"""Ten servers of other people's making whose requests are measured from both ends."""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.process_group import (
    DEADLINE_S,
    SERVER_CPU,
    Missing,
    ProcessGroup,
    free_port,
    require,
    wait_until_listening,
)

_NGINX = """
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log {directory}/errors;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
  keepalive_requests 1000000;
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://unix:{path}; }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class LatencyServer:
    """``command``: with {port}, or {path} of a unix socket where nginx stands in front of it.

    ``keep``: whether its connections serve several requests.
    """

    name: str
    needs: str
    command: tuple[str, ...]
    keep: bool = True
    nginx: bool = False

    def start(self, group: ProcessGroup) -> RunningServer:
        """Run it until it listens. Raises Missing."""
        if self.needs:
            require(self.needs)
        port = free_port()
        directory = Path(group.enter_context(tempfile.TemporaryDirectory(prefix="iotrace-bench-")))
        path = directory / "server.sock"
        command = [one.format(port=port, path=path) for one in self.command]
        pids = [group.start(sys.executable, *command, cpu=SERVER_CPU)]
        if self.nginx:
            pids.append(_start_nginx(group, directory, port, path))
        wait_until_listening(port)
        return RunningServer(tuple(pids), port, str(path) if self.nginx else None)


@dataclass(frozen=True, slots=True)
class RunningServer:
    """``path``: of the unix socket behind nginx."""

    pids: tuple[int, ...]
    port: int
    path: str | None


def _start_nginx(group: ProcessGroup, directory: Path, port: int, path: Path) -> int:
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        raise Missing("nginx (apt-get install nginx-light)")
    configuration = directory / "nginx.conf"
    configuration.write_text(_NGINX.format(directory=directory, port=port, path=path))
    directory.chmod(0o755)  # its workers are another user
    until = time.monotonic() + DEADLINE_S
    while not path.exists():
        if time.monotonic() > until:
            raise TimeoutError(f"nothing listens on {path}")
        time.sleep(0.01)
    path.chmod(0o777)
    return group.start(nginx, "-p", directory, "-c", configuration, cpu=SERVER_CPU)


def _gunicorn(*options: str, bind: str = "127.0.0.1:{port}") -> tuple[str, ...]:
    return "-m", "gunicorn", "--bind", bind, *options, "slow_apps:wsgi"


def _uvicorn(loop: str) -> tuple[str, ...]:
    options = ("--loop", loop, "--no-access-log", "--log-level", "warning")
    return "-m", "uvicorn", "--host", "127.0.0.1", "--port", "{port}", *options, "slow_apps:asgi"


def _own(make: str) -> tuple[str, ...]:
    return "slow_apps.py", make, "{port}"


_SYNC = ("-k", "sync", "-w", "4")

SERVERS = (
    LatencyServer("gunicorn, sync", "gunicorn", _gunicorn(*_SYNC), keep=False),
    LatencyServer("gunicorn, gthread", "gunicorn", _gunicorn("-k", "gthread", "--threads", "8")),
    LatencyServer("uvicorn, asyncio", "uvicorn", _uvicorn("asyncio")),
    LatencyServer("uvicorn, uvloop", "uvloop", _uvicorn("uvloop")),
    LatencyServer("a thread per connection", "", _own("threads")),
    LatencyServer("waitress", "waitress", _own("waitress")),
    LatencyServer("cheroot", "cheroot", _own("cheroot")),
    LatencyServer("aiohttp", "aiohttp", _own("aiohttp")),
    LatencyServer("gevent", "gevent", _own("gevent")),
    LatencyServer(
        "nginx, gunicorn behind it", "gunicorn", _gunicorn(*_SYNC, bind="unix:{path}"), nginx=True
    ),
)
