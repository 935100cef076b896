"""What the kernel's files say, and None for what they do not."""

import pathlib

from hypothesis import given
from hypothesis import strategies as st

from vehicle.web.system_health import celsius, read_health, wifi_dbm

WIRELESS = """Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE
 face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22
 wlan0: 0000   56.  -54.  -256        0      0      0      0      0        0
"""


def test_a_pi_says_what_it_knows(tmp_path: pathlib.Path) -> None:
    for name, text in {
        "proc/net/wireless": WIRELESS,
        "sys/class/thermal/thermal_zone0/temp": "51234\n",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_text(text)
    health = read_health(tmp_path, 83, tmp_path)
    assert (health.battery_percent, health.wifi_dbm, health.temperature_c) == (83, -54, 51.2)
    assert health.disk_free_mb is not None


def test_a_computer_without_them_knows_nothing(tmp_path: pathlib.Path) -> None:
    health = read_health(tmp_path / "gone", None, tmp_path)
    assert (health.battery_percent, health.wifi_dbm, health.temperature_c) == (None, None, None)


@given(st.text())
def test_odd_tables_are_no_traceback(text: str) -> None:
    assert wifi_dbm(f"a\nb\n{text}") is None or isinstance(wifi_dbm(f"a\nb\n{text}"), int)
    assert celsius(text) is None or isinstance(celsius(text), float)
