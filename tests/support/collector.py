"""An OTLP collector by the official messages, over HTTP and gRPC, that can also misbehave."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent import futures
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_service
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_service
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span

_TRACES = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_METRICS = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export"


class Received:
    """What a collector got: raw bytes, headers, and what they say."""

    def __init__(self) -> None:
        self.bodies: dict[str, list[bytes]] = {"traces": [], "metrics": []}
        self.headers: list[dict[str, str]] = []

    @property
    def raw(self) -> bytes:
        """All of it, to be searched."""
        return b"".join(body for bodies in self.bodies.values() for body in bodies)

    def spans(self) -> list[Span]:
        """Every span, in order."""
        parsed = [
            trace_service.ExportTraceServiceRequest.FromString(each)
            for each in self.bodies["traces"]
        ]
        return [
            span
            for request in parsed
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def resources(self) -> list[dict[str, Any]]:
        """The attributes of whoever sent each body of traces."""
        parsed = [
            trace_service.ExportTraceServiceRequest.FromString(each)
            for each in self.bodies["traces"]
        ]
        return [
            attributes(each.resource.attributes)
            for request in parsed
            for each in request.resource_spans
        ]

    def metrics(self) -> dict[str, list[Metric]]:
        """Every metric of the last export, by name."""
        found: dict[str, list[Metric]] = {}
        for body in self.bodies["metrics"][-1:]:
            request = metrics_service.ExportMetricsServiceRequest.FromString(body)
            for resource in request.resource_metrics:
                for scope in resource.scope_metrics:
                    for each in scope.metrics:
                        found.setdefault(each.name, []).append(each)
        return found

    def wait(self, signal: str, count: int = 1, within_s: float = 10.0) -> None:
        """Until so many exports came."""
        ends_at = time.monotonic() + within_s
        while len(self.bodies[signal]) < count:
            if time.monotonic() > ends_at:
                raise AssertionError(f"{len(self.bodies[signal])} exports of {signal}")
            time.sleep(0.01)


def attributes(pairs: Any) -> dict[str, Any]:
    """Attributes as plain values."""
    return {pair.key: _plain(pair) for pair in pairs}


def _plain(pair: KeyValue) -> Any:
    kind = pair.value.WhichOneof("value")
    if kind == "array_value":
        return [each.string_value for each in pair.value.array_value.values]
    return getattr(pair.value, str(kind))


@contextmanager
def http_collector(
    status: int = 200, answer: bytes = b"", tls: ssl.SSLContext | None = None
) -> Iterator[tuple[str, Received]]:
    """Takes OTLP over HTTP; yields its URL and what it received."""
    received = Received()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.headers.append(dict(self.headers))
            received.bodies[self.path.rpartition("/")[2]].append(body)
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def handle(self) -> None:
            with contextlib.suppress(ssl.SSLError, OSError):
                super().handle()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def grpc_collector() -> Iterator[tuple[str, Received]]:
    """Takes OTLP over gRPC; yields its URL and what it received."""
    received = Received()

    def handler(signal: str) -> grpc.RpcMethodHandler:
        def export(body: bytes, context: grpc.ServicerContext) -> bytes:
            received.headers.append(dict(context.invocation_metadata()))
            received.bodies[signal].append(body)
            return b""

        return grpc.unary_unary_rpc_method_handler(export)

    class Services(grpc.GenericRpcHandler):  # type: ignore[misc] # it has no types
        def service(self, details: Any) -> grpc.RpcMethodHandler | None:
            signal = {_TRACES: "traces", _METRICS: "metrics"}.get(details.method)
            return None if signal is None else handler(signal)

    server = grpc.server(futures.ThreadPoolExecutor(2), handlers=(Services(),))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"http://127.0.0.1:{port}", received
    finally:
        server.stop(None).wait()


def _misbehave(kind: str, line: socket.socket, stop: threading.Event) -> None:
    with line, contextlib.suppress(OSError):
        line.settimeout(0.2)
        line.recv(65536)
        if kind == "dies":
            return
        if kind in ("floods", "trickles"):
            line.sendall(b"HTTP/1.1 200 OK\r\n")
        while not stop.is_set():
            if kind == "floods":
                line.sendall(b"X-Flood: " + b"x" * 60_000 + b"\r\n")
            elif kind == "trickles":
                line.sendall(b"X")
            stop.wait(0.0 if kind == "floods" else 0.05)


@contextmanager
def bad_collector(kind: str) -> Iterator[str]:
    """A collector that `hangs`, `floods`, `trickles` an answer without end, `dies` or `refuses`."""
    stop = threading.Event()
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    if kind == "refuses":
        listening.close()
        yield "http://127.0.0.1:9"
        return
    threads: list[threading.Thread] = []

    def accept() -> None:
        while not stop.is_set():
            try:
                line, _ = listening.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=_misbehave, args=(kind, line, stop)))
            threads[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        stop.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *threads):
            thread.join()
