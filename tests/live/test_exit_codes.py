"""What scripts rely on: the exit codes, and one line on stderr that says what to do."""
import contextlib
import os
import signal
import socket
import sqlite3
import subprocess
from pathlib import Path

import pytest
from support import eventually, free_port, now


def last_line(result):
    return result.err.strip().splitlines()[-1]


@pytest.fixture
def made(place, caes):
    place.make()
    return caes


def test_elasticsearch_is_down(made):
    url = f"http://127.0.0.1:{free_port()}"
    made.configure(ElasticSearchConfig={"hosts": [url]})
    assert url.removeprefix("http://") in last_line(made.sync(code=3))


def test_cassandra_is_down(made):
    port = free_port()
    made.configure(CassandraConfig={"port": port})
    line = last_line(made.sync(code=3))
    assert str(port) in line and "cassandra" in line


def test_a_running_daemon_has_the_state(made):
    daemon = made.run()
    eventually(lambda: "connected" in daemon.text())
    assert "running" in last_line(made.sync(code=4))
    assert daemon.stop() == 0
    made.sync()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_end_a_run_in_order(place, made, number):
    daemon = made.run()
    key = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(key))
    daemon.signal(number)
    assert daemon.wait(10) == 0


def test_a_sync_that_is_interrupted_is_not_done(made):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen()
        made.configure(ElasticSearchConfig={"hosts": f"http://127.0.0.1:{deaf.getsockname()[1]}",
                                            "requestTimeout": "3s"})
        sync = subprocess.Popen(made.argv("sync"), env=made.env, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True)
        held = deaf.accept()[0]
        sync.terminate()  # while it waits for an answer
        _, told = sync.communicate(timeout=30)
        held.close()
    assert sync.returncode == 1
    assert "stopped before its end" in told.splitlines()[-1]


def test_a_damaged_state_file(made):
    made.sync()
    state = Path(made.config["state"])
    state.write_bytes(b"no database, but this" * 1000)
    line = last_line(made.sync(code=5))
    assert str(state) in line and "damaged" in line


def test_pages_that_were_overwritten(made, place):
    place.write_row(10, user="ana")
    made.sync(since=9)
    state = Path(made.config["state"])
    size = state.stat().st_size
    with state.open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    assert str(state) in last_line(made.sync(code=5))


def test_a_state_of_a_newer_program(made):
    made.sync()
    with contextlib.closing(sqlite3.connect(made.config["state"])) as state:
        state.execute("PRAGMA user_version = 99")
    line = last_line(made.sync(code=5))
    assert "newer" in line and "99" in line


def test_a_state_that_can_not_be_created(made):
    made.configure(state="/proc/caes-sync/state.db")
    assert "/proc/caes-sync" in last_line(made.sync(code=5))


@pytest.mark.parametrize("change, words", [
    ({"intervall": 3}, ["intervall", "interval"]),
    ({"CassandraConfig": {"keyspac": "x"}}, ["keyspac", "keyspace"]),
    ({"interval": "soon"}, ["interval"]),
    ({"ElasticSearchConfig": {"index": None}}, ["index"]),
])
def test_a_configuration_that_is_wrong(made, change, words):
    line = last_line(made.configure(**change).sync(code=2))
    assert str(made.file) in line and all(word in line for word in words)


def test_a_table_that_is_not_there(place, made):
    place.cql(f"DROP TABLE {place.keyspace}.ts")
    result = made.sync(code=None)
    assert result.code in (2, 3)
    assert f"{place.keyspace}.ts" in last_line(result)


def test_an_index_that_is_not_there(place, made):
    place.elastic.drop(place.index)
    result = made.sync(code=None)
    assert result.code in (2, 3)
    assert place.index in last_line(result)


def test_dead_letters_are_told(place, made):
    place.put_doc(now() + 3600, user="future")
    made.sync(code=1)
    made.sync()
