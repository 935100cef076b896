"""Writes the bill of materials of each role: `raceday/install/sbom/ROLE.cdx.json` (CycloneDX 1.6).

It names our release, the pinned releases of the role's lock, and the files of others that the product carries
(vendored_files.json). The same input gives the same bytes. `--check`, a part of `./dev check`: write nothing, and fail
if a document is not what would be written. Standard: ECMA-424, https://cyclonedx.org/docs/1.6/json/.
"""

import argparse
import json
import pathlib
import sys
import tomllib
import uuid
from collections.abc import Iterable
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from raceday.install.shipped_files import ROLES, Role, lock_file, sbom_file  # noqa: E402
from tools.deb.pins import Pin, read_lock  # noqa: E402
from tools.vendored import VendoredComponent, read_table  # noqa: E402

# The extras that `./dev lock` pins for a role.
EXTRAS: dict[Role, tuple[str, ...]] = {
    "station": ("station", "pi"),
    "car": ("vehicle", "pi"),
    "leaderboard": ("leaderboard", "cluster"),
}
OURS = "raceday"
LICENCE = "Apache-2.0"


def document(
    role: Role, version: str, pins: Iterable[Pin], wanted: Iterable[str], carried: Iterable[VendoredComponent]
) -> dict[str, Any]:
    """The bill of one role. `wanted`: what we depend on directly, as names; a lock says no more of what needs what."""
    libraries = [_library(pin) for pin in sorted(pins, key=lambda pin: (pin.requirement.name, pin.release))]
    references: dict[str, list[str]] = {}
    for each in libraries:
        references.setdefault(each["name"], []).append(each["bom-ref"])
    direct = [reference for name in sorted({*wanted}) for reference in references.get(name, ())]
    carried_components = [_carried(each) for each in carried]
    bill: dict[str, Any] = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": OURS,
                "name": OURS,
                "version": version,
                "description": f"Raceday as it is installed on a {role}; the SHA-256 of each file of a library "
                f"stands in raceday/install/locks/{role}.lock.",
                "licenses": [{"license": {"id": LICENCE}}],
                "purl": f"pkg:generic/{OURS}@{version}",
                "properties": [{"name": "raceday:role", "value": role}],
            }
        },
        "components": [*libraries, *carried_components],
        "dependencies": [{"ref": OURS, "dependsOn": [*direct, *(each["bom-ref"] for each in carried_components)]}],
    }
    # Random by the standard; ours follows from the content, so that it changes when that does and never else.
    serial = uuid.uuid5(uuid.NAMESPACE_URL, json.dumps(bill, sort_keys=True))
    return {**bill, "serialNumber": f"urn:uuid:{serial}"}


def _library(pin: Pin) -> dict[str, Any]:
    name, version = canonicalize_name(pin.requirement.name), str(pin.requirement.specifier).removeprefix("==")
    purl = f"pkg:pypi/{name}@{version}"
    library: dict[str, Any] = {"type": "library", "bom-ref": purl, "name": name, "version": version, "purl": purl}
    if pin.requirement.marker is not None:
        library["properties"] = [{"name": "raceday:marker", "value": str(pin.requirement.marker)}]
    return library


def _carried(component: VendoredComponent) -> dict[str, Any]:
    files = [
        {"type": "file", "name": path, "hashes": [{"alg": "SHA-256", "content": digest}]}
        for path, digest in sorted(component.files.items())
    ]
    made: dict[str, Any] = {"type": "library", "bom-ref": component.purl, "name": component.name}
    if component.version:
        made["version"] = component.version
    return {
        **made,
        "licenses": [{"license": {"id": component.licence}}],
        "purl": component.purl,
        "components": files,
    }


def written(role: Role) -> str:
    """The text of a role's document. Raises BadInput for a lock that cannot be read."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    shipped = tuple(f"{package}/" for package in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])
    project = project["project"]
    lines = [*project["dependencies"]]
    for extra in EXTRAS[role]:
        lines += project["optional-dependencies"][extra]
    carried = [each for each in read_table().components if any(path.startswith(shipped) for path in each.files)]
    wanted = {canonicalize_name(Requirement(line).name) for line in lines}
    made = document(role, project["version"], read_lock(lock_file(role)), wanted, carried)
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a document is stale")
    is_check = parser.parse_args().check
    stale = []
    for role in ROLES:
        path, text = sbom_file(role), written(role)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(path)
        if not is_check:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
    for path in stale:
        where = path.relative_to(ROOT)
        print(f"{where} is not what is pinned and carried: run python tools/sbom.py" if is_check else f"wrote {where}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
