"""A short replay: the real sidecar, four sandbox partners, an application that always pays."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from proxy.sandbox.client import SandboxPartner
from tests.support import config
from tests.support.sidecar import Sidecar

PARTNERS = {
    "northpay": ("northpay-eu", "northpay-us"),
    "eastbank": ("eastbank",),
    "wallet": ("wallet",),
}
TOKEN = "a-token-of-the-browser-tests-0123456789"
CLOSE_AFTER = "5s"
_SCHEMES = {"visa": "4111111111111111", "mastercard": "5555555555554444"}
_PAUSE_S = 0.04
_TIMEOUTS = {"connect": "1s", "first_byte": "1s"}


class Stage:
    """What runs; `partners` are by upstream."""

    def __init__(
        self, sidecar: Sidecar, partners: dict[str, SandboxPartner], stop: threading.Event
    ) -> None:
        self.sidecar = sidecar
        self._stop = stop
        self.partners = partners
        assert isinstance(sidecar.admin, tuple)
        self.url = f"http://{sidecar.admin[0]}:{sidecar.admin[1]}"

    def kill(self) -> None:
        """End the sidecar at once; the application gives up before."""
        self._stop.set()
        self.sidecar.kill()

    def verdicts(self) -> list[dict[str, Any]]:
        """What stands, as the sidecar says."""
        found: list[dict[str, Any]] = json.loads(self.sidecar.admin_get("/verdicts"))["verdicts"]
        return found


@contextmanager
def on_stage(folder: Path, *, token: bool = True) -> Iterator[Stage]:
    """Everything started and paying; ended at the end."""
    names = [name for each in PARTNERS.values() for name in each]
    partners = {name: SandboxPartner.launch("processor", name, latency_p50_ms=20) for name in names}
    try:
        for each in partners.values():
            each.wait_ready()
        with Sidecar(_document(partners, folder, token=token), folder) as sidecar:
            with _paying(sidecar) as stop:
                yield Stage(sidecar, partners, stop)
    finally:
        for each in partners.values():
            each.stop()


def _document(partners: dict[str, SandboxPartner], folder: Path, *, token: bool) -> dict[str, Any]:
    ways = {"/northpay/": ["northpay-eu", "northpay-us"], "/eastbank/": ["eastbank", "northpay-us"],
            "/wallet/": ["wallet"]}  # fmt: skip
    dimensions = [{"name": "scheme", "pointer": "/card/scheme"}]
    admin = {"address": "127.0.0.1:0"} | ({"token": TOKEN} if token else {})
    routes = [
        config.route(path, candidates, strip_prefix=True, dimensions=dimensions, **over)
        for path, candidates in ways.items()
        for over in ({"match": {"methods": ["POST"]}, "name": f"{path.strip('/')}-charges"},
                     {"match": {"methods": ["GET"]}, "name": f"{path.strip('/')}-inquiries",
                      "operation": "inquire"})
    ]  # fmt: skip
    return config.document(
        {}, routes, admin=admin,
        partners={
            partner: {
                "profile": "sandbox-processor",
                "upstreams": {
                    name: config.upstream(partners[name].port, timeouts=_TIMEOUTS) for name in each
                },
            }
            for partner, each in PARTNERS.items()
        },
        journal={"path": str(folder / "journal.db")},
        incidents={"close_after": CLOSE_AFTER},
        log={"calls": False},
    )  # fmt: skip


@contextmanager
def _paying(sidecar: Sidecar) -> Iterator[threading.Event]:
    stop = threading.Event()
    payers = [
        threading.Thread(target=_pay, args=(sidecar.port, partner, number, stop), daemon=True)
        for number, partner in enumerate(PARTNERS)
    ]
    for payer in payers:
        payer.start()
    try:
        yield stop
    finally:
        stop.set()
        for payer in payers:
            payer.join(15)


def _pay(port: int, partner: str, who: int, stop: threading.Event) -> None:
    for number in count():
        if stop.is_set():
            return
        scheme = list(_SCHEMES)[number % len(_SCHEMES)]
        reference = f"order-{who}-{number}"
        body = {
            "amount": 1000, "currency": "EUR", "reference": reference,
            "card": {"number": _SCHEMES[scheme], "scheme": scheme},
        }  # fmt: skip
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=15)
        try:
            if number % 4 == 3:
                connection.request("GET", f"/{partner}/v1/charges?reference={reference}")
            else:
                headers = {"Content-Type": "application/json", "Idempotency-Key": reference}
                connection.request("POST", f"/{partner}/v1/charges", json.dumps(body), headers)
            connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            if stop.is_set():
                return
            raise
        finally:
            connection.close()
        time.sleep(_PAUSE_S)
