"""The server behind `automorph review`: who is answered, and with what."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from automorph.errors import UsageError
from automorph.review import ReviewServer

Answer = tuple[int, bytes, dict[str, str]]


class Client:
    def __init__(self, server: ReviewServer, saved: list[Any]) -> None:
        self.server, self.saved = server, saved
        self.host = server.origin.removeprefix("http://")

    def ask(
        self, path: str = "", method: str = "GET", body: str | None = None, /, **headers: str
    ) -> Answer:
        connection = http.client.HTTPConnection(self.host, timeout=10)
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, f"/{self.server.token}/{path}", body, sent)
        answer = connection.getresponse()
        found = answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()}
        connection.close()
        return found

    def post(self, path: str, body: str = "{}", **headers: str) -> Answer:
        usual = {"Origin": self.server.origin, "Content_Type": "application/json"}
        return self.ask(path, "POST", body, **{**usual, **headers})


@pytest.fixture
def client() -> Iterator[Client]:
    saved: list[Any] = []

    def save(content: Any) -> None:
        if content == "bad":
            raise UsageError("got 'bad'; expected an object")
        saved.append(content)

    with ReviewServer("<p>page</p>", save) as server:
        yield Client(server, saved)


def test_the_page_comes_with_strict_headers(client: Client) -> None:
    status, body, headers = client.ask()
    assert (status, body) == (200, b"<p>page</p>")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert "access-control-allow-origin" not in headers


def test_marks_are_saved_and_the_end_is_announced(client: Client) -> None:
    assert client.post("marks", json.dumps({"Rotate": {}}))[0] == 204
    assert client.saved == [{"Rotate": {}}]
    assert not client.server.finished.is_set()
    assert client.post("finish")[0] == 204
    assert client.server.finished.wait(5)


def test_another_host_name_is_refused(client: Client) -> None:
    for host in ("evil.example", "localhost" + client.host[9:], "127.0.0.1"):
        assert client.ask(Host=host)[:2] == (421, b"")
        assert client.post("marks", Host=host)[0] == 421
    assert client.saved == []


def test_other_origins_and_kinds_are_refused(client: Client) -> None:
    for origin in ("null", "http://evil.example", "https://" + client.host, ""):
        assert client.post("marks", Origin=origin)[0] == 403
    assert client.ask("marks", "POST", "{}", Content_Type="application/json")[0] == 403
    assert client.post("marks", Content_Type="text/plain")[0] == 415
    assert client.ask(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="no-cors")[0] == 403
    assert client.ask(Sec_Fetch_Site="cross-site", Sec_Fetch_Mode="navigate")[0] == 200
    assert client.saved == []


def test_the_token_is_needed(client: Client) -> None:
    token = client.server.token
    assert len(token) >= 43
    for path in ("../", "x", "../" + token[:-1] + "/"):
        assert client.ask(path)[0] == 404
        assert client.post(path)[0] == 404
    assert client.ask("marks")[0] == 404
    assert client.ask("", "PUT")[0] == 501


def test_bad_and_large_bodies_are_refused(client: Client) -> None:
    assert client.post("marks", "{")[0] == 400
    status, body, _ = client.post("marks", '"bad"')
    assert (status, body) == (400, b"got 'bad'; expected an object")
    assert client.post("marks", Content_Length=str(2**20 + 1))[0] == 413
    assert client.saved == []
