"""Manifests: which files a group's reports are made of, so that a lost one is noticed.

The workflow knows a group's reports by their manifest alone; ten thousand patients would otherwise
be forty thousand files for it to watch. So files are compared with manifests before it starts.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from drp.storage import read_json


def missing(folder: Path, entry: Mapping[str, Any]) -> bool:
    """Say whether a patient's folder lacks a file of the manifest, or has one of another size.

    Parameters
    ----------
    folder : Path
        The patient's folder.
    entry : mapping
        The patient's part of a manifest.
    """
    try:
        sizes = {item.name: item.stat().st_size for item in os.scandir(folder)}
    except OSError:
        return True
    return any(sizes.get(name) != size for name, (size, _) in entry["files"].items())


def drop_stale_manifests(manifests: list[Path]) -> list[str]:
    """Remove every manifest whose reports are not all there, so that they are made again.

    Parameters
    ----------
    manifests : list of Path
        One per group; those that are not there yet are passed over.

    Returns
    -------
    list of str
        The patients whose report lacks a file, in order.
    """
    lacking: list[str] = []
    for path in manifests:
        if not path.is_file():
            continue
        content = read_json(path)
        reports = Path(content["reports"])
        found = [
            patient
            for patient, entry in sorted(content["patients"].items())
            if missing(reports / patient, entry)
        ]
        if found:
            path.unlink()
            lacking += found
    return lacking
