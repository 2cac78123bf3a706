# serial
"""Two data centers of one node each: the program asks those of its own, also when the other one is all
that answers. Starts servers: only with CAES_TEST_LONG=1."""
import os
import time

import pytest
import support
from cassandra.cluster import EXEC_PROFILE_DEFAULT
from state import dead_letters
from support import eventually

pytestmark = pytest.mark.skipif(not os.environ.get("CAES_TEST_LONG"),
                                reason="takes minutes: only with CAES_TEST_LONG=1")
NEAR, FAR = "127.0.0.1", "127.0.0.3"
NAMES = {NEAR: "cassandra", FAR: "cassandra_dc2"}
FOLDER = support.ROOT / "build" / "datacenters"


def tool(*words):
    return support.servers_tool("--dir", str(FOLDER), *words)


@pytest.fixture(scope="module")
def centers(servers):
    tool("start", *NAMES.values())
    values = dict(line.removeprefix("export ").split("=", 1)
                  for line in tool("env").splitlines())
    yield support.Servers([NEAR, FAR], int(values["CASSANDRA_PORT"]), servers.elasticsearch, None)
    tool("stop")


@pytest.fixture
def place(centers, es):
    cluster, session = centers.connect()
    session.get_execution_profile(EXEC_PROFILE_DEFAULT).request_timeout = 20
    with support.Place(centers, session, es) as made:
        made.cql(f"CREATE KEYSPACE {made.keyspace} WITH replication = {{"
                 "'class': 'NetworkTopologyStrategy', 'datacenter1': 1, 'datacenter2': 1}")
        made.make(version_type="bigint")
        yield made
    cluster.shutdown()


@pytest.fixture
def caes(place, tmp_path):
    with support.Caes(place, tmp_path) as runner:
        yield runner.configure(interval=0.2, sync={"versionUnit": "ms", "overlap": 300},
                               CassandraConfig={"contactPoints": [FAR, NEAR],
                                                "localDatacenter": "datacenter1"})


def requests_of_caes(place, address):
    """As the node itself counts them, on connections that are open now."""
    host = next(h for h in place.session.hosts if h.address == address)
    rows = place.session.execute("SELECT driver_name, request_count FROM system_views.clients",
                                 host=host)
    return [row["request_count"] for row in rows if row["driver_name"] == "caes-sync"]


def travel(place, timeout=30):
    row, document = place.write_row(now_ms(), user="row"), place.put_doc(now_ms(), user="document")
    eventually(lambda: place.doc(row) and place.row(document), timeout)


def now_ms():
    return int(time.time() * 1000)


def test_only_the_near_one_is_asked(place, caes):
    daemon = caes.run()
    for _ in range(20):
        travel(place)
    assert sum(requests_of_caes(place, NEAR)) > 80
    # A contact point elsewhere tells which nodes there are, no more.
    assert sum(requests_of_caes(place, FAR)) < 30
    assert daemon.stop() == 0
    caes.configure(CassandraConfig={"localDatacenter": "datacenter2"})
    daemon = caes.run()
    for _ in range(20):
        travel(place)
    assert sum(requests_of_caes(place, FAR)) > 80 > 30 > sum(requests_of_caes(place, NEAR))
    assert daemon.stop() == 0 and dead_letters(caes) == {}


def test_without_a_word_the_first_that_answers(place, caes):
    caes.configure(CassandraConfig={"localDatacenter": None, "contactPoints": [FAR]})
    daemon = caes.run()
    travel(place)
    assert sum(requests_of_caes(place, NEAR)) == 0
    assert ("1 nodes in data center datacenter2, which was reached first, and 1 in others: "
            "set CassandraConfig.localDatacenter") in daemon.text()
    assert daemon.stop() == 0


def test_the_far_one_is_all_that_answers_at_first(place, caes):
    tool("kill", NAMES[NEAR])
    try:
        row = place.write_row(now_ms(), user="before")
        daemon = caes.run()
        time.sleep(15)
        assert not place.doc(row)
        assert sum(requests_of_caes(place, FAR)) < 60
        assert daemon.running()
    finally:
        tool("restart", NAMES[NEAR])
    eventually(lambda: place.doc(row), 120)
    travel(place, 60)
    assert daemon.stop() == 0 and dead_letters(caes) == {}


def test_the_near_one_goes_and_comes_back(place, caes):
    daemon = caes.run()
    travel(place)
    tool("kill", NAMES[NEAR])
    try:
        before = sum(requests_of_caes(place, FAR))
        rows = [place.write_row(now_ms(), user=f"row {i}") for i in range(50)]
        documents = [place.put_doc(now_ms(), user=f"document {i}") for i in range(50)]
        time.sleep(15)
        assert sum(requests_of_caes(place, FAR)) - before < 60
        assert not any(place.doc(row) for row in rows)
    finally:
        tool("restart", NAMES[NEAR])
    eventually(lambda: all(place.doc(row) for row in rows), 150)
    eventually(lambda: all(place.row(key) for key in documents), 60)
    assert daemon.stop() == 0 and dead_letters(caes) == {}
