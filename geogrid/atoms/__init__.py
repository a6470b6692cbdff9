"""Barriers to atoms: the indivisible faces of a district."""

from geogrid.atoms.barriers import barriers_of
from geogrid.atoms.build import build_atoms

__all__ = ["barriers_of", "build_atoms"]
