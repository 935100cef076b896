"""Our wheel: all that an installed product needs is in it, no more, and by it pip refuses a wrong Python at once."""

import email.message
import pathlib
import subprocess
import tomllib
import zipfile
from collections.abc import Iterator

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet

from shared.errors import OperatorError
from tests.conftest import ROOT
from tools.deb.__main__ import commit_time_s, own_wheel

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PACKAGES = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
INCLUDED = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[zipfile.ZipFile]:
    path = own_wheel(tmp_path_factory.mktemp("wheel"), 1_790_000_000)
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.fixture(scope="module")
def metadata(wheel: zipfile.ZipFile) -> email.message.Message:
    name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
    return email.message_from_bytes(wheel.read(name))


def committed(*folders: str) -> set[str]:
    listed = subprocess.run(["git", "ls-files", *folders], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return {name for name in listed.splitlines() if (ROOT / name).exists()}


def test_every_file_of_the_product_is_in_it(wheel: zipfile.ZipFile) -> None:
    names = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert committed(*PACKAGES) - names == set(), (
        "templates, static files, locks, units, firmware, migrations: all travel"
    )
    for source, target in INCLUDED.items():
        assert wheel.read(target) == (ROOT / source).read_bytes()
    assert not [name for name in names if name.endswith((".pyc", ".db", ".key", ".pem", ".secret"))]


@pytest.mark.parametrize(
    "name",
    [
        "station/web/templates/operate.html",
        "station/gates/pico/firmware/main.py",
        "simulator/data/models/demo/model.onnx",
        "raceday/install/units/raceday-station.service",
        "raceday/install/locks/car.lock",
        "raceday/install/config/acl",
        "shared/web/look/inter-OFL.txt",
    ],
)
def test_kinds_of_files_that_a_build_easily_drops(wheel: zipfile.ZipFile, name: str) -> None:
    assert wheel.getinfo(name).file_size > 100


def test_entry_points_name_modules_that_are_in_it(wheel: zipfile.ZipFile) -> None:
    groups = PROJECT["project"]["entry-points"].values()
    targets = [target.split(":")[0] for group in groups for target in group.values()]
    assert len(targets) > 30
    missing = [target for target in targets if f"{target.replace('.', '/')}.py" not in wheel.namelist()]
    assert missing == []


@pytest.mark.parametrize("version", ["3.8.10", "3.9.2", "3.10.12"])
def test_an_older_python_has_nothing_to_resolve_and_one_reason_to_refuse(
    metadata: email.message.Message, version: str
) -> None:
    """pip, up to 24.0 at least, looks at dependencies before Requires-Python, and then backtracks over them all.

    The Python 3.10 and pip 22.0 of Ubuntu 22.04 did so for 38 minutes. Without a dependency it refuses in seconds.
    """
    assert not SpecifierSet(str(metadata["Requires-Python"])).contains(version)
    environment = {"python_version": ".".join(version.split(".")[:2]), "python_full_version": version}
    requirements = [Requirement(str(each)) for each in metadata.get_all("Requires-Dist", ())]
    extras = [str(each) for each in metadata.get_all("Provides-Extra", ())]
    assert len(requirements) > 60
    assert {"station", "vehicle", "leaderboard"} <= set(extras)
    asked = [
        str(requirement)
        for requirement in requirements
        for extra in ("", *extras)
        if requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})
    ]
    assert asked == [], "a new dependency in pyproject.toml needs the marker: python_version >= '3.11'"


def test_the_same_commit_gives_the_same_wheel(wheel: zipfile.ZipFile, tmp_path: pathlib.Path) -> None:
    again = own_wheel(tmp_path, 1_790_000_000)
    assert wheel.filename
    assert again.read_bytes() == pathlib.Path(wheel.filename).read_bytes()


def test_the_time_of_a_package_is_the_commits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert commit_time_s() > 1_700_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1790000000")
    assert commit_time_s() == 1_790_000_000
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(OperatorError, match="set SOURCE_DATE_EPOCH to seconds since 1970"):
        commit_time_s()
