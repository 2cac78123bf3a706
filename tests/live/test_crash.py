"""Killed at any moment, cut off from a server, paused: nothing that was acknowledged is lost."""
import contextlib
import random
import threading
import time
import uuid

import pytest
from proxy import Proxy
from state import dead_letters
from support import eventually, now

KILLS = 22
HOT_KEYS = 40
DELETED = None


class Versions:
    """Milliseconds of the clock, never one twice."""

    def __init__(self):
        self.lock, self.last = threading.Lock(), 0

    def next(self):
        with self.lock:
            self.last = max(self.last + 1, int(time.time() * 1000))
            return self.last


class Application:
    """Writers on both sides, and what must come of it: by key, the highest version that was
    acknowledged. Within Cassandra it writes a key's versions in order, as guard: snapshot asks."""

    def __init__(self, place, own_write_times):
        self.place, self.own_write_times = place, own_write_times
        self.versions = Versions()
        self.hot = [str(uuid.uuid4()) for _ in range(HOT_KEYS)]
        self.order = {key: threading.Lock() for key in self.hot}
        self.acknowledged = {}  # key: (version, content or DELETED)
        self.lock, self.stopping = threading.Lock(), threading.Event()
        self.failures = []
        entry = (f"BEGIN BATCH %s INSERT INTO {place.keyspace}.ts (id, timestamp, did) "
                 "VALUES (0, ?, ?) USING TTL 3600; %s; APPLY BATCH")
        using = "USING TIMESTAMP ?" if own_write_times else ""
        self.insert = place.session.prepare(entry % (
            using, f"INSERT INTO {place.keyspace}.data (did, user, message) VALUES (?, ?, ?)"))
        self.delete = place.session.prepare(entry % (
            using, f"DELETE FROM {place.keyspace}.data WHERE did = ?"))
        self.threads = [threading.Thread(target=self._guarded, args=(work, random.random()))
                        for work in (self._row, self._document, self._row, self._document)]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.stop()

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def expected(self):
        assert not self.failures
        return {key: content for key, (_, content) in self.acknowledged.items()
                if content is not DELETED}

    def _guarded(self, work, seed):
        chance = random.Random(seed)
        try:
            while not self.stopping.is_set():
                hot = chance.random() < 0.5
                work(chance.choice(self.hot) if hot else str(uuid.uuid4()), chance)
                time.sleep(chance.uniform(0, 0.04))
        except Exception as failure:  # shown by expected()
            self.failures.append(failure)

    def _acknowledge(self, key, version, content):
        with self.lock:
            if version > self.acknowledged.get(key, (0, None))[0]:
                self.acknowledged[key] = (version, content)

    def _row(self, key, chance):
        with self.order.get(key, contextlib.nullcontext()):
            version = self.versions.next()
            did, times = uuid.UUID(key), [version * 1000] if self.own_write_times else []
            if key in self.order and chance.random() < 0.1:
                self.place.session.execute(self.delete, [*times, version, did, did])
                self._acknowledge(key, version, DELETED)
                return
            content = {"user": f"row {version}", "message": "c" * chance.randint(1, 50)}
            self.place.session.execute(self.insert, [*times, version, did, did, *content.values()])
            self._acknowledge(key, version, content)

    def _document(self, key, chance):
        version = self.versions.next()
        content = {"user": f"document {version}"}
        if chance.random() < 0.7:
            content["message"] = "e" * chance.randint(1, 50)
        refused = self.place.elastic.bulk(self.place.index, [(key, version, content)])
        if not refused:
            self._acknowledge(key, version, content)


def report(place, expected, application):
    """Where the stores differ from what is expected: {key: (version, expected, row, document)}."""
    rows = place.rows()
    docs = {key: content for key, (_, content) in place.docs().items()}
    return {key: (application.acknowledged.get(key), rows.get(key), place.doc(key))
            for key in expected.keys() | rows.keys() | docs.keys()
            if not expected.get(key) == rows.get(key) == docs.get(key)}


@pytest.mark.parametrize("guard, kills", [("snapshot", KILLS), ("timestamp", 8)])
def test_killed_again_and_again_under_writes_on_both_sides(place, caes, guard, kills):
    place.make(version_type="bigint")
    caes.configure(interval=0.1, sync={"versionUnit": "ms", "overlap": "20s"},
                   CassandraConfig={"guard": guard, "deleteSettle": 3, "maxDeletes": 100000})
    chance = random.Random()
    with Application(place, own_write_times=guard == "timestamp") as application:
        for _ in range(kills):
            daemon = caes.run()
            time.sleep(chance.uniform(0.1, 1.6))
            assert daemon.running(), daemon.text()
            daemon.kill()
        daemon = caes.run()
        time.sleep(1)
    expected = application.expected()
    assert len(expected) > 10 * kills

    different = {"all": "not looked yet"}
    stopped = time.monotonic()
    while different and time.monotonic() < stopped + 80:
        time.sleep(0.5)
        different = report(place, expected, application)
    print(f"{len(expected)} records, equal after {time.monotonic() - stopped:.1f} s")
    assert not different, f"{len(different)} of {len(expected)}: {list(different.items())[:5]}"
    assert daemon.stop() == 0
    assert dead_letters(caes) == {}
    assert len(caes.daemons) > kills


@pytest.mark.parametrize("how", ["cut", "stall"])
@pytest.mark.parametrize("server", ["elasticsearch", "cassandra"])
def test_a_server_that_goes_away_and_comes_back(place, caes, server, how):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.5})
    with contextlib.ExitStack() as stack:
        if server == "elasticsearch":
            proxy = stack.enter_context(Proxy.of_url(place.elastic.url))
            caes.configure(ElasticSearchConfig={"hosts": [proxy.url], "requestTimeout": 3})
        else:
            proxy = stack.enter_context(Proxy(place.servers.cassandra_hosts[0],
                                              place.servers.cassandra_port))
            caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": proxy.port,
                                            "requestTimeout": 3, "connectTimeout": 3})
        daemon = caes.run()
        first = place.write_row(now(), user="before")
        eventually(lambda: place.doc(first))
        before = len(daemon.text())  # a slow start is no outage of this one

        getattr(proxy, how)()
        rows = [place.write_row(now(), user="meanwhile") for _ in range(20)]
        docs = [place.put_doc(now(), user="meanwhile") for _ in range(20)]
        eventually(lambda: "trying again" in daemon.text()[before:])
        time.sleep(5)
        assert daemon.running(), "it waits"
        assert daemon.text()[before:].count("trying again") == 1, "said once"
        assert "works again" not in daemon.text()[before:]
        assert place.doc(rows[0]) is None and place.row(docs[0]) is None

        proxy.mend()
        eventually(lambda: all(place.doc(key) for key in rows))
        eventually(lambda: all(place.row(key) for key in docs))
        eventually(lambda: "works again" in daemon.text()[before:])
        assert daemon.text()[before:].count("works again") == 1
        assert daemon.stop() == 0


def test_a_server_that_is_down_at_the_start(place, caes):
    place.make()
    key = place.write_row(now(), user="ana")
    with Proxy.of_url(place.elastic.url) as proxy:
        caes.configure(interval=0.2, ElasticSearchConfig={"hosts": [proxy.url]})
        proxy.cut()
        daemon = caes.run()
        eventually(lambda: "trying again" in daemon.text())
        proxy.mend()
        eventually(lambda: place.doc(key))
        assert daemon.stop() == 0
