"""The servers of a test session: an S3 (LocalStack's) and `sagemaker-local`, on free ports, in their own folder."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import botocore

ROOT = Path(__file__).resolve().parents[2]
START_LIMIT_S = 90
STOP_LIMIT_S = 20


def program(variable: str, default: str, hint: str) -> str:
    """The path that an environment variable gives, or its default in the checkout."""
    path = Path(os.environ.get(variable) or ROOT / default)
    if not path.exists():
        raise FileNotFoundError(f"{path} is not there: {hint}, or set {variable}")
    # The link is not resolved: Python finds its environment by the path of the link.
    return str(path.absolute())


@contextlib.contextmanager
def localstack(state: Path) -> Iterator[str]:
    """The address of a LocalStack with S3, and with KMS for encryption."""
    python = program(
        "DRIVETRAIN_LOCALSTACK_PYTHON",
        "target/local/venvs/localstack/bin/python",
        "make the environment `localstack` (local/environments)",
    )
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (state / "tmp").mkdir(parents=True)
    environment = {
        # The SageMaker SDK uploads with server-side encryption by KMS.
        "SERVICES": "s3,kms",
        "STRICT_SERVICE_LOADING": "1",
        "GATEWAY_LISTEN": f"127.0.0.1:{port}",
        "LOCALSTACK_VOLUME_DIR": str(state / "volume"),
        "TMPDIR": str(state / "tmp"),
        "XDG_CACHE_HOME": str(state / "cache"),
        "DRIVETRAIN_INBOX": str(state / "inbox.jsonl"),
        "DISABLE_EVENTS": "1",
        "SKIP_SSL_CERT_DOWNLOAD": "1",
        "DNS_ADDRESS": "0",
    }
    url = f"http://127.0.0.1:{port}"

    def address(_log: str) -> str | None:
        try:
            urllib.request.urlopen(f"{url}/_localstack/health", timeout=2).close()
        except OSError:
            return None
        return url

    with running([python, "-m", "localstack.runtime.main"], state / "localstack.log", environment, address) as found:
        yield found


@contextlib.contextmanager
def sagemaker_local(state: Path, s3_endpoint: str) -> Iterator[str]:
    """The address of a `sagemaker-local` with the toy image and the project's own, XGBoost among them."""
    ml_python = program(
        "DRIVETRAIN_ML_PYTHON",
        "target/local/venvs/ml/bin/python",
        "make the environment `ml` (local/environments)",
    )
    monitor = program("DRIVETRAIN_MONITOR", "target/debug/drivetrain-monitor", "cargo build -p monitor")
    combine = program("DRIVETRAIN_COMBINE", "target/debug/drivetrain-combine", "cargo build -p combine")
    state.mkdir(parents=True)
    command = [
        program("DRIVETRAIN_SAGEMAKER_LOCAL", "target/debug/sagemaker-local", "cargo build -p sagemaker-local"),
        "--listen=127.0.0.1:0",
        f"--data-dir={state / 'data'}",
        f"--s3-endpoint={s3_endpoint}",
        f"--service-models={Path(botocore.__file__).parent / 'data'}",
        f"--images={ROOT / 'local/containers/images.yaml'}",
        f"--images={Path(__file__).parent / 'images/images.yaml'}",
        f"--define=python={ml_python}",
        f"--define=plain={sys.executable}",
        f"--define=monitor={monitor}",
        f"--define=combine={combine}",
    ]

    def address(log: str) -> str | None:
        ready = re.search(r"ready url=(\S+)", log)
        return ready and ready[1]

    with running(command, state / "sagemaker-local.log", {"RUST_LOG": "info"}, address) as found:
        yield found


@contextlib.contextmanager
def running(
    command: list[str], log: Path, environment: dict[str, str], address: Callable[[str], str | None]
) -> Iterator[str]:
    """Runs a server in a process group of its own until the end; yields its address once it has one."""
    with log.open("w") as output:
        process = subprocess.Popen(
            command, env=os.environ | environment, stdout=output, stderr=subprocess.STDOUT, start_new_session=True
        )
    try:
        limit = time.monotonic() + START_LIMIT_S
        while not (found := address(log.read_text())):
            if process.poll() is not None or time.monotonic() > limit:
                raise RuntimeError(f"{command[0]} did not start:\n{log.read_text()}")
            time.sleep(0.05)
        yield found
    finally:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
