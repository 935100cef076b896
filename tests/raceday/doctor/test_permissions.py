"""Whether a service's user may open a path, by the kernel's rule: the first class that matches decides."""

import pytest

from raceday.doctor.machine_reader import FileStatus, UserAccount
from raceday.doctor.permissions import READ, WRITE, ServiceUser, blocked_by, may, service_user
from tests.raceday.doctor.machines import ShownMachine

USER = ServiceUser("raceday", 991, frozenset({991, 20}))


@pytest.mark.parametrize(
    ("mode", "uid", "gid", "wanted", "allowed"),
    [
        (0o600, 991, 0, READ | WRITE, True),
        (0o060, 991, 20, READ, False),  # the owner's bits decide, although the group may
        (0o660, 0, 20, READ | WRITE, True),
        (0o640, 0, 20, READ | WRITE, False),
        (0o606, 0, 20, READ, False),  # the group's bits decide, although others may
        (0o666, 0, 0, READ | WRITE, True),
        (0o600, 0, 0, READ, False),
    ],
)
def test_the_first_class_that_matches_decides(mode: int, uid: int, gid: int, wanted: int, allowed: bool) -> None:
    assert may(FileStatus(mode, uid, gid), USER, wanted) is allowed


def test_a_closed_folder_on_the_way_keeps_out_whatever_the_file_says() -> None:
    machine = ShownMachine(
        files={"/etc/raceday/tls/car-1.key": ""},
        statuses={"/etc/raceday/tls": FileStatus(0o700, 0, 0, is_folder=True)},
        links={"/dev/gate": "/dev/ttyACM0"},
    )
    assert blocked_by(machine, "/etc/raceday/tls/car-1.key", USER, READ) == "/etc/raceday/tls"
    machine.statuses["/dev/ttyACM0"] = FileStatus(0o660, 0, 5)
    assert blocked_by(machine, "/dev/gate", USER, READ | WRITE) == "/dev/ttyACM0"
    assert blocked_by(machine, "/dev/none", USER, READ) == ""


def test_a_units_groups_count_where_they_exist() -> None:
    machine = ShownMachine(users={"raceday": UserAccount("raceday", 991, frozenset({991}))}, groups={"gpio": 997})
    assert service_user(machine, "raceday", ("gpio", "i2c")) == ServiceUser("raceday", 991, frozenset({991, 997}))
    assert service_user(machine, "nobody") is None


def test_root_may_all() -> None:
    assert may(FileStatus(0, 5, 5), ServiceUser("root", 0, frozenset()), READ | WRITE)
