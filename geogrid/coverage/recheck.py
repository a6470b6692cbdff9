"""Prove a plan file again by other means: it shares no code with the verifier.

Whoever doubts the verifier can read this one function instead. It needs the file and nothing
else, takes no short cut, and is therefore slow: about a second for 10,000 cells.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import struct
from collections import Counter
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import shapely

__all__ = ["recheck"]


def recheck(path: str | Path) -> dict[str, bool]:
    """Say for every area level of a plan file whether it covers the district exactly once.

    Whole millimetres only: every polygon is valid, every border is walked once each way or lies
    on the limit, and, where the file holds a certificate, counts, areas and digests are its own.
    """
    with closing(sqlite3.connect(Path(path).resolve().as_uri() + "?mode=ro", uri=True)) as file:
        texts = dict(file.execute("SELECT key, value FROM geogrid_meta"))
        scheme, stored = json.loads(texts["scheme"]), json.loads(texts["certificate"])
        column = dict(file.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        names = [one["key"] for one in scheme["levels"] if one["contract"] == "area"]
        layers = {
            name: file.execute(f'SELECT code, "{column[name]}" FROM "{name}"').fetchall()  # noqa: S608 - names of the file's own layers
            for name in ["district", *names]
        }

    def walk(rows: list[tuple[str, bytes]]) -> tuple[bool, Counter[Any], int, str]:
        ordered = sorted((code for code, _ in rows), reverse=True)
        rank = {code: len(rows) - place for place, code in enumerate(ordered, start=1)}
        rings, twice_area, is_valid = [], 0, True
        along, against = Counter[Any](), Counter[Any]()
        for code, blob in rows:
            # A GeoPackage puts 8 bytes and a box of 0, 4, 6 or 8 numbers before the geometry.
            shape = shapely.from_wkb(blob[8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7] :])
            shape = shapely.transform(shape, lambda xy: np.rint(xy * 1000))
            is_valid &= bool(shape.is_valid) and not shape.is_empty
            for part in getattr(shape, "geoms", [shape]):
                for number, ring in enumerate([part.exterior, *part.interiors]):
                    points = [(int(x), int(y)) for x, y in ring.coords]
                    steps = [(p, q) for p, q in pairwise(points) if p != q]
                    area = sum(p[0] * q[1] - p[1] * q[0] for p, q in steps)
                    if (area < 0) != (number > 0):
                        steps, area = [(q, p) for p, q in reversed(steps)], -area
                    twice_area += area
                    along.update(step for step in steps if step[0] < step[1])
                    against.update((q, p) for p, q in steps if q < p)
                    least = steps.index(min(steps)) if steps else 0
                    start = [p for p, _ in steps[least:] + steps[:least]]
                    rings.append((rank[code], start))
        digest = hashlib.sha256("\n".join(reversed(ordered)).encode() + b"\0")
        for place, ring_points in sorted(rings):
            flat = [value for point in ring_points for value in point]
            digest.update(struct.pack(f"<{len(flat) + 2}q", place, len(ring_points), *flat))
        along.subtract(against)
        return is_valid, along, twice_area, digest.hexdigest()

    limit_is_valid, limit, limit_area, limit_digest = walk([("", layers["district"][0][1])])
    answers = {}
    for name in names:
        is_valid, cells, area, digest = walk(layers[name])
        cells.subtract(limit)
        is_proof = limit_is_valid and is_valid and not any(cells.values()) and area == limit_area
        proofs = [one for one in (stored or {"levels": []})["levels"] if one["level"] == name]
        answers[name] = is_proof and all(
            (one["cells"], one["twice_area_mm2"], one["digest"], stored["limit_digest"])
            == (len(layers[name]), area, digest, limit_digest)
            for one in proofs
        )
    return answers
