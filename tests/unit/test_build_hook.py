"""The hook that puts the browser libraries into the package."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from geogrid.web import build_hook
from geogrid.web.build_hook import AssetHook, BuildError, build_assets, has_current_assets

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "geogrid" / "web"

needs_node = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is not installed")


@pytest.fixture
def tree(tmp_path):
    """A source tree with nothing but the front end."""
    target = tmp_path / "geogrid" / "web"
    target.mkdir(parents=True)
    for name in build_hook.NPM_FILES:
        shutil.copy(WEB / name, target / name)
    shutil.copy(WEB / "build.mjs", target / "build.mjs")
    shutil.copytree(WEB / "src", target / "src")
    return tmp_path


@pytest.fixture
def leaflet(tmp_path):
    """What npm would install, in small."""
    folder = tmp_path / "leaflet"
    (folder / "dist" / "images").mkdir(parents=True)
    (folder / "LICENSE").write_text("BSD 2-Clause, see https://example.org")
    (folder / "dist" / "leaflet.js").write_text(
        'var a="http://www.w3.org/2000/svg";\n//# sourceMappingURL=leaflet.js.map'
    )
    (folder / "dist" / "leaflet.css").write_text(
        "/* https://example.org */ .a{background:url(images/a.png)} .b{behavior:url(#default#VML)}"
    )
    (folder / "dist" / "images" / "a.png").write_bytes(b"PNG")
    return folder


def test_assets_hold_no_address_and_their_pictures(leaflet):
    texts = build_hook.bundle(leaflet, "stamp")
    assert r'"http:\u002f\u002fwww.w3.org/2000/svg"' in texts["leaflet.js"]
    assert "sourceMappingURL" not in texts["leaflet.js"]
    assert "url(data:image/png;base64,UE5H)" in texts["leaflet.css"]
    assert "url(#default#VML)" in texts["leaflet.css"]
    for name in ("leaflet.js", "leaflet.css"):
        assert not re.search(r"https?://", texts[name])
    assert "BSD 2-Clause" in texts["leaflet.js"]
    assert texts["LICENSES.txt"].startswith("stamp\n")


def test_a_picture_that_is_missing_stops_the_build(leaflet):
    (leaflet / "dist" / "images" / "a.png").unlink()
    with pytest.raises(BuildError, match=r"images/a\.png"):
        build_hook.bundle(leaflet, "stamp")


def test_assets_of_another_lock_file_are_made_again(tree):
    assert not has_current_assets(tree)
    assets = tree / build_hook.ASSETS
    assets.mkdir(parents=True)
    for name in build_hook.NAMES:
        (assets / name).write_text(build_hook.stamp(tree))
    assert has_current_assets(tree)
    lock = tree / build_hook.WEB / "package-lock.json"
    lock.write_text(lock.read_text().replace("1.9.4", "1.9.5"))
    assert not has_current_assets(tree)


def test_the_app_of_other_sources_is_made_again(tree):
    assert not build_hook.has_current_app(tree)
    made = tree / build_hook.DIST
    made.mkdir(parents=True)
    for name in build_hook.APP_NAMES:
        (made / name).write_text(build_hook.app_stamp(tree))
    assert build_hook.has_current_app(tree)
    (tree / build_hook.WEB / "src" / "words.test.ts").write_text("no part of the app")
    assert build_hook.has_current_app(tree)
    (tree / build_hook.WEB / "src" / "words.ts").write_text("export const WORDS = {};")
    assert not build_hook.has_current_app(tree)


def test_without_npm_one_line_says_what_is_needed(tree, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    with pytest.raises(BuildError, match=r"^Node\.js 20 or newer .* to build geogrid from source"):
        build_assets(tree)


def test_an_old_node_is_refused_with_its_version(monkeypatch):
    monkeypatch.setattr("shutil.which", lambda name: f"bin/{name}")
    monkeypatch.setattr(build_hook, "run", lambda *_: "v18.19.0\n")
    with pytest.raises(BuildError, match=r"Found v18\.19\.0"):
        build_hook.find_npm()


def test_a_command_that_fails_says_why():
    with pytest.raises(BuildError, match="failed"):
        build_hook.run(["false"], Path.cwd())


def hook_for(root, target, faults):
    app = SimpleNamespace(abort=faults.append)
    nothing: Any = None
    stand_in: Any = app
    return AssetHook(str(root), {}, nothing, nothing, str(root), target, stand_in)


def test_the_hook_aborts_in_plain_words_and_leaves_source_archives_alone(tree, monkeypatch):
    monkeypatch.setattr("shutil.which", lambda _: None)
    faults: list[str] = []
    hook_for(tree, "sdist", faults).initialize("standard", {})
    assert faults == []
    hook_for(tree, "wheel", faults).initialize("editable", {})
    assert faults == [build_hook.NODE_NEEDED]


def test_the_lock_file_holds_no_download_address():
    lock = json.loads((WEB / "package-lock.json").read_text())
    assert lock["packages"]["node_modules/leaflet"]["version"] == "1.9.4"
    assert not re.search(r"https?://|resolved", (WEB / "package-lock.json").read_text())
    assert "omit-lockfile-registry-resolved=true" in (WEB / ".npmrc").read_text()


@pytest.mark.node
@needs_node
def test_a_second_build_is_skipped(tree, monkeypatch):
    hook = hook_for(tree, "wheel", [])
    hook.initialize("standard", {})
    script = (tree / build_hook.ASSETS / "leaflet.js").read_text("utf-8")
    assert not re.search(r"https?://", script)
    assert "</script" not in script
    checked = subprocess.run(
        [str(shutil.which("node")), "--check", "-"], input=script, text=True, check=False,
        capture_output=True,
    )  # fmt: skip
    assert checked.returncode == 0, checked.stderr
    made = tree / build_hook.DIST
    assert sorted(path.name for path in made.iterdir()) == sorted(build_hook.APP_NAMES)
    # A path of the building machine would make every build another one.
    assert str(tree).encode() not in b"".join(path.read_bytes() for path in made.iterdir())
    monkeypatch.setattr(build_hook, "build_assets", lambda _: pytest.fail("built again"))
    hook.initialize("standard", {})
