"""OTLP over gRPC; imported only where it is configured, since it takes 15 MiB."""

from __future__ import annotations

from pathlib import Path

import grpc

from proxy.model.telemetry import Collector
from proxy.telemetry.senders import ANSWER_BYTES_MAX, Sent

_METHODS = {
    signal: f"/opentelemetry.proto.collector.{signal}.v1.{service}/Export"
    for signal, service in (("traces", "TraceService"), ("metrics", "MetricsService"))
}
_METHODS["traces"] = _METHODS["traces"].replace("collector.traces", "collector.trace")
_AGAIN = frozenset(
    (
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    )
)
"""What the protocol calls worth another try."""
_OPTIONS = (
    ("grpc.enable_http_proxy", 0),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", ANSWER_BYTES_MAX),
    ("grpc.max_reconnect_backoff_ms", 30_000),
)


class GrpcSender:
    """Calls the two export services of one collector, over one channel."""

    def __init__(self, collector: Collector) -> None:
        self._timeout_s = collector.timeout_s
        self._metadata = [(name.lower(), value) for name, value in collector.headers]
        target = collector.authority
        self._channel = (
            grpc.secure_channel(target, _credentials(collector), options=_OPTIONS)
            if collector.tls
            else grpc.insecure_channel(target, options=_OPTIONS)
        )
        self._methods = {
            signal: self._channel.unary_unary(method) for signal, method in _METHODS.items()
        }

    def send(self, signal: str, body: bytes) -> Sent:
        """One call; its timeout bounds all of it."""
        try:
            answer = self._methods[signal](body, timeout=self._timeout_s, metadata=self._metadata)
        except grpc.RpcError as error:
            code = error.code()
            return Sent(f"grpc_{code.name.lower()}", again=code in _AGAIN)
        return Sent(answer=answer)

    def give_up(self, now: float) -> None:
        """The call's own timeout bounds it."""

    def close(self) -> None:
        """End the channel."""
        self._channel.close()


def _credentials(there: Collector) -> grpc.ChannelCredentials:
    def content(name: str | None) -> bytes | None:
        return None if name is None else Path(name).read_bytes()

    return grpc.ssl_channel_credentials(
        content(there.ca_file),
        content(there.client_key_file),
        content(there.client_certificate_file),
    )
