"""Balanced, contiguous, nested division of atoms."""

from geogrid.divide._kernels import warm
from geogrid.divide._upper import limits_as_barriers
from geogrid.divide.nest import divide
from geogrid.divide.number import number_plan
from geogrid.divide.partition import partition_atoms
from geogrid.divide.rebalance import rebalance

__all__ = ["divide", "limits_as_barriers", "number_plan", "partition_atoms", "rebalance", "warm"]
