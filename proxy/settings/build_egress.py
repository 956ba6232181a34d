"""Settings of the way out to the plain values that transports are made from."""

from __future__ import annotations

from base64 import b64encode

from proxy.model import egress as model
from proxy.settings.egress import Egress, ForwardProxy


def egress(written: Egress) -> model.Egress:
    """The way out to one upstream."""
    proxy = None if written.proxy is None else _proxy(written.proxy)
    return model.Egress(written.source_address, proxy)


def _proxy(written: ForwardProxy) -> model.ForwardProxy:
    url = written.url
    return model.ForwardProxy(url.host, url.port, url.tls, written.ca_file, _basic(written))


def _basic(written: ForwardProxy) -> bytes | None:
    """RFC 7617; both are ASCII, as everything that a header carries."""
    if written.username is None or written.password is None:
        return None
    pair = f"{written.username.reveal()}:{written.password.reveal()}"
    return b"Basic " + b64encode(pair.encode())
