"""Tables of random types with random values travel to an index and, when the rows are deleted, from
there back: the bytes must be the same. TYPES_SEED and TYPES_TABLES in the environment repeat a run."""
import os
import random
import time
from concurrent.futures import ThreadPoolExecutor

from cqlraw import RawSession, Schemas, column, connect, value
from support import Caes, Place

TABLES = int(os.environ.get("TYPES_TABLES", "200"))
WORKERS, COLUMNS, ROWS = 4, 5, 6


class Worker:
    """One keyspace for many tables, one after the other. They share two time series tables, one for
    each way: each has versions above all earlier ones."""

    def __init__(self, number, seed, servers, cassandra, es, raw, folder):
        self.rng = random.Random(f"{seed}/{number}")
        self.raw, self.folder = raw, folder / str(number)
        self.place = Place(servers, cassandra, es)
        self.schemas = Schemas(self.rng, vectors=self.place.cassandra_major >= 5)
        self.created = self.folders = 0

    def cql(self, text, *values):
        return self.place.cql(text.replace("KS", self.place.keyspace), list(values) or None)

    def prepare(self):
        self.place.make_keyspace()
        for series in ("there", "back"):
            self.cql(f"CREATE TABLE KS.{series} (id int, timestamp bigint, did int, "
                     "PRIMARY KEY (id, timestamp, did))")

    def drop(self):
        self.place.__exit__()

    def caes(self, series, table, index):
        """The program without any memory of earlier runs."""
        self.folders += 1
        folder = self.folder / str(self.folders)
        folder.mkdir(parents=True)
        return Caes(self.place, folder).configure(
            ElasticSearchConfig={"index": index}, sync={"overlap": 0},
            CassandraConfig={"dataColumnFamily": table, "timeseriesColumnFamily": series})

    def make_table(self, table, types):
        made, self.created = self.schemas.made[self.created:], len(self.schemas.made)
        for one in made:
            self.cql(one.create().format(keyspace="KS"))
        columns = "".join(f', "C{i}" {t.cql()}' for i, t in enumerate(types))
        self.cql(f"CREATE TABLE KS.{table} (did int PRIMARY KEY{columns})")

    def write(self, table, types, since):
        """At a time long ago, so that a delete is not above what the program writes now."""
        keyspace = self.place.keyspace
        names = ", ".join(f'"C{i}"' for i in range(len(types)))
        insert = self.raw.prepare(f"INSERT INTO {keyspace}.{table} (did, {names}) VALUES "
                                  f"(?{', ?' * len(types)}) USING TIMESTAMP 1000")
        rows = {}
        for key in range(ROWS):
            rows[key] = [None if self.rng.random() < 0.1 else value(self.rng, t) for t in types]
            self.raw.run(insert, [key.to_bytes(4, "big"), *rows[key]])
            self.cql("INSERT INTO KS.there (id, timestamp, did) VALUES (0, %s, %s)", since + key, key)
        return {k: [column(t, v) for t, v in zip(types, row)] for k, row in rows.items()}

    def read(self, table, types):
        found = self.raw.rows(f"{self.place.keyspace}.{table}")
        return {int.from_bytes(row["did"], "big"):
                [column(t, row[f"C{i}"]) for i, t in enumerate(types)] for row in found}

    def one_table(self, number):
        table, index, since = f"t{number}", f"{self.place.index}t{number}", (number + 1) * 100
        types = [self.schemas.type() for _ in range(COLUMNS)]
        self.make_table(table, types)
        rows = self.write(table, types, since)
        assert self.read(table, types) == rows, "the test's own order of elements"
        try:
            there, back = self.caes("there", table, index), self.caes("back", table, index)
            there.command("init")
            assert there.counts(there.sync(since=since)) == {"to_elasticsearch.copied": ROWS}
            anew = self.caes("there", table, index)
            counts = anew.counts(anew.sync(since=since))
            assert sum(counts.values()) == ROWS and all("unchanged" in c for c in counts)
            for key in rows:
                self.cql(f"DELETE FROM KS.{table} USING TIMESTAMP 2000 WHERE did = %s", key)
            assert back.counts(back.sync(since=since)) == {"to_cassandra.copied": ROWS}
            got = self.read(table, types)
            for key, row in rows.items():
                for t, want, have in zip(types, row, got[key]):
                    assert have == want, f"{t.cql()}: {want} became {have}"
        finally:
            self.place.elastic.drop(index)


def test_random_tables(servers, es, tmp_path):
    seed = os.environ.get("TYPES_SEED") or str(random.randrange(10**9))
    print(f"TYPES_SEED={seed} TYPES_TABLES={TABLES}")
    started = time.monotonic()
    raw = RawSession(servers)
    cluster, cassandra = connect(servers)
    workers = [Worker(n, seed, servers, cassandra, es, raw, tmp_path) for n in range(WORKERS)]

    def work(worker):
        for number in range(-(-TABLES // WORKERS)):
            worker.one_table(number)

    try:
        for worker in workers:
            worker.prepare()
        with ThreadPoolExecutor(WORKERS) as pool:
            for done in [pool.submit(work, worker) for worker in workers]:
                done.result()
    finally:
        for worker in workers:
            worker.drop()
        cluster.shutdown()
        raw.close()
    print(f"{TABLES} tables in {time.monotonic() - started:.0f} s")
