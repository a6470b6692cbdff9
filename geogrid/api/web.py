"""The web app of planners, where its bundle was built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import open_to_all

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["router"]

router = APIRouter(dependencies=[open_to_all()], include_in_schema=False)

# Names of built files change with what is in them.
_FOR_EVER = "public, max-age=31536000, immutable"
_NOT_BUILT = (
    '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8"><title>geogrid</title></head>'
    "<body><h1>编辑器尚未构建 The web app is not built</h1>"
    "<p>在源代码目录运行 In the source folder run: <code>npm ci &amp;&amp; npm run build</code> "
    "(geogrid/web)；或安装 or install a wheel.</p>"
    '<p><a href="../map">地图 map</a> · <a href="../docs">接口 routes</a></p></body></html>'
)
_MEDIA = {
    ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript",
    ".css": "text/css", ".json": "application/json", ".svg": "image/svg+xml", ".png": "image/png",
    ".woff2": "font/woff2", ".pbf": "application/x-protobuf", ".map": "application/json",
    ".ico": "image/x-icon", ".txt": "text/plain; charset=utf-8", ".wasm": "application/wasm",
}  # fmt: skip


@router.get("/app")
def without_slash(request: Request) -> Response:
    """Lead to the app."""
    return RedirectResponse(request.url.path.rstrip("/") + "/", status_code=308)


@router.get("/app/{path:path}")
async def app_file(desk: DeskIs, path: str) -> Response:
    """Return a file of the web app, or how to build it."""
    folder = desk.settings.web
    file = await run_in_threadpool(_file_of, folder, path)
    if file is None:
        if path in {"", "index.html"}:
            return HTMLResponse(_NOT_BUILT)
        msg = f"the web app has no file {path}"
        raise NotInPlanError(msg)
    kept = _FOR_EVER if path.startswith("assets/") else "no-cache"
    return FileResponse(
        file, media_type=_MEDIA[file.suffix.lower()], headers={"Cache-Control": kept}
    )


def _file_of(folder: Path, path: str) -> Path | None:
    """Return a file within a folder; nothing that lies outside of it or is of a strange kind."""
    root = folder.resolve()
    try:
        file = (root / (path or "index.html")).resolve()
        is_ours = file.is_relative_to(root) and file.suffix.lower() in _MEDIA
        return file if is_ours and file.is_file() else None
    except (OSError, ValueError):
        # A name that no file can have: too long, or with a NUL in it.
        return None
