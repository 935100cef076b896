"""Which role each command needs: every command of the station is in the table, and higher roles may do the same."""

import inspect

import pytest

from station.access.command_roles import ROLE_OF_COMMAND, role_for
from station.access.identity import VISITOR, Identity
from station.access.roles import Role
from station.core import commands as every_command
from station.core.commands import COMMANDS, OrderCar, StartRun, StopAll, VoidLap
from station.core.moment import Command
from station.web.access import command_refusal

KINDS: set[type[Command]] = {
    kind
    for _, kind in inspect.getmembers(every_command, inspect.isclass)
    if issubclass(kind, Command) and kind is not Command
} | set(COMMANDS.values())


def test_every_command_has_a_role() -> None:
    missing = {kind.__name__ for kind in KINDS} - {kind.__name__ for kind in ROLE_OF_COMMAND}
    assert missing == set(), "add them to ROLE_OF_COMMAND in station/access/command_roles.py"
    assert min(ROLE_OF_COMMAND.values()) >= Role.REFEREE


@pytest.mark.parametrize("role", Role)
def test_who_may_give_which_command(role: Role) -> None:
    for kind in KINDS:
        command = kind.__new__(kind)  # its fields do not matter, but for the order to one car
        if isinstance(command, OrderCar):
            command = OrderCar(author="", car="car-1", action="start")
        refused = command_refusal(Identity("Ruth", role), command)
        assert (refused is None) == (role >= ROLE_OF_COMMAND[kind]), kind
        if refused is not None:
            assert refused[0] == 403
            assert "Ruth is signed in as" in refused[1]


@pytest.mark.parametrize("action", ["stop", "estop"])
def test_a_referee_may_stop_one_car(action: str) -> None:
    assert role_for(OrderCar(author="", car="car-1", action=action)) is Role.REFEREE  # type: ignore[arg-type]
    assert role_for(OrderCar(author="", car="car-1", action="arm")) is Role.OPERATOR


@pytest.mark.parametrize(
    "command", [StopAll(author=""), VoidLap(author="", number=1), StartRun(author="")], ids=lambda each: str(type(each))
)
def test_a_visitor_and_a_device_alone_may_command_nothing(command: Command) -> None:
    for identity in (VISITOR, Identity(device="tablet", device_role=Role.ADMIN)):
        assert command_refusal(identity, command) == (
            401,
            "Only the station's officials may do this: sign in first.",
        )
