"""nginx twice: as a proxy under test, and as the fast upstream behind every subject."""

from __future__ import annotations

import subprocess
from pathlib import Path

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import find_program, need_program
from loadtests.bench.payload import ANSWER_BODY
from loadtests.bench.subjects.base import Launch, Place

PACKAGE = "nginx-light"

# keepalive_requests: the default of 1,000 calls per connection would count reconnects as work.
_COMMON = """\
daemon off;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr error;
events {{ worker_connections 2048; }}
http {{
  keepalive_requests 1000000000;
  keepalive_timeout 300s;
  client_body_temp_path {directory}/body;
  proxy_temp_path {directory}/proxy;
  fastcgi_temp_path {directory}/fastcgi;
  uwsgi_temp_path {directory}/uwsgi;
  scgi_temp_path {directory}/scgi;
{http}}}
"""

_PROXY = """\
  log_format calls escape=json '{{"time":"$time_iso8601","method":"$request_method",'
    '"path":"$uri","status":$status,"duration_s":$request_time,"upstream":"$upstream_addr"}}';
  access_log {log} calls;
  upstream partner {{
    server 127.0.0.1:{upstream_port};
    keepalive 256;
    keepalive_requests 1000000000;
  }}
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass http://partner;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
"""

_UPSTREAM = """\
  access_log off;
  default_type application/json;
  server {{
    listen 127.0.0.1:{port};
    location / {{ return 200 '{answer}'; }}
  }}
"""


class Nginx:
    """nginx as a reverse proxy. Writes each log line at once, which is its default."""

    name = "nginx"
    fields = LogFields(duration="duration_s")  # `$request_time` is in seconds
    told = None

    def absent(self) -> str | None:
        """Debian's package; without it there is no upstream either."""
        return None if find_program("nginx") else f"not installed: apt-get install {PACKAGE}"

    def version(self) -> str:
        """The number out of `nginx version: nginx/1.22.1`, which goes to stderr."""
        argv = [need_program("nginx", PACKAGE), "-v"]
        shown = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stderr
        return shown.strip().partition("/")[2]

    def launch(self, place: Place) -> Launch:
        """One worker under a master, as nginx is meant to run."""
        http = _PROXY.format(log=place.log, port=place.port, upstream_port=place.upstream_port)
        return Launch(_command(place, http), logs_to_stdout=False)


def upstream_command(directory: Path, port: int) -> list[str]:
    """Command line of the upstream: the same 300 bytes for every request, no log."""
    http = _UPSTREAM.format(port=port, answer=ANSWER_BODY)
    return _command(Place(directory, port, 0), http)


def _command(place: Place, http: str) -> list[str]:
    """Write the configuration; `-e stderr` keeps it away from the system's log folder."""
    path = place.write("nginx.conf", _COMMON.format(directory=place.directory, http=http))
    program = need_program("nginx", PACKAGE)
    return [program, "-e", "stderr", "-p", str(place.directory), "-c", str(path)]
