# The public names; the package loads them lazily from this list.
from .plan_map import write_map as write_map
from .tiles import TileService as TileService
