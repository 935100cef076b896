"""Scenario wifi: a station with certificates and its own access point, and a car that joins it and the race.

As docs/certificates.md and docs/wifi.md have it. Two simulated radios (mac80211_hwsim), plugged in once all is
installed: one for the station, one in a network namespace of its own, which is the car. The car's program is the
product's, with a camera and motors that are mocks; without a certificate, with another's name or with one that was
revoked, nobody gets in.
"""

import pathlib
import re
import subprocess

from tools.metal.guest.certificates import CARRIED_CAR, car_gets_certificate, revoke_car, station_takes_certificates
from tools.metal.guest.checks import check, last_line, run, until
from tools.metal.guest.installed_station import InstalledStation
from tools.metal.guest.kernel_files import load, wait_for

SSID = "Raceday"
COUNTRY = "DE"
KEYFILE = pathlib.Path("/etc/NetworkManager/system-connections/raceday-access-point.nmconnection")
STATION = "10.42.0.1"
CAR = "car"
INSIDE = ("ip", "netns", "exec", CAR)
CARRIED = pathlib.Path("/root/car")
JOINED_S = 120.0
SEEN_S = 240.0
REFUSED_S = 30.0  # the broker reads its list again
WPA = """ctrl_interface=/run/wpa-car
country={country}
network={{
 ssid="{ssid}"
 psk="{passphrase}"
}}
"""
CONFIG = f"""device = "car-1"
[camera]
driver = "mock"
[camera.options]
rate_hz = 5.0
[motors]
driver = "mock"
[calibration]
stock = true
[model]
path = "/opt/raceday/current/lib/PYTHON/site-packages/simulator/data/models/demo"
[outbox]
path = "{CARRIED}/laps.db"
[local]
socket = "{CARRIED}/vehicle.sock"
[mqtt]
host = "{STATION}"
port = 8883
ca = "{CARRIED}/ca.pem"
cert = "{CARRIED}/car-1.pem"
key = "{CARRIED}/car-1.key"
"""
# MQTT's CONNECT, by the product's own library: prints what the broker answered, or why there was no answer.
KNOCK = """
import sys, threading
import paho.mqtt.client as mqtt
host, port, folder, name = sys.argv[1:]
ended, said = threading.Event(), []
def end(word):
    said.append(word)
    ended.set()
client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, protocol=mqtt.MQTTv5)
client.on_connect = lambda _c, _u, _f, reason, _p: end(f"answered: {reason}")
client.on_disconnect = lambda _c, _u, _f, reason, _p: end(f"hung up: {reason}")
own = {"certfile": f"{folder}/{name}.pem", "keyfile": f"{folder}/{name}.key"} if name else {}
client.tls_set(ca_certs=f"{folder}/ca.pem", **own)
try:
    client.connect(host, int(port))
    client.loop_start()
    ended.wait(60)
except OSError as error:
    said.append(f"refused: {error}")
print(said[0] if said else "no answer")
"""


def radios() -> str:
    """Plugs both radios in; the second one goes into the car. Returns the name of the car's link."""
    load("mac80211_hwsim radios=2")
    found = sorted(pathlib.Path("/sys/class/ieee80211").iterdir(), key=lambda each: int(each.name.removeprefix("phy")))
    link = next((found[-1] / "device/net").iterdir()).name
    run(["ip", "netns", "add", CAR])
    run(["iw", "phy", found[-1].name, "set", "netns", "name", CAR])
    return link


def passphrase() -> str:
    """The passphrase of the access point, from the file that docs/install.md names."""
    mode = KEYFILE.stat().st_mode & 0o777
    check("the access point's passphrase is for root alone", mode == 0o600, oct(mode))
    found = re.search(r"^psk=(.+)$", KEYFILE.read_text(), re.MULTILINE)
    return "" if found is None else found[1]


