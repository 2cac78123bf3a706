"""Deletes in either store, and what only looks like one."""
import time
import uuid

import pytest
from state import dead_letters
from support import eventually, now


@pytest.fixture
def quick(caes):
    return caes.configure(interval=0.2, sync={"settle": 0.5, "overlap": 6},
                          CassandraConfig={"deleteSettle": 1})


@pytest.fixture(params=["", "2"], ids=["modern", "2.4.6"])
def pair(request):
    place = request.getfixturevalue(f"place{request.param}").make()
    caes = request.getfixturevalue(f"caes{request.param}")
    return place, caes.configure(interval=0.2, sync={"settle": 0.5, "overlap": 6},
                                 CassandraConfig={"deleteSettle": 1})


def gone(place, key):
    return place.doc(key) is None and place.row(key) is None


def test_a_delete_in_cassandra_reaches_elasticsearch(pair):
    place, caes = pair
    caes.run()
    row, doc = place.write_row(now(), user="row"), place.put_doc(now(), user="document")
    kept = place.write_row(now(), user="kept")
    eventually(lambda: place.doc(row) and place.row(doc) and place.doc(kept))
    for key in (row, doc):
        place.delete_row(now() + 1, key)
    eventually(lambda: gone(place, row) and gone(place, doc))
    time.sleep(2)  # further looks bring nothing back
    assert gone(place, row) and gone(place, doc)
    assert place.doc(kept)[1] == place.row(kept) == {"user": "kept"}


def test_a_delete_is_not_applied_before_delete_settle(place, quick):
    place.make()
    quick.configure(CassandraConfig={"deleteSettle": 5})
    quick.run()
    key = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(key))
    start = time.monotonic()
    place.delete_row(now() + 1, key)
    eventually(lambda: place.doc(key) is None)
    assert time.monotonic() - start >= 5


def test_a_delete_survives_a_crash_while_it_waits(place, quick):
    place.make()
    quick.configure(CassandraConfig={"deleteSettle": 3})
    daemon = quick.run()
    key = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(key))
    place.delete_row(now() + 1, key)
    time.sleep(1)
    daemon.kill()
    time.sleep(2.5)
    quick.run()
    eventually(lambda: gone(place, key))


def test_insert_and_delete_with_one_version(place, quick):
    """No new entry tells of the delete: the look when the overlap has passed finds it."""
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="ana")
    eventually(lambda: place.doc(key))
    time.sleep(1.5)
    place.delete_row(version, key)
    eventually(lambda: gone(place, key))
    assert quick.daemons[0].stop() == 0
    quick.sync()
    assert gone(place, key)


@pytest.mark.parametrize("version_step", [0, 1], ids=["one version", "versions"])
def test_delete_and_insert_in_one_moment(place, quick, version_step):
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="before")
    eventually(lambda: place.doc(key))
    place.delete_row(version + 1, key)
    place.write_row(version + 1 + version_step, key, user="after")
    eventually(lambda: place.doc(key) == (version + 1 + version_step, {"user": "after"}))
    time.sleep(3)
    assert place.doc(key)[1] == place.row(key) == {"user": "after"}


def test_a_row_that_comes_after_its_entry_was_taken_for_a_delete(place, quick):
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="before")
    eventually(lambda: place.doc(key))
    place.delete_row(version + 1, key)
    eventually(lambda: gone(place, key))
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES (%s, 'late')",
              [uuid.UUID(key)])
    eventually(lambda: place.doc(key) == (version + 1, {"user": "late"}))


def test_inserted_again_after_the_delete_was_copied(pair):
    place, caes = pair
    caes.run()
    key = place.write_row(now(), user="first")
    eventually(lambda: place.doc(key))
    place.delete_row(now() + 1, key)
    eventually(lambda: gone(place, key))
    place.write_row(now() + 2, key, user="second")
    eventually(lambda: place.doc(key) and place.doc(key)[1] == {"user": "second"})
    place.delete_row(now() + 3, key)
    eventually(lambda: gone(place, key))
    version = now() + 4
    place.put_doc(version, key, user="third")
    eventually(lambda: place.row(key) == {"user": "third"})
    assert place.doc(key) == (version, {"user": "third"})


def test_a_newer_document_beats_a_delete(place, quick):
    place.make()
    quick.run()
    key = place.write_row(now(), user="row")
    eventually(lambda: place.doc(key))
    version = now()
    place.delete_row(version + 1, key)
    place.put_doc(version + 2, key, user="document")
    eventually(lambda: place.row(key) == {"user": "document"})
    time.sleep(3)
    assert place.row(key) == place.doc(key)[1] == {"user": "document"}


