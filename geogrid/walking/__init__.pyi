# The public names; the package loads them lazily from this list.
from ._warm import warm as warm
from .network import WalkNetwork as WalkNetwork
