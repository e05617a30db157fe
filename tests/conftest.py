"""What every test file may ask for."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real plates, curves and cases; skip, saying so, where it is absent."""
    folder = Path(os.environ.get("DRP_SHARED_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(
            f"the shared data folder is absent (looked for {folder.name} beside the project)"
        )
    return folder
