"""When has the start of a service failed, and when is it only slow? By what systemd, the kernel and its page say. Pure.

Called by coming_up.py, which asks them. A service that has ended has failed at once. One that runs without answering
starts for as long as it works, since a slow card makes a start long; one that does nothing is given two minutes.
Sources: systemctl(1), org.freedesktop.systemd1(5), proc_pid_io(5).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

SILENT_S = 120.0  # a start that does nothing for so long has failed
LONGEST_S = 900.0  # and so has one that works for so long: the machine is needed
# What counts as work, within two minutes. An idle station uses the processor too: 2.2 s on a server's core, by
# measurement, and several times that on a Pi. A start that waits for a slow card uses hardly any.
WORK_CPU_S = 12.0
WORK_BYTES = 1_000_000
ASKED = (
    "ActiveState", "SubState", "Result", "ExecMainStatus", "NRestarts", "StatusText", "CPUUsageNSec", "MainPID",
)  # fmt: skip
_ENDED = frozenset({"failed", "inactive"})
_NO_CPU_TIME = 2**64 - 1  # what systemd says where it does not count


@dataclass(frozen=True, slots=True)
class ServiceLook:
    """A service at one moment. `state` is "" if systemd did not say; `answers`: it does what it is there for."""

    at_s: float
    state: str = ""
    sub_state: str = ""
    result: str = ""
    exit_status: str = ""
    restarts: int = 0
    line: str = ""
    cpu_s: float = 0.0  # of all of its processes since its start
    disk_bytes: int = 0  # that its main process has read and written
    answers: bool = False


@dataclass(frozen=True, slots=True)
class StartVerdict:
    """What a look means, and a sentence about the service that begins with its name."""

    state: Literal["up", "starting", "failed"]
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class StartWatch:
    """The first look at a start, and the last one at which it had come further."""

    unit: str
    first: ServiceLook
    moved: ServiceLook

    def after(self, look: ServiceLook) -> "StartWatch":
        """The watch that has seen this look too."""
        if not look.state:
            return self
        if not self.first.state:
            return replace(self, first=replace(look, at_s=self.first.at_s), moved=look)
        return replace(self, moved=look) if self._has_moved(look) else self

    def verdict(self, look: ServiceLook) -> StartVerdict:
        """What the newest look, which `after` has seen, means."""
        if look.state in _ENDED or look.sub_state.startswith("auto-restart"):
            return StartVerdict("failed", f"{self.unit} {_end(look)}")
        if look.state and look.restarts > self.first.restarts:
            return StartVerdict("failed", f"{self.unit} ends again and again")
        if look.state == "active" and look.answers:
            return StartVerdict("up")
        waited_s, idle_s = look.at_s - self.first.at_s, look.at_s - self.moved.at_s
        so_far = f"{self.unit} {_now(look)}"
        if idle_s >= SILENT_S:
            return StartVerdict("failed", f"{so_far}, and has done nothing for {_span(idle_s)}")
        if waited_s >= LONGEST_S:
            return StartVerdict("failed", f"{so_far}, though it still works after {_span(waited_s)}")
        did = f"{look.cpu_s:.0f} s of processor time, {look.disk_bytes // 1_000_000} MB read and written"
        return StartVerdict("starting", f"{so_far}: {_span(waited_s)} so far, with {did}")

    def _has_moved(self, look: ServiceLook) -> bool:
        """Has the start come further than at the last look that had?"""
        before = self.moved
        return (
            (look.state, look.sub_state) != (before.state, before.sub_state)
            # Of a unit that is active its first line alone: a beam that flickers tells another one each second.
            or (look.line != before.line and (look.state == "activating" or not before.line))
            or look.cpu_s >= before.cpu_s + WORK_CPU_S
            or look.disk_bytes >= before.disk_bytes + WORK_BYTES
        )


def service_look(shown: Mapping[str, str], at_s: float, disk_bytes: int) -> ServiceLook:
    """A look by what `systemctl show` printed of ASKED; what is missing or no number counts as nothing.

    Nobody has asked the service itself yet: it counts as one that does not answer.
    """
    used_ns = _number(shown.get("CPUUsageNSec", ""))
    return ServiceLook(
        at_s,
        shown.get("ActiveState", ""),
        shown.get("SubState", ""),
        shown.get("Result", ""),
        shown.get("ExecMainStatus", ""),
        _number(shown.get("NRestarts", "")),
        shown.get("StatusText", ""),
        0.0 if used_ns == _NO_CPU_TIME else used_ns / 1e9,
        disk_bytes,
    )


def disk_bytes(counters: str) -> int:
    """Read from disk and written to it, by the text of /proc/PID/io; 0 if it does not say."""
    fields = dict(line.split(": ", 1) for line in counters.splitlines() if ": " in line)
    return _number(fields.get("read_bytes", "")) + _number(fields.get("write_bytes", ""))


def _end(look: ServiceLook) -> str:
    """How it ended, with the last line that it told of itself."""
    if look.result in ("", "success"):
        return "does not run"
    status = f", status {look.exit_status}" if look.result == "exit-code" else ""
    return f"has ended ({look.result}{status})" + (f": {look.line}" if look.line else "")


def _now(look: ServiceLook) -> str:
    if not look.state:
        return "may run or not: systemctl does not say"
    return "runs and does not answer" if look.state == "active" else f"is {look.state}"


def _span(seconds: float) -> str:
    """Seconds as people say them: 45 s, 2 min, 2 min 30 s."""
    minutes, rest = divmod(round(seconds), 60)
    if not minutes:
        return f"{rest} s"
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0
