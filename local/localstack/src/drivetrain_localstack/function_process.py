"""One process of a function: the bootstrap of its package, its Runtime API, its output, its end.

A process answers one event after the other, like an execution environment of Lambda. The executor starts a new one
after a crash or a timeout.
"""

import errno
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from threading import Thread

from drivetrain_localstack.reaper import Reaper
from drivetrain_localstack.runtime_api import InitError, Invocation, Outcome, RuntimeApi, error_document

# Output beyond this is discarded once an event is answered, because a process may live for days.
MAX_OUTPUT_BYTES = 4 * 1024 * 1024

REAPER = Reaper()


class FunctionProcess:
    """Starts when it is constructed. ``wait_until_ready`` and ``invoke`` block; ``stop`` may be called from any
    thread."""

    def __init__(self, task_root: Path, environment: dict[str, str]) -> None:
        self.init_duration_ms = 0.0
        self.peak_memory_mb = 0
        self._api = RuntimeApi()
        self._started = time.perf_counter()
        self._scratch = tempfile.mkdtemp(prefix="function-")
        # The process appends to this file, which has no name: nothing is lost between its last line and its answer, and
        # no file stays behind.
        self._output = tempfile.TemporaryFile("ab+", buffering=0)
        self._output_seen = 0
        self._process: subprocess.Popen | None = None
        try:
            self._process = _spawn(
                task_root,
                environment | {"AWS_LAMBDA_RUNTIME_API": self._api.address, "TMPDIR": self._scratch},
                self._output,
            )
        except InitError as error:
            self._api.fail(error.payload)
            self._close()
            return
        REAPER.register(self._process.pid)
        Thread(target=self._watch, name="function-process", daemon=True).start()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def wait_until_ready(self) -> None:
        """Returns when the function asks for its first event; raises ``InitError`` if it never will."""
        self._api.ready.result()
        self.init_duration_ms = (time.perf_counter() - self._started) * 1000

    def invoke(self, invocation: Invocation, timeout_s: float) -> Outcome | None:
        """The function's answer, or None if it gave none in time and was killed."""
        future = self._api.submit(invocation)
        if not self.alive:
            # It ended between the caller's check and the submission, so the watcher may not have seen the event.
            self._api.fail(self._exit_document())
        try:
            outcome = future.result(timeout_s)
        except TimeoutError:
            outcome = None
        if self._process is not None:
            self.peak_memory_mb = max(self.peak_memory_mb, _peak_memory_mb(self._process.pid))
        if outcome is None:
            self.stop()
        return outcome

    def take_output(self) -> str:
        """The output of the process since the last call."""
        size = os.fstat(self._output.fileno()).st_size
        text = os.pread(self._output.fileno(), size - self._output_seen, self._output_seen)
        self._output_seen = size
        if size > MAX_OUTPUT_BYTES:
            os.ftruncate(self._output.fileno(), 0)
            self._output_seen = 0
        return text.decode("utf-8", "replace")

    def stop(self) -> None:
        if self._process is not None:
            kill_group(self._process.pid)
        self._api.fail(error_document("Runtime.ExitError", "Error: Runtime exited with error: signal: killed"))

    def _watch(self) -> None:
        self._process.wait()
        # Children of the function end with it.
        kill_group(self._process.pid)
        REAPER.unregister(self._process.pid)
        self._api.fail(self._exit_document())
        self._close()

    def _close(self) -> None:
        self._api.close()
        shutil.rmtree(self._scratch, ignore_errors=True)

    def _exit_document(self) -> bytes:
        code = self._process.poll() if self._process else None
        if code is not None and code < 0:
            how = f"signal: {signal.Signals(-code).name}"
        else:
            how = f"exit status {code}"
        return error_document("Runtime.ExitError", f"Error: Runtime exited with error: {how}")


def _spawn(task_root: Path, environment: dict[str, str], output) -> subprocess.Popen:
    bootstrap = task_root / "bootstrap"
    if not bootstrap.is_file():
        message = f"Error: no file named bootstrap in the package: custom runtimes (provided.*) only, at {task_root}"
        raise InitError(error_document("Runtime.InvalidEntrypoint", message))
    bootstrap.chmod(bootstrap.stat().st_mode | 0o555)
    try:
        return subprocess.Popen(
            [str(bootstrap)],
            cwd=task_root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        reason = "built for another processor or system" if error.errno == errno.ENOEXEC else str(error)
        message = f"Error: {bootstrap} cannot be run here: {reason}"
        raise InitError(error_document("Runtime.InvalidEntrypoint", message)) from error


def kill_group(group_id: int) -> None:
    try:
        os.killpg(group_id, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        # No process is left in it (macOS reports EPERM then).
        pass


def _peak_memory_mb(pid: int) -> int:
    """The process's peak resident memory if the system gives it (Linux), otherwise the current one."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return -(-int(line.split()[1]) // 1024)
    except OSError:
        pass
    if os.path.isdir("/proc/self"):
        return 0
    answer = subprocess.run(["ps", "-o", "rss=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return -(-int(answer.stdout.strip() or 0) // 1024)
