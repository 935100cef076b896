"""Whose a car's name is: one boot of one machine at a time. Pure; called by the cars.

Two cards flashed from one image are two machines with one name. Whoever has the name keeps it while it is heard;
another one gets nothing, and once both were heard in turn they are twins: that is an alarm, and never a reboot, since
a machine that rebooted is not heard again as it was. The name is free once its holder is silent: soon where nothing
speaks against it, later where two machines are known to use it. Machines that knock each other off the wire are never
heard together: there it tells that a boot is back that had lost the name.

A stop is for all of them: a machine without the name owes a confirmation that it has stopped, heard or silent.
"""

from collections import deque
from dataclasses import dataclass

from shared.protocol import messages as m

SILENT_NS = 3_000_000_000
PROOF_NS = 300_000_000  # the holder still speaks so long after another was first heard: a burst of old beats is shorter
FORGET_NS = 10_000_000_000
RETURN_ALARM_NS = 60_000_000_000  # so long it is said that a boot came back
MAX_OTHERS = 8
ARMED: frozenset[m.CarMode] = frozenset({"ready", "driving"})


@dataclass(slots=True)
class OtherMachine:
    """A boot that does not have the name. `proven_other`: proven to be another machine than who has it.

    `owes_stop`: it was ordered to stop, at `ordered_ns` for the last time, and has not said since that it has.
    """

    boot: str
    first_ns: int
    heard_ns: int
    mode: m.CarMode
    state: m.CarState | None = None
    proven_other: bool = False
    owes_stop: bool = False
    ordered_ns: int = -(2**62)


