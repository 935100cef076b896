"""A receiver for gates whose drivers give no notes."""

from collections.abc import Callable

from station.gates.driver import Edge, GateOutput


def edges_only(put: Callable[[Edge], None]) -> Callable[[GateOutput], None]:
    """A receiver for `start` that passes edges to `put`, and fails on anything else."""

    def receive(output: GateOutput) -> None:
        assert isinstance(output, Edge), output
        put(output)

    return receive
