"""Serving: GET /ping and POST /invocations, CSV rows of features in, one number per line out."""

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from neighbours import MODEL, predict


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.answer(200 if self.path == "/ping" else 404, b"")

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode("utf-8")
        rows = [[float(field) for field in line.split(",")] for line in body.splitlines() if line]
        values = [predict(model["rows"], model["neighbours"], row) for row in rows]
        self.answer(200, "".join(f"{value}\n" for value in values).encode("utf-8"))

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/csv; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    model = json.loads(MODEL.read_text(encoding="utf-8"))
    port = int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))
    ThreadingHTTPServer(("127.0.0.1", port), Handler).serve_forever()
