"""The receiver of a gate whose driver has no notes to give."""

from collections.abc import Callable

from station.gates.driver import Edge, GateOutput


def edges_only(put: Callable[[Edge], None]) -> Callable[[GateOutput], None]:
    """A receiver for `start` that hands edges to `put` and fails at anything else."""

    def receive(output: GateOutput) -> None:
        assert isinstance(output, Edge), output
        put(output)

    return receive
