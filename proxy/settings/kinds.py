"""The types of the schema's text keys: names, places, headers, words."""

from __future__ import annotations

import ipaddress
import json
import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema
from pydantic_core import core_schema

from proxy.model.breaker import BreakerMode
from proxy.model.bulkhead import Priority
from proxy.model.checking import CheckKind
from proxy.model.ordering import OrderMode
from proxy.model.outcome import Execution
from proxy.model.route import Money
from proxy.settings import network
from proxy.settings.headers import parse_header_name, parse_header_value
from proxy.settings.problems import Wrong
from proxy.settings.scalars import REFERENCE, Scalar, Schema, one_of, text, text_of
from proxy.settings.secret import Secret

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OPERATIONS = ("authorize", "capture", "refund", "void", "authenticate", "inquire", "other")

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,62}")
_MODE = re.compile(r"0?[0-7]{3}")
_POINTER = re.compile(r"(?:/(?:[^~/]|~[01])*)+")
_QUERY = re.compile(r"[!$-;=?-\[\]_a-z~]*")
_MEMBER = re.compile(r"[A-Za-z0-9_-]{2,64}")
_SEAL_KEY = re.compile(r"[0-9a-fA-F]{64}")
_STATUS = re.compile(r"[2-5][0-9]{2}")
_STATUS_CLASS = re.compile(r"[2-5]xx")


def _name(written: str) -> str:
    if _NAME.fullmatch(written) is None:
        raise Wrong("is not a name", "use up to 63 letters, digits, - and _, no - or _ in front")
    return written


def _mode(written: str) -> int:
    if _MODE.fullmatch(written) is None:
        raise Wrong("is not a file mode", 'write three octal digits after a zero, such as "0600"')
    return int(written, 8)


def _status(written: str) -> str:
    if _STATUS.fullmatch(written) is None and _STATUS_CLASS.fullmatch(written) is None:
        raise Wrong("is not a status", 'write a status such as "402", or a class such as "5xx"')
    return written


def _version(written: str) -> int:
    if written != "1":
        raise Wrong("is a version that this sidecar can't read", "write version: 1")
    return 1


def _secret(written: str) -> Secret:
    return Secret(parse_header_value(written))


def _profile(written: str) -> str:
    if not is_profile_path(written) and _NAME.fullmatch(written) is None:
        remedy = "write a profile's name, or a path such as ./partner.yaml"
        raise Wrong("is neither a profile's name nor a path", remedy)
    return written


def is_profile_path(written: str) -> bool:
    """Whether a profile is named by its place, and not by its name."""
    return "/" in written or written.endswith((".yaml", ".yml"))


def parse_pointer(written: str) -> str:
    """A JSON pointer. Raises Wrong."""
    if _POINTER.fullmatch(written) is None:
        raise Wrong("is not a JSON pointer", "write one such as /payment/reference (RFC 6901)")
    return written


def _target(written: str) -> str:
    if "{reference}" not in written:
        raise Wrong("does not say where the reference goes", "put {reference} into it")
    return _any_target(written)


def _any_target(written: str) -> str:
    path, _, query = written.partition("?")
    network.parse_path(path.replace("{reference}", "x"))
    if not _QUERY.fullmatch(query.replace("{reference}", "x")):
        raise Wrong("has a query that cannot be sent", "use visible ASCII, percent-encoded")
    return written


def _member(written: str) -> str:
    if _MEMBER.fullmatch(written) is None:
        raise Wrong("is not a member's name", "use 2 to 64 letters, digits, - and _")
    return written


def _json_template(written: str) -> str:
    try:
        json.loads(written.replace("{reference}", "x"))
    except (ValueError, RecursionError):
        raise Wrong(
            "is not JSON", 'write it as text in quotes, such as \'{"reference": "{reference}"}\''
        ) from None
    return written


def _seal_key(written: str) -> Secret:
    if _SEAL_KEY.fullmatch(written) is None:
        raise Wrong("is not a key of 32 bytes", "write 64 hexadecimal digits: openssl rand -hex 32")
    return Secret(written)


