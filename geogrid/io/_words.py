"""How messages name an option, so that people at the terminal and in Python can both act."""

from __future__ import annotations

__all__ = ["COLUMN_OPTION", "DATUM_OPTION", "LAYER_OPTION", "NAME_OPTION"]

COLUMN_OPTION = "--column (columns=)"
DATUM_OPTION = "--datum, --households-datum or --stations-datum (datum=)"
LAYER_OPTION = "--limit-layer or --layer (layer=)"
NAME_OPTION = "--limit-name (name=)"
