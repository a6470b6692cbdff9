"""OpenStreetMap files to tables."""

from __future__ import annotations

from geogrid.osm.read import read_osm

__all__ = ["read_osm"]
