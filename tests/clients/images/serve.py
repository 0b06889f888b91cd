"""Serving program of the toy image: answers each row with the sum of its numbers, times FACTOR.

CSV is answered with one number a line, JSON (`{"instances": [[…]]}`) with `{"predictions": […]}`. A body that begins
with `status=` is answered with that status. EXIT ends the program at once; DELAY_S delays its answers.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

if "EXIT" in os.environ:
    sys.exit(int(os.environ["EXIT"]))
FACTOR = float(os.environ.get("FACTOR", "1"))
DELAY_S = float(os.environ.get("DELAY_S", "0"))


def predict(row: list) -> float:
    return sum(float(cell) for cell in row) * FACTOR


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        self.answer(200 if self.path == "/ping" else 404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        time.sleep(DELAY_S)
        if body.startswith("status="):
            status = int(body.removeprefix("status="))
            return self.answer(status, f"told to answer {status}", "text/plain")
        if self.headers.get("Content-Type", "").startswith("application/json"):
            predictions = [predict(row) for row in json.loads(body)["instances"]]
            return self.answer(200, json.dumps({"predictions": predictions}), "application/json")
        rows = [line.split(",") for line in body.splitlines() if line]
        return self.answer(200, "".join(f"{predict(row)}\n" for row in rows), "text/csv")

    def answer(self, status: int, body: str = "", content_type: str = "text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        attributes = self.headers.get("X-Amzn-SageMaker-Custom-Attributes")
        if attributes:
            self.send_header("X-Amzn-SageMaker-Custom-Attributes", f"seen:{attributes}")
        self.send_header("Content-Length", str(len(body.encode())))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_):
        pass


ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("SAGEMAKER_BIND_TO_PORT", "8080"))), Handler).serve_forever()
