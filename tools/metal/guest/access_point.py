"""Scenario wifi: the access point of `raceday install station --access-point`, and a car that joins and speaks MQTT.

Two simulated radios (mac80211_hwsim): one for the station, one in a network namespace of its own, which is the car.
The car gets its address from the access point, and reaches broker and pages over it.
"""

import pathlib
import re
import subprocess
import time

from tools.metal.guest.checks import check, run, until
from tools.metal.guest.kernel_files import load, wait_for

SSID = "Raceday Track"
COUNTRY = "DE"
KEYFILE = pathlib.Path("/etc/NetworkManager/system-connections/raceday-access-point.nmconnection")
STATION = "10.42.0.1"
CAR = "car"
JOINED_S = 90.0
WPA = """ctrl_interface=/run/wpa-car
country={country}
network={{
 ssid="{ssid}"
 psk="{passphrase}"
}}
"""
# As a car does: MQTT's CONNECT and its answer, by the product's own library.
MQTT = """
import sys, threading
import paho.mqtt.client as mqtt
answered, said = threading.Event(), []
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="metal-car", protocol=mqtt.MQTTv5)
client.on_connect = lambda _c, _u, _f, reason, _p: (said.append(str(reason)), answered.set())
client.connect(sys.argv[1], 1883)
client.loop_start()
answered.wait(30)
print(said)
"""


def main() -> None:
    load("mac80211_hwsim radios=2")
    radios = sorted(pathlib.Path("/sys/class/ieee80211").iterdir(), key=lambda each: int(each.name.removeprefix("phy")))
    car_radio = radios[-1].name
    car_link = next((radios[-1] / "device/net").iterdir()).name
    run(["ip", "netns", "add", CAR])
    run(["iw", "phy", car_radio, "set", "netns", "name", CAR])
    words = ["raceday", "install", "station", "--access-point", SSID, "--country", COUNTRY, "--force"]
    done = run(words, 900)
    check("raceday install station --access-point", done.returncode == 0, (done.stdout + done.stderr).strip()[-200:])
    is_up = until(lambda: STATION in run(["ip", "-4", "-br", "addr"]).stdout or None, JOINED_S, 3.0)
    check("the access point is up", is_up is not None, run(["iw", "dev"]).stdout.replace("\n", " ")[-300:])
    keyfile = KEYFILE.read_text()
    mode = KEYFILE.stat().st_mode & 0o777
    check("its passphrase is for root alone", mode == 0o600, oct(mode))
    passphrase = re.search(r"^psk=(.+)$", keyfile, re.MULTILINE)
    if passphrase is None:
        check("the passphrase is in the connection's file", False, str(KEYFILE))
        return
    join(car_link, passphrase[1])
    address = until(lambda: car_address(car_link), JOINED_S, 2.0)
    check("a car joins and gets an address", address is not None, address)
    inside = ["ip", "netns", "exec", CAR]
    said = run([*inside, "/opt/raceday/current/bin/python", "-c", MQTT, STATION], 120).stdout.strip()
    check("the broker answers it over the Wi-Fi", "Success" in said or "Not authorized" in said, said)


def join(link: str, passphrase: str) -> None:
    """The car's side: WPA, then an address."""
    config = pathlib.Path("/run/wpa-car.conf")
    config.write_text(WPA.format(country=COUNTRY, ssid=SSID, passphrase=passphrase))
    inside = ["ip", "netns", "exec", CAR]
    run([*inside, "ip", "link", "set", "lo", "up"])
    subprocess.Popen([*inside, "wpa_supplicant", "-i", link, "-c", str(config)], start_new_session=True)
    wait_for(pathlib.Path(f"/run/wpa-car/{link}"))
    time.sleep(5.0)  # the radios find each other
    subprocess.Popen([*inside, "udhcpc", "-i", link, "-f", "-t", "30"], start_new_session=True)


def car_address(link: str) -> str | None:
    """The car's address on the access point's network, if it has one."""
    said = run(["ip", "netns", "exec", CAR, "ip", "-4", "-br", "addr", "show", "dev", link]).stdout
    found = re.search(r"10\.42\.0\.\d+", said)
    return None if found is None else found[0]


if __name__ == "__main__":
    main()
