"""What pages of the service may load: nothing from elsewhere."""

from __future__ import annotations

__all__ = ["MAP_POLICY", "TIANDITU_HOSTS", "policy_of"]

# What the browser may ask for map tiles where a key is given, and never otherwise.
TIANDITU_HOSTS = "https://*.tianditu.gov.cn"

# The web app loads everything from here; its map paints with workers and inline pictures.
_POLICY = (
    "default-src 'self'; script-src 'self'; worker-src 'self' blob:; style-src 'self'; "
    "img-src 'self' data: blob:; connect-src 'self'; object-src 'none'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
# The offline map is one page with everything in it, and may load nothing more.
MAP_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


def policy_of(tianditu_key: str) -> str:
    """Return what pages may load: nothing from elsewhere, but 天地图 where its key was given."""
    if not tianditu_key:
        return _POLICY
    words = _POLICY.replace("img-src 'self'", f"img-src 'self' {TIANDITU_HOSTS}")
    return words.replace("connect-src 'self'", f"connect-src 'self' {TIANDITU_HOSTS}")
