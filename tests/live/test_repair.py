"""`repair` mends what `verify` finds, and nothing else."""
import json
import random
import subprocess
import time
import uuid

import pytest
from gate import Gate
from support import eventually, now, token
from test_verify import COLUMNS, PROPERTIES, fill, put_row, verify

VERSION = now() - 1000


def repair(caes, *words, code=0):
    return caes.command("repair", "--json", *words, code=code).json


def contents(place):
    """What both stores hold, without versions."""
    return {k: c for k, (_, c) in place.docs().items()}, place.rows()


def same(place):
    documents, rows = contents(place)
    return documents == rows


@pytest.fixture
def filled(place, caes):
    place.make_tables(COLUMNS)
    place.make_index(PROPERTIES, gc_deletes="0s")
    caes.configure(interval=0.1, sync={"settle": 0.2})
    return fill(place, 500, VERSION)


def damage(place, keys):
    """One of each kind; returns {key: content that the newest version has}."""
    place.elastic.delete(place.index, keys[0])
    place.cql(f"DELETE FROM {place.keyspace}.data USING TIMESTAMP {(VERSION + 1) * 1_000_000} "
              "WHERE did = %s", [uuid.UUID(keys[1])])
    place.elastic.put(place.index, keys[2], VERSION + 500, {"user": "newer document", "likes": 1})
    put_row(place, keys[3], VERSION + 500, user="newer row", likes=2)
    place.elastic.put(place.index, keys[4], VERSION, {"user": "tied document", "likes": 3},
                      version_type="external_gte")
    return {keys[2]: {"user": "newer document", "likes": 1},
            keys[3]: {"user": "newer row", "likes": 2},
            keys[4]: {"user": "tied document", "likes": 3}}


def test_the_newest_wins_and_missing_is_copied(place, caes, filled):
    keys = random.sample(sorted(filled), 5)
    expected = {**filled, **damage(place, keys)}
    plan = repair(caes, "--dry-run")
    assert plan["mended"] == 5 and plan["dry_run"] and not same(place)
    done = repair(caes)  # the newest document is brought over by the cycle that it begins with
    assert (done["mended"], done["unmended"], done["compared"]) == (4, 0, 500)
    assert {k["key"]: k["action"] for k in done["keys"]} == {
        keys[0]: "copy to Elasticsearch", keys[1]: "copy to Cassandra",
        keys[3]: "copy to Elasticsearch", keys[4]: "copy to Cassandra"}
    documents, rows = contents(place)
    assert documents == rows == expected
    assert verify(caes)[1] == set()
    assert "copied" not in str(caes.counts(caes.sync())) and same(place)
    assert caes.counts(caes.sync()) == {} and repair(caes)["mended"] == 0


@pytest.mark.parametrize("policy", ["elasticsearch", "cassandra"])
@pytest.mark.parametrize("guard", ["snapshot", "timestamp"])
def test_one_side_is_right(place, caes, filled, policy, guard):
    caes.configure(CassandraConfig={"guard": guard})
    keys = random.sample(sorted(filled), 5)
    damage(place, keys)
    caes.sync(code=None)  # what is new is not what the policy is about
    documents, rows = contents(place)
    right = documents if policy == "elasticsearch" else rows
    done = repair(caes, "--policy", policy, code=None)
    # a delete that is newer than the version wins where write times are versions
    assert done["unmended"] == (1 if guard == "timestamp" else 0)
    now_documents, now_rows = contents(place)
    gone = {keys[1]} if guard == "timestamp" else set()
    assert now_documents == {**now_rows, **{k: now_documents[k] for k in gone}}
    for key in keys[2:]:
        assert now_rows[key] == right[key]
    assert now_rows[keys[0]] == filled[keys[0]]
    caes.sync()  # lifts what won with a lower version to the higher one
    assert contents(place) == (now_documents, now_rows)
    assert caes.counts(caes.sync()) == {}


def test_missing_is_deleted(place, caes, filled):
    keys = random.sample(sorted(filled), 5)
    damage(place, keys)
    done = repair(caes, "--missing", "delete")
    assert done["unmended"] == 0
    documents, rows = contents(place)
    assert documents == rows and keys[0] not in rows and keys[1] not in rows
    assert len(rows) == 498 and verify(caes)[1] == set()


def test_keys_from_a_file(place, caes, filled, tmp_path):
    keys = random.sample(sorted(filled), 300)
    for key in keys:
        place.elastic.delete(place.index, key)
    place.elastic.refresh(place.index)
    file = tmp_path / "keys.jsonl"
    verify(caes, "--keys-to", file)
    lines = file.read_text().splitlines()
    file.write_text("".join(line + "\n" for line in lines[:250]))
    assert repair(caes, "--keys", file)["mended"] == 250
    assert len(place.docs()) == 450
    file.write_text('{"key": 1}\n')
    assert "as verify writes it" in caes.command("repair", "--keys", file, code=2).err


