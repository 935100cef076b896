"""The broker's files for Debian's mosquitto: its part of the configuration, and who may say what. Pure.

Debian's own mosquitto.conf names persistence, log and pid file, and reads /etc/mosquitto/conf.d; a second
`persistence_location` keeps it from starting. Called by the plan.
"""

BROKER_CONF = "/etc/mosquitto/conf.d/raceday.conf"
MAX_FILES = 8192  # open at once; above `max_connections` of config/mosquitto.conf: the broker refuses, not the kernel
BROKER_DROP_IN = "/etc/systemd/system/mosquitto.service.d/raceday.conf"

# The restart comes a second after the reload, which is over by then; a second reload within that second finds the
# timer there already.
DROP_IN = f"""\
# Made by `raceday install station`. With Debian's 1024 open files, 1,000 silent connections shut every car out.
[Service]
LimitNOFILE={MAX_FILES}

# mosquitto 2.0.21, which is Debian 13's, is damaged by a reload while a machine is away: it cuts connections again and
# again from then on. It is restarted instead, also where logrotate reloads it.
ExecReload=
ExecReload=/bin/sh -c 'if /usr/sbin/mosquitto -h | grep -qF "version 2.0.21"; \\
then systemd-run --quiet --collect --unit=raceday-broker-restart --on-active=1s \\
systemctl try-restart mosquitto.service || true; else kill -HUP $MAINPID; fi'
"""

LOOPBACK = """\
# Made by `raceday install station`: no certificates are here, so only this machine reaches the broker.
# `raceday certs init`, then `raceday install station` again, opens it to the cars.
listener 1883 127.0.0.1
allow_anonymous true
max_packet_size 16384
max_queued_messages 1000
set_tcp_nodelay true
"""


def broker_conf(shipped: str, has_certs: bool) -> str:
    """The text of conf.d/raceday.conf: with certificates for the whole network, without them for this machine alone."""
    if not has_certs:
        return LOOPBACK
    revoked = "# crlfile /etc/raceday/tls/crl.pem"
    assert revoked in shipped
    head = "# Made by `raceday install station`.\n"
    return head + shipped.replace(revoked, revoked.removeprefix("# "))


def acl_of(shipped: str, station: str) -> str:
    """The access rules with this station's name in its block."""
    return shipped.replace("station-1", station)
