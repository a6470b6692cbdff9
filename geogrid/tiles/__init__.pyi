# The public names; the package loads them lazily from this list.
from ._flat import Dimension as Dimension
from .cache import TileCache as TileCache
from .cache import TileKey as TileKey
from .layers import base_sources as base_sources
from .layers import cell_source as cell_source
from .layers import circle_source as circle_source
from .layers import station_source as station_source
from .source import TileSource as TileSource
from .tile_set import TileSet as TileSet
from .tile_set import style_layers as style_layers
from .tile_set import tile_json as tile_json
from .touched import TouchedTiles as TouchedTiles
from .touched import changed_boxes as changed_boxes
from .zooms import LevelZooms as LevelZooms
