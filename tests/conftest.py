"""What several tests share."""

from pathlib import Path

import pytest
from hypothesis import settings

import declutter

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every run; `--hypothesis-profile=search` looks for new ones.
settings.register_profile("declutter", deadline=None, database=None, derandomize=True)
settings.register_profile("search", deadline=None, database=None)
settings.load_profile("declutter")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of third-party data beside the project; tests that ask for it are skipped where it is absent."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"needs third-party data that is not in the repository: there is no {folder}")
    return folder


@pytest.fixture(scope="session")
def labeller() -> declutter.Declutter:
    """The model that comes with declutter, with default settings."""
    return declutter.Declutter()
