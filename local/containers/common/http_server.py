"""The serving half of the container contract: GET /ping and POST /invocations on SAGEMAKER_BIND_TO_PORT.

HTTP/1.1 with keep-alive, one thread for each connection, 127.0.0.1 only. The caller handles invocations.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional


class Request(NamedTuple):
    """An invocation. `content_type` and `accept` are as sent; empty if not sent."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = {}


class Response(NamedTuple):
    """An answer; `content_type` includes the charset."""

    body: bytes
    content_type: str = "text/plain; charset=utf-8"
    status: int = 200


def text(body: str, mimetype: str = "text/plain", status: int = 200) -> Response:
    """An answer in UTF-8. Text types get a charset, as with the frameworks of the AWS images."""
    suffix = "; charset=utf-8" if mimetype.startswith("text/") else ""
    return Response(body.encode("utf-8"), mimetype + suffix, status)


def serve(
    invoke: Callable[[Request], Response],
    max_body_bytes: Optional[int] = None,
    execution_parameters: Optional[Dict[str, Any]] = None,
) -> None:
    """Serves until SIGTERM. Call it when the model is loaded, because a container that answers /ping counts as
    healthy."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # one packet an answer

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if path == "/ping":
                self._answer(Response(b""))
            elif path == "/execution-parameters" and execution_parameters is not None:
                self._answer(text(json.dumps(execution_parameters), "application/json"))
            else:
                self._answer(text("not found", status=404))

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "")
            if not length.isdigit():
                self.close_connection = True
                self._answer(text("a request needs its Content-Length", status=411))
            elif max_body_bytes is not None and int(length) > max_body_bytes:
                # Read and discarded: a client that is still sending would see a connection reset instead of this
                # answer.
                remaining = int(length)
                while remaining > 0 and (read := len(self.rfile.read(min(remaining, 1 << 20)))):
                    remaining -= read
                self._answer(text(f"the request has {length} bytes; this container takes {max_body_bytes}", status=413))
            else:
                body = self.rfile.read(int(length))
                if self.path.split("?")[0] != "/invocations":
                    self._answer(text("not found", status=404))
                    return
                content_type, accept = self.headers.get("Content-Type", ""), self.headers.get("Accept", "")
                request = Request(body, content_type, accept, self.headers)
                try:
                    answer = invoke(request)
                except Exception:
                    traceback.print_exc()
                    answer = text("Internal Server Error", status=500)
                self._answer(answer)

        def _answer(self, response: Response) -> None:
            self.send_response(response.status)
            self.send_header("Content-Type", response.content_type)
            self.send_header("Content-Length", str(len(response.body)))
            if self.close_connection:
                self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(response.body)

        def log_message(self, *_: object) -> None:
            """Logs nothing: one line for each request would hide what a model logs."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, request: object, client_address: object) -> None:
            if not isinstance(sys.exc_info()[1], ConnectionError):  # callers may hang up
                traceback.print_exc()

    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    with Server(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler) as server:
        print(f"serving on port {server.server_address[1]}", flush=True)
        server.serve_forever()


def accepted(request: Request, default: str) -> str:
    """The type of the answer: the requested one, otherwise the container's default, which the environment may set."""
    asked = request.accept.split(",")[0].split(";")[0].strip().lower()
    return os.environ.get("SAGEMAKER_DEFAULT_INVOCATIONS_ACCEPT", default) if asked in ("", "*/*") else asked


def mimetype(content_type: str) -> str:
    """The content type without its parameters."""
    return content_type.split(";")[0].strip().lower()
