"""A function in Python, a stub of sagemaker-local, and a helper for waiting."""

import io
import json
import sys
import threading
import time
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# A custom runtime; the event says what it should do.
BOOTSTRAP = """#!{python} -IS
import http.client, json, os, signal, subprocess, sys, time

if os.environ.get("INIT") == "error":
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    error = json.dumps({{"errorType": "NoConfig", "errorMessage": "no"}})
    connection.request("POST", "/2018-06-01/runtime/init/error", error)
    connection.getresponse().read()
    sys.exit(1)
if os.environ.get("INIT") == "exit":
    print("cannot start like this", flush=True)
    sys.exit(3)

connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
path = "/2018-06-01/runtime/invocation/"
while True:
    connection.request("GET", path + "next")
    response = connection.getresponse()
    event = json.loads(response.read())
    request_id = response.getheader("Lambda-Runtime-Aws-Request-Id")
    do = event.get("do") if isinstance(event, dict) else None
    kind, answer, chunked = "response", event, False
    if do == "env":
        answer = dict(os.environ, CWD=os.getcwd(), PID=str(os.getpid()))
    elif do == "print":
        print(event["text"], flush=True)
    elif do == "error":
        kind, answer = "error", {{"errorType": event["type"], "errorMessage": "it went wrong"}}
    elif do == "exit":
        print("leaving", flush=True)
        sys.exit(7)
    elif do == "signal":
        os.kill(os.getpid(), signal.SIGKILL)
    elif do == "sleep":
        time.sleep(event["seconds"])
    elif do == "spawn":
        answer = subprocess.Popen(["sleep", "600"]).pid
    elif do == "size":
        answer = "x" * event["bytes"]
    elif do == "chunked":
        chunked = True
    elif do == "deadline":
        answer = int(response.getheader("Lambda-Runtime-Deadline-Ms")) - time.time() * 1000
    body = json.dumps(answer).encode()
    if chunked:
        connection.request("POST", path + request_id + "/" + kind, iter([body[:5], body[5:]]), encode_chunked=True)
    else:
        connection.request("POST", path + request_id + "/" + kind, body)
    connection.getresponse().read()
"""


def package(bootstrap: str | None = None) -> bytes:
    """The zip file of a function; without an executable bit, as some tools create them."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("bootstrap", BOOTSTRAP.format(python=sys.executable) if bootstrap is None else bootstrap)
    return buffer.getvalue()


def wait_for(look, limit_s: float = 15, what: str = ""):
    """Waits for the first true value of ``look()``."""
    limit = time.monotonic() + limit_s
    while time.monotonic() < limit:
        if value := look():
            return value
        time.sleep(0.05)
    raise AssertionError(f"nothing within {limit_s} s: {what or look}")


class SageMakerStub:
    """Jobs run for two looks and end as their name says; an endpoint answers with the request reversed."""

    def __init__(self) -> None:
        self.jobs: dict[str, dict] = {}
        self.calls: list[tuple[str, dict]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _StubHandler)
        self._server.daemon_threads = True
        self._server.stub = self
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def named(self, operation: str) -> list[dict]:
        return [body for name, body in self.calls if name == operation]

    def answer(self, operation: str, body: dict) -> tuple[int, dict]:
        self.calls.append((operation, body))
        name = next((body[key] for key in body if key.endswith("Name")), "")
        if "throttled" in name:
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        if "limited" in name:
            return 400, {"__type": "ResourceLimitExceeded", "Message": "0 instances are left"}
        if "refused" in name:
            return 400, {"__type": "ValidationException", "message": "1 validation error detected"}
        for kind in ("Training", "Processing", "Transform"):
            if operation == f"Create{kind}Job":
                self.jobs[name] = {"looks": 0, "status": "InProgress"}
                return 200, {f"{kind}JobArn": f"arn:aws:sagemaker:us-east-1:000000000000:{kind.lower()}-job/{name}"}
            if operation == f"Stop{kind}Job":
                self.jobs[name]["status"] = "Stopped"
                return 200, {}
            if operation == f"Describe{kind}Job":
                return self._describe(kind, name)
        return 200, {"ModelArn": "arn:model", "EndpointArn": "arn:endpoint", "EndpointConfigArn": "arn:config"}

    def _describe(self, kind: str, name: str) -> tuple[int, dict]:
        job = self.jobs[name]
        job["looks"] += 1
        if "flaky" in name and job["looks"] == 1:
            return 400, {"__type": "ThrottlingException", "message": "Rate exceeded"}
        if job["looks"] >= 3 and job["status"] == "InProgress" and "endless" not in name:
            job["status"] = "Failed" if "failing" in name else "Completed"
        description = {f"{kind}JobName": name, f"{kind}JobStatus": job["status"], "CreationTime": 1700000000.123}
        if kind == "Training":
            description["HyperParameters"] = {"max_depth": "3", "snake_case": "x"}
            description["FinalMetricDataList"] = [
                {"MetricName": "validation:rmse", "Value": 1.5, "Timestamp": 1700000001}
            ]
        if kind == "Transform":
            description["MaxPayloadInMB"] = 1
        if job["status"] == "Failed":
            description["FailureReason"] = 'AlgorithmError: it said "no"'
        return 200, description


class _StubHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"] or 0))
        if self.path.startswith("/endpoints/"):
            headers = {"Content-Type": self.headers["Content-Type"], "x-Amzn-Invoked-Production-Variant": "all"}
            return self._send(200, body[::-1], headers)
        operation = self.headers["X-Amz-Target"].split(".")[1]
        status, answer = self.server.stub.answer(operation, json.loads(body))
        self._send(status, json.dumps(answer).encode(), {"Content-Type": "application/x-amz-json-1.1"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response_only(status)
        for name, value in (headers | {"Content-Length": str(len(body))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args) -> None:
        pass
