"""Wheels small enough to be packed by a test: metadata, licence and nothing else."""

import pathlib
import zipfile


def make_wheel(
    folder: pathlib.Path,
    name: str = "rich",
    version: str = "14.0",
    *,
    metadata: str = "License-Expression: MIT",
    text: str = "LICENSE",
) -> pathlib.Path:
    """A wheel `NAME-VERSION-py3-none-any.whl` in the folder; `text` is the name of its licence file, empty: none."""
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{metadata}\n\nText."
        )
        if text:
            archive.writestr(f"{info}/licenses/{text}", "Permission is granted ...")
    return path
