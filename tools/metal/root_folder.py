"""Makes the root of a fresh Debian in a folder, and the packages that its machine can install without a network.

Called by disks.py. Debian's own mirror, signatures and packages, through debootstrap and apt.
"""

import pathlib
import shutil

from tools.metal.commands import run, run_in_root
from tools.metal.pin_library import build_lgpio
from tools.metal.suites import BOOT_MODULES, BUILD_PACKAGES, FRESH_PACKAGES, OFFLINE_PACKAGES, TEST_PACKAGES, Suite

# Started when all services are up; the machine is switched off when the last scenario has ended.
RUNNER_UNIT = """[Unit]
Description=Runs the scenarios of ./dev metal
After=multi-user.target
[Service]
Type=oneshot
ExecStartPre=/bin/mkdir -p /metal
ExecStartPre=/bin/sh -c 'mountpoint -q /metal || mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144 metal /metal'
Environment=PYTHONPATH=/metal
ExecStart=/usr/bin/python3 -u -m tools.metal.guest.runner
ExecStopPost=/bin/systemctl --no-block poweroff
StandardOutput=journal+console
[Install]
WantedBy=graphical.target
"""
NO_SERVICES = "#!/bin/sh\nexit 101\n"  # what Debian's policy says of starting services while a root is made


def make_fresh(suite: Suite, root: pathlib.Path, log: pathlib.Path) -> None:
    """A fresh Debian with its kernel and what its installer would have put there; nothing of the product."""
    # In a mount namespace of its own, since debootstrap unmounts what it finds mounted below the root's folders.
    words = ["--variant=minbase", "--include=systemd-sysv", suite.codename, str(root)]
    run(["unshare", "--mount", "debootstrap", *words], log)
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")
    forbid_services(root)
    listed = "\\n".join(BOOT_MODULES)
    run_in_root(
        root,
        f"""apt-get update -q
apt-get install -qy --no-install-recommends initramfs-tools zstd
sed -i s/^MODULES=.*/MODULES=list/ /etc/initramfs-tools/initramfs.conf
printf '{listed}\\n' >> /etc/initramfs-tools/modules
apt-get install -qy --no-install-recommends {" ".join((*FRESH_PACKAGES, *TEST_PACKAGES))}
apt-get clean""",
        log,
    )
    (root / "etc/hostname").write_text("track\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost track\n::1 localhost\n")
    (root / "etc/systemd/system/metal.service").write_text(RUNNER_UNIT)
    run_in_root(root, "systemctl enable metal.service; systemctl set-default graphical.target", log)


def make_workshop(suite: Suite, fresh: pathlib.Path, workshop: pathlib.Path, log: pathlib.Path) -> None:
    """A copy of the fresh root with compiler and kernel headers, and what the machine may install in /packages."""
    run(["cp", "-a", str(fresh), str(workshop)], log)
    run_in_root(
        workshop,
        f"""apt-get install -qy --download-only --no-install-recommends {" ".join(OFFLINE_PACKAGES)}
mkdir /packages
mv /var/cache/apt/archives/*.deb /packages/
apt-get install -qy --no-install-recommends {" ".join(BUILD_PACKAGES)}""",
        log,
    )
    if suite.builds_lgpio:
        build_lgpio(workshop, log)


def list_packages(workshop: pathlib.Path, packages: pathlib.Path, log: pathlib.Path) -> None:
    """Copies /packages out of the workshop, as a repository that apt can read."""
    run_in_root(workshop, "cd /packages; dpkg-scanpackages . > Packages", log)
    shutil.copytree(workshop / "packages", packages)


def forbid_services(root: pathlib.Path) -> None:
    """Keeps packages from starting their services in the root that is being made; `allow_services` ends it."""
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)


def allow_services(root: pathlib.Path) -> None:
    """What the machine installs once it runs is started as on any Debian."""
    (root / "usr/sbin/policy-rc.d").unlink(missing_ok=True)
