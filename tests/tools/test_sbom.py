"""The bills of materials: strictly valid by CycloneDX's own schema, complete, and the ones that would be written."""

import json
import re

import pytest
from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from raceday.install.shipped_files import ROLES, Role, lock_file, sbom_file
from tools.deb.pins import read_lock
from tools.sbom import document, written
from tools.vendored import read_table


@pytest.mark.parametrize("role", ROLES)
def test_a_roles_bill_is_valid_and_holds_every_pin_and_every_file_of_others_that_is_shipped(role: Role) -> None:
    text = sbom_file(role).read_text(encoding="utf-8")
    assert text == written(role), "stale: run python tools/sbom.py"
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    # As another program reads it: the reference implementation's own model.
    bill = Bom.from_json(json.loads(text))  # type: ignore[attr-defined]  # made by a decorator of its serialiser
    released = {(each.name, each.version) for each in bill.components}
    pinned = re.findall(r"^([a-z0-9.-]+)==(\S+)", lock_file(role).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(pinned) > 30
    assert set(pinned) <= released
    files = {file.name for each in bill.components for file in each.components}
    assert files == {path for path in read_table().hashes if not path.startswith("tests/")}
    assert "://" not in text.replace("http://cyclonedx.org/schema/", "")


@pytest.mark.parametrize("role", ROLES)
def test_what_we_depend_on_directly_is_named_as_such(role: Role) -> None:
    bill = json.loads(sbom_file(role).read_text(encoding="utf-8"))
    references = [each["bom-ref"] for each in bill["components"]]
    assert len(references) == len(set(references))
    assert len(bill["dependencies"]) == 1
    direct = set(bill["dependencies"][0]["dependsOn"])
    assert direct <= set(references)
    names = {reference.partition("@")[0] for reference in direct}
    assert {"pkg:pypi/pydantic", "pkg:pypi/prometheus-client", "pkg:npm/uplot"} <= names
    assert "pkg:pypi/starlette" not in names  # of FastAPI


def test_another_pin_is_another_document_with_another_serial_number() -> None:
    pins = read_lock(lock_file("car"))
    first, again = (document("car", "1.0", pins, ["numpy"], ()) for _ in range(2))
    other = document("car", "1.0", pins[1:], ["numpy"], ())
    assert first == again
    assert first["serialNumber"] != other["serialNumber"]
