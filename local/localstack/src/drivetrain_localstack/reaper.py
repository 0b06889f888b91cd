"""Kills the functions' processes when LocalStack is gone, however it ended.

It is a separate process in its own session. LocalStack writes ``+PGID`` and ``-PGID`` lines to its standard input. The
kernel closes that pipe when LocalStack dies, even by SIGKILL, and then every process group still listed is killed. It
uses only the standard library and nothing else of this package, because it is run as a plain script.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading


class Reaper:
    """LocalStack's end of the pipe; starts the process at the first registration."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._process: subprocess.Popen | None = None
        self._closed = False

    def register(self, group_id: int) -> None:
        self._write(f"+{group_id}\n")

    def unregister(self, group_id: int) -> None:
        self._write(f"-{group_id}\n")

    def kill_all(self) -> None:
        """Ends every registered group now, and permanently: a later registration is killed at once."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.stdin.close()
                self._process.wait()

    def _write(self, line: str) -> None:
        with self._lock:
            if self._closed:
                if line.startswith("+"):
                    _kill(int(line[1:]))
                return
            if self._process is None or self._process.poll() is not None:
                self._process = subprocess.Popen(
                    [sys.executable, "-I", "-S", __file__],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                    start_new_session=True,
                )
            self._process.stdin.write(line.encode())
            self._process.stdin.flush()


def main() -> None:
    # Only the end of the pipe ends this process; a Ctrl-C in LocalStack's terminal must not.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin:
        sign, group_id = line[0], int(line[1:])
        (groups.add if sign == "+" else groups.discard)(group_id)
    for group_id in groups:
        _kill(group_id)


def _kill(group_id: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group_id, signal.SIGKILL)


if __name__ == "__main__":
    main()