class NameClaim:
    """The holder of one name; `rate`: seconds of the clock per real second."""

    def __init__(self, rate: float = 1.0) -> None:
        self._rate = rate
        self.boot = ""
        self._heard_ns = 0
        self._mode: m.CarMode = "disarmed"
        self._gone = False  # the wire says that the holder is not connected any more
        self._others: dict[str, OtherMachine] = {}
        self._former: deque[str] = deque(maxlen=MAX_OTHERS)  # boots that had the name before
        self._twins_until_ns: int | None = None
        self._stopping = False

    def on_heartbeat(self, boot: str, mode: m.CarMode, now_ns: int) -> bool:
        """A beat. True if this boot has the name (or takes it: then `boot` is another than before)."""
        if boot == self.boot:
            self._heard_ns, self._mode, self._gone = now_ns, mode, False
            for each in self._all:
                if self._proven(each, now_ns):
                    each.proven_other = True
                    self._alarm(now_ns, FORGET_NS)
            return True
        if self._is_free(now_ns):
            self._assign(boot, mode, now_ns)
            return True
        self._on_other_heartbeat(self._other(boot, mode, now_ns), mode, now_ns)
        return False

    def on_state(self, boot: str, state: m.CarState, now_ns: int) -> bool:
        """A state. True if it is the holder's, or there is none that is heard; another's is kept for later."""
        if boot in ("", self.boot) or not self.boot:
            self._gone = self._gone or not state.online
            return True
        if not state.online:
            return False  # the will of a boot that is gone
        self._other(boot, "disarmed", now_ns).state = state  # the mode is what a beat says: a state may be old
        return self._is_free(now_ns)

    def silent(self, now_ns: int) -> bool:
        """The holder is not there, or there is none."""
        return not self.boot or self._gone or now_ns - self._heard_ns >= SILENT_NS * self._rate

    def state_of(self, boot: str) -> m.CarState | None:
        """What a boot said of itself before it had the name."""
        other = self._others.get(boot)
        return other.state if other is not None else None

    def twins(self, now_ns: int) -> tuple[str, ...]:
        """All boots that use the name, the holder first; none if it is one machine's."""
        if self._twins_until_ns is None or now_ns >= self._twins_until_ns:
            return ()
        return (self.boot, *sorted({*self._former, *self._others} - {self.boot}))

    def stop(self, now_ns: int) -> None:
        """All machines of the name were ordered to stop: those that are there, and those that moved when last heard."""
        self._stopping = True
        for each in self._all:
            each.owes_stop = each.owes_stop or self._fresh(each, now_ns) or each.mode in ARMED

    def release(self) -> None:
        self._stopping = False
        for each in self._all:
            each.owes_stop = False

    def unconfirmed_stop(self, now_ns: int) -> OtherMachine | None:
        """A machine without the name that has not said that it has stopped: the one that was not heard for longest."""
        unconfirmed = [
            each for each in self._all if each.owes_stop and (self._fresh(each, now_ns) or self._is_machine(each))
        ]
        return min(unconfirmed, key=lambda each: each.heard_ns, default=None)

    def is_heard(self, other: OtherMachine, now_ns: int) -> bool:
        return self._fresh(other, now_ns)

    def stop_order_due(self, boot: str, again_ns: int, now_ns: int) -> bool:
        """Is an order due to a machine without the name, `again_ns` after the last one? Then it counts as given."""
        other = self._others[boot]
        if not (other.owes_stop or other.mode in ARMED) or now_ns - other.ordered_ns < again_ns:
            return False
        other.ordered_ns = now_ns
        return True

    @property
    def _all(self) -> list[OtherMachine]:
        return list(self._others.values())

    def _other(self, boot: str, mode: m.CarMode, now_ns: int) -> OtherMachine:
        """The place of a boot without the name; if there is none, that of one that stood, heard least lately."""
        if boot not in self._others:
            if len(self._others) >= MAX_OTHERS:
                del self._others[min(self._all, key=lambda each: (each.mode in ARMED, each.heard_ns)).boot]
            self._others[boot] = OtherMachine(boot, now_ns, now_ns - round(FORGET_NS * self._rate), mode)
        return self._others[boot]

    def _on_other_heartbeat(self, other: OtherMachine, mode: m.CarMode, now_ns: int) -> None:
        is_new = not self._fresh(other, now_ns)
        if is_new:
            other.first_ns = now_ns
        other.heard_ns, other.mode = now_ns, mode
        if mode == "tripped":
            other.owes_stop = False
        elif self._stopping and (is_new or mode in ARMED):
            other.owes_stop = True
        if other.boot in self._former and self._proven(other, now_ns):
            other.proven_other = True
            self._alarm(now_ns, RETURN_ALARM_NS)

    def _assign(self, boot: str, mode: m.CarMode, now_ns: int) -> None:
        other = self._others.pop(boot, None)
        is_back = boot in self._former
        if is_back:
            self._alarm(now_ns, RETURN_ALARM_NS)
        if self.boot:
            self._former.append(self.boot)
            # No reboot of the former holder: that machine still exists.
            if is_back or (other is not None and other.proven_other):
                self._demote(now_ns)
        self.boot, self._mode, self._heard_ns, self._gone = boot, mode, now_ns, False

    def _demote(self, now_ns: int) -> None:
        """Who had the name is a machine without it from now on."""
        lost = self._other(self.boot, self._mode, now_ns)
        lost.mode, lost.first_ns, lost.heard_ns, lost.proven_other = self._mode, self._heard_ns, self._heard_ns, True
        lost.owes_stop = self._stopping and self._mode != "tripped"

    def _alarm(self, now_ns: int, for_ns: int) -> None:
        self._twins_until_ns = max(self._twins_until_ns or 0, now_ns + round(for_ns * self._rate))

    def _proven(self, other: OtherMachine, now_ns: int) -> bool:
        """It speaks, and spoke long enough ago to be no burst of old words."""
        return self._fresh(other, now_ns) and now_ns - other.first_ns > PROOF_NS * self._rate

    def _is_machine(self, other: OtherMachine) -> bool:
        """Not the old beats of one that rebooted, handed out late."""
        return other.proven_other or other.boot not in self._former

    def _fresh(self, other: OtherMachine, now_ns: int) -> bool:
        return now_ns - other.heard_ns < SILENT_NS * self._rate

    def _is_free(self, now_ns: int) -> bool:
        wait_ns = FORGET_NS if self.twins(now_ns) else 0 if self._gone else SILENT_NS
        return not self.boot or now_ns - self._heard_ns >= wait_ns * self._rate
