"""A store of either kind for every test: a SQLite file, or a database of a private server."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, text

from geogrid.store import open_store

# Debian keeps each release of the server in a folder of its own.
CONTROLS = sorted(Path("/usr/share/postgresql").glob("*/extension/postgis.control"))
BINARIES = [Path("/usr/lib/postgresql") / one.parts[-3] / "bin" for one in CONTROLS]
NEEDED = "PostGIS (Debian package postgresql-15-postgis-3)"
TEMPLATE = "store_template"


class Server:
    """A PostgreSQL server of our own in a folder of its own."""

    def __init__(self, folder, port):
        self.folder, self.port = folder, port

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def run(self, statement):
        engine = create_engine(
            self.url("postgres").replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT"
        )
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def _end_with_us():
    """Tell the kernel to stop the server when this process ends, however it ends."""
    ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgis_server():
    """Start a server on a free port; it refuses to run as root, so it runs as postgres then."""
    found = [one for one in BINARIES if (one / "initdb").exists()]
    if not found:
        if os.environ.get("CI") == "true":
            pytest.fail(f"{NEEDED} is missing: install it")
        pytest.skip(f"{NEEDED} is not installed")
    binaries = found[-1]
    is_root = os.geteuid() == 0
    who = {"user": "postgres", "group": "postgres", "extra_groups": []} if is_root else {}
    folder = Path(tempfile.mkdtemp(prefix="geogrid-postgis-"))
    if is_root:
        shutil.chown(folder, "postgres", "postgres")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "cwd": folder}
    subprocess.run(
        [binaries / "initdb", "-D", folder / "data", "-A", "trust", "-U", "postgres", "-E", "UTF8",
         "--locale=C", "--no-sync"],
        check=True, **quiet, **who,
    )  # fmt: skip
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [binaries / "postgres", "-D", folder / "data", "-p", str(port), "-k", folder,
         "-c", "listen_addresses=127.0.0.1"],
        preexec_fn=_end_with_us,  # noqa: PLW1509 - no other threads run yet
        **quiet, **who,
    )  # fmt: skip
    try:
        ready = [binaries / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
        while subprocess.run(ready, check=False).returncode:
            assert process.poll() is None, "the server ended at once"
            time.sleep(0.05)
        server = Server(folder, port)
        server.run(f"CREATE DATABASE {TEMPLATE}")
        open_store(server.url(TEMPLATE)).close()
        yield server
    finally:
        # Nothing in it is needed any more: it need not put its files in order.
        process.send_signal(signal.SIGQUIT)
        process.wait(30)
        shutil.rmtree(folder)


@pytest.fixture
def make_address(tmp_path, request):
    """Return a maker of addresses of new, empty stores of a kind."""

    def make(kind):
        if kind == "sqlite":
            return f"sqlite:///{tmp_path / f'{uuid4().hex[:8]}.db'}"
        server = request.getfixturevalue("postgis_server")
        name = f"t{uuid4().hex}"
        server.run(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return server.url(name)

    return make


@pytest.fixture(params=["sqlite", pytest.param("postgis", marks=pytest.mark.postgis)])
def address(request, make_address):
    """Where an empty store is, of both kinds in turn."""
    return make_address(request.param)


@pytest.fixture
def store(address):
    """An empty store of both kinds in turn."""
    with open_store(address) as opened:
        yield opened


@pytest.fixture
def plan_id(store):
    """A plan without versions."""
    project = store.create_project("2026 调整", actor="甲")
    return store.create_plan(project.id, "方案一", actor="甲").id