def test_an_older_document_loses_against_a_delete(place, quick):
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="row")
    eventually(lambda: place.doc(key))
    place.delete_row(version + 2, key)
    place.elastic.put(place.index, key, version + 1, {"user": "document"},
                      ok=(200, 201, 409))  # 409: the delete is copied already
    eventually(lambda: gone(place, key))


def test_a_hard_delete_in_elasticsearch_is_left_alone(place, quick):
    """verify reports it; bringing the document back would be a guess."""
    place.make()
    quick.run()
    row, doc = place.write_row(now(), user="row"), place.put_doc(now(), user="document")
    eventually(lambda: place.doc(row) and place.row(doc))
    place.delete_doc(row)
    place.delete_doc(doc)
    time.sleep(8)
    assert quick.daemons[0].stop() == 0
    quick.sync()
    assert place.doc(row) is None and place.doc(doc) is None
    assert place.row(row) and place.row(doc)


def test_missing_rows_can_be_skipped_as_the_seed_did(place, quick):
    place.make()
    quick.configure(CassandraConfig={"missingRow": "skip"})
    quick.run()
    key = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(key))
    place.delete_row(now() + 1, key)
    time.sleep(3)
    assert place.doc(key)[1] == {"user": "ana"}


@pytest.mark.parametrize("present", [True, False], ids=["entries", "entries and restart"])
def test_too_many_deletes_do_not_empty_the_index(place, quick, present):
    place.make()
    quick.configure(CassandraConfig={"maxDeletes": 5})
    daemon = quick.run()
    keys = [place.write_row(now(), user=str(number)) for number in range(30)]
    eventually(lambda: all(place.doc(key) for key in keys))
    version = now() + 1  # in one batch: a few that come earlier may be deleted
    place.cql("BEGIN BATCH " + len(keys) * (
        f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s) USING TTL 3600; "
        f"DELETE FROM {place.keyspace}.data WHERE did = %s; ") + "APPLY BATCH",
        [value for key in keys for value in (version, uuid.UUID(key), uuid.UUID(key))])
    if not present:
        daemon.kill()
        daemon = quick.run()
    time.sleep(8)
    assert len(place.docs()) == len(keys)
    assert daemon.stop() == 0
    letters = dead_letters(quick)
    assert {key for key, _ in letters} == set(keys)
    assert all("too many deletes" in reason for reason in letters.values())


def test_a_truncated_table_does_not_empty_the_index(place, quick):
    """Rows are gone, entries of what was copied are still looked at."""
    place.make()
    quick.configure(CassandraConfig={"maxDeletes": 5}, sync={"overlap": 12})
    daemon = quick.run()
    keys = [place.write_row(now(), user=str(number)) for number in range(30)]
    eventually(lambda: all(place.doc(key) for key in keys))
    place.cql(f"TRUNCATE {place.keyspace}.data")
    eventually(lambda: "dead letters (to Elasticsearch): too many deletes" in daemon.text(), 30)
    time.sleep(3)  # all last looks
    assert len(place.docs()) >= len(keys) - 5  # as many may be due by themselves
    assert "(to Cassandra)" not in daemon.text()


def test_a_few_deletes_pass_the_brake(place, quick):
    place.make()
    quick.configure(CassandraConfig={"maxDeletes": 5})
    quick.run()
    keys = [place.write_row(now(), user=str(number)) for number in range(30)]
    eventually(lambda: all(place.doc(key) for key in keys))
    for key in keys[:5]:
        place.delete_row(now() + 1, key)
    eventually(lambda: all(place.doc(key) is None for key in keys[:5]))
    assert len(place.docs()) == 25


def test_refused_deletes_stay_refused(place, quick):
    """The brake has let go of them by the third look, nobody has decided yet."""
    place.make()
    quick.configure(CassandraConfig={"maxDeletes": 5, "deleteSettle": 2})
    daemon = quick.run()
    keys = [place.write_row(now(), user=str(number)) for number in range(8)]
    eventually(lambda: all(place.doc(key) for key in keys))
    for key in keys[:4]:
        place.delete_row(now() + 1, key)
    time.sleep(0.6)  # the others come before these are due, but get looks of their own
    for key in keys[4:]:
        place.delete_row(now() + 1, key)
    time.sleep(14)
    assert daemon.stop() == 0
    letters = dead_letters(quick)
    assert {key for key, _ in letters} == {key for key in keys if place.doc(key)}
    assert letters


def test_the_last_look_waits_for_a_row_too(place, quick):
    """deleteSettle longer than the overlap, and no new entry tells of the delete."""
    place.make()
    quick.configure(CassandraConfig={"deleteSettle": 8})
    quick.run()
    version = now()
    key = place.write_row(version, user="ana")
    eventually(lambda: place.doc(key))
    time.sleep(1.5)
    place.delete_row(version, key)
    eventually(lambda: gone(place, key))
