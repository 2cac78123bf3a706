# serial
"""A ring of three Cassandra nodes of its own, at RF 3 and LOCAL_QUORUM: each is killed and comes back
while applications write on both sides. Takes minutes: only with CAES_TEST_LONG=1."""
import contextlib
import os
import random
import time
import uuid

import pytest
import requests
import support
from cassandra import ConsistencyLevel, DriverException
from cassandra.cluster import EXEC_PROFILE_DEFAULT, NoHostAvailable
from cassandra.query import SimpleStatement
from state import dead_letters
from test_crash import Application, report

LONG = os.environ.get("CAES_TEST_LONG")
pytestmark = pytest.mark.skipif(not LONG, reason="takes minutes: only with CAES_TEST_LONG=1")
NODES = ["cassandra", "cassandra2", "cassandra3"]
FOLDER = support.ROOT / "build" / "ring"
SECONDS = 60
STANDSTILL = 35
FAILURES = (DriverException, NoHostAvailable, requests.RequestException, AssertionError)


def ring_tool(*words):
    return support.servers_tool("--dir", str(FOLDER), *words)


@pytest.fixture(scope="module")
def ring():
    before = {word.split("=")[0] for word in ring_tool("list").split("\n")}
    ring_tool("start", *NODES, "elasticsearch")
    values = dict(line.removeprefix("export ").split("=", 1)
                  for line in ring_tool("env").splitlines())
    yield support.Servers(values["CASSANDRA_HOSTS"].split(","), int(values["CASSANDRA_PORT"]),
                          values["ELASTICSEARCH_URL"], None)
    for name in [*reversed(NODES), "elasticsearch"]:
        if name not in before:
            ring_tool("stop", name)


@pytest.fixture
def ring_session(ring):
    cluster, session = ring.connect()
    session.get_execution_profile(EXEC_PROFILE_DEFAULT).request_timeout = 10
    yield session
    cluster.shutdown()


@pytest.fixture
def place(ring, ring_session):
    with support.Place(ring, ring_session, support.Elastic(ring.elasticsearch)) as made:
        yield made


@pytest.fixture
def caes(place, tmp_path):
    with support.Caes(place, tmp_path) as runner:
        # The others are found by their topology.
        yield runner.configure(interval=0.2, CassandraConfig={
            "contactPoints": place.servers.cassandra_hosts[:1],
            "requestTimeout": 30})  # three nodes on one machine can be slow


class Persistent(Application):
    """Tries a write again, as it was, until it is acknowledged."""
    tries = 0

    def _again(self, write):
        while True:
            try:
                return write()
            except FAILURES:
                self.tries += 1
                time.sleep(0.2)

    def _row(self, key, chance):
        with self.order.get(key, contextlib.nullcontext()):
            version, did = self.versions.next(), uuid.UUID(key)
            if key in self.order and chance.random() < 0.1:
                self._again(lambda: self.place.session.execute(self.delete, [version, did, did]))
                self._acknowledge(key, version, None)
                return
            content = {"user": f"row {version}", "message": "c" * chance.randint(1, 50)}
            self._again(lambda: self.place.session.execute(
                self.insert, [version, did, did, *content.values()]))
            self._acknowledge(key, version, content)

    def _document(self, key, chance):
        version = self.versions.next()
        content = {"user": f"document {version}", "message": "e" * chance.randint(1, 50)}
        refused = self._again(
            lambda: self.place.elastic.bulk(self.place.index, [(key, version, content)]))
        if not refused or (self._again(lambda: self.place.doc(key)) or (0,))[0] == version:
            self._acknowledge(key, version, content)


def failures(daemon):
    """Times at which what it does failed, as it told. That a node is away is none, nor that a row
    waits for its entry: a batch of a node that was killed is finished by others, later."""
    return [line for line in daemon.text().splitlines() if "trying again" in line]


