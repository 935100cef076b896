"""The ground truth of the track: cars pass the line, beams make edges, and every injected fault is recorded.

The checker compares the station's laps with it. Only the edges reach the station.
"""

import random
from dataclasses import dataclass

from shared.virtual_time import VirtualTime
from simulator.races.physical import beam_gate
from simulator.races.physical.beam_gate import BeamPassing, SensorEdge
from simulator.races.physical.fault_table import FaultSource
from simulator.races.physical.gate_device import GateDevice
from simulator.races.physical.sim_car import SimCar


@dataclass(slots=True)
class TruePassing:
    """One true pass: its run, its true time, and its time on the gate's clock (None: the machine was down)."""

    run_id: str
    car: str
    passing: BeamPassing
    stamp: tuple[str, int] | None
    edges: tuple[SensorEdge, ...]


class GroundTruth:
    """Moves cars over the line. `passes` and `noises` are the ground truth, in order of time."""

    def __init__(
        self, virtual_time: VirtualTime, gate_device: GateDevice, faults: FaultSource, *, side_by_side: bool
    ) -> None:
        self.side_by_side = side_by_side
        self.passes: list[TruePassing] = []
        self.noises: list[tuple[SensorEdge, ...]] = []
        self._virtual_time, self._gate_device, self._faults = virtual_time, gate_device, faults

    def car_passes(self, car: SimCar, run_id: str, speed_mps: float) -> TruePassing:
        """Let the front of the car reach the first beam now."""
        passing = BeamPassing(self._virtual_time.now_ns, speed_mps)
        edges = self._faulty_edges(passing)
        clock = self._gate_device.clock
        stamp = (clock.boot_id, clock.stamp(passing.at_ns)) if self._gate_device.powered else None
        true_pass = TruePassing(run_id, car.name, passing, stamp, tuple(edges))
        self.passes.append(true_pass)
        self._deliver(edges)
        car.passes_gate(blind=self._faults.occurs("car_blind"))
        return true_pass

    def noise(self, rng: random.Random) -> None:
        """Make a pulse without a car now."""
        edges = beam_gate.noise(self._virtual_time.now_ns, rng)
        self.noises.append(tuple(edges))
        self._deliver(edges)

    def _faulty_edges(self, passing: BeamPassing) -> list[SensorEdge]:
        aside = self._faults.source("side_by_side")
        edges = passing.clean_side_by_side(aside) if self.side_by_side else passing.clean()
        for name, apply_fault in EDGE_FAULTS:
            if self._faults.occurs(name):
                passing.faults.append(name)
                edges = apply_fault(edges, self._faults.source(name)) if edges else edges
        return edges

    def _deliver(self, edges: list[SensorEdge]) -> None:
        for edge in edges:
            self._virtual_time.at(edge.at_ns, lambda edge=edge: self._gate_device.on_edge(edge))  # type: ignore[misc]


def _nothing(_edges: list[SensorEdge], _rng: random.Random) -> list[SensorEdge]:
    return []


EDGE_FAULTS = (
    ("double_trigger", beam_gate.double_trigger),
    ("missed_edge", beam_gate.miss_sensor),
    ("lost_edge", beam_gate.lose_edge),
    ("missed_crossing", _nothing),
)
