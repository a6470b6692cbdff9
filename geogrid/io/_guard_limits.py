"""How much an uploaded file may be and cost."""

from __future__ import annotations

from dataclasses import dataclass, fields

from geogrid.errors import InputError

__all__ = ["UploadLimits"]

_MB = 1024**2


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadLimits:
    """Bounds of one uploaded file; a file beyond any of them is refused.

    Attributes
    ----------
    file_bytes
        Size as it came.
    unpacked_bytes
        What an archive holds in all, and the largest file that reading may write.
    ratio
        How many times its own size an archive of more than 10 MB may unpack to. The fixed-width
        texts of a Shapefile shrink to a hundredth, a file made to fill the disk to a thousandth.
    entries
        Members of an archive.
    features
        Features of a map, rows of a table.
    vertices
        Vertices of all features together.
    cells
        Values of a table, or of all columns of a map. The server holds them all: a million take
        about 100 MB.
    line_bytes
        Longest line of a text table.
    memory_bytes
        Memory for reading, besides that of the libraries themselves.
    cpu_seconds, seconds
        Computing time, and time on the clock.
    """

    file_bytes: int = 200 * _MB
    unpacked_bytes: int = 1024 * _MB
    ratio: int = 200
    entries: int = 1000
    features: int = 1_000_000
    vertices: int = 20_000_000
    cells: int = 10_000_000
    line_bytes: int = _MB
    memory_bytes: int = 3072 * _MB
    cpu_seconds: int = 60
    seconds: int = 120

    def __post_init__(self) -> None:
        for field in fields(self):
            if getattr(self, field.name) < 1:
                msg = f"the limit {field.name} of uploads must be at least 1"
                raise InputError(msg)
