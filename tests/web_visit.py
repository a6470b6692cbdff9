"""A visit to the web app: a page on which nothing may go wrong or ask anybody else."""

from __future__ import annotations

from contextlib import contextmanager

from web_steps import wait_for_map

REFUSED = "Failed to load resource"


@contextmanager
def visited(browser, service, *, width=1300, height=850, path="/", allows_refusals=False):
    """Open the app and wait for its map; whoever refuses says so in the console of a browser."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, has_touch=width < 500
    )
    page = context.new_page()
    faults = []

    def on_request(asked):
        if not asked.url.startswith((service.address, "data:", "blob:")):
            faults.append(asked.url)

    def on_console(message):
        is_refusal = allows_refusals and message.text.startswith(REFUSED)
        if message.type == "error" and not is_refusal:
            faults.append(message.text)

    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", on_request)
    page.on("console", on_console)
    page.goto(service.address + path)
    wait_for_map(page)
    yield page
    context.close()
    assert faults == []


def to_tab(page, name):
    page.click(f"#gg-tabs >> text={name}")
