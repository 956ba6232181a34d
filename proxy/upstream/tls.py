"""TLS towards partners: verification always on, our own certificate where a partner wants one.

There is no setting that turns verification off. TLS 1.2 is the oldest version
spoken; card data may not travel on less (PCI DSS 4.2.1).
"""

from __future__ import annotations

import ssl

from proxy.model.errors import StartError
from proxy.model.route import TlsFiles


class TlsSetupError(StartError):
    """A certificate file, or it with its key, cannot be used; the message never quotes it."""

    def __init__(self, file: str, problem: str) -> None:
        super().__init__(f"{file}: {problem}")


def client_context(files: TlsFiles) -> ssl.SSLContext:
    """A context that verifies chain and host name. Raises TlsSetupError."""
    try:
        context = ssl.create_default_context(cafile=files.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise TlsSetupError(files.ca_file or "system CA bundle", _problem(error)) from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    certificate = files.client_certificate_file
    if certificate is not None:
        try:
            context.load_cert_chain(certificate, files.client_key_file, password=_no_password)
        except (OSError, ssl.SSLError) as error:
            # neither kind of error says which of the two files it means
            both = f"{certificate} with its key {files.client_key_file or 'in the same file'}"
            raise TlsSetupError(both, _problem(error)) from None
    return context


def _no_password() -> str:
    """OpenSSL would otherwise ask on the terminal, and a sidecar has none."""
    return ""


def _problem(error: Exception) -> str:
    if isinstance(error, ssl.SSLError):
        reason = error.reason
        return reason.replace("_", " ").lower() if reason else "no usable PEM, or an encrypted key"
    return str(getattr(error, "strerror", None) or type(error).__name__)