def test_what_is_hidden_by_a_newer_delete_is_told(place, caes, filled):
    """With write times that are versions a delete of tomorrow hides what is written today."""
    caes.configure(CassandraConfig={"guard": "timestamp"})
    key = sorted(filled)[0]
    place.cql(f"DELETE FROM {place.keyspace}.data USING TIMESTAMP {(VERSION + 600) * 1_000_000} "
              "WHERE did = %s", [uuid.UUID(key)])
    done = repair(caes, code=1)
    assert done["unmended"] == 1 and "newer delete" in done["keys"][0]["why"]
    assert repair(caes, "--missing", "delete")["mended"] == 1
    assert same(place)


def test_what_can_not_be_converted_is_told(place, caes, filled):
    key = sorted(filled)[0]
    place.elastic.put(place.index, key, VERSION + 500, {"user": ["a", "list"]})
    place.elastic.put(place.index, "no-key", VERSION, {"user": "x"})
    done = repair(caes, code=1)
    assert done["unmended"] == 2 and done["mended"] == 0
    assert any("user" in k["why"] for k in done["keys"])
    assert place.rows()[key] == filled[key]


def test_through_the_daemon_while_writers_go_on(place, caes, filled):
    keys = random.sample(sorted(filled), 5)
    damage(place, keys)
    begin = place.put_doc(now(), user="where the first cycle begins", likes=0)
    caes.run()
    eventually(lambda: place.row(begin))
    fresh = place.write_row(now(), user="fresh", likes=9)
    done = repair(caes)
    assert done["unmended"] == 0 and done["mended"] >= 4
    eventually(lambda: fresh in place.docs() and same(place))


@pytest.mark.parametrize("words", [(), ("--missing", "delete")])
@pytest.mark.parametrize("guard", ["snapshot", "timestamp"])
def test_what_is_written_while_others_are_mended_stays(place, caes, guard, words):
    """The last of 4,000 records, long after it was compared, with no cycle but repair's own."""
    place.make_tables(COLUMNS)
    place.make_index(PROPERTIES, gc_deletes="0s")
    caes.configure(interval=0.1, sync={"settle": 0.2}, CassandraConfig={"guard": guard})
    records = fill(place, 4000, VERSION)
    if words:
        place.elastic.drop(place.index)
        place.make_index(PROPERTIES, gc_deletes="0s")
    else:
        place.elastic.bulk(place.index, [(key, VERSION + 500, {"user": "newer", "likes": 0})
                                         for key in records])
    place.put_doc(now(), user="where the first cycle begins", likes=0)
    last = max(records, key=token)
    process = subprocess.Popen(caes.argv("repair", *words), env=caes.env, text=True,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1)  # all was compared, the first are mended
    version = now()
    place.write_row(version, last, user="meanwhile", likes=1,
                    timestamp=version * 1_000_000 if guard == "timestamp" else None)
    time.sleep(0.3)
    assert process.poll() is None, "too fast for this test"
    out, err = process.communicate(timeout=100)
    assert place.row(last) == {"user": "meanwhile", "likes": 1}, out[-200:]
    assert process.returncode == 0, err
    caes.sync()
    assert place.doc(last) == (version, {"user": "meanwhile", "likes": 1})
    assert same(place) and len(place.rows()) == (2 if words else 4001)


def test_unexplained_rows_and_the_gap_are_settled(place, caes):
    place.make()
    caes.configure(interval=0.1, sync={"settle": 0.5, "overlap": 2}, CassandraConfig={"ttl": 6})
    key = place.write_row(now(), user="first", ttl=6)
    caes.sync()
    time.sleep(1)
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES (%s, 'unversioned')",
              place._key(key))
    time.sleep(1.5)
    place.put_doc(now(), key, user="document")
    caes.sync(code=1)
    assert caes.command("dlq", "list", "--json", code=1).json["count"] == 1
    time.sleep(6)
    caes.sync(code=1)  # away for longer than entries live
    done = repair(caes)
    assert done["unmended"] == 0 and same(place)
    assert place.row(key) == {"user": "document"}
    assert caes.command("dlq", "list", "--json").json["count"] == 0
    caes.sync()


