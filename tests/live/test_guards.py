"""What may be written over in Cassandra: both guards, unexplained rows, both ways of a batch."""
import time
import uuid

import pytest
from state import dead_letters
from support import eventually, now

UNEXPLAINED = "no entry tells its version"


@pytest.fixture
def quick(caes):
    return caes.configure(interval=0.2, sync={"settle": 0.5, "overlap": 6},
                          CassandraConfig={"deleteSettle": 1})


@pytest.fixture
def stamped(place, quick):
    """guard: timestamp, versions in seconds."""
    place.make()
    return quick.configure(CassandraConfig={"guard": "timestamp"})


def us(version):
    return version * 1_000_000


# --- guard: snapshot

@pytest.mark.parametrize("settle", [0.5, 2])
def test_a_fresh_row_is_put_off_and_sync_still_finishes_with_it(place, caes, settle):
    place.make()
    caes.configure(sync={"settle": settle})
    written = time.monotonic()
    key = place.write_row(10, user="row", message="goes")
    place.put_doc(11, key, user="document")
    result = caes.sync(since=9)
    assert time.monotonic() - written >= settle
    assert place.row(key) == {"user": "document"}
    assert result.json["to_cassandra"]["copied"] == 1


def write_without_entry(place, key, **row):
    place.cql(f"INSERT INTO {place.keyspace}.data (did, {', '.join(row)}) "
              f"VALUES (%s{', %s' * len(row)})", [uuid.UUID(key), *row.values()])


def test_a_fresh_row_that_looks_like_an_old_copy(place, caes):
    """Its content is one that the daemon wrote, but it is an application's: on, off, and on again."""
    place.make()
    caes.configure(interval=0.2, sync={"settle": 5})  # the entry must come within it
    caes.run()
    key = place.put_doc(now(), user="on")
    eventually(lambda: place.row(key) == {"user": "on"})
    write_without_entry(place, key, user="on")
    version = now() + 1
    place.put_doc(version, key, user="off")
    time.sleep(0.7)
    place.cql(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s)",
              [version + 1, uuid.UUID(key)])
    eventually(lambda: place.doc(key) == (version + 1, {"user": "on"}))
    time.sleep(6)
    assert place.doc(key) == (version + 1, {"user": "on"})
    assert place.row(key) == {"user": "on"}


@pytest.mark.parametrize("entry", ["never written", "expired"])
def test_an_unexplained_row_is_never_overwritten(place, quick, entry):
    place.make()
    key = place.put_doc(now(), user="first")
    quick.sync()
    assert place.row(key) == {"user": "first"}
    time.sleep(1)
    if entry == "expired":
        place.write_row(now(), key, ttl=1, user="of cassandra")
        time.sleep(2)
    else:
        write_without_entry(place, key, user="of cassandra")
    time.sleep(1)
    version = now()
    place.put_doc(version, key, user="of elasticsearch")
    other = place.put_doc(version, user="other")
    result = quick.sync(code=1)
    assert result.json["to_cassandra"]["dead"] == 1
    assert place.row(key) == {"user": "of cassandra"}
    assert place.doc(key) == (version, {"user": "of elasticsearch"})
    assert place.row(other) == {"user": "other"}, "the rest goes on"
    (letter, reason), = dead_letters(quick).items()
    assert letter == (key, version) and UNEXPLAINED in reason

    quick.sync(code=None)
    time.sleep(1)
    quick.sync(code=None)
    assert place.row(key) == {"user": "of cassandra"}, "no later cycle forgets why"

    place.cql(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s)",
              [version + 1, uuid.UUID(key)])
    quick.sync()
    assert place.doc(key) == (version + 1, {"user": "of cassandra"})
    assert place.row(key) == {"user": "of cassandra"}
    assert dead_letters(quick) == {}, "an entry explains it"


def test_an_unexplained_row_under_run(place, quick):
    """The brief cycles of `run` don't read the whole overlap: they look for the entry first."""
    place.make()
    # No cycle may take the row for one of before it, until its document is there.
    quick.configure(sync={"settle": 2, "overlap": 20})
    quick.run()
    key = place.put_doc(now(), user="first")
    eventually(lambda: place.row(key) == {"user": "first"})
    time.sleep(2.5)  # the copy's own entry explains nothing any more
    with_entry = place.write_row(now(), user="with entry")
    write_without_entry(place, key, user="of cassandra")
    place.put_doc(now() + 1, key, user="of elasticsearch")
    place.put_doc(now() + 1, with_entry, user="newer")
    eventually(lambda: place.row(with_entry) == {"user": "newer"})
    time.sleep(2)
    assert place.row(key) == {"user": "of cassandra"}


def test_rows_of_before_the_first_cycle_are_no_riddle(place, quick):
    place.make()
    key = str(uuid.uuid4())
    write_without_entry(place, key, user="old")
    time.sleep(1)
    place.put_doc(now(), key, user="new")
    quick.sync()
    assert place.row(key) == {"user": "new"}


def test_a_write_after_the_copy_wins_cell_by_cell(place, quick):
    place.make()
    quick.run()
    key = place.put_doc(now(), user="document", message="document")
    eventually(lambda: place.row(key))
    version = now() + 1
    place.cql(f"BEGIN BATCH INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES "
              f"(0, %s, %s); UPDATE {place.keyspace}.data SET user = 'row' WHERE did = %s; "
              "APPLY BATCH", [version, uuid.UUID(key), uuid.UUID(key)])
    merged = {"user": "row", "message": "document"}
    eventually(lambda: place.doc(key) == (version, merged))
    assert place.row(key) == merged


