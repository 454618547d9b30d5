"""A server for one page and one user: this machine only, a secret address, strict headers."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from automorph.errors import AutomorphError
from automorph.review.page import content_policy

HOST = "127.0.0.1"
LARGEST_BODY = 2**20
"""Bytes; larger posts are refused."""


class ReviewServer:
    """Serves one page under a random address, and passes what is marked on it to ``save``.

    Only requests that name this address as their host are answered, and only posts that come from
    the page itself are taken: pages of other origins can neither read it nor post to it.
    ``save`` gets the marks as plain data and may raise `AutomorphError`.
    """

    def __init__(self, page: str, save: Callable[[Any], None], *, port: int = 0) -> None:
        self.page, self.save = page.encode("utf-8", errors="replace"), save
        self.token = secrets.token_urlsafe(32)
        self.finished = threading.Event()
        self.saving = threading.Lock()
        self._server = ThreadingHTTPServer((HOST, port), _Handler)
        self._server.daemon_threads = True
        self._server.review = self  # type: ignore[attr-defined]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)

    @property
    def origin(self) -> str:
        """The origin of the page."""
        return f"http://{HOST}:{self._server.server_address[1]}"

    @property
    def address(self) -> str:
        """The address to open."""
        return f"{self.origin}/{self.token}/"

    def __enter__(self) -> ReviewServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def wait(self) -> None:
        """Wait until the user finishes; Ctrl-C ends it, too."""
        while not self.finished.wait(0.2):
            pass


class _Handler(BaseHTTPRequestHandler):
    """Answers three addresses below the token: the page, ``marks`` and ``finish``."""

    timeout = 30
    server_version, sys_version = "automorph", ""

    @property
    def review(self) -> ReviewServer:
        found: ReviewServer = self.server.review  # type: ignore[attr-defined]
        return found

    def do_GET(self) -> None:
        """Answer with the page."""
        if self._refused():
            return
        # Another page may at most open this one in a window of its own.
        site, mode = (self.headers.get(f"Sec-Fetch-{one}", "none") for one in ("Site", "Mode"))
        if site not in ("none", "same-origin") and mode != "navigate":
            self._answer(HTTPStatus.FORBIDDEN)
        elif not self._is_at(""):
            self._answer(HTTPStatus.NOT_FOUND)
        else:
            self._answer(HTTPStatus.OK, self.review.page, "text/html; charset=utf-8")

    def do_POST(self) -> None:
        """Save marks, or finish."""
        if self._refused():
            return
        if self.headers.get("Origin") != self.review.origin:
            self._answer(HTTPStatus.FORBIDDEN)
        elif self.headers.get("Content-Type") != "application/json":
            self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE)
        elif self._is_at("finish"):
            self._answer(HTTPStatus.NO_CONTENT)
            self.review.finished.set()
        elif self._is_at("marks"):
            self._save()
        else:
            self._answer(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Keep the terminal clean, and the token out of it."""

    def _save(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        try:
            marks = json.loads(self.rfile.read(int(length)))
            with self.review.saving:
                self.review.save(marks)
        except (AutomorphError, ValueError, RecursionError, OSError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, str(error).encode(), "text/plain; charset=utf-8")
            return
        self._answer(HTTPStatus.NO_CONTENT)

    def _refused(self) -> bool:
        """Refuse other hosts: a name that an attacker points at this machine is another host."""
        hosts = self.headers.get_all("Host", [])
        if [f"http://{host}" for host in hosts] == [self.review.origin]:
            return False
        self._answer(HTTPStatus.MISDIRECTED_REQUEST)
        return True

    def _is_at(self, place: str) -> bool:
        wanted = f"/{self.review.token}/{place}"
        return secrets.compare_digest(self.path.encode("utf-8", "replace"), wanted.encode())

    def _answer(self, status: HTTPStatus, body: bytes = b"", kind: str = "text/plain") -> None:
        self.send_response(status)
        policy = f"{content_policy(served=True)}; frame-ancestors 'none'"
        for name, value in {
            "Content-Type": kind,
            "Content-Length": str(len(body)),
            "Content-Security-Policy": policy,
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
