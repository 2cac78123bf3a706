"""Random records, random damage, a writer that goes on: `verify` finds exactly the damage, `repair` mends
exactly that, and an oracle that reads both stores by itself agrees. CAES_TEST_LONG=1: 30 rounds."""
import os
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
    """Fresh records on both sides, all the time."""

    def __init__(self, place):
        super().__init__()
        self.place, self.stop, self.keys = place, threading.Event(), []

    def run(self):
        while not self.stop.is_set():
            batch = [(str(uuid.uuid4()), now(), {"user": "w", "likes": 1}) for _ in range(20)]
            self.place.elastic.bulk(self.place.index, batch)
            self.keys += [key for key, _, _ in batch]
            self.keys += [self.place.write_row(now(), user="w", likes=2) for _ in range(20)]


class Damage:
    """What goes wrong with a record, and what verify has to call it."""

    def __init__(self, place, chance, start):
        self.place, self.chance, self.version = place, chance, start
        self.kinds = [self.drop_document, self.drop_row, self.newer_document, self.newer_row,
                      self.same_version, self.both_newer, self.both_dropped]

    def next_version(self):
        self.version += 1
        return self.version

    def content(self):
        return {"user": f"damaged {self.chance.random()}", "likes": self.chance.randrange(1000)}

    def drop_document(self, key, _):
        self.place.elastic.delete(self.place.index, key)
        return "missing_in_elasticsearch"

    def drop_row(self, key, _):
        self.place.cql(f"DELETE FROM {self.place.keyspace}.data WHERE did = %s", [uuid.UUID(key)])
        return "missing_in_cassandra"

    def newer_document(self, key, _):
        self.place.elastic.put(self.place.index, key, self.next_version(), self.content())
        return "older_in_cassandra"

    def newer_row(self, key, _):
        put_row(self.place, key, self.next_version(), **self.content())
        return "older_in_elasticsearch"

    def same_version(self, key, version):
        self.place.elastic.put(self.place.index, key, version, self.content(),
                               version_type="external_gte")
        return "different"

    def both_newer(self, key, _):
        self.newer_document(key, _)
        return self.newer_row(key, _)

    def both_dropped(self, key, _):
        self.drop_document(key, _)
        self.drop_row(key, _)
        return None


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
    return keys


def differing(place, leave_out):
    """The oracle: keys whose content is not the same on both sides."""
    documents = {k: c for k, (_, c) in place.docs().items() if k not in leave_out}
    rows = {k: c for k, c in place.rows().items() if k not in leave_out}
    return {k for k in documents.keys() | rows.keys() if documents.get(k) != rows.get(k)}


def test_verify_and_repair_against_an_oracle(place, caes):
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    place.make_tables(COLUMNS)
    place.make_index(PROPERTIES, gc_deletes="0s")
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": 5})
    start = now() - 100_000
    keys = fill(place, start)
    versions = dict.fromkeys(keys, start)
    damage = Damage(place, chance, start + 1)
    caes.run()
    writer = Writer(place)
    writer.start()
    try:
        for number in range(ROUNDS):
            damaged = {}
            for key in chance.sample(keys, chance.randrange(150)):
                kind = chance.choice(damage.kinds)(key, versions[key])
                versions[key] = max(versions[key], damage.version)
                if kind:
                    damaged[key] = kind
                else:
                    keys.remove(key)
            assert differing(place, set(writer.keys)) - set(writer.keys) == set(damaged)
            report, found = verify(caes, "--memory", "1M")
            assert dict(found) == damaged, f"round {number}"
            done = caes.command("repair", "--json").json
            assert {k["key"] for k in done["keys"]} <= set(damaged) and done["unmended"] == 0
            assert differing(place, set(writer.keys)) - set(writer.keys) == set()
            assert verify(caes)[1] == set(), f"round {number}"
    finally:
        writer.stop.set()
        writer.join()
    eventually(lambda: differing(place, set()) == set(), timeout=60)
