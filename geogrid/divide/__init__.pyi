# The public names; the package loads them lazily from this list.
from ._kernels import warm as warm
from ._upper import limits_as_barriers as limits_as_barriers
from .nest import divide as divide
from .number import number_plan as number_plan
from .partition import partition_atoms as partition_atoms
from .rebalance import rebalance as rebalance
