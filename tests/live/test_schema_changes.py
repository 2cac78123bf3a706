"""Tables and indices change while the daemon runs: it goes on without a restart."""
import json
import threading
import time
import uuid

from support import eventually, now


def status(caes):
    return caes.command("status", "--json", code=None).json["pipelines"][0]


def test_a_column_is_added_and_dropped(place, caes):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.5})
    daemon = caes.run()
    first = place.put_doc(now(), user="first", likes=1)
    eventually(lambda: place.row(first) == {"user": "first"})
    place.cql(f"ALTER TABLE {place.keyspace}.data ADD likes int")
    second = place.put_doc(now(), user="second", likes=2)
    eventually(lambda: place.row(second) == {"user": "second", "likes": 2})
    third = place.write_row(now(), user="third", likes=3)
    eventually(lambda: place.doc(third)[1] == {"user": "third", "likes": 3})
    place.cql(f"ALTER TABLE {place.keyspace}.data DROP likes")
    fourth = place.put_doc(now(), user="fourth", likes=4)
    eventually(lambda: place.row(fourth) == {"user": "fourth"})
    assert place.doc(third)[1] == {"user": "third", "likes": 3}
    assert daemon.running() and status(caes)["dead_letters"] == 0
    assert "ERROR" not in daemon.text()


def test_a_copy_is_completed_by_a_new_column(place, caes):
    """Who alters a table and writes at once may be read by statements of before."""
    place.make()
    caes.configure(interval=0.2, sync={"settle": 8, "overlap": 300})
    caes.run()
    key = place.put_doc(now(), user="first", likes=1)
    eventually(lambda: place.row(key) == {"user": "first"})
    place.cql(f"ALTER TABLE {place.keyspace}.data ADD likes int")
    eventually(lambda: place.row(key) == {"user": "first", "likes": 1})


def test_under_writes_nothing_is_lost(place, caes):
    """Statements that are on their way when a column goes are no reason to refuse their records."""
    place.make(columns={"user": "text", "message": "text"})
    caes.configure(interval=0.05, sync={"settle": 0.5})
    caes.run()
    stop, keys = threading.Event(), []

    def write():
        while not stop.is_set():
            batch = [(str(uuid.uuid4()), now(), {"user": "u", "extra": 1}) for _ in range(50)]
            place.elastic.bulk(place.index, batch)
            keys.extend(key for key, _, _ in batch)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(6):
            place.cql(f"ALTER TABLE {place.keyspace}.data ADD extra int")
            time.sleep(0.5)
            place.cql(f"ALTER TABLE {place.keyspace}.data DROP extra")
            time.sleep(0.5)
    finally:
        stop.set()
        writer.join()
    eventually(lambda: set(place.rows()) == set(keys), timeout=120)
    assert status(caes)["dead_letters"] == 0


def test_a_table_goes_and_returns(place, caes):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.5})
    daemon = caes.run()
    key = place.put_doc(now(), user="before")
    eventually(lambda: place.row(key))
    place.cql(f"DROP TABLE {place.keyspace}.data")
    meanwhile = place.put_doc(now(), user="meanwhile")
    eventually(lambda: "init" in daemon.text() and f"{place.keyspace}.data" in daemon.text())
    assert daemon.running()
    place.cql(f"CREATE TABLE {place.keyspace}.data (did uuid PRIMARY KEY, user text, message text)")
    eventually(lambda: place.row(meanwhile) == {"user": "meanwhile"}, timeout=40)
    eventually(lambda: "works again" in daemon.text())
    assert status(caes)["dead_letters"] == 0


def test_a_table_returns_with_other_types(place, caes):
    """What was prepared for the old table must not write its bytes into the new one."""
    place.make(columns={"user": "text", "likes": "int"},
               properties={"user": {"type": "keyword"}, "likes": {"type": "long"}})
    caes.configure(interval=0.1, sync={"settle": 0.5})
    caes.run()
    key = place.put_doc(now(), user="before", likes=7)
    eventually(lambda: place.row(key) == {"user": "before", "likes": 7})
    for kind in ("float", "bigint"):
        place.cql(f"DROP TABLE {place.keyspace}.data")
        place.cql(f"CREATE TABLE {place.keyspace}.data "
                  f"(did uuid PRIMARY KEY, user text, likes {kind})")
        key = place.put_doc(now(), user=kind, likes=7)
        eventually(lambda key=key, kind=kind: place.row(key) == {"user": kind, "likes": 7},
                   timeout=40)


def test_an_index_goes_and_returns(place, caes):
    place.make()
    caes.configure(interval=0.2, sync={"settle": 0.5})
    daemon = caes.run()
    key = place.write_row(now(), user="before")
    eventually(lambda: place.doc(key))
    place.elastic.drop(place.index)
    meanwhile = place.write_row(now(), user="meanwhile")
    eventually(lambda: place.index in daemon.text() and "trying again" in daemon.text())
    time.sleep(1)
    answer = place.elastic.http.get(f"{place.elastic.url}/{place.index}")
    assert answer.status_code == 404, "nobody but its owner makes it"
    place.make_index()
    eventually(lambda: place.doc(meanwhile), timeout=40)
    eventually(lambda: "works again" in daemon.text())
    assert json.dumps(status(caes)["dead_letters"]) == "0"
