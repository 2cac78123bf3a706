"""A comparison on several threads finds the same."""
import subprocess
from pathlib import Path

import pytest
from support import Caes
from test_verify import (filled, test_each_kind_is_found_and_nothing_else,  # noqa: F401
                         test_equal_stores_are_equal, test_keys_to_a_file_and_memory,
                         test_ranges_cover_everything_once, test_wide_partitions_and_composite_keys,
                         test_writers_go_on)


@pytest.fixture
def caes(place, tmp_path):
    with Caes(place, tmp_path) as runner:
        yield runner.configure(workers=3)


def test_there_are_several_threads(place, caes, filled):  # noqa: F811
    process = subprocess.Popen(caes.argv("verify", "--rate", "3000"), env=caes.env,
                               stdout=subprocess.DEVNULL)
    most = 0
    while process.poll() is None:
        tasks = Path(f"/proc/{process.pid}/task")
        most = max(most, len(list(tasks.iterdir())) if tasks.exists() else 0)
    assert process.returncode == 0 and most >= 3, most
