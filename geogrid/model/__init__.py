"""Frozen types that flow through geogrid; no files, no web."""
