"""A load on several threads is the same load."""
import subprocess
import time
from pathlib import Path

import pytest
from support import Caes, eventually
from test_load import (ready, fill_documents, fill_rows,  # noqa: F401
                       test_dead_letters, test_entries_tell_the_version_of_rows,
                       test_from_cassandra, test_from_elasticsearch,
                       test_killed_it_goes_on_where_it_was, test_load_then_run_while_others_write,
                       test_rate_and_progress, test_too_many_dead_letters_stop_it)

WORKERS = 3


@pytest.fixture
def caes(place, tmp_path):
    with Caes(place, tmp_path) as runner:
        yield runner.configure(workers=WORKERS)


def threads(pid):
    return len(list(Path(f"/proc/{pid}/task").iterdir()))


@pytest.mark.parametrize("side", ["cassandra", "elasticsearch"])
def test_threads_come_and_go(ready, caes, side):  # noqa: F811
    """Stopped, it ends soon, and what they counted is counted once."""
    records = (fill_rows if side == "cassandra" else fill_documents)(ready, 6000)
    daemon = caes.run()
    eventually(lambda: caes.command("status", code=None).code == 0)
    before = threads(daemon.process.pid)
    process = subprocess.Popen(caes.argv("load", "--from", side, "--json", "--rate", "500"),
                               env=caes.env, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    eventually(lambda: threads(daemon.process.pid) == before + WORKERS - 1, 5)
    started = time.monotonic()
    process.terminate()
    process.communicate()
    eventually(lambda: threads(daemon.process.pid) == before)
    assert time.monotonic() - started < 5
    # 4: it is ending still
    report = eventually(lambda: (done := caes.command("load", "--from", side, "--json", "--resume",
                                                      code=None)).code != 4 and done).json
    assert report["resumed"] and report["records"] < 6000 and report["dead"] == 0
    found = ready.docs() if side == "cassandra" else ready.rows()
    assert set(records) <= set(found)
    assert daemon.stop() == 0
