"""One layer of tiles, as the specification 2.1 of Mapbox vector tiles writes it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from geogrid.tiles._flat import Dimension, Flat
from geogrid.tiles._ragged import Indices, starts_of, sums, zipped
from geogrid.tiles._wire import Rows, constant, framed, grouped, varints, zigzag
from geogrid.tiles._world import EXTENT

__all__ = ["layers_bytes"]

_LAYER, _NAME, _FEATURE, _KEY = 0x1A, 0x0A, 0x12, 0x1A
_ID, _TAGS, _TYPE, _GEOMETRY = 0x08, 0x12, 0x18, 0x22
_VERSION_2 = b"\x78\x02"
_EXTENT = 0x28
# Commands and how often they are repeated: begin once, close once, draw n lines.
_MOVE, _CLOSE, _DRAW, _REPEAT_BITS = 1 | 1 << 3, 7 | 1 << 3, 2, 3
# Of each byte of a number, seven bits are its own, and one says that more bytes come.
_LOW_BITS, _MORE = 0x7F, 0x80


def layers_bytes(
    name: str,
    flat: Flat,
    dimension: Dimension,
    ids: npt.NDArray[np.uint64],
    fields: tuple[tuple[str, ...], Rows, Rows],
    held: Indices,
) -> list[bytes]:
    """Return a layer for each of some tiles, ready to be joined with others to a tile.

    Parameters
    ----------
    name
        Of the layer.
    flat
        Shapes in units of their tile, none empty.
    dimension
        Points, lines or areas.
    ids
        One number a feature.
    fields
        Names of the properties, tags of each feature, and by tile the values that they point to.
    held
        Features of each tile; one without any has no layer.
    """
    names, tags, values = fields
    count = len(ids)
    features = zipped(
        (
            constant(_ID, count), varints(ids),
            framed(_TAGS, tags),
            constant(_TYPE, count), constant(dimension, count),
            framed(_GEOMETRY, _geometry(flat, dimension)),
        )
    )  # fmt: skip
    drawn = _parts(grouped(framed(_FEATURE, features), held))
    head = _VERSION_2 + _field(_NAME, name.encode())
    keys = b"".join(_field(_KEY, key.encode()) for key in names)
    tail = bytes([_EXTENT]) + _number(EXTENT)
    return [
        _field(_LAYER, b"".join((head, body, keys, known, tail))) if body else b""
        for body, known in zip(drawn, _parts(values), strict=True)
    ]


def _parts(rows: Rows) -> list[bytes]:
    data, stops = rows[0].tobytes(), np.cumsum(rows[1]).tolist()
    return [data[start:stop] for start, stop in zip([0, *stops], stops, strict=False)]


def _number(value: int) -> bytes:
    """Write one number as :func:`varints` writes many."""
    out = bytearray()
    while value > _LOW_BITS:
        out.append(value & _LOW_BITS | _MORE)
        value >>= 7
    out.append(value)
    return bytes(out)


def _field(tag: int, content: bytes) -> bytes:
    return bytes([tag]) + _number(len(content)) + content


def _geometry(flat: Flat, dimension: Dimension) -> Rows:
    """Return the commands of each feature: every step is counted from the vertex before it."""
    step = np.diff(flat.xy, axis=0, prepend=0)
    first = starts_of(flat.vertices)
    step[first] = flat.xy[first]
    length = flat.length
    # Two numbers a vertex, and a command before the first, before the others and at the end.
    more = {Dimension.POINT: 1, Dimension.LINE: 2, Dimension.AREA: 3}[dimension]
    size = 2 * length + more
    ring = starts_of(size)
    number = np.arange(len(step)) - np.repeat(starts_of(length), length)
    at = np.repeat(ring, length) + 1 + 2 * number + (number > 0)
    out = np.empty(int(size.sum()), dtype=np.uint64)
    out[at], out[at + 1] = zigzag(step[:, 0]), zigzag(step[:, 1])
    out[ring] = _MOVE
    if dimension is not Dimension.POINT:
        out[ring + 3] = ((length - 1) << _REPEAT_BITS) | _DRAW
    if dimension is Dimension.AREA:
        out[ring + size - 1] = _CLOSE
    return grouped(varints(out), sums(size, flat.rings))
