"""Builds lgpio for a Debian whose Python has no wheel of it on x86-64. Called by disks.py.

On a Pi the product's locks name a wheel for every Python (docs/decisions/0139-...). The simulated chip is on x86-64,
where PyPI has none for Python 3.13: here the same source, of the same version, is built in the machine's own root.
"""

import pathlib
import shutil
import sys

from tools.metal.commands import run, run_in_root

VERSION = "0.2.2.0"
SOURCE_SHA256 = "11372e653b200f76a0b3ef8a23a0735c85ec678a9f8550b9893151ed0f863fff"
BUILD_PACKAGES = ("gcc", "make", "swig", "python3-dev", "python3-setuptools", "python3-wheel")


def build_lgpio(workshop: pathlib.Path, packages: pathlib.Path, log: pathlib.Path) -> None:
    """Puts the wheel beside the packages that the machine can install."""
    folder = workshop / "build/lgpio"
    folder.mkdir(parents=True)
    pin = folder / "source.txt"
    pin.write_text(f"lgpio=={VERSION} --hash=sha256:{SOURCE_SHA256}\n")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "-q", "--no-deps"]
    run([*pip, "--no-build-isolation", "--no-binary", ":all:", "-d", str(folder), "-r", str(pin)], log)
    run_in_root(
        workshop,
        f"""apt-get install -qy --no-install-recommends {" ".join(BUILD_PACKAGES)}
cd /build/lgpio
tar -xzf lgpio-{VERSION}.tar.gz
cd lgpio-{VERSION}
python3 setup.py -q bdist_wheel""",
        log,
    )
    shutil.copy(next((folder / f"lgpio-{VERSION}" / "dist").glob("*.whl")), packages)
