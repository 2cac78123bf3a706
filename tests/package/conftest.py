"""The fixtures of the live tests."""
import importlib.util
import sys
from pathlib import Path

LIVE = Path(__file__).resolve().parent.parent / "live"
sys.path.insert(0, str(LIVE))
spec = importlib.util.spec_from_file_location("live_fixtures", LIVE / "conftest.py")
live = importlib.util.module_from_spec(spec)
spec.loader.exec_module(live)
servers, cassandra, es, place, caes = (live.servers, live.cassandra, live.es, live.place, live.caes)