# --- guard: timestamp

def test_timestamps_both_ways_with_nulls(place, stamped):
    base = now()
    newer_doc = place.write_row(base, user="row", message="goes", timestamp=us(base))
    place.put_doc(base + 1, newer_doc, user="document")
    newer_row = place.put_doc(base, user="document", message="goes")
    place.write_row(base + 1, newer_row, user="row", message=None, timestamp=us(base + 1))
    result = stamped.sync(since=base)
    assert stamped.counts(result) == {"to_cassandra.copied": 1, "to_elasticsearch.copied": 1}
    assert place.row(newer_doc) == {"user": "document"}
    assert place.doc(newer_doc) == (base + 1, {"user": "document"})
    assert place.row(newer_row) == {"user": "row"}
    assert place.doc(newer_row) == (base + 1, {"user": "row"})
    assert place.writetime(newer_doc, "user") == us(base + 1) + 1


def test_timestamps_let_late_writes_lose(place, stamped):
    """Order of arrival doesn't matter: a copied null hides an older value that comes later."""
    base = now()
    key = place.put_doc(base + 2, user="document")
    stamped.sync(since=base)
    place.write_row(base + 1, key, user="late", message="late", timestamp=us(base + 1))
    assert place.row(key) == {"user": "document"}
    stamped.sync()
    assert place.row(key) == {"user": "document"}
    assert place.doc(key) == (base + 2, {"user": "document"})
    place.write_row(base + 3, key, user="newest", message="newest", timestamp=us(base + 3))
    stamped.sync()
    assert place.doc(key) == (base + 3, {"user": "newest", "message": "newest"})


def test_timestamps_and_a_version_that_is_given_twice(place, quick):
    """A copy at the write time of another one would leave the larger value, and both lists."""
    place.make(columns={"user": "text", "tags": "list<text>"},
               properties={"user": {"type": "keyword"}, "tags": {"type": "keyword"}})
    quick.configure(CassandraConfig={"guard": "timestamp"}, sync={"overlap": 9})
    quick.run()
    base = now()
    key = place.put_doc(base, user="larger", tags=["a", "b"])
    eventually(lambda: place.row(key) == {"user": "larger", "tags": ["a", "b"]})
    time.sleep(2)
    place.elastic.put(place.index, key, base, {"user": "aa", "tags": ["c"]},
                      version_type="external_gte")
    eventually(lambda: place.row(key) == {"user": "aa", "tags": ["c"]}, timeout=30)
    time.sleep(2)
    assert place.row(key) == {"user": "aa", "tags": ["c"]}
    assert place.doc(key) == (base, {"user": "aa", "tags": ["c"]})


@pytest.mark.parametrize("tie, winner", [("elasticsearch", "document"), ("cassandra", "row")])
def test_timestamps_and_ties(place, stamped, tie, winner):
    stamped.configure(sync={"tie": tie})
    base = now()
    key = place.write_row(base, user="row", timestamp=us(base))
    place.put_doc(base, key, user="document")
    stamped.sync(since=base)
    assert place.row(key) == {"user": winner}
    assert place.doc(key) == (base, {"user": winner})


def test_timestamps_and_deletes(place, stamped):
    stamped.run()
    base = now()
    key = place.write_row(base, user="row", timestamp=us(base))
    eventually(lambda: place.doc(key))
    place.delete_row(base + 1, key, timestamp=us(base + 1))
    eventually(lambda: place.doc(key) is None)
    place.put_doc(base + 2, key, user="document")
    eventually(lambda: place.row(key) == {"user": "document"})


def test_timestamps_and_the_older_primary_key(place, quick):
    """An application's entry of the same version is never replaced, however late it comes."""
    place.make(older=True)
    quick.configure(CassandraConfig={"guard": "timestamp"})
    base = now() - 3
    doc = place.put_doc(base, user="document")
    quick.sync(since=base)
    row = place.write_row(base, user="row", timestamp=us(base))
    assert place.row(doc) == {"user": "document"}
    assert place.entries() == [(base, row)]
    quick.sync()
    assert place.doc(row) == (base, {"user": "row"})


def test_timestamps_need_no_waiting(place, stamped):
    stamped.configure(sync={"settle": 30})
    base = now()
    key = place.write_row(base, user="row", timestamp=us(base))
    place.put_doc(base + 1, key, user="document")
    start = time.monotonic()
    stamped.sync(since=base)
    assert time.monotonic() - start < 15
    assert place.row(key) == {"user": "document"}


# --- batches

@pytest.mark.parametrize("guard", ["snapshot", "timestamp"])
def test_logged_batches(place, quick, guard):
    place.make()
    quick.configure(CassandraConfig={"batch": "logged", "guard": guard})
    base = now()
    docs = [place.put_doc(base, user="document") for _ in range(50)]
    key = place.write_row(base, user="row", timestamp=us(base) if guard == "timestamp" else None)
    place.put_doc(base + 1, key, user="newer")
    quick.sync(since=base)
    assert all(place.row(doc) == {"user": "document"} for doc in docs)
    assert place.row(key) == {"user": "newer"}
    assert sorted(place.entries()) == sorted([(base, doc) for doc in docs] +
                                             [(base, key), (base + 1, key)])
