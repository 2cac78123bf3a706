"""Random records, random damage, a writer that goes on: `verify` finds exactly the damage, `repair` mends
exactly that, to the content of the highest version, and an oracle that reads both stores by itself agrees; what
is written again while it mends stays. CAES_TEST_LONG=1: 30 rounds."""
import contextlib
import os
import queue
import random
import threading
import time
import uuid

from support import eventually, now
from test_verify import COLUMNS, PROPERTIES, put_row, verify

LONG = os.environ.get("CAES_TEST_LONG") == "1"
ROUNDS = 30 if LONG else 3
RECORDS = 20_000
SEED = int(os.environ.get("CAES_TEST_SEED", time.time_ns() % 10 ** 6))


class Writer(threading.Thread):
    """Fresh records on both sides, all the time; and those that it is told to write again, once."""

    def __init__(self, place):
        super().__init__()
        self.place, self.stop, self.keys = place, threading.Event(), []
        self.again, self.written = queue.SimpleQueue(), {}

    def run(self):
        while not self.stop.is_set():
            keys = [str(uuid.uuid4()) for _ in range(40)]
            self.keys += keys  # before anybody can see them
            self.place.elastic.bulk(self.place.index, [(key, now(), {"user": "w", "likes": 1})
                                                       for key in keys[:20]])
            for key in keys[20:]:
                self.place.write_row(now(), key, user="w", likes=2)
            with contextlib.suppress(queue.Empty):
                self.write_again(self.again.get_nowait())

    def write_again(self, key):
        content = {"user": f"again {key}", "likes": len(self.written)}
        if len(self.written) % 2:
            self.place.put_doc(now(), key, **content)
        else:
            self.place.write_row(now(), key, **content)
        self.written[key] = content


class Damage:
    """What goes wrong with a record: what verify has to call it, and what has to come of it by the
    highest version."""

    def __init__(self, place, chance, start):
        self.place, self.chance, self.version = place, chance, start
        self.kinds = [self.drop_document, self.drop_row, self.newer_document, self.newer_row,
                      self.other_document, self.other_row, self.both_newer, self.both_dropped]

    def next_version(self):
        self.version += 1
        return self.version

    def content(self):
        return {"user": f"damaged {self.chance.random()}", "likes": self.chance.randrange(1000)}

    def drop_document(self, key, _, content):
        self.place.elastic.delete(self.place.index, key)
        return "missing_in_elasticsearch", content

    def drop_row(self, key, _, content):
        self.place.cql(f"DELETE FROM {self.place.keyspace}.data WHERE did = %s", [uuid.UUID(key)])
        return "missing_in_cassandra", content

    def newer_document(self, key, *_):
        content = self.content()
        self.place.elastic.put(self.place.index, key, self.next_version(), content)
        return "older_in_cassandra", content

    def newer_row(self, key, *_):
        content = self.content()
        put_row(self.place, key, self.next_version(), **content)
        return "older_in_elasticsearch", content

    def other_document(self, key, version, _):
        content = self.content()
        self.place.elastic.put(self.place.index, key, version, content,
                               version_type="external_gte")
        return "different", content

    def other_row(self, key, version, content):
        """Within the second of its version: the document wins."""
        self.place.cql(f"UPDATE {self.place.keyspace}.data USING TIMESTAMP {version}000009 "
                       "SET user = %s WHERE did = %s", [self.content()["user"], uuid.UUID(key)])
        return "different", content

    def both_newer(self, key, *_):
        self.newer_document(key)
        return self.newer_row(key)

    def both_dropped(self, key, *_):
        self.drop_document(key, 0, None)
        self.drop_row(key, 0, None)
        return None, None


def fill(place, version):
    from cassandra.concurrent import execute_concurrent_with_args
    records = {str(uuid.uuid4()): {"user": f"user {n}", "likes": n} for n in range(RECORDS)}
    keys = list(records)
    for at in range(0, RECORDS, 5000):
        place.elastic.bulk(place.index, [(k, version, records[k]) for k in keys[at:at + 5000]])
    insert = place.session.prepare(
        f"INSERT INTO {place.keyspace}.data (did, user, likes) VALUES (?, ?, ?) USING TIMESTAMP ?")
    execute_concurrent_with_args(
        place.session, insert, [[uuid.UUID(k), c["user"], c["likes"], version * 1_000_000]
                                for k, c in records.items()], concurrency=100)
    return records


def contents(place):
    return {k: c for k, (_, c) in place.docs().items()}, place.rows()


def differing(place, leave_out):
    """The oracle: keys whose content is not the same on both sides."""
    documents, rows = contents(place)
    return {k for k in (documents.keys() | rows.keys()) - leave_out
            if documents.get(k) != rows.get(k)}


def wrong(place, expected):
    """The oracle of repair: those that one of the sides holds with another content."""
    documents, rows = contents(place)
    return {k: (content, documents.get(k), rows.get(k)) for k, content in expected.items()
            if not documents.get(k) == rows.get(k) == content}


def test_verify_and_repair_against_an_oracle(place, caes):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    place.make_tables(COLUMNS)
    place.make_index(PROPERTIES, gc_deletes="0s")
    caes.configure(interval=0.5, sync={"settle": 0.5, "overlap": 5})  # verify waits 3.5 s
    start = now() - 100_000
    records = fill(place, start)
    untouched = list(records)
    damage = Damage(place, chance, start + 1)
    caes.run()
    writer = Writer(place)
    writer.start()
    try:
        for number in range(ROUNDS):
            damaged = {}
            for key in chance.sample(untouched, chance.randrange(20, 150)):
                untouched.remove(key)  # a delete of today hides rows of long ago
                kind, records[key] = chance.choice(damage.kinds)(key, start, records[key])
                if kind:
                    damaged[key] = kind
            assert differing(place, set(writer.keys)) - set(writer.keys) == set(damaged)
            report, found = verify(caes, "--memory", "1M")
            assert dict(found) == damaged, f"round {number}"
            again = chance.sample(sorted(damaged), 8)
            for key in again:
                writer.again.put(key)
            done = caes.command("repair", "--json").json
            assert {k["key"] for k in done["keys"]} <= set(damaged) and done["unmended"] == 0
            assert wrong(place, {k: c for k, c in records.items() if k not in again}) == {}
            eventually(lambda: all(key in writer.written for key in again), timeout=60)
            records |= {key: writer.written[key] for key in again}
            assert verify(caes)[1] == set(), f"round {number}"
            eventually(lambda: wrong(place, records) == {}, timeout=60)
    finally:
        writer.stop.set()
        writer.join()
    eventually(lambda: differing(place, set()) == set(), timeout=60)
