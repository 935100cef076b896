"""Compares crossings and laps with the ground truth.

Which differences are allowed: a pass is undisturbed if its only fault is a double trigger, no noise pulse came in the
second before it, and its machine was up for all its edges. An undisturbed pass must make exactly one crossing, at its
nanosecond: forwards at the first of two beams in line, at either of two strips side by side. Any other crossing must
be at an edge of a disturbed pass or of a noise pulse. A lap may differ from the truth only if one of its ends is such
a crossing, or an official's, or if a disturbed pass within it made none. Every allowed difference is counted by its
reason.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Any

from shared.units import NS_PER_S
from simulator.races.hosts.journal_tail import JournalTail
from simulator.races.hosts.tally import Invariant
from simulator.races.physical.beam_gate import SENSORS
from simulator.races.physical.gate_device import GateDevice
from simulator.races.physical.ground_truth import GroundTruth, TruePassing

Stamp = tuple[str, int]
SHADOW_NS = NS_PER_S  # the gate's lockout; a pass held back waits for less


class GateOracle:
    """What the gate should have made of the true passes and noise pulses."""

    def __init__(self, truth: GroundTruth, gate_device: GateDevice, boots: list[tuple[int, str, int]]) -> None:
        """`boots`: (true time of the boot in ns, boot id, true time minus clock) of the gate's machine, in order."""
        self._boots, self._side_by_side = boots, truth.side_by_side
        self._numbered = {(edge.boot, edge.at_ns) for edge in gate_device.numbered}
        self._noise_ns = sorted(pulse[0].at_ns for pulse in truth.noises)
        self.exact: dict[Stamp, TruePassing] = {p.stamp: p for p in truth.passes if p.stamp is not None}
        self.disturbed = {id(p): why for p in truth.passes if (why := self._why_disturbed(p))}
        self.suspects: dict[Stamp, str] = self._suspects(truth)
        self.passes = truth.passes

    def stamp(self, virtual_ns: int) -> Stamp:
        """The stamp (boot, ns) of the gate's clock at a true time."""
        boot = max((b for b in self._boots if b[0] <= virtual_ns), default=self._boots[0])
        return boot[1], virtual_ns - boot[2]

    def instant(self, stamp: Stamp) -> int:
        """The true time (ns) of a stamp."""
        return next(stamp[1] + offset for _, boot, offset in self._boots if boot == stamp[0])

    def check_crossings(self, journal_tail: JournalTail, invariant: Invariant, excused: Counter[str]) -> int:
        """Check that each pass has its crossing and each crossing a cause; return the number of crossings."""
        crossings = [fact for record in journal_tail.records for name, fact in record.facts if name == "Crossing"]
        made = Counter((fact["boot"], fact["at_ns"]) for fact in crossings)
        clean = {(fact["boot"], fact["at_ns"]) for fact in crossings if self._is_clean(fact)}
        for stamp, true_pass in self.exact.items():
            if id(true_pass) not in self.disturbed:
                invariant.check(stamp in clean, f"the undisturbed pass at {stamp} made no forward crossing")
        for stamp, count in made.items():
            invariant.check(count == 1, f"{count} crossings at {stamp}")
            if stamp in self.exact and id(self.exact[stamp]) not in self.disturbed:
                continue
            why = self.suspects.get(stamp, "")
            if invariant.check(bool(why), f"the crossing at {stamp} has no cause"):
                excused[f"crossing: {why}"] += 1
        return len(crossings)

    def check_lap(
        self, lap: dict[str, Any], crossings: set[Stamp], invariant: Invariant, excused: Counter[str]
    ) -> None:
        """Check one lap fact. `crossings`: the stamps that officials added."""
        if lap["lap_ns"] == 0:
            invariant.check(not lap["valid"], f"a lap of no time is valid: {lap}")
            excused["lap: spans two boots, void by rule"] += 1
            return
        end, start = (lap["boot"], lap["ended_ns"]), (lap["boot"], lap["ended_ns"] - lap["lap_ns"])
        causes = [self._cause(stamp, crossings) for stamp in (start, end)]
        if not invariant.check(None not in causes, f"lap {lap} begins or ends where no car passed"):
            return
        causes.append(self._hidden(lap["run_id"], start, end))
        why = next((cause for cause in causes if cause), "")
        if why:
            excused[f"lap: {why}"] += 1
            return
        truth_ns = self.exact[end].passing.at_ns - self.exact[start].passing.at_ns
        invariant.check(truth_ns == lap["lap_ns"], f"lap {lap} took {truth_ns} ns in truth")

    def _is_clean(self, fact: dict[str, Any]) -> bool:
        if self._side_by_side:
            return bool(fact["direction"] == 0 and fact["sensor"] in SENSORS)
        return bool(fact["direction"] == 1 and fact["sensor"] == SENSORS[0])

    def _cause(self, stamp: Stamp, crossings: set[Stamp]) -> str | None:
        """'' for a true pass, a reason for another crossing, None if nothing explains an end of a lap here."""
        if stamp in self.exact:
            return ""
        return self.suspects.get(stamp) or ("an official's crossing" if stamp in crossings else None)

    def _hidden(self, run_id: str, start: Stamp, end: Stamp) -> str:
        """Why a true pass of this run within the lap made no crossing of its own; '' if there is none."""
        first_ns, last_ns = self.instant(start), self.instant(end)
        for true_pass in self.passes:
            if true_pass.run_id == run_id and first_ns < true_pass.passing.at_ns < last_ns:
                return self.disturbed.get(id(true_pass)) or "dropped by an official"
        return ""

    def _why_disturbed(self, true_pass: TruePassing) -> str:
        at_ns = true_pass.passing.at_ns
        faults = [fault for fault in true_pass.passing.faults if fault != "double_trigger"]
        if faults:
            return faults[0]
        if bisect_right(self._noise_ns, at_ns) > bisect_left(self._noise_ns, at_ns - SHADOW_NS):
            return "sensor_noise"
        numbered = all(self.stamp(edge.at_ns) in self._numbered for edge in true_pass.edges)
        return "" if numbered and true_pass.stamp is not None else "station_reboot"

    def _suspects(self, truth: GroundTruth) -> dict[Stamp, str]:
        suspects: dict[Stamp, str] = {}
        for pulse in truth.noises:
            suspects.update({self.stamp(edge.at_ns): "sensor_noise" for edge in pulse if edge.broken})
        for true_pass in truth.passes:
            why = self.disturbed.get(id(true_pass))
            if why:
                suspects.update({self.stamp(edge.at_ns): why for edge in true_pass.edges if edge.broken})
        return suspects


def added_crossings(journal_tail: JournalTail) -> set[Stamp]:
    """The stamps of the crossings that officials added."""
    boots = {key[0] for key in journal_tail.edges}
    added_ns = [r.input["at_ns"] for r in journal_tail.records if r.kind == "AddCrossing"]
    return {(boot, at_ns) for boot in boots for at_ns in added_ns}


def recorded_laps(journal_tail: JournalTail) -> Iterable[dict[str, Any]]:
    """Every lap as it was first recorded, and all laps of a run after each recomputation."""
    for record in journal_tail.records:
        for name, fact in record.facts:
            if name == "LapCompleted":
                yield fact["lap"]
            elif name == "LapsRecomputed":
                yield from fact["laps"]
