"""What the daemon asks of itself: comparisons every so often, a repair after a gap."""
import time

import pytest
import state
from support import eventually, now


def last(caes):
    status = caes.command("status", "--json", code=None).json["pipelines"][0]
    return status["last_verify"]


def test_compares_every_so_often(place, caes):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": 3}, verify={"every": "1s"})
    daemon = caes.run()
    keys = [place.put_doc(now(), user="doc") for _ in range(10)]
    eventually(lambda: last(caes) and last(caes)["compared"] == 10)
    assert last(caes)["differences"] == 0 and last(caes)["failure"] is None
    time.sleep(8)  # no look of a cycle mends it
    place.cql(f"DELETE FROM {place.keyspace}.data WHERE did = %s", place._key(keys[0]))
    eventually(lambda: last(caes)["differences"] == 1, timeout=40)
    assert place.row(keys[0]) is None
    eventually(lambda: "1 differ" in daemon.text())


def test_the_time_between_goes_on_over_a_restart(place, caes):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": 3}, verify={"every": "1h"})
    daemon = caes.run()
    place.put_doc(now(), user="doc")
    eventually(lambda: len(place.rows()) == 1)
    assert not last(caes)
    daemon.stop()
    counted = state.compared(caes)
    assert abs(counted - time.time()) < 100
    daemon = caes.run()
    eventually(lambda: caes.command("status", code=None).code == 0)
    time.sleep(2)
    assert not last(caes)
    daemon.stop()
    assert state.compared(caes) == counted
    state.set_compared(caes, counted - 3600)
    caes.run()
    eventually(lambda: last(caes) and last(caes)["compared"] == 1)
    assert last(caes)["differences"] == 0


@pytest.mark.parametrize("policy", ["newest", "cassandra"])
def test_mends_what_it_finds(place, caes, policy):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": 3},
                   verify={"every": "1s", "repair": policy})
    caes.run()
    key = place.put_doc(now(), user="doc")
    eventually(lambda: place.row(key))
    time.sleep(8)  # no look of a cycle mends it
    place.cql(f"DELETE FROM {place.keyspace}.data WHERE did = %s", place._key(key))
    eventually(lambda: place.row(key) == {"user": "doc"}, timeout=40)


def gap(place, caes, on_gap):
    """A row whose entry expired while nobody looked."""
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": 2, "onGap": on_gap},
                   CassandraConfig={"ttl": 5})
    place.write_row(now(), user="before", ttl=5)
    caes.sync()
    key = place.write_row(now(), user="missed", ttl=2)
    time.sleep(6)
    return key


def test_a_gap_is_mended_by_the_daemon(place, caes):
    key = gap(place, caes, "repair")
    caes.run()
    eventually(lambda: place.doc(key)[1] == {"user": "missed"}, timeout=40)
    eventually(lambda: not caes.command("status", "--json", code=None).json["pipelines"][0]["gap"])


def test_a_gap_is_mended_by_sync(place, caes):
    key = gap(place, caes, "repair")
    caes.sync()
    assert place.doc(key)[1] == {"user": "missed"}


def test_a_gap_is_told_otherwise(place, caes):
    key = gap(place, caes, "stop")
    caes.sync(code=1)
    assert place.doc(key) is None
