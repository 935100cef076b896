"""A Wi-Fi of our own, as files of NetworkManager, which Debian 12 and 13 and Raspberry Pi OS use. Pure.

Source: NetworkManager's nm-settings-keyfile(5) and NetworkManager.conf(5). Called by the plan.
"""

from raceday.install.request import AccessPoint

KEYFILE = "/etc/NetworkManager/system-connections/raceday-access-point.nmconnection"
POWER_SAVING = "/etc/NetworkManager/conf.d/raceday-wifi.conf"
COUNTRY = "/etc/modprobe.d/raceday-wifi.conf"
ADDRESS = "10.42.0.1"  # as NetworkManager gives it to whoever shares a connection
CHANNEL = 36  # of the 5 GHz band: allowed without waiting for radar in nearly every country

# 2: off. Saving power delays packets by up to a beacon's interval, and a car's lease with them.
POWER_SAVING_OFF = """\
# Made by `raceday install`: a radio that sleeps delays leases and heartbeats.
[connection]
wifi.powersave = 2
"""


def access_point_keyfile(wanted: AccessPoint) -> str:
    """The connection: WPA2 with a passphrase, 5 GHz, addresses given out by NetworkManager."""
    ssid = ";".join(str(byte) for byte in wanted.ssid.encode()) + ";"
    return f"""\
# Made by `raceday install --access-point`.
[connection]
id=raceday-access-point
type=wifi
autoconnect=true
autoconnect-priority=100

[wifi]
mode=ap
ssid={ssid}
band=a
channel={CHANNEL}
powersave=2

[wifi-security]
key-mgmt=wpa-psk
proto=rsn;
pairwise=ccmp;
group=ccmp;
psk={wanted.passphrase}

[ipv4]
method=shared
address1={ADDRESS}/24

[ipv6]
method=disabled
"""


def country_option(wanted: AccessPoint) -> str:
    """The kernel's country: without one the 5 GHz band may not be sent on."""
    return f"# Made by `raceday install --access-point`.\noptions cfg80211 ieee80211_regdom={wanted.country}\n"


def power_saving_off() -> str:
    """NetworkManager's default for all Wi-Fi connections of a car."""
    return POWER_SAVING_OFF
