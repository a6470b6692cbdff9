"""Run the command line with ``python -m geogrid``."""

from __future__ import annotations

import sys

from geogrid.cli import main

sys.exit(main())
