"""When a start has failed, as a table of what systemd says; then the whole wait, on a clock of the test."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.install.machine import Machine
from raceday.install.releases import coming_up, start_watch
from raceday.install.releases.coming_up import comes_up, has_page, has_told, is_active
from raceday.install.releases.start_watch import (
    LONGEST_S,
    SILENT_S,
    ServiceLook,
    StartWatch,
    disk_bytes,
    service_look,
)
from raceday.install.running import PageAddress

UNIT = "raceday-station.service"
RUNS = ServiceLook(0.0, "active", "running", "success", "0")
# What `systemctl show` of systemd 252 (Debian 12) printed of a service that runs, and of one that was tried again.
SHOWN = {
    "NRestarts": "0", "MainPID": "1234", "Result": "success", "ExecMainStatus": "0", "StatusText": "gates: start ready",
    "CPUUsageNSec": "4210123000", "ActiveState": "active", "SubState": "running",
}  # fmt: skip


def sentence(*looks: ServiceLook) -> str:
    """The state and the sentence after these looks."""
    watch = StartWatch(UNIT, looks[0], looks[0])
    for look in looks:
        watch = watch.after(look)
    verdict = watch.verdict(looks[-1])
    return f"{verdict.state} {verdict.sentence}".strip()


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (RUNS, replace(RUNS, at_s=1, answers=True), "up"),
        (RUNS, replace(RUNS, at_s=90, cpu_s=61, disk_bytes=34_500_000), f"starting {UNIT} runs and does not answer: 1 "
         "min 30 s so far, with 61 s of processor time, 34 MB read and written"),
        # Slow: it works on the processor, reads from a slow card, comes from one state to the next, says how far it is.
        (RUNS, replace(RUNS, at_s=SILENT_S, cpu_s=12), "starting"),
        (RUNS, replace(RUNS, at_s=SILENT_S, disk_bytes=1_000_000), "starting"),
        (replace(RUNS, state="activating", sub_state="start"), replace(RUNS, at_s=SILENT_S), "starting"),
        (RUNS, replace(RUNS, at_s=SILENT_S, line="reads the journal: 4000 of 90000"), "starting"),
        # A page is no more to be expected of a beam that flickers; of a unit that starts each line counts.
        (replace(RUNS, line="gates: start ready"), replace(RUNS, at_s=SILENT_S, line="gates: start blocked"), "failed"),
        (replace(RUNS, state="activating", line="camera"), replace(RUNS, at_s=SILENT_S, state="activating",
         line="model"), "starting"),
        (replace(RUNS, state="activating", sub_state="start"), replace(RUNS, at_s=30, state="activating",
         sub_state="start"), f"starting {UNIT} is activating: 30 s so far"),
        # Nothing of that for two minutes: an idle service uses a little of the processor too.
        (RUNS, replace(RUNS, at_s=SILENT_S, cpu_s=11.9, disk_bytes=999_999), f"failed {UNIT} runs and does not answer, "
         "and has done nothing for 2 min"),
        (RUNS, replace(RUNS, at_s=SILENT_S - 1, cpu_s=1), "starting"),
        # It ended: at once, however long it may take otherwise.
        (RUNS, replace(RUNS, at_s=1, state="failed", sub_state="failed", result="exit-code", exit_status="4", line=
         "The journal is not what the station wrote."), f"failed {UNIT} has ended (exit-code, status 4): The journal"),
        (RUNS, replace(RUNS, at_s=1, state="activating", sub_state="auto-restart", result="signal", exit_status="9"),
         f"failed {UNIT} has ended (signal)"),
        (RUNS, replace(RUNS, at_s=1, state="activating", sub_state="auto-restart-queued", result="exit-code",
         exit_status="2"), f"failed {UNIT} has ended (exit-code, status 2)"),  # systemd 254 and later
        (RUNS, replace(RUNS, at_s=1, state="inactive", sub_state="dead"), f"failed {UNIT} does not run"),
        (RUNS, replace(RUNS, at_s=1, restarts=1, answers=True), f"failed {UNIT} ends again and again"),
        (replace(RUNS, restarts=3), replace(RUNS, at_s=1, restarts=3, answers=True), "up"),  # of an earlier life
        (RUNS, replace(RUNS, at_s=1, state="deactivating", sub_state="stop-sigterm"), f"starting {UNIT} is deactivati"),
        # systemd does not answer for a moment, on a machine that is busy.
        (RUNS, ServiceLook(1), f"starting {UNIT} may run or not: systemctl does not say"),
        (ServiceLook(0), replace(RUNS, at_s=1, restarts=3, answers=True), "up"),
        (ServiceLook(0), ServiceLook(SILENT_S), "failed"),
    ],
)  # fmt: skip
def test_when_a_start_has_failed(first: ServiceLook, last: ServiceLook, expected: str) -> None:
    assert sentence(first, last).startswith(expected)


def test_a_start_that_works_for_ever_has_an_end() -> None:
    looks = [replace(RUNS, at_s=float(at), cpu_s=float(at)) for at in range(0, int(LONGEST_S), 30)]
    assert sentence(*looks).startswith("starting")
    last = replace(RUNS, at_s=LONGEST_S, cpu_s=LONGEST_S)
    assert sentence(*looks, last) == f"failed {UNIT} runs and does not answer, though it still works after 15 min"


def test_a_beam_that_flickers_is_no_work() -> None:
    lines = ["", *["gates: start ready", "gates: start blocked"] * 200]
    looks = [replace(RUNS, at_s=float(at), line=line) for at, line in enumerate(lines)]
    assert sentence(*looks[: int(SILENT_S)]).startswith("starting")
    assert sentence(*looks[: int(SILENT_S) + 2]).endswith("has done nothing for 2 min")  # from its first line on


def test_work_is_counted_from_the_last_work() -> None:
    looks = [replace(RUNS, at_s=at, cpu_s=cpu) for at, cpu in ((0, 0), (100, 12), (200, 23), (219, 23.9))]
    assert sentence(*looks).startswith("starting")
    assert sentence(*looks, replace(RUNS, at_s=220, cpu_s=23.9)).endswith("has done nothing for 2 min")


def test_what_systemctl_shows() -> None:
    look = service_look(SHOWN, 3.0, 5)
    assert look == ServiceLook(3.0, "active", "running", "success", "0", 0, "gates: start ready", 4.210123, 5)


@pytest.mark.parametrize("counted", ["[not set]", "18446744073709551615", "", "-1", "9" * 30, "²"])
def test_a_kernel_that_counts_no_processor_time(counted: str) -> None:
    assert service_look({**SHOWN, "CPUUsageNSec": counted}, 0, 0).cpu_s == 0


@given(st.text())
def test_any_text_for_counters(text: str) -> None:
    assert disk_bytes(text) >= 0
    assert service_look(dict.fromkeys(SHOWN, text), 0, 0).restarts >= 0


# A station that starts: it listens and answers nobody, works when it is told to, and at last serves.
_PROGRAM = """
import socket, sys, time
listening = socket.create_server(("127.0.0.1", 0))
print(listening.getsockname()[1], flush=True)
for line in sys.stdin:
    until_s = time.process_time() + 0.05
    while line == "work\\n" and time.process_time() < until_s:
        pass
    print(line, end="", flush=True)
    while line == "serve\\n":
        asking = listening.accept()[0]
        try:
            asking.recv(1000)
            asking.sendall(b"HTTP/1.0 503 Service Unavailable\\r\\n\\r\\n")  # whatever it says, it answers
        except OSError:
            pass  # one that asked earlier, and is gone
        asking.close()
