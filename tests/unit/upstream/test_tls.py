"""`proxy.upstream.tls`: verification always on, and a bad file named and never quoted."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme

from proxy.model.errors import StartError
from proxy.model.route import TlsFiles
from proxy.upstream.tls import TlsSetupError, client_context
from tests.support.values import CARD


@dataclass(frozen=True, slots=True)
class _Files:
    """Certificates on disk."""

    ca: str
    certificate: str
    key: str
    other_key: str
    junk: str
    missing: str


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> _Files:
    """A CA, a client certificate with its key, another key, a file that is neither."""
    folder = tmp_path_factory.mktemp("tls")
    authority = trustme.CA()
    client, other = authority.issue_cert("client"), authority.issue_cert("other")

    def write(name: str, content: bytes) -> str:
        path = folder / name
        path.write_bytes(content)
        return str(path)

    return _Files(
        write("ca.pem", authority.cert_pem.bytes()),
        write("client.pem", client.cert_chain_pems[0].bytes()),
        write("client.key", client.private_key_pem.bytes()),
        write("other.key", other.private_key_pem.bytes()),
        write("junk.pem", f"junk {CARD}\n".encode()),
        str(folder / "missing.pem"),
    )


def test_chain_and_host_name_are_always_verified() -> None:
    """There is no setting that turns it off; TLS 1.2 is the oldest version spoken."""
    context = client_context(TlsFiles())
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2
    assert context.cert_store_stats()["x509_ca"] > 0, "the system's own bundle"


def test_an_own_bundle_takes_the_place_of_the_systems(files: _Files) -> None:
    """A partner with a private CA is not verified by public ones as well."""
    context = client_context(TlsFiles(ca_file=files.ca))
    assert context.cert_store_stats()["x509_ca"] == 1


def _handshake(client: ssl.SSLContext, server: ssl.SSLContext, name: str) -> str | None:
    """The negotiated protocol after a handshake in memory; raises the client's error."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server, server_hostname=name)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(10):
        for side in (ours, theirs):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ours.version() in ("TLSv1.2", "TLSv1.3")
    return ours.selected_alpn_protocol()


def _server(
    authority: trustme.CA, name: str, change: Callable[[ssl.SSLContext], None] | None = None
) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["h2", "http/1.1"])
    authority.issue_cert(name).configure_cert(context)
    if change is not None:
        change(context)
    return context


def test_a_partner_of_the_bundle_is_spoken_to_in_http_1(tmp_path: Path) -> None:
    """And h2 is not offered."""
    authority, bundle = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    client = client_context(TlsFiles(ca_file=str(bundle)))
    assert _handshake(client, _server(authority, "psp.example"), "psp.example") == "http/1.1"


def test_another_name_and_another_authority_are_refused(tmp_path: Path) -> None:
    """By the chain and by the host name."""
    authority, bundle = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))
    client = client_context(TlsFiles(ca_file=str(bundle)))
    with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
        _handshake(client, _server(authority, "psp.example"), "other.example")
    with pytest.raises(ssl.SSLCertVerificationError):
        _handshake(client, _server(trustme.CA(), "psp.example"), "psp.example")


def test_our_own_certificate_is_shown_to_a_partner_that_wants_one(
    tmp_path: Path, files: _Files
) -> None:
    """A partner that verifies it completes the handshake."""
    authority, bundle = trustme.CA(), tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(bundle))

    def ask(context: ssl.SSLContext) -> None:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(files.ca)

    server = _server(authority, "psp.example", ask)
    own = client_context(TlsFiles(str(bundle), files.certificate, files.key))
    assert _handshake(own, server, "psp.example") == "http/1.1"
    with pytest.raises(ssl.SSLError, match="PEER_DID_NOT_RETURN_A_CERTIFICATE"):
        _handshake(client_context(TlsFiles(str(bundle))), server, "psp.example")


@pytest.mark.parametrize("field", ["missing", "junk"])
def test_a_bad_bundle_is_named(files: _Files, field: str) -> None:
    """The start fails with the file's name, and without a word of its content."""
    path = getattr(files, field)
    with pytest.raises(TlsSetupError) as raised:
        client_context(TlsFiles(ca_file=path))
    assert str(raised.value).startswith(f"{path}: ")
    assert CARD not in str(raised.value)
    assert isinstance(raised.value, StartError)


@pytest.mark.parametrize(
    ("certificate", "key", "problem"),
    [
        ("missing", "key", "No such file or directory"),
        ("certificate", "missing", "No such file or directory"),
        ("junk", "key", "no usable PEM"),
        ("certificate", "junk", "no usable PEM"),
        ("certificate", "other_key", "key values mismatch"),
    ],
)
def test_a_bad_certificate_or_key_is_named_with_its_partner(
    files: _Files, certificate: str, key: str, problem: str
) -> None:
    """OpenSSL does not say which of the two it means, so both are named."""
    paths = getattr(files, certificate), getattr(files, key)
    with pytest.raises(TlsSetupError) as raised:
        client_context(TlsFiles(None, *paths))
    message = str(raised.value)
    assert all(path in message for path in paths)
    assert problem in message
    assert CARD not in message


def test_an_encrypted_key_fails_at_once(files: _Files, tmp_path: Path) -> None:
    """Nobody is asked for a pass phrase: a sidecar has no terminal."""
    from cryptography.hazmat.primitives import serialization

    key = serialization.load_pem_private_key(Path(files.key).read_bytes(), None)
    encrypted = tmp_path / "encrypted.key"
    encrypted.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"pass"),
        )
    )
    with pytest.raises(TlsSetupError, match="encrypted key"):
        client_context(TlsFiles(None, files.certificate, str(encrypted)))
