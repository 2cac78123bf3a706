"""The fixtures of the live tests, a browser, and the page in made-up states."""
import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
LIVE = HERE.parent / "live"
sys.path[:0] = [str(HERE), str(LIVE)]
spec = importlib.util.spec_from_file_location("live_fixtures", LIVE / "conftest.py")
live = importlib.util.module_from_spec(spec)
spec.loader.exec_module(live)
servers, cassandra, es, place, caes = (live.servers, live.cassandra, live.es, live.place, live.caes)

from browser import ROOT, Browser  # noqa: E402
from support import eventually, free_port  # noqa: E402

FAKES = Path(os.environ.get("CAES_FAKES", ROOT / "build" / "asan" / "tests"))


@pytest.fixture(scope="session")
def browser():
    with Browser() as made:
        yield made


@pytest.fixture(scope="session")
def shots():
    """Where screenshots stay, for people."""
    folder = ROOT / "build" / "screenshots"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Scene:
    """A page in one state: tests/fake/status_page.c."""

    def __init__(self, name, port=None):
        self.name, self.port = name, port or free_port()
        self.process = None

    def __enter__(self):
        self.process = subprocess.Popen([FAKES / "fake_status_page", str(self.port), self.name],
                                        stdin=subprocess.PIPE)
        eventually(lambda: live.support.requests.get(self.url + "healthz", timeout=5).ok)
        return self

    def __exit__(self, *unused):
        self.process.stdin.close()
        assert self.process.wait(20) == 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"


@pytest.fixture
def scene():
    """scene("outage"): the page in that state, until the test's end."""
    running = []

    def start(name, port=None):
        running.append(Scene(name, port).__enter__())
        return running[-1]

    yield start
    for one in running:
        if one.process.poll() is None:
            one.__exit__()
