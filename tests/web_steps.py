"""What tests of the web app do in a browser, whoever serves it."""

from __future__ import annotations

import time

import numpy as np
import pytest

PATIENCE_S = 20


def wait_until(page, claim):
    """Wait for a claim: a function, or words that the page evaluates."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        if claim() if callable(claim) else page.evaluate(claim):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never came true: {claim}")


def wait_for_map(page):
    """Wait until the map has drawn labels, which come last."""
    wait_until(page, "!!window.geogridWeb && geogridWeb.view.drawnLabels > 0")


def show_all(page):
    page.evaluate(
        "geogridWeb.view.map.fitBounds(geogridWeb.store.get().info.bounds, {animate: false})"
    )


def spot(page, place):
    """Return where in the window a place of longitude and latitude is."""
    return page.evaluate(
        """([lon, lat]) => {
          const at = geogridWeb.view.map.project([lon, lat]);
          const box = geogridWeb.view.map.getCanvas().getBoundingClientRect();
          return [at.x + box.left, at.y + box.top];
        }""",
        list(place),
    )


def middle_of(shape):
    return np.mean(shape["geometry"]["coordinates"][0][:-1], axis=0).tolist()


def take(page, tool):
    page.click(f"#gg-tools >> text={tool}")
