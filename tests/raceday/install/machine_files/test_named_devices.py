"""What a config names is what the drop-in opens: no less, no more, and no text of the config gets into it."""

import tomllib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.install.machine_files import device_kinds as kinds
from raceday.install.machine_files.device_kinds import DeviceKind
from raceday.install.machine_files.drop_ins import drop_in
from raceday.install.machine_files.named_devices import NamedDevices, car_devices, serial_kinds, station_devices
from raceday.install.machine_files.udev_rules import modules_to_load, udev_rules
from raceday.install.plan import named_devices

BY_ID = "/dev/serial/by-id/usb-MicroPython_Board_in_FS_mode_e6614864d3519a26-if00"
ALL_SERIAL = (kinds.USB_MODEM, kinds.USB_SERIAL, kinds.PI_UART, kinds.UART)


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("/dev/ttyACM0", (kinds.USB_MODEM,)),
        ("/dev/ttyUSB12", (kinds.USB_SERIAL,)),
        ("/dev/ttyAMA0", (kinds.PI_UART,)),
        ("/dev/ttyS0", (kinds.UART,)),
        ("/dev/ttyXRUSB0", (kinds.other_serial("ttyXRUSB"),)),
        (BY_ID, (kinds.USB_MODEM, kinds.USB_SERIAL)),
        ("/dev/serial0", (kinds.PI_UART, kinds.UART)),
        ("/dev/our-decoder", ALL_SERIAL),
        ("spy:///dev/ttyUSB0?file=/tmp/x", (kinds.USB_SERIAL,)),
        ("cp2110:///dev/hidraw0", (kinds.HID,)),
        ("socket://192.168.1.10:5403", ()),
        ("rfc2217://h:1", ()),
        ("/dev/pts/3", ALL_SERIAL),
        ("", ()),
        ("\n/dev/ttyACM0", ()),
    ],
)
def test_a_port_is_one_kind_of_device_or_may_be_several(port: str, expected: tuple[DeviceKind, ...]) -> None:
    assert serial_kinds(port, {}) == expected


def test_a_link_is_what_it_leads_to_on_this_machine() -> None:
    # One by id leads nowhere while the device is not plugged in: what is opened must not depend on that.
    assert (
        serial_kinds(BY_ID, {BY_ID: "/dev/ttyACM3"}) == (kinds.USB_MODEM, kinds.USB_SERIAL) == serial_kinds(BY_ID, {})
    )
    assert serial_kinds("/dev/our-decoder", {"/dev/our-decoder": "/dev/ttyUSB1"}) == (kinds.USB_SERIAL,)


STATIONS = [
    ('[[gate]]\nname = "start"\ndriver = "mock"', (), ()),
    ('[[gate]]\nname = "start"\ndriver = "gpio"\n[gate.options]\npins = [17]', (kinds.GPIO_CHIP,), ()),
    ('[[gate]]\ndriver = "gpio"\n[gate.options]\nfactory = "pigpio"', (), ()),
    (
        f'[[gate]]\ndriver = "pico"\n[gate.options]\nport = "{BY_ID}"\n[stop_button]\ndriver = "gpio"',
        (kinds.USB_MODEM, kinds.USB_SERIAL, kinds.GPIO_CHIP),
        (),
    ),
    (
        '[start_lights]\ndriver = "gpio"\n[start_lights.options]\nfactory = "native"',
        (kinds.GPIO_CHIP, kinds.GPIO_MEMORY),
        (),
    ),
    ('[[gate]]\ndriver = "decoder"\n[gate.options]\nurl = "socket://10.0.0.2:5403"', (), ()),
    ('[[gate]]\ndriver = "of_a_stranger"', (), ("of_a_stranger",)),
    ('gate = "start"\nstop_button = 3', (), ()),  # wrong: the config check says so
    ('[[gate]]\ndriver = 7\noptions = "none"', (), ("7",)),
]


@pytest.mark.parametrize(("text", "expected", "strange"), STATIONS)
def test_the_devices_of_a_station(text: str, expected: tuple[DeviceKind, ...], strange: tuple[str, ...]) -> None:
    assert station_devices(tomllib.loads(text), {}) == NamedDevices(expected, strange)


CARS = [
    ('camera.driver = "mock"\nmotors.driver = "mock"', (), ()),
    ('camera.driver = "v4l2"\nmotors.driver = "pca9685"', (kinds.VIDEO, kinds.I2C), ()),
    (
        'camera.driver = "picamera"\nmotors = {driver = "sysfs", options = {chip = "i2c-0", enable_gpio = 514}}',
        (kinds.PI_CAMERA, kinds.KERNEL_PWM, kinds.GPIO_LINE),
        (),
    ),
    ('motors = {driver = "gpio"}\nbutton.pin = 17', (kinds.GPIO_CHIP,), ()),
    ('button.library = "lgpio"\nmotors.driver = "mine"', (), ("mine",)),
    (
        'battery.driver = "deepracer"\nlights = {driver = "pwm", options = {side_gpios = [526, 525, 515]}}',
        (kinds.I2C, kinds.KERNEL_PWM, kinds.GPIO_LINE),
        (),
    ),
    ('camera.driver = "rpicam"\nbattery.driver = "none"\nlights.options.side_gpios = []', (kinds.PI_CAMERA,), ()),
]


