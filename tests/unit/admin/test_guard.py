"""`proxy.admin.guard`: what our own page may do; test_api_refusals.py has the rest."""

from __future__ import annotations

import pytest
from aiohttp.test_utils import TestClient, TestServer

from proxy.admin.api import Reports, application


@pytest.mark.parametrize(
    ("token", "origin", "status"),
    [
        (None, None, 405),
        (None, "http://127.0.0.1:{port}", 403),
        (b"t", "http://127.0.0.1:{port}", 405),
        (b"t", "http://127.0.0.1:1", 403),
        (b"t", "https://127.0.0.1:{port}", 403),
        (b"t", "null", 403),
    ],
)
async def test_our_own_page_may_change_something_only_where_a_token_is_asked_for(
    token: bytes | None, origin: str | None, status: int
) -> None:
    """405 says that the guard has let it pass to where nothing is; any other origin never may."""
    reports = Reports(lambda: True, str, dict, token=token)
    async with TestClient(TestServer(application(reports))) as client:
        headers = {} if origin is None else {"Origin": origin.format(port=client.port)}
        answer = await client.put("/findings", headers=headers)
        assert answer.status == status