"""


class StartingService(Machine):
    """This machine, whose systemd tells of a process that is told what to do each time somebody waits for it."""

    is_running = True

    def __init__(self, process: "subprocess.Popen[str]", orders: Sequence[str]) -> None:
        super().__init__()
        self.process, self.orders, self.now_s = process, list(orders), 0.0

    def attempt(self, words: Sequence[str], *, user: str = "") -> "subprocess.CompletedProcess[str]":
        assert (words[:2], words[3:], user) == (["systemctl", "show"], [UNIT], "")
        used = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        used_ns = sum(map(int, used)) * 10**9 // os.sysconf("SC_CLK_TCK")
        told = {"MainPID": self.process.pid, "CPUUsageNSec": used_ns, "StatusText": ""}
        if self.process.poll() is not None:
            told |= {"ActiveState": "activating", "SubState": "auto-restart", "Result": "signal", "MainPID": 0}
        shown = {**SHOWN, **told}
        asked = words[2].removeprefix("--property=").split(",")
        return subprocess.CompletedProcess(words, 0, "".join(f"{key}={shown[key]}\n" for key in asked), "")

    def pause(self, _seconds: float) -> None:
        """A minute passes, in which the process does what it is told."""
        self.now_s += 60
        order = self.orders.pop(0) if self.orders else ""
        if order == "end":
            self.process.kill()
            os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOWAIT)
        elif order:
            assert self.process.stdin is not None
            assert self.process.stdout is not None
            self.process.stdin.write(f"{order}\n")
            self.process.stdin.flush()
            assert self.process.stdout.readline() == f"{order}\n"


@pytest.mark.parametrize(
    ("orders", "expected", "waits"),
    [
        (["work"] * 6 + ["serve"], "", 7),
        (["wait"] * 5, f"{UNIT} runs and does not answer, and has done nothing for 2 min", 2),
        (["work"] * 3 + ["end"], f"{UNIT} has ended (signal)", 4),
    ],
    ids=["late", "hung", "killed"],
)
def test_a_real_process_whose_page_comes_late_or_never(
    monkeypatch: pytest.MonkeyPatch, orders: list[str], expected: str, waits: int
) -> None:
    monkeypatch.setattr(start_watch, "WORK_CPU_S", 0.03)
    command = [sys.executable, "-ISc", _PROGRAM]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            page, said = has_page(PageAddress("127.0.0.1", int(process.stdout.readline()))), list[str]()
            machine = StartingService(process, orders)

            def is_serving(look: ServiceLook) -> bool:
                """Asked with patience only once it serves: before that nobody answers, however long one waits."""
                monkeypatch.setattr(coming_up, "PAGE_S", 60 if "serve" in orders and not machine.orders else 0.01)
                return page(look)

            clock, pause = (lambda: machine.now_s), machine.pause
            assert comes_up(machine, UNIT, is_serving, said.append, clock=clock, pause=pause) == expected
            assert machine.now_s == 60 * waits
            assert len(said) == waits - 1  # each 30 s it says how far it is
            assert all(line.startswith(f"{UNIT} runs and does not answer: ") for line in said)
        finally:
            process.kill()


@pytest.mark.parametrize(
    ("line", "expected"), [("", "done nothing"), ("stopped, offline: It refuses the password.", "")]
)
def test_a_bridge_is_up_once_it_has_told_how_its_car_is(line: str, expected: str) -> None:
    machine, now_s = Machine(), iter(range(0, 1000, 10))
    shown = "".join(f"{key}={value}\n" for key, value in {**SHOWN, "StatusText": line, "MainPID": "0"}.items())
    machine.attempt = lambda words, *, user="": subprocess.CompletedProcess(words, 0, shown, user)  # type: ignore[method-assign]
    ended = comes_up(machine, UNIT, has_told, lambda _: None, clock=lambda: next(now_s), pause=lambda _: None)
    assert expected in ended
    assert bool(ended) == bool(expected)
    assert is_active(RUNS)