def all_see_all(place):
    """Every node knows that all three are up: it reads from all of them."""
    read = SimpleStatement(f"SELECT did FROM {place.keyspace}.data LIMIT 1",
                           consistency_level=ConsistencyLevel.ALL)
    for host in place.session.hosts:
        place.session.execute(read, host=host, timeout=10)
    return len(place.session.hosts) == len(NODES)


def back_again(place):
    def look():
        try:
            return all_see_all(place)
        except FAILURES:
            return False
    support.eventually(look, timeout=120, pause=0.5)


def equal_in_the_end(place, application, seconds):
    expected = application.expected()
    different = {"all": "not looked yet"}
    stopped = time.monotonic()
    while different and time.monotonic() < stopped + 120:
        time.sleep(1)
        different = report(place, expected, application)
    print(f"{len(application.acknowledged)} keys in {seconds:.0f} s, {application.tries} writes of "
          f"the applications tried again; {len(expected)} records, equal after "
          f"{time.monotonic() - stopped:.1f} s")
    assert not different, f"{len(different)} of {len(expected)}: {list(different.items())[:5]}"


def test_nodes_that_are_killed_in_turn(place, caes, ring):
    place.make(version_type="bigint")
    caes.configure(sync={"versionUnit": "ms"},
                   CassandraConfig={"deleteSettle": 5, "maxDeletes": 100000})
    daemon = caes.run()
    with Persistent(place, own_write_times=False) as application:
        begun = time.monotonic()
        time.sleep(5)
        for name in NODES:
            ring_tool("kill", name)
            time.sleep(random.uniform(1, 5))
            ring_tool("start", name)
            back_again(place)
        failed = failures(daemon)
        ring_tool("restart", "elasticsearch")
        time.sleep(max(0, SECONDS - (time.monotonic() - begun)))
        seconds = time.monotonic() - begun
    equal_in_the_end(place, application, seconds)
    assert daemon.stop() == 0
    assert dead_letters(caes) == {}
    assert failed == []


def seconds_until_synced(place, application):
    """How long a new document takes to become a row."""
    key, version = str(uuid.uuid4()), int(time.time() * 1000)
    content = {"user": "probe", "message": "p"}
    begun = time.monotonic()
    assert not place.elastic.bulk(place.index, [(key, version, content)])
    application._acknowledge(key, version, content)
    read = SimpleStatement(f"SELECT did FROM {place.keyspace}.data WHERE did = {key}",
                           consistency_level=ConsistencyLevel.LOCAL_QUORUM)

    def look():
        try:
            return place.session.execute(read, timeout=2).one()
        except FAILURES:
            return None
    support.eventually(look, timeout=60, pause=0.1)
    return time.monotonic() - begun


@pytest.mark.parametrize("frozen", ["cassandra", "cassandra2"])
def test_node_that_stands_still(place, caes, ring, frozen):
    """It neither answers nor closes its connections, for longer than two heartbeats; the first is
    the contact point and tells of the others."""
    place.make(version_type="bigint")
    caes.configure(sync={"versionUnit": "ms"},
                   CassandraConfig={"deleteSettle": 5, "maxDeletes": 100000})
    daemon = caes.run()
    with Persistent(place, own_write_times=False) as application:
        begun = time.monotonic()
        time.sleep(5)
        ring_tool("pause", frozen)
        try:
            lags = []
            while time.monotonic() < begun + 5 + STANDSTILL:
                lags.append(seconds_until_synced(place, application))
                time.sleep(0.5)
        finally:
            ring_tool("resume", frozen)
        back_again(place)
        seconds = time.monotonic() - begun
    print("lags while it stood still:", *(f"{lag:.1f}" for lag in lags))
    equal_in_the_end(place, application, seconds)
    assert daemon.stop() == 0
    assert dead_letters(caes) == {}
    assert failures(daemon) == []
    assert max(lags) < 30 and lags[-1] < 5, lags
