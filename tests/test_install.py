"""The model travels: in a wheel inside the package, in an editable install beside it."""

import importlib.util
import os
import subprocess
import sys
import zipfile

import pytest

import declutter
from declutter.model import default_model_folder

SCRIPT = "import declutter.model as m; print(m.default_model_folder()); print(declutter.clean('Rain fell on Monday.'))"


def test_a_checkout_finds_the_model_beside_the_package(root):
    assert default_model_folder() == root / "models" / "article"


@pytest.mark.skipif(importlib.util.find_spec("hatchling") is None, reason="hatchling is not installed")
def test_a_wheel_carries_the_model_and_needs_no_checkout(root, tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("declutter-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
        archive.extractall(tmp_path / "site")
    carried = (
        "py.typed",
        "models/article/weights.npz",
        "features/characters.npz",
        "writers/explain_page.html",
        "archive/report.html",
    )
    assert {f"declutter/{name}" for name in carried} <= set(names)
    assert not [name for name in names if name.startswith(("tests/", "corpus/"))]
    found = subprocess.run(
        [sys.executable, "-c", "import declutter; " + SCRIPT],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(tmp_path / "site")},
        check=True,
        capture_output=True,
        text=True,
    )
    folder, text = found.stdout.splitlines()
    assert folder == str(tmp_path / "site/declutter/models/article")
    assert text == "Rain fell on Monday."


def test_the_version_is_the_projects(root):
    assert f"## {declutter.__version__}" in (root / "CHANGELOG.md").read_text(encoding="utf-8")