def join(link: str) -> None:
    """The car's side: WPA, then an address."""
    config = pathlib.Path("/run/wpa-car.conf")
    config.write_text(WPA.format(country=COUNTRY, ssid=SSID, passphrase=passphrase()))
    run([*INSIDE, "ip", "link", "set", "lo", "up"])
    subprocess.Popen([*INSIDE, "wpa_supplicant", "-i", link, "-c", str(config)], start_new_session=True)
    wait_for(pathlib.Path(f"/run/wpa-car/{link}"))
    subprocess.Popen([*INSIDE, "udhcpc", "-i", link, "-f", "-t", "60"], start_new_session=True)


def car_address(link: str) -> str | None:
    """The car's address on the access point's network, if it has one."""
    said = run([*INSIDE, "ip", "-4", "-br", "addr", "show", "dev", link]).stdout
    found = re.search(r"10\.42\.0\.\d+", said)
    return None if found is None else found[0]


def knock(port: int, name: str = "") -> str:
    """What the broker says to the car's connection with the certificate of this name; "" for none at all."""
    words = [*INSIDE, "/opt/raceday/current/bin/python", "-c", KNOCK, STATION, str(port), str(CARRIED), name]
    return last_line(run(words, 120))


def refused(name: str) -> str | None:
    """How the broker refuses the certificate of this name; None if it lets it in, or says nothing."""
    answer = knock(8883, name)
    return answer if answer.startswith(("refused", "hung up")) else None


def carry() -> None:
    """The file with the car's certificates comes to the car, which unpacks it: a plain tar."""
    CARRIED.mkdir(exist_ok=True)
    run(["tar", "-xf", str(CARRIED_CAR), "-C", str(CARRIED)])


def drives(station: InstalledStation) -> "subprocess.Popen[bytes]":
    """Starts the car's program at its end of the Wi-Fi."""
    python = next(pathlib.Path("/opt/raceday/current/lib").glob("python3.*")).name
    config = CARRIED / "vehicle.toml"
    config.write_text(CONFIG.replace("PYTHON", python))
    words = [*INSIDE, "/opt/raceday/current/bin/raceday", "vehicle", "--config", str(config)]
    log = (CARRIED / "car.log").open("w")
    car = subprocess.Popen(words, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)
    seen = until(lambda: car_state(station), SEEN_S, 2.0)
    said = (CARRIED / "car.log").read_text()[-300:]
    check("the station sees the car over the Wi-Fi", seen is not None, seen or said)
    return car


def car_state(station: InstalledStation) -> str | None:
    """What the station knows of the car, once it hears from it."""
    cars = [each for each in station.state()["cars"] if each["name"] == "car-1"]
    return str(cars[0])[:300] if cars and cars[0]["online"] else None


def main() -> None:
    if not station_takes_certificates("--access-point", SSID, "--country", COUNTRY, host=STATION):
        return
    if not car_gets_certificate():
        return
    link = radios()
    is_up = until(lambda: STATION in run(["ip", "-4", "-br", "addr"]).stdout or None, JOINED_S, 3.0)
    said = " ".join(run(["iw", "dev"]).stdout.split())
    check("the access point is up", is_up is not None, said[-200:])
    check("on the 5 GHz channel of its file", "channel 36" in said, said[-200:])
    join(link)
    address = until(lambda: car_address(link), JOINED_S, 2.0)
    check("a car joins and gets an address", address is not None, address)
    carry()
    answer = knock(8883, "car-1")
    check("with its certificate the car gets in", answer == "answered: Success", answer)
    refusal = refused("")
    check("without one it does not", refusal is not None, refusal)
    answer = knock(1883)
    check("nothing listens without certificates", answer.startswith("refused"), answer)
    station = InstalledStation()
    station.up()
    car = drives(station)
    revoke_car()
    refusal = until(lambda: refused("car-1"), REFUSED_S, 2.0)
    check("revoked, the car does not get in", refusal is not None, refusal)
    silent = until(lambda: car_state(station) is None or None, SEEN_S, 2.0)
    check("and the station hears no more of it", silent is not None, "silent")
    car.terminate()
    car.wait(60)


if __name__ == "__main__":
    main()
