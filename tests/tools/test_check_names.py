"""The check of names finds doubled classes, crowded folders and retired names."""

import pathlib

import pytest

from tools import check_names


@pytest.fixture
def tree(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    monkeypatch.setattr(check_names, "ROOT", tmp_path)
    for machine in check_names.PRODUCT:
        (tmp_path / machine).mkdir()
    return tmp_path


def faults() -> list[str]:
    paths = list(check_names.modules())
    checks = [check_names.doubled_classes(paths), check_names.crowded_folders(paths), check_names.retired_names(paths)]
    return [fault for faults_found in checks for fault in faults_found]


def test_a_tree_of_plain_names_has_no_fault(tree: pathlib.Path) -> None:
    (tree / "station" / "gate.py").write_text("class Gate:\n    def close(self):\n        pass\n")
    assert faults() == []


def test_one_class_name_in_two_modules(tree: pathlib.Path) -> None:
    (tree / "station" / "a.py").write_text("class Reader:\n    pass\n")
    (tree / "vehicle" / "b.py").write_text("def f():\n    class Reader:\n        pass\n")
    (fault,) = faults()
    assert fault.startswith("the class name Reader occurs in station/a.py, vehicle/b.py")


def test_a_crowded_folder(tree: pathlib.Path) -> None:
    for number in range(check_names.MAX_MODULES + 1):
        (tree / "shared" / f"m{number}.py").write_text("")
    (tree / "shared" / "__init__.py").write_text("")
    (fault,) = faults()
    assert fault.startswith("shared holds 15 modules")


@pytest.mark.parametrize(
    ("text", "name"),
    [("MOST_BYTES = 1\n", "MOST_BYTES"), ("_LEAST_NS = 1\n", "_LEAST_NS"), ("def tell(x):\n    return x\n", "tell")],
)
def test_a_name_that_the_field_does_not_use(tree: pathlib.Path, text: str, name: str) -> None:
    (tree / "raceday" / "a.py").write_text(text)
    (fault,) = faults()
    assert fault.startswith(f"raceday/a.py:1: {name} is not a name of the field")


def test_a_word_of_prose_or_of_a_string_is_no_identifier(tree: pathlib.Path) -> None:
    (tree / "raceday" / "a.py").write_text('"""Most people tell others."""\nX = "told"  # heard\n')
    assert faults() == []


def test_migrations_follow_one_another(tmp_path: pathlib.Path) -> None:
    def written(name: str, revision: str, before: str) -> None:
        (tmp_path / name).write_text(f"revision = {revision}\ndown_revision = {before}\nbranch_labels = None\n")

    written("0001_first.py", '"0001"', "None")
    written("0002_second.py", '"0002"', '"0001"')
    written("0005_third.py", '"0005"', '"0002"')
    assert list(check_names.unchained_migrations(tmp_path.glob("*.py"))) == []
    written("0005_too.py", '"0005"', '"0002"')
    (fault,) = check_names.unchained_migrations(tmp_path.glob("*.py"))
    assert fault.startswith("0005_too.py: the migration follows 0005")
    assert list(check_names.unchained_migrations(check_names.MIGRATIONS.glob("*_*.py"))) == []
