"""HAProxy from Debian: one thread, its log written to stdout, which is a file here."""

from __future__ import annotations

import subprocess

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import find_program, need_program
from loadtests.bench.subjects.base import Launch, Place

_CONFIG = """\
global
  nbthread 1
  maxconn 2000
  log stdout format raw local0 info
defaults
  mode http
  log global
  log-format '{{"time":"%T","method":"%HM","path":"%HP","status":%ST,"duration_ms":%Ta,\
"upstream":"%s"}}'
  timeout connect 4s
  timeout client 75s
  timeout server 30s
  http-reuse always
frontend payments
  bind 127.0.0.1:{port}
  default_backend upstream
backend upstream
  server upstream 127.0.0.1:{upstream_port}
"""


class Haproxy:
    """Writes each log line at once (its stdout target has no buffer)."""

    name = "haproxy"
    fields = LogFields()
    told = None

    def absent(self) -> str | None:
        """Debian's package is optional."""
        return None if find_program("haproxy") else "not installed: apt-get install haproxy"

    def version(self) -> str:
        """The third word of `HAProxy version 2.6.12-… …`."""
        argv = [need_program("haproxy", "haproxy"), "-v"]
        shown = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout
        return shown.split()[2]

    def launch(self, place: Place) -> Launch:
        """In the foreground (`-db`), so that its pid is ours."""
        text = _CONFIG.format(port=place.port, upstream_port=place.upstream_port)
        path = place.write("haproxy.cfg", text)
        argv = [need_program("haproxy", "haproxy"), "-db", "-f", str(path)]
        return Launch(argv, logs_to_stdout=True)