def _postgres_url(written: str) -> Secret:
    """It may hold a password, so it is a secret as a whole."""
    try:
        parts = urlsplit(written)
        usable = parts.scheme in ("postgresql", "postgres") and bool(parts.path.strip("/"))
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise Wrong(
            "is not a PostgreSQL URL", "write postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        )
    return Secret(written)


def _name_server(written: str) -> str:
    """As c-ares wants it: brackets around IPv6, a port if it is not 53."""
    try:
        address, port = ipaddress.ip_address(written), ""
    except ValueError:
        host, _, port = written.rpartition(":")
        try:
            address = ipaddress.ip_address(host.strip("[]"))
        except ValueError:
            port = "?"
    if port and not (port.isdecimal() and 0 < int(port) < 65536):
        raise Wrong("is not the address of a name server", "write IP, IP:PORT or [IPV6]:PORT")
    host = f"[{address}]" if address.version == 6 else str(address)
    return f"{host}:{port}" if port else host


def _listed(value: object) -> object:
    """One value where a list may stand."""
    return [value] if isinstance(value, str) else value


class _File(Scalar):
    """A path; a relative one starts at the configuration file's directory."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(text_of, {"type": "string"})

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> core_schema.CoreSchema:
        return core_schema.with_info_plain_validator_function(self._resolve)

    @staticmethod
    def _resolve(value: object, info: ValidationInfo) -> str:
        directory: Path = info.context["directory"] if info.context else Path()
        return str(directory / text_of(value))


_HEADER: Schema = {"pattern": r"^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$"}
_HOSTS: Schema = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}
_OPERATIONS = one_of({operation: operation for operation in OPERATIONS})
_MONEY = {"yes": Money.YES, "no": Money.NO, "by_method": Money.BY_METHOD}
_BREAKER = {each.value: each for each in BreakerMode}
_BREAKER_ALSO = {"true": BreakerMode.ON, "false": BreakerMode.OFF}
"""Editors and YAML 1.1 take on and off for these."""
_CHECK = {each.value: each for each in CheckKind}
_MONEY_ALSO = {"true": Money.YES, "false": Money.NO}

Version = Annotated[int, Scalar(lambda value: _version(text_of(value)), {"const": 1})]
Name = Annotated[str, text(_name, pattern=f"^{_NAME.pattern}$")]
ProfileRef = Annotated[
    str, text(_profile, pattern=rf"^{_NAME.pattern}$|/|\.ya?ml$|" + REFERENCE["pattern"])
]
UpstreamName = Annotated[str, text(str)]
"""Not checked further: the cross check says which upstreams there are."""
Address = Annotated[network.Address, text(network.parse_address)]
Mode = Annotated[int, text(_mode, pattern=r"^0?[0-7]{3}$")]
Token = Annotated[Secret, text(_secret)]
Host = Annotated[str, text(network.parse_host)]
Hosts = Annotated[tuple[Host, ...], BeforeValidator(_listed), WithJsonSchema(_HOSTS)]
Ip = Annotated[str, text(network.parse_ip)]
Ips = Annotated[tuple[Ip, ...], BeforeValidator(_listed), WithJsonSchema(_HOSTS)]
BaseUrl = Annotated[network.Url, text(network.parse_url, pattern=r"^https?://|\$\{")]
UrlPath = Annotated[str, text(network.parse_path, pattern=r"^/|\$\{")]
PathPrefix = Annotated[str, text(network.parse_prefix, pattern=r"^/|\$\{")]
File = Annotated[str, _File()]
HeaderName = Annotated[str, text(parse_header_name, **_HEADER)]
HeaderValue = Annotated[Secret, text(_secret)]
Pointer = Annotated[str, text(parse_pointer, pattern=r"^/|\$\{")]
UrlTarget = Annotated[str, text(_target, pattern=r"^/|\$\{")]
AnyTarget = Annotated[str, text(_any_target, pattern=r"^/|\$\{")]
JsonTemplate = Annotated[str, text(_json_template)]
Text = Annotated[str, text(str)]
MemberName = Annotated[str, text(_member, pattern=f"^{_MEMBER.pattern}$")]
SealKey = Annotated[Secret, text(_seal_key)]
NameServer = Annotated[str, text(_name_server)]
PostgresUrl = Annotated[Secret, text(_postgres_url, pattern=r"^postgres(ql)?://|\$\{")]
Method = Annotated[str, one_of({method: method for method in METHODS})]
Operation = Annotated[str, _OPERATIONS]
OperationKey = Annotated[
    str, Scalar(_OPERATIONS.parse, {"type": "string", "enum": list(OPERATIONS)})
]
StatusKey = Annotated[str, text(_status, pattern=r"^[2-5]([0-9]{2}|xx)$")]
ExecutionWord = Annotated[Execution, one_of({each.value: each for each in Execution})]
OrderWord = Annotated[OrderMode, one_of({each.value: each for each in OrderMode})]
PriorityWord = Annotated[Priority, one_of({each.word: each for each in Priority})]
MoneyWord = Annotated[
    Money,
    Scalar(
        one_of(_MONEY, _MONEY_ALSO).parse,
        {"anyOf": [{"enum": ["yes", "no", "by_method"]}, {"type": "boolean"}, REFERENCE]},
    ),
]
CheckWord = Annotated[
    CheckKind,
    Scalar(
        one_of(_CHECK, {"false": CheckKind.OFF}).parse,
        {"anyOf": [{"enum": list(_CHECK)}, {"const": False}, REFERENCE]},
    ),
]
BreakerWord = Annotated[
    BreakerMode,
    Scalar(
        one_of(_BREAKER, _BREAKER_ALSO).parse,
        {"anyOf": [{"enum": list(_BREAKER)}, {"type": "boolean"}, REFERENCE]},
    ),
]
