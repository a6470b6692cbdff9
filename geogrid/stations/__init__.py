"""Service circles of stations: who is served, who is not."""

from __future__ import annotations

from geogrid.stations.service import served_by_cell, service_summary, unserved_by_cell

__all__ = ["served_by_cell", "service_summary", "unserved_by_cell"]
