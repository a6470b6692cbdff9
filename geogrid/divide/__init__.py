"""Balanced, contiguous, nested division of atoms."""

from geogrid.divide.nest import divide
from geogrid.divide.number import number_plan
from geogrid.divide.partition import partition_atoms

__all__ = ["divide", "number_plan", "partition_atoms"]
