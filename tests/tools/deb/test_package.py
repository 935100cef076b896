"""The package: the same bytes each time, whole in the eyes of dpkg-deb, which is Debian's own reader of the format."""

import datetime as dt
import email.utils
import gzip
import hashlib
import pathlib
import shutil
import subprocess

import pytest

from shared.errors import BadInput
from tests.tools.deb.wheels import make_wheel
from tools.deb.archive import DebFile
from tools.deb.control import control, copyright_text, maintainer, oldest_glibc_minor, wheel_licence
from tools.deb.package import build, package_files

AT_S = 1_790_000_000
VERSION = "1.2.3"


def built(folder: pathlib.Path) -> pathlib.Path:
    folder.mkdir()
    wheels = [make_wheel(folder), make_wheel(folder, "raceday", VERSION)]
    return build(folder, VERSION, "arm64", package_files(VERSION, wheels, "Raceday\n\nNotice.", AT_S), AT_S)


def dpkg_deb(*arguments: str) -> str:
    assert shutil.which("dpkg-deb"), "Debian's dpkg-deb is the reader that counts here"
    done = subprocess.run(
        ["dpkg-deb", *arguments], capture_output=True, text=True, check=True, env={"PATH": "/usr/bin:/bin", "TZ": "UTC"}
    )
    return done.stdout


def test_building_twice_gives_the_same_bytes(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = built(tmp_path / "first")
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    second = built(tmp_path / "second")
    assert first.read_bytes() == second.read_bytes()
    digest = hashlib.sha256(first.read_bytes()).hexdigest()
    assert first.with_suffix(".deb.sha256").read_text() == f"{digest}  raceday_1.2.3_arm64.deb\n"
    assert not list(tmp_path.glob("*/*.part"))


def test_dpkg_reads_what_is_in_it(tmp_path: pathlib.Path) -> None:
    path = built(tmp_path / "it")
    fields = dpkg_deb("--field", str(path), "Package", "Version", "Architecture", "Depends")
    assert fields.splitlines()[:3] == ["Package: raceday", "Version: 1.2.3", "Architecture: arm64"]
    assert "python3 (>= 3.11), python3 (<< 3.14)" in fields
    lines = [line.split() for line in dpkg_deb("--contents", str(path)).splitlines()]
    assert all(line[1] == "root/root" and " ".join(line[3:5]) == "2026-09-21 14:13" for line in lines)
    modes = {line[5]: line[0] for line in lines}
    assert modes["./usr/bin/raceday"] == "-rwxr-xr-x"
    assert modes["./usr/share/raceday/wheels/rich-14.0-py3-none-any.whl"] == "-rw-r--r--"
    assert modes["./usr/share/raceday/"] == "drwxr-xr-x", "dpkg wants the folders as well"
    dpkg_deb("--extract", str(path), str(tmp_path / "root"))
    dpkg_deb("--control", str(path), str(tmp_path / "control"))
    checked = subprocess.run(
        ["md5sum", "-c", "--quiet", str(tmp_path / "control" / "md5sums")], cwd=tmp_path / "root", check=False
    )
    assert checked.returncode == 0
    assert {each.name for each in (tmp_path / "control").iterdir()} == {
        "control",
        "md5sums",
        "postinst",
        "prerm",
        "postrm",
    }
    starter = (tmp_path / "root" / "usr" / "bin" / "raceday").read_text()
    assert "version=1.2.3\n" in starter
    assert "@" not in starter.replace('"$@"', "")


def test_the_changelog_is_dated_by_the_commit(tmp_path: pathlib.Path) -> None:
    files = {file.path: file for file in package_files(VERSION, [make_wheel(tmp_path)], "N", AT_S)}
    text = gzip.decompress(files["usr/share/doc/raceday/changelog.gz"].content).decode()
    assert text.startswith("raceday (1.2.3) ")
    dated = email.utils.parsedate_to_datetime(text.rsplit(">  ", 1)[1].strip())
    assert dated == dt.datetime.fromtimestamp(AT_S, dt.UTC)


@pytest.mark.parametrize(
    ("metadata", "text", "licence", "texts"),
    [
        ("License-Expression: Apache-2.0 OR MIT\nLicense-File: LICENSE", "LICENSE", "Apache-2.0 OR MIT", 1),
        (
            "License: Long text\n        of many lines\nClassifier: License :: OSI Approved :: BSD License",
            "",
            "BSD License",
            0,
        ),
        ("License: \n\nClassifier: Topic :: Games", "COPYING.txt", "as in its licence file", 1),
        ("License: MPL-2.0", "LICENCE.md", "MPL-2.0", 1),
        ("Summary: none", "NOTICE", "as in its licence file", 1),
    ],
)
def test_the_licence_of_a_wheel(tmp_path: pathlib.Path, metadata: str, text: str, licence: str, texts: int) -> None:
    found, paths = wheel_licence(make_wheel(tmp_path, metadata=metadata, text=text))
    assert (found, len(paths)) == (licence, texts)


def test_a_wheel_without_a_licence_is_not_packed(tmp_path: pathlib.Path) -> None:
    wheel = make_wheel(tmp_path, metadata="Summary: none", text="")
    with pytest.raises(BadInput, match=r"rich-14\.0-py3-none-any\.whl: the wheel names no licence"):
        package_files(VERSION, [wheel], "N", AT_S)


def test_copyright_names_each_release_once(tmp_path: pathlib.Path) -> None:
    made = make_wheel(tmp_path, "apsw", "3.54")
    wheels = [
        pathlib.Path(shutil.copy(made, tmp_path / f"apsw-3.54-cp3{minor}-cp3{minor}-linux_x86_64.whl"))
        for minor in (11, 12)
    ]
    text = copyright_text("Raceday\n\nFonts by others.", [*wheels, make_wheel(tmp_path)])
    assert text.count("Files: usr/share/raceday/wheels/apsw-3.54-*.whl\n") == 1
    assert "\n .\n Fonts by others.\n" in text
    assert "rich-14.0.dist-info/licenses/LICENSE" in text


@pytest.mark.parametrize(
    ("names", "minor"),
    [
        ([], 17),
        (["rich-14.0-py3-none-any.whl"], 17),
        (["numpy-2-cp311-cp311-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl"], 27),
        (["a-1-cp311-abi3-manylinux_2_34_aarch64.whl", "b-1-cp37-abi3-manylinux_2_28_aarch64.whl"], 34),
    ],
)
def test_the_c_library_that_the_wheels_need(names: list[str], minor: int) -> None:
    assert oldest_glibc_minor(names) == minor
    files = [DebFile(f"usr/share/raceday/wheels/{name}", b"x" * 1025) for name in names]
    text = control(VERSION, "amd64", files)
    assert f"libc6 (>= 2.{minor})" in text
    assert f"Installed-Size: {2 * len(names)}\n" in text


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "The Raceday authors <raceday@localhost>"),
        ({"DEBEMAIL": ""}, "The Raceday authors <raceday@localhost>"),
        ({"DEBFULLNAME": "Jörg Ü.", "DEBEMAIL": "joerg@hall.example"}, "Jörg Ü. <joerg@hall.example>"),
        ({"DEBFULLNAME": "a\nDepends: evil"}, ""),
        ({"DEBEMAIL": "a@b> <c@d"}, ""),
        ({"DEBEMAIL": "nobody"}, ""),
    ],
)
def test_the_maintainer_is_who_publishes_the_package(environment: dict[str, str], says: str) -> None:
    if says:
        assert maintainer(environment) == says
    else:
        with pytest.raises(BadInput, match="no maintainer's name and address"):
            maintainer(environment)
