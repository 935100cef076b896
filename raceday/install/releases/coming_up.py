"""Waits until a service is up, or its start has failed, and says meanwhile how far it is. Called by change_over.py."""

import time
from collections.abc import Callable
from dataclasses import replace

from raceday.install.effects import Say
from raceday.install.machine import Machine
from raceday.install.releases.start_watch import ASKED, ServiceLook, StartWatch, disk_bytes, service_look
from raceday.install.running import PageAddress, answers
from shared.errors import StorageError

LOOK_EACH_S = 1.0
SAY_EACH_S = 30.0
PAGE_S = 10.0  # a first page on a slow machine


def comes_up(
    machine: Machine,
    unit: str,
    is_serving: Callable[[ServiceLook], bool],
    say: Say,
    *,
    clock: Callable[[], float] = time.monotonic,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Waits for the service; "" once it is up, else a sentence that says why it is not.

    `is_serving` tells of a unit that is active whether it does what it is there for.
    """
    first = _look(machine, unit, is_serving, clock)
    watch, look, said_s = StartWatch(unit, first, first), first, first.at_s
    while True:
        watch = watch.after(look)
        verdict = watch.verdict(look)
        if verdict.state != "starting":
            return verdict.sentence
        if look.at_s - said_s >= SAY_EACH_S:
            said_s = look.at_s
            say(verdict.sentence)
        pause(LOOK_EACH_S)
        look = _look(machine, unit, is_serving, clock)


def has_page(address: PageAddress) -> Callable[[ServiceLook], bool]:
    """Of a service with pages: it answers at its address, whatever it says."""
    return lambda _look: answers(address, PAGE_S)


def has_told(look: ServiceLook) -> bool:
    """Of a bridge: it has told systemd how its car is. Until then it may still end over its config or its files."""
    return bool(look.line)


def is_active(_look: ServiceLook) -> bool:
    """Of a unit with `Type=notify`, which is active only once it has said that it is ready."""
    return True


def _look(
    machine: Machine, unit: str, is_serving: Callable[[ServiceLook], bool], clock: Callable[[], float]
) -> ServiceLook:
    output = machine.attempt(["systemctl", "show", f"--property={','.join(ASKED)}", unit]).stdout
    shown = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    look = service_look(shown, clock(), _disk_bytes(machine, shown.get("MainPID", "")))
    return replace(look, answers=look.state == "active" and is_serving(look))


def _disk_bytes(machine: Machine, process: str) -> int:
    """Of a process that runs; 0 where the kernel does not say, or the process has ended just now."""
    if not process.isdigit() or process == "0":
        return 0
    try:
        return disk_bytes((machine.read(f"/proc/{process}/io") or b"").decode("ascii", "replace"))
    except StorageError:
        return 0
