"""The vendored files are the ones that the manifest names."""

import json
import shutil
from pathlib import Path

import pytest

from tools import vendor


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the vendored files to spoil."""
    folder = tmp_path / "vendor"
    shutil.copytree(vendor.VENDOR, folder)
    monkeypatch.setattr(vendor, "VENDOR", folder)
    monkeypatch.setattr(vendor, "MANIFEST", folder / "manifest.json")
    return folder


def faults() -> list[str]:
    return list(vendor.faults(json.loads(vendor.MANIFEST.read_text())["packages"]))


def test_what_is_shipped_is_what_the_manifest_names() -> None:
    assert faults() == []


def test_a_changed_a_missing_and_an_unnamed_file_are_found(copy: Path) -> None:
    with (copy / "chart.js/chart.umd.min.js").open("a") as file:
        file.write(" ")
    (copy / "atkinson/next-latin.woff2").unlink()
    (copy / "extra.js").write_text("")
    assert [line.partition(" ")[0] for line in faults()] == [
        "chart.js/chart.umd.min.js",
        "atkinson/next-latin.woff2",
        "extra.js",
    ]


@pytest.mark.usefixtures("copy")
def test_something_else_under_a_known_version_is_refused() -> None:
    entry = json.loads(vendor.MANIFEST.read_text())["packages"][0]["files"][0]
    with pytest.raises(SystemExit, match="something else"):
        vendor.place(entry, b"not Bootstrap")
