"""The Lambda Runtime API, served to one process of a function on 127.0.0.1.

It speaks HTTP and exchanges events and results; it starts no process and has no time limits.
"""

import json
import queue
import re
from concurrent.futures import Future
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread

PREFIX = "/2018-06-01/runtime"
INVOCATION_PATH = re.compile(rf"{PREFIX}/invocation/(?P<id>[^/]+)/(?P<kind>response|error)")
MAX_RESPONSE_BYTES = 6 * 1024 * 1024 + 100


@dataclass(frozen=True)
class Invocation:
    request_id: str
    function_arn: str
    trace_id: str
    deadline_ms: int  # since 1970
    payload: bytes


@dataclass(frozen=True)
class Outcome:
    payload: bytes
    is_error: bool


class InitError(Exception):
    """The function could not start; ``payload`` is the JSON error document that the caller gets."""

    def __init__(self, payload: bytes) -> None:
        super().__init__(payload.decode("utf-8", "replace"))
        self.payload = payload


def error_document(error_type: str, message: str) -> bytes:
    return json.dumps({"errorType": error_type, "errorMessage": message}).encode()


class RuntimeApi:
    """One process's Runtime API. ``ready`` completes at the first ``/next``, or raises ``InitError``."""

    def __init__(self) -> None:
        self.ready: Future[None] = Future()
        self._invocations: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._lock = Lock()
        self._current: tuple[str, Future[Outcome]] | None = None
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        Thread(target=self._server.serve_forever, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        host, port = self._server.server_address[:2]
        return f"{host}:{port}"

    def submit(self, invocation: Invocation) -> "Future[Outcome]":
        """Passes one event to the process; the future completes when the process has answered it."""
        outcome: Future[Outcome] = Future()
        with self._lock:
            self._current = (invocation.request_id, outcome)
        self._invocations.put(invocation)
        return outcome

    def fail(self, payload: bytes) -> None:
        """The process is gone or given up: ends everything that waits for it with this error document."""
        with self._lock:
            if not self.ready.done():
                self.ready.set_exception(InitError(payload))
            current, self._current = self._current, None
        if current and not current[1].done():
            current[1].set_result(Outcome(payload, is_error=True))

    def close(self) -> None:
        self._invocations.put(None)
        # shutdown() waits until the server checks its flag again; callers should not have to wait for that.
        Thread(target=self._stop_server, name="runtime-api-stop", daemon=True).start()

    def _stop_server(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def next_invocation(self) -> Invocation | None:
        with self._lock:
            if not self.ready.done():
                self.ready.set_result(None)
        return self._invocations.get()

    def finish(self, request_id: str, outcome: Outcome) -> bool:
        """Accepts the answer to the current event; False if the event is not the current one."""
        with self._lock:
            if self._current is None or self._current[0] != request_id:
                return False
            future = self._current[1]
            self._current = None
        future.set_result(outcome)
        return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Buffered, so that each answer is sent in one segment at once.
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}/invocation/next":
            return self._answer(404, error_document("NotFound", f"No such path: {self.path}"))
        invocation = self.server.api.next_invocation()
        if invocation is None:
            self.close_connection = True
            return self._answer(410, error_document("Gone", "This environment has been stopped."))
        self._answer(
            200,
            invocation.payload,
            {
                "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
                "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
                "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
                "Lambda-Runtime-Trace-Id": invocation.trace_id,
            },
        )

    def do_POST(self) -> None:
        body = self._body()
        if self.path == f"{PREFIX}/init/error":
            self.server.api.fail(body)
            return self._accepted()
        match = INVOCATION_PATH.fullmatch(self.path)
        if not match:
            return self._answer(404, error_document("NotFound", f"No such path: {self.path}"))
        outcome = Outcome(body, is_error=match["kind"] == "error")
        too_large = len(body) > MAX_RESPONSE_BYTES
        if too_large:
            message = f"Response payload size exceeded maximum allowed payload size ({MAX_RESPONSE_BYTES} bytes)."
            outcome = Outcome(error_document("Function.ResponseSizeTooLarge", message), is_error=True)
        if not self.server.api.finish(match["id"], outcome):
            return self._answer(400, error_document("InvalidRequestID", f"{match['id']} is not being invoked."))
        if too_large:
            return self._answer(413, outcome.payload)
        self._accepted()

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        # Trailers have more details of a streamed error; its body has been read.
        while self.rfile.readline().strip():
            pass
        return bytes(body)

    def _accepted(self) -> None:
        self._answer(202, b'{"status":"OK"}')

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:
            # The process died in the middle of a request; its watcher reports that.
            self.close_connection = True

    def finish(self) -> None:
        try:
            super().finish()
        except ConnectionError:
            pass

    def log_message(self, format: str, *args) -> None:
        pass
