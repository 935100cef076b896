"""A real Ray cluster of two nodes on loopback, of one core each; the second may be killed, as a power cut would."""

import contextlib
import os
import pathlib
import signal
import time
from collections.abc import Iterator
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

# A machine that is gone is noticed within two seconds, not thirty.
HASTY = {
    "health_check_initial_delay_ms": 500,
    "health_check_period_ms": 500,
    "health_check_timeout_ms": 1000,
    "health_check_failure_threshold": 2,
}
OBJECT_STORE = 80 << 20


class TwoNodes:
    """The cluster. Each node has a folder of its own for temporary files, in which its work can be seen."""

    def __init__(self, folder: pathlib.Path) -> None:
        self._folder, self._number = folder, 1
        head = {"num_cpus": 1, "include_dashboard": False, "_system_config": HASTY}
        self._cluster = Cluster(initialize_head=True, head_node_args=head | self._on("127.0.0.2"))
        self.address: str = self._cluster.address
        self.work_of_second = self.add()

    def _on(self, address: str, **environment: str) -> dict[str, Any]:
        work = self._folder / str(self._number)
        work.mkdir()
        given = {"TMPDIR": str(work)} | environment
        return {"node_ip_address": address, "object_store_memory": OBJECT_STORE, "env_vars": given}

    def add(self, **environment: str) -> pathlib.Path:
        """Start a second node; the folder in which its work can be seen."""
        self._number += 1
        self._second = self._cluster.add_node(num_cpus=1, **self._on(f"127.0.0.{self._number + 1}", **environment))
        return self._folder / str(self._number)

    def kill_second_at_work(self) -> None:
        """SIGKILL to the second node in the middle of a job: its processes are stopped first, so that it has no end."""
        while True:
            wait_for_work(self.work_of_second)
            processes = self._processes_of_second()
            _signal(processes, signal.SIGSTOP)
            if _is_at_work(self.work_of_second):
                break
            _signal(processes, signal.SIGCONT)  # it was through already
        self.kill_second()

    def kill_second(self) -> None:
        """SIGKILL to all processes of the second node, whatever they do."""
        _signal(self._processes_of_second(), signal.SIGKILL)
        self._cluster.remove_node(self._second, allow_graceful=False)

    def _processes_of_second(self) -> list[int]:
        mark = f"TMPDIR={self.work_of_second}".encode()
        found: list[int] = []
        for folder in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):  # it has ended meanwhile
                if mark in (folder / "environ").read_bytes().split(b"\0"):
                    found.append(int(folder.name))
        return found

    def close(self) -> None:
        self._cluster.shutdown()


@contextlib.contextmanager
def two_nodes(folder: pathlib.Path) -> Iterator[TwoNodes]:
    """The cluster, ended with the block."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_TMPDIR", str(folder))
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        cluster = TwoNodes(folder)
        try:
            yield cluster
        finally:
            if ray.is_initialized():
                ray.shutdown()
            cluster.close()


def wait_for_work(folder: pathlib.Path, timeout_s: float = 150.0) -> None:
    """Until a model lies in a node's folder, which then drives it."""
    until_s = time.monotonic() + timeout_s
    while not _is_at_work(folder):
        assert time.monotonic() < until_s, f"nothing is driven in {folder}"
        time.sleep(0.01)


def _is_at_work(folder: pathlib.Path) -> bool:
    return any(folder.glob("raceday-job-*/model*"))


def _signal(processes: list[int], number: signal.Signals) -> None:
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)