@pytest.mark.parametrize(("text", "expected", "strange"), CARS)
def test_the_devices_of_a_car(text: str, expected: tuple[DeviceKind, ...], strange: tuple[str, ...]) -> None:
    assert car_devices(tomllib.loads(text)) == NamedDevices(expected, strange)


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        ("deepracer-2404", {kinds.VIDEO, kinds.KERNEL_PWM, kinds.GPIO_LINE, kinds.I2C}),
        ("pi-pca9685", {kinds.PI_CAMERA, kinds.KERNEL_PWM}),
    ],
)
def test_the_devices_of_a_hardware_profile(profile: str, expected: set[DeviceKind]) -> None:
    assert set(named_devices("car", {"profile": profile}, {}).kinds) == expected


def test_a_drop_in_of_a_pi_car() -> None:
    opened = (kinds.PI_CAMERA, kinds.KERNEL_PWM, kinds.GPIO_LINE)
    text = drop_in("/etc/raceday/vehicle.toml", opened, frozenset({"video", "gpio", "dialout"}))
    service = text.partition("[Service]\n")[2].splitlines()[1:]
    assert service == [
        "SupplementaryGroups=video gpio",
        "PrivateDevices=no",
        "DevicePolicy=closed",
        "DeviceAllow=char-video4linux rw",
        "DeviceAllow=char-media rw",
        "DeviceAllow=char-dma_heap rw",
        "ReadWritePaths=-/sys/devices",
        "ReadWritePaths=-/sys/class/gpio",
        "RestrictAddressFamilies=AF_NETLINK",
    ]


def test_a_group_that_is_missing_is_not_named_and_its_devices_are_ours() -> None:
    """Debian has no group gpio: a unit that names it does not start (`status=216/GROUP`)."""
    assert "SupplementaryGroups" not in drop_in("x", (kinds.GPIO_CHIP,), frozenset({"video"}))
    assert 'GROUP="raceday"' in udev_rules((kinds.GPIO_CHIP,), frozenset({"video"}))
    assert 'GROUP="gpio"' in udev_rules((kinds.GPIO_CHIP,), frozenset({"gpio"}))


def test_no_device_no_drop_in_no_rule_no_module() -> None:
    assert drop_in("x", (), frozenset()) == udev_rules((), frozenset()) == modules_to_load((), frozenset()) == ""


def test_only_modules_that_this_kernel_has_are_loaded() -> None:
    needed = (kinds.USB_MODEM, kinds.I2C, kinds.USB_SERIAL)
    text = modules_to_load(needed, frozenset({"cdc_acm", "i2c_dev", "videodev"}))
    assert text.splitlines()[1:] == ["cdc_acm", "i2c-dev"]


HOSTILE = st.text(alphabet=st.sampled_from("tyACMUSB/dev\n\r\0;=[]'\"${} %0123é"), max_size=40)
OPTIONS: st.SearchStrategy[Any] = st.dictionaries(
    st.sampled_from(["port", "url", "factory", "library", "enable_gpio", "chip"]), HOSTILE | st.integers() | st.none()
)


@given(driver=st.sampled_from(["pico", "decoder", "gpio"]) | HOSTILE, options=OPTIONS, link=HOSTILE)
def test_no_config_can_write_a_line_of_its_own(driver: str, options: dict[str, Any], link: str) -> None:
    part = {"driver": driver, "options": options}
    links = {str(options.get("port")): link}
    named = station_devices({"gate": [part], "stop_button": part}, links)
    car = car_devices({"motors": part, "camera": part, "button": options})
    every = (*named.kinds, *car.kinds)
    groups = frozenset({"gpio", "dialout", "video"})
    text = drop_in("/etc/raceday/station.toml", every, groups) + udev_rules(every, groups)
    allowed = ("#", "[Service]", "SupplementaryGroups=", "PrivateDevices=no", "DevicePolicy=closed", "ACTION!=")
    for line in text.splitlines():
        assert line.startswith(
            (*allowed, "ReadWritePaths=-/sys/", "RestrictAddressFamilies=AF_NETLINK", "DeviceAllow=char-")
        )
    assert all(
        line.count(" ") == 1 and line.endswith(" rw") for line in text.splitlines() if line.startswith("DeviceAllow")
    )
