"""The process that a farm's children are started from: all is loaded in it, and a child is a copy of it.

To load the libraries and the compiled engine takes three times as long as to drive a run, and is the same for all
models. This process does it once. For each job it forks a child, which restricts itself before it looks at the job: no
network, limits on memory and processor time. No model is ever read here: nothing of one reaches another's child.

Started by children.py with the descriptor of a socket. It is told `start NUMBER CPU_S FOLDER\nJOB` with two files, for
what the child prints and for what is wrong, or `kill NUMBER`, and says `ready`, then `ended NUMBER CODE` of each child.
"""

import gc
import os
import selectors
import signal
import socket
import sys
import tempfile
import traceback
from pathlib import Path

from simulator.batch.compiled import NEEDS_NUMBA, batch_available
from simulator.virtual_races import entrant, evaluation  # noqa: F401 (loaded here, used in the children)
from simulator.virtual_races.isolated import drive
from simulator.virtual_races.warm_up import warm_up
from vehicle.models.importing import make_model, prepare  # noqa: F401 (loaded here, used in the children)
from vehicle.models.run_isolated import restrict

MAX_MESSAGE_BYTES = 64 * 1024
_BROKEN = 1


def main(arguments: list[str]) -> int:
    """Entry point; ends when the farm closes its end of the socket, and its children with it."""
    if not batch_available():
        sys.stderr.write(f"{NEEDS_NUMBA}\n")
        return 2
    farm = socket.socket(fileno=int(arguments[0]))
    warm_up()
    gc.freeze()  # what is loaded stays in pages that all children share
    assert len(list(Path("/proc/self/task").iterdir())) == 1, "a thread would be missing in the children"
    farm.send(b"ready")
    _Children(farm).serve()
    return 0


class _Children:
    """The children, by the descriptor that tells when they end."""

    def __init__(self, farm: socket.socket) -> None:
        self._farm = farm
        self._numbers: dict[int, tuple[int, int]] = {}  # the descriptor's child: its number and process id
        self._events = selectors.DefaultSelector()
        self._events.register(farm, selectors.EVENT_READ)

    def serve(self) -> None:
        """Until the farm is gone."""
        while True:
            for key, _ in self._events.select():
                if key.fileobj is not self._farm:
                    self._ended(key.fd)
                elif not self._take_message():
                    return

    def _take_message(self) -> bool:
        """Do what the farm says; False if it is gone."""
        message, files, _, _ = socket.recv_fds(self._farm, MAX_MESSAGE_BYTES, 2)
        if not message:
            return False
        head, _, job = message.decode().partition("\n")
        word, number, *rest = head.split(" ", 3)
        if word == "kill":
            for its_number, pid in self._numbers.values():
                if its_number == int(number):
                    os.kill(pid, signal.SIGKILL)
            return True
        self._start(int(number), int(rest[0]), rest[1], job, files)
        for file in files:
            os.close(file)
        return True

    def _start(self, number: int, cpu_s: int, folder: str, job: str, files: list[int]) -> None:
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _be_a_child(parent, cpu_s, folder, job, files)
        ends = os.pidfd_open(pid)
        self._numbers[ends] = number, pid
        self._events.register(ends, selectors.EVENT_READ)

    def _ended(self, ends: int) -> None:
        number, pid = self._numbers.pop(ends)
        self._events.unregister(ends)
        os.close(ends)
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        self._farm.send(f"ended {number} {code}".encode())


def _be_a_child(parent: int, cpu_s: int, folder: str, job: str, files: list[int]) -> None:
    """Never returns: restrict this process, then drive."""
    code = _BROKEN
    try:
        for target, file in enumerate(files, 1):
            os.dup2(file, target)
        os.closerange(3, 256)  # the farm's socket, and what it takes to look after others
        restrict(cpu_s, parent)
        tempfile.tempdir = folder
        code = drive(job)
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
