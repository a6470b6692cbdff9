"""The main job on the data that ships."""

from __future__ import annotations

from pathlib import Path

from geogrid.errors import MissingFileError
from geogrid.workflow.inputs import Job

__all__ = ["demo_job", "sample_folder"]

_PACKAGE = Path(__file__).resolve().parents[1]
# The wheel carries the data inside the package; a source tree has it beside the package.
_FOLDERS = (_PACKAGE / "samples", _PACKAGE.parent / "data")


def sample_folder(name: str) -> Path:
    """Return the folder of a sample that ships.

    Raises
    ------
    MissingFileError
        If the installation lacks it.
    """
    for folder in _FOLDERS:
        if (folder / name).is_dir():
            return folder / name
    msg = f"the sample {name} is not in this installation: install geogrid again"
    raise MissingFileError(msg)


def demo_job() -> Job:
    """Return the job of ``geogrid demo``: central Helsinki, households estimated."""
    folder = sample_folder("helsinki")
    return Job(limit=folder / "limit.geojson", osm=folder / "helsinki.osm.pbf")
