"""The way out to an upstream: a source address, a forward proxy, both or neither."""

from __future__ import annotations

from proxy.settings.base import Model, key, required
from proxy.settings.kinds import BaseUrl, File, Ips, Token


class ForwardProxy(Model):
    """A proxy of our own network; each connection to the partner is a tunnel through it."""

    url: BaseUrl = required("http://host:port or https://host:port", "http://proxy.internal:3128")
    username: Token | None = key(None, "our name there")
    password: Token | None = key(None, "our password there, by reference")
    ca_file: File | None = key(None, "PEM bundle in place of the system's, of an https proxy")


class Egress(Model):
    """How connections leave this machine."""

    source_address: Ips = key((), "address of ours that they come from; one of each family")
    proxy: ForwardProxy | None = key(None, "forward proxy that they go through, with CONNECT")
