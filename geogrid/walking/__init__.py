"""The walking network and what can be reached on it."""

from geogrid.walking._warm import warm
from geogrid.walking.network import WalkNetwork

__all__ = ["WalkNetwork", "warm"]
