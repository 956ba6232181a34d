"""TLS towards partners: verified always, and a failed handshake says whose fault it is."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from tests.support import config
from tests.support.client import Client
from tests.support.origin import Origin
from tests.support.sidecar import Sidecar

PAST = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Partners:
    """A sidecar, and one TLS origin per route `/name/`."""

    sidecar: Sidecar
    origins: dict[str, Origin]


def _context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _contexts(ca: trustme.CA) -> dict[str, ssl.SSLContext]:
    """One server per way in which a certificate can be right or wrong."""
    good = ca.issue_cert("127.0.0.1")
    mutual = _context(good)
    mutual.verify_mode = ssl.CERT_REQUIRED
    ca.configure_trust(mutual)
    old = _context(good)
    old.minimum_version = ssl.TLSVersion.TLSv1_2
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    return {
        "good": _context(good),
        "tls12": old,
        "named": _context(ca.issue_cert("api.partner.test")),
        "hostname": _context(ca.issue_cert("api.partner.test")),
        "expired": _context(ca.issue_cert("127.0.0.1", not_before=PAST, not_after=PAST + DAY)),
        "unknown": _context(trustme.CA().issue_cert("127.0.0.1")),
        "mutual": mutual,
        "anonymous": mutual,
    }


@pytest.fixture(scope="module")
def partners(loop_name: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partners]:
    """All TLS origins behind one sidecar that trusts one test authority."""
    folder = tmp_path_factory.mktemp("tls")
    ca = trustme.CA()
    ca_file, own_file = folder / "ca.pem", folder / "own.pem"
    ca.cert_pem.write_to_path(str(ca_file))
    ca.issue_cert("application.test").private_key_and_cert_chain_pem.write_to_path(str(own_file))
    with ExitStack() as stack:
        origins = {
            name: stack.enter_context(Origin(tls=context))
            for name, context in _contexts(ca).items()
        }
        settings = _settings(origins, ca_file, own_file)
        sidecar = stack.enter_context(Sidecar(settings, folder, loop=loop_name))
        yield Partners(sidecar, origins)
        assert sidecar.stop() == 0
        assert "Traceback" not in sidecar.stderr


def _settings(origins: dict[str, Origin], ca_file: Path, own_file: Path) -> config.Document:
    upstreams = {}
    for name, origin in origins.items():
        tls = {"ca_file": str(ca_file)}
        if name == "mutual":
            tls |= {"client_certificate_file": str(own_file), "client_key_file": str(own_file)}
        if name == "named":
            tls["server_name"] = "api.partner.test"
        upstreams[name] = config.upstream(origin.port, scheme="https", tls=tls)
    return config.document(upstreams, [config.route(f"/{name}/", [name]) for name in origins])


@pytest.mark.parametrize("name", ["good", "tls12", "named", "mutual"])
def test_a_trusted_partner_answers(partners: Partners, name: str) -> None:
    """With a good certificate, by address or by `server_name`, and with ours where it is asked."""
    body = bytes(range(256)) * 200
    with Client(partners.sidecar.payments) as client:
        for _ in range(3):
            reply = client.call("POST", f"/{name}/x", body)
            assert (reply.status, reply.outcome, reply.body) == (200, "answered", b"ok")
    received = partners.origins[name].received
    assert [each.body for each in received] == [body] * 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("expired", "certificate_expired"),
        ("hostname", "certificate_hostname"),
        ("unknown", "certificate_unknown_ca"),
    ],
)
def test_a_bad_certificate_is_unsent_and_says_why(
    partners: Partners, name: str, reason: str
) -> None:
    """Not a byte of the call leaves, and the three ways to be wrong are told apart."""
    with Client(partners.sidecar.payments) as client:
        reply = client.call("POST", f"/{name}/x", b"{}")
    assert (reply.status, reply.outcome, reply.execution) == (502, "unsent", "none")
    assert (reply.problem["phase"], reply.problem["reason"]) == ("tls", reason)
    assert partners.origins[name].received == []


def test_a_missing_client_certificate_executes_nothing(partners: Partners) -> None:
    """A partner that asks for our certificate and gets none never reads the call.

    With TLS 1.3 its refusal comes after our handshake is done, so the call may
    already have left: in doubt is honest then, an answer would not be.
    """
    with Client(partners.sidecar.payments) as client:
        reply = client.call("POST", "/anonymous/x", b"{}")
    assert (reply.status, reply.outcome) in ((502, "unsent"), (502, "in_doubt"))
    assert partners.origins["anonymous"].received == []
