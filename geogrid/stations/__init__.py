"""Service circles of stations: who is served, who is not."""

from __future__ import annotations

from geogrid.stations.service import service_summary, unserved_by_cell

__all__ = ["service_summary", "unserved_by_cell"]