@pytest.mark.parametrize("side", ["document", "row"])
def test_what_was_written_since_it_was_compared_is_not_deleted(place, caes, filled, side):
    """Its copy was refused: the record is as different as it was, but another."""
    key, file = random.choice(sorted(filled)), caes.folder / "keys"
    place.put_doc(now() - 100, user="where the first cycle begins", likes=0)
    caes.sync()
    if side == "document":
        place.cql(f"DELETE FROM {place.keyspace}.data USING TIMESTAMP {(VERSION + 1) * 1_000_000} "
                  "WHERE did = %s", [uuid.UUID(key)])
    else:
        place.elastic.delete(place.index, key)
    assert {k for k, _ in verify(caes, "--keys-to", file)[1]} == {key}
    if side == "document":
        place.put_doc(now(), key, user=["no", "text"], likes=1)
    else:
        place.write_row(now(), key, user=40000 * "x", likes=1)  # too long for a keyword
    done = repair(caes, "--missing", "delete", "--keys", file, code=1)
    assert done["unmended"] == 1 and "since it was compared" in done["keys"][0]["why"]
    assert place.doc(key) if side == "document" else place.row(key)
    assert caes.command("dlq", "list", "--json", code=1).json["count"] == 1


def test_refused_deletes_are_not_carried_out(place, caes, filled):
    """Nor are the rows copied back: nobody has decided yet."""
    caes.configure(CassandraConfig={"maxDeletes": 5, "deleteSettle": 0.3})
    keys = random.sample(sorted(filled), 10)
    place.put_doc(now() - 100, user="where the first cycle begins", likes=0)
    caes.sync()
    for key in keys:
        place.delete_row(now(), key, ttl=6)

    def refused():
        caes.sync(code=None)
        return caes.command("dlq", "list", "--json", code=None).json["count"] == 10

    eventually(refused)
    for _ in "known", "expired":
        done = repair(caes, code=1)
        assert done["unmended"] == 10 and "too many deletes" in done["keys"][0]["why"]
        assert all(place.doc(key) and not place.row(key) for key in keys)
        eventually(lambda: not {key for _, key in place.entries()} & set(keys))
    assert caes.command("dlq", "list", "--json", code=1).json["count"] == 10
    assert repair(caes, "--missing", "delete")["mended"] == 10
    assert not any(place.doc(key) for key in keys)


def test_the_gap_stays_while_a_record_can_not_be_decided(place, caes):
    """A row that was written in the future: its entry may still come."""
    place.make_tables({**COLUMNS, "v": "bigint"})
    place.make_index(PROPERTIES)
    caes.configure(interval=0.1, sync={"settle": 0.2, "overlap": 2},
                   CassandraConfig={"ttl": 4, "versionColumn": "v"})
    place.put_doc(now(), user="where the first cycle begins")
    caes.sync()
    key = place.put_doc(VERSION + 500, user="newer")
    future = now() + 20
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user, v) VALUES (%s, 'older', {VERSION}) "
              f"USING TIMESTAMP {future * 1_000_000}", [uuid.UUID(key)])
    time.sleep(5)
    caes.sync(code=1)
    assert repair(caes, code=1)["unmended"] == 1
    caes.sync(code=1)
    time.sleep(max(0, future + 1 - time.time()))
    assert repair(caes)["mended"] == 1 and place.row(key)["user"] == "newer"
    caes.sync()


@pytest.mark.parametrize("rows", ["delete", "skip"])
def test_a_delete_that_only_its_entry_tells_of(place, caes, filled, rows):
    """It is older than all cycles. Where missing rows are no deletes it is copied."""
    caes.configure(CassandraConfig={"missingRow": rows})
    last = place.put_doc(now(), user="where the first cycle begins", likes=0)
    newer, older = sorted(filled)[:2]
    place.delete_row(VERSION + 500, newer)
    place.delete_row(VERSION - 500, older)
    report, found = verify(caes)
    assert found == {(key, "missing_in_cassandra") for key in (newer, older, last)}
    assert {k["key"]: k["cassandra_version"] for k in report["keys"]} == {
        newer: VERSION + 500, older: None, last: None}
    assert repair(caes)["mended"] == 2 and same(place)
    assert (newer in place.docs()) == (rows == "skip") and place.row(older) == filled[older]


def test_a_document_that_moves_on_is_looked_at_again(place, caes, filled):
    key = sorted(filled)[0]
    place.put_doc(now(), user="where the first cycle begins", likes=0)
    put_row(place, key, VERSION + 500, user="newer row", likes=2)
    moved = []

    def guard(method, url, headers, body):
        if not moved and "_bulk" in url and key.encode() in body:
            moved.append(key)
            place.elastic.put(place.index, key, VERSION + 600, {"user": "newest", "likes": 3})

    with Gate(place.elastic.url, guard, 500) as gate:
        caes.configure(ElasticSearchConfig={"hosts": [gate.url]})
        done = repair(caes)
    assert moved and done["unmended"] == 0 and done["mended"] + done["equal"] == 1
    assert place.row(key) == {"user": "newest", "likes": 3} and same(place)


def test_wrong_options(place, caes):
    place.make()
    for words in (("--policy", "mine"), ("--missing", "x"), ("--keys", "/nowhere/at/all")):
        result = caes.command("repair", *words, code=2)
        assert words[0] in result.err and json.dumps(result.out) == '""'
