"""Builds the package python3-lgpio for a Debian that lacks it, as Raspberry Pi OS has it. Called by disks.py.

PyPI's wheels of lgpio end with Python 3.12. On a Pi with Python 3.13 it comes with Raspberry Pi OS's own archive, as
`python3-lgpio`; Debian has no such package. So that the machine finds what a Pi would, the same source is built in its
root and packed under that name, with the files where the system's Python looks for them.
"""

import pathlib
import sys

from tools.metal.commands import run, run_in_root

VERSION = "0.2.2.0"
SOURCE_SHA256 = "11372e653b200f76a0b3ef8a23a0735c85ec678a9f8550b9893151ed0f863fff"
BUILD_PACKAGES = ("gcc", "make", "swig", "python3-dev", "python3-setuptools")
CONTROL = f"""Package: python3-lgpio
Version: {VERSION}
Architecture: amd64
Maintainer: ./dev metal <metal@localhost>
Depends: python3
Description: lgpio for Python, built by ./dev metal as a stand-in for Raspberry Pi OS's package
"""


def build_lgpio(workshop: pathlib.Path, log: pathlib.Path) -> None:
    """Puts the package into the workshop's /packages, beside those of Debian."""
    folder = workshop / "build/lgpio"
    folder.mkdir(parents=True)
    pin = folder / "source.txt"
    pin.write_text(f"lgpio=={VERSION} --hash=sha256:{SOURCE_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
    run([*pip, "--no-build-isolation", "--no-binary", ":all:", "-d", str(folder), "-r", str(pin)], log)
    control = folder / "package/DEBIAN/control"
    control.parent.mkdir(parents=True)
    control.write_text(CONTROL)
    run_in_root(
        workshop,
        f"""apt-get install -qy --no-install-recommends {" ".join(BUILD_PACKAGES)}
cd /build/lgpio
tar -xzf lgpio-{VERSION}.tar.gz
(cd lgpio-{VERSION}; PYPI=1 python3 setup.py -q build_ext --inplace)
packages=package/usr/lib/python3/dist-packages
mkdir -p $packages
cp lgpio-{VERSION}/lgpio.py lgpio-{VERSION}/_lgpio*.so $packages/
dpkg-deb --root-owner-group --build package /packages/python3-lgpio_{VERSION}_amd64.deb""",
        log,
    )
