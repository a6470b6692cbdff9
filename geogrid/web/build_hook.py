"""Write the browser libraries of the maps, and the web app, when the package is built.

A map must open with the network unplugged, so Leaflet travels inside it. The library is not
committed: building from source fetches the locked version with npm and writes three text files into
``geogrid/maps/assets``. The web app of the service is bundled from ``geogrid/web/src`` into
``geogrid/web/dist``, with MapLibre and its worker. The wheel carries both; whoever installs a wheel
needs no Node.js.
"""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

__all__ = ["AssetHook", "build_assets", "find_npm", "has_current_app", "has_current_assets"]

WEB = Path("geogrid/web")
ASSETS = Path("geogrid/maps/assets")
NAMES = ("leaflet.js", "leaflet.css", "LICENSES.txt")
NPM_FILES = ("package.json", "package-lock.json", ".npmrc")
DIST = WEB / "dist"
APP_SOURCES = (WEB / "build.mjs", WEB / "src")
APP_NAMES = ("index.html", "app.js", "app.css", "worker.mjs", "LICENSES.txt")
NODE_MAJOR = 20
NODE_NEEDED = (
    "Node.js 20 or newer with npm is needed to build geogrid from source: "
    "install it, or install a wheel."
)


class BuildError(Exception):
    """The assets cannot be made; the message is one plain sentence."""


class AssetHook(BuildHookInterface[Any]):
    """Make the assets before a wheel or an editable install is put together."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 - hatchling's signature
        """Write the assets unless those on disk fit the lock file."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        try:
            if not (has_current_assets(root) and has_current_app(root)):
                build_assets(root)
        except BuildError as fault:
            self.app.abort(str(fault))


def stamp(root: Path) -> str:
    """Return the line that tells which lock file and which hook made the assets."""
    made_from = (root / WEB / "package-lock.json", Path(__file__))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in made_from)).hexdigest()
    return f"Made from package-lock.json and build_hook.py, sha256 {digest}"


def has_current_assets(root: Path) -> bool:
    """Tell whether all assets are on disk and were made from this very lock file and hook."""
    folder = root / ASSETS
    if not all((folder / name).is_file() for name in NAMES):
        return False
    return (folder / "LICENSES.txt").read_text("utf-8").startswith(stamp(root))


def app_stamp(root: Path) -> str:
    """Return the line that tells which lock file, which hook and which sources made the app."""
    files = [
        path for source in APP_SOURCES for path in (root / source, *(root / source).rglob("*"))
    ]
    kept = sorted(path for path in files if path.is_file() and not path.name.endswith(".test.ts"))
    digest = hashlib.sha256(stamp(root).encode())
    for path in kept:
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes())
    return f"Made from the sources of the web app, sha256 {digest.hexdigest()}"


def has_current_app(root: Path) -> bool:
    """Tell whether the web app is on disk and was made from these very sources."""
    folder = root / DIST
    if not all((folder / name).is_file() for name in APP_NAMES):
        return False
    return (folder / "LICENSES.txt").read_text("utf-8").startswith(app_stamp(root))


def build_assets(root: Path) -> None:
    """Install the locked packages in a temporary folder, write the assets and bundle the app."""
    npm = find_npm()
    with tempfile.TemporaryDirectory(prefix="geogrid-web-") as folder:
        work = Path(folder)
        for name in NPM_FILES:
            shutil.copy(root / WEB / name, work / name)
        # What only checks and tests need is left away.
        run([npm, "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"], work)
        texts = bundle(work / "node_modules" / "leaflet", stamp(root))
        build_app(root, work)
    target = root / ASSETS
    target.mkdir(parents=True, exist_ok=True)
    # The licence file holds the stamp, so it comes last: a broken run never looks complete.
    for name in NAMES:
        (target / name).write_text(texts[name], encoding="utf-8")


def build_app(root: Path, work: Path) -> None:
    """Bundle the web app in a folder with the locked packages, and put it where it is served."""
    for source in APP_SOURCES:
        copy = shutil.copytree if (root / source).is_dir() else shutil.copy
        copy(root / source, work / source.name)
    run([str(shutil.which("node")), "build.mjs", "made"], work)
    target = root / DIST
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    licences = app_stamp(root) + "\n\n" + (work / "made" / "LICENSES.txt").read_text("utf-8")
    (work / "made" / "LICENSES.txt").write_text(licences, encoding="utf-8")
    # The licence file holds the stamp, so it comes last: a broken run never looks complete.
    for name in APP_NAMES:
        shutil.copy(work / "made" / name, target / name)


def find_npm() -> str:
    """Return the path of npm, or refuse when it or a fitting Node.js is missing."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        raise BuildError(NODE_NEEDED)
    answer = run([node, "--version"], Path.cwd()).strip()
    major = re.match(r"v(\d+)\.", answer)
    if major is None or int(major[1]) < NODE_MAJOR:
        msg = f"{NODE_NEEDED} Found {answer or 'no version'}."
        raise BuildError(msg)
    return npm


def run(command: list[str], folder: Path) -> str:
    """Run a command and return what it printed; a failure names its last line."""
    done = subprocess.run(  # noqa: S603 - fixed arguments, no user text
        command, cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        msg = (
            f"`{Path(command[0]).name} {' '.join(command[1:])}` failed: {lines[-1]}: "
            "look at the network or the package mirror, then build again."
        )
        raise BuildError(msg)
    return done.stdout


def bundle(leaflet: Path, first_line: str) -> dict[str, str]:
    """Return the texts of the assets, made from an installed Leaflet."""
    licence = (leaflet / "LICENSE").read_text("utf-8").strip()
    script = (leaflet / "dist" / "leaflet.js").read_text("utf-8")
    style = (leaflet / "dist" / "leaflet.css").read_text("utf-8")
    return {
        "leaflet.js": script_without_addresses(f"/*! Leaflet\n{licence}\n*/\n{script}"),
        "leaflet.css": style_without_addresses(inline_images(style, leaflet / "dist")),
        "LICENSES.txt": f"{first_line}\n\nLeaflet\n=======\n{licence}\n",
    }


def script_without_addresses(text: str) -> str:
    r"""Write ``//`` of every address as ``\u002f\u002f``, and drop the pointer to the source map.

    Addresses stand only in string literals and comments, where the escape means the same; so a
    finished map can be searched for ``http`` and holds nothing to fetch.
    """
    text = re.sub(r"^//# sourceMappingURL=.*$", "", text, flags=re.MULTILINE)
    return re.sub(r"(https?:)//", r"\1\\u002f\\u002f", text).rstrip() + "\n"


def style_without_addresses(text: str) -> str:
    r"""Write ``//`` of every address as ``\2f\2f``: they stand only in comments."""
    return re.sub(r"(https?:)//", r"\1\\2f\\2f ", text)


def inline_images(style: str, folder: Path) -> str:
    """Put every image that a style sheet names into the sheet itself."""

    def as_data(match: re.Match[str]) -> str:
        path = folder / match[1]
        if not path.is_file():
            msg = f"the style sheet names {match[1]}, which is missing: check the lock file."
            raise BuildError(msg)
        return f"url(data:image/png;base64,{base64.b64encode(path.read_bytes()).decode('ascii')})"

    return re.sub(r"url\(([^)#:]+\.png)\)", as_data, style)
