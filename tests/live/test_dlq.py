"""The dead letters as an operator meets them: listed, shown, mended and tried again, purged."""
import json
import time
import uuid

import pytest
from state import dead_letters
from support import eventually, now


def letters(caes, code=1):
    return caes.command("dlq", "list", "--json", code=code).json["dead_letters"]


def test_listed_shown_mended_and_retried(place, caes):
    """10 good records arrive; the bad ones are there with all that is needed, until they are mended."""
    place.make(columns={"user": "text", "likes": "int"},
               properties={"user": {"type": "keyword"}, "likes": {"type": "integer"}})
    caes.configure(sync={"settle": 0.5})
    good = [place.put_doc(10, user="good", likes=n) for n in range(10)]
    big = place.put_doc(11, user="big", likes=7)
    # The index takes what the table doesn't.
    place.elastic.call("PUT", f"/{place.index}/_mapping", {
        "properties": {"free": {"type": "object", "enabled": False}}})
    place.cql(f"ALTER TABLE {place.keyspace}.data ADD free int")
    bad = [place.put_doc(12 + n, user="bad", free="no number") for n in range(3)]
    result = caes.sync(since=9, code=1)
    assert caes.counts(result) == {"to_cassandra.copied": 11, "to_cassandra.dead": 3}
    assert set(place.rows()) == {*good, big}

    listed = letters(caes)
    assert {letter["key"] for letter in listed} == set(bad)
    for letter in listed:
        assert letter["version"] == 12 + bad.index(letter["key"])
        assert letter["direction"] == "to_cassandra" and "free" in letter["reason"]
    text = caes.command("dlq", "list", code=1).out
    assert all(key in text for key in bad) and "to Cassandra" in text
    shown = caes.command("dlq", "show", bad[0], "--json").json
    assert [letter["payload"]["free"] for letter in shown["dead_letters"]] == ["no number"]
    assert '"no number"' in caes.command("dlq", "show", bad[0]).out
    assert caes.command("dlq", "show", good[0], code=1).out == ""

    assert caes.command("dlq", "retry", "--json", code=1).json == {
        "tried": 3, "settled": 0, "left": 3}
    place.elastic.put(place.index, bad[0], 20, {"user": "mended", "free": 1})
    place.cql(f"ALTER TABLE {place.keyspace}.data DROP free")
    assert caes.command("dlq", "retry", bad[1], "--json").json["settled"] == 1
    assert place.row(bad[1]) == {"user": "bad"}
    assert caes.command("dlq", "retry", "--json").json["left"] == 0
    assert place.row(bad[0]) == {"user": "mended"} and place.row(bad[2]) == {"user": "bad"}
    assert letters(caes, code=0) == []
    assert caes.counts(caes.sync()) == {}


def test_a_newer_version_settles_it(place, caes):
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(sync={"settle": 0.5})
    key = place.put_doc(10, likes="many")
    other = place.put_doc(10, likes="several")
    caes.sync(since=9, code=1)
    place.put_doc(11, key, likes=5)
    place.put_doc(11, other, likes="a lot")
    assert caes.counts(caes.sync(code=1)) == {"to_cassandra.copied": 1, "to_cassandra.dead": 1}
    assert [(letter["key"], letter["version"]) for letter in letters(caes)] == [(other, 11)], \
        "the older one of the record has nothing to wait for"
    assert place.row(key) == {"likes": 5}


def test_through_the_running_daemon(place, caes):
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(interval=0.2, sync={"settle": 0.5})
    caes.run()
    keys = [place.put_doc(now(), likes="many") for _ in range(300)]
    eventually(lambda: caes.command("status", "--json", code=None).json["pipelines"][0]
               ["dead_letters"] == len(keys))
    listed = letters(caes)
    assert {letter["key"] for letter in listed} == set(keys)
    place.cql(f"ALTER TABLE {place.keyspace}.data DROP likes")
    place.cql(f"ALTER TABLE {place.keyspace}.data ADD likes2 text")
    caes.configure(rename={"likes": "likes2"})
    caes.argv()
    caes.command("reload")
    # 3: it is still at it
    result = eventually(lambda: (done := caes.command("dlq", "retry", "--json", code=None)).code != 3
                        and done)
    assert result.code == 0 and result.json["left"] == 0
    assert set(place.rows()) == set(keys)
    assert place.row(keys[0]) == {"likes2": "many"}


def test_a_table_that_was_made_anew(place, caes):
    """The running daemon has prepared for the old one."""
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "long"}})
    caes.configure(interval=0.2, sync={"settle": 0.5})
    caes.run()
    good = place.put_doc(now(), likes=1)
    bad = place.put_doc(now(), likes=2**40)
    eventually(lambda: place.row(good) and letters(caes, None))
    caes.configure(interval=60)
    caes.argv()
    caes.command("reload")
    time.sleep(1)
    place.cql(f"DROP TABLE {place.keyspace}.data")
    place.cql(f"CREATE TABLE {place.keyspace}.data (did uuid PRIMARY KEY, likes bigint)")
    assert caes.command("dlq", "retry", "--json").json["left"] == 0
    assert place.row(bad) == {"likes": 2**40}


def test_an_unexplained_row_is_decided(place, caes):
    """Nobody knows the version of the row's write: it stays until somebody decides."""
    place.make()
    caes.configure(sync={"settle": 0.5, "overlap": 5})
    key = place.write_row(now(), user="first")
    caes.sync()
    time.sleep(1)
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES (%s, 'unversioned')",
              place._key(key))
    time.sleep(1)
    version = now() + 1
    place.put_doc(version, key, user="document")
    caes.sync(code=1)
    assert [letter["rule"] for letter in letters(caes)] == ["unexplained"]
    assert place.row(key) == {"user": "unversioned"}
    assert caes.command("dlq", "retry", "--json").json == {
        "tried": 1, "settled": 1, "left": 0}
    assert place.row(key) == {"user": "document"}


def test_braked_deletes_are_let_through(place, caes):
    place.make()
    caes.configure(sync={"settle": 0.5, "overlap": 600},
                   CassandraConfig={"maxDeletes": 2, "deleteSettle": 0.5})
    keys = [place.write_row(now(), user=f"u{n}") for n in range(5)]
    caes.sync()
    for key in keys:
        place.delete_row(now() + 1, key)
    caes.sync(code=None)
    time.sleep(1)
    caes.sync(code=1)
    assert len(place.docs()) == 5 and len(letters(caes)) == 5
    assert caes.command("dlq", "retry", keys[0], "--json").json["settled"] == 1
    assert len(place.docs()) == 4
    assert caes.command("dlq", "retry", "--json").json["left"] == 0
    assert place.docs() == {}


def test_what_is_no_key_goes_with_its_document(place, caes):
    place.make()
    caes.configure(sync={"settle": 0.5})
    place.put_doc(10, "not-a-uuid", user="bad")
    caes.sync(since=9, code=1)
    assert caes.command("dlq", "retry", "--json", code=1).json["left"] == 1
    place.delete_doc("not-a-uuid")
    assert caes.command("dlq", "retry", "--json").json["left"] == 0


def test_purged(place, caes):
    place.make()
    caes.configure(sync={"settle": 0.5})
    for n in range(3):
        place.put_doc(10, f"not-a-uuid-{n}", user="bad")
    caes.sync(since=9, code=1)
    assert caes.command("dlq", "purge", "not-a-uuid-1", "--json").json == {"purged": 1, "left": 2}
    assert "2 purged, 0 left" in caes.command("dlq", "purge").out
    assert letters(caes, code=0) == []


@pytest.mark.parametrize("words", [(), ("lost",), ("show",), ("list", "x")])
def test_wrong_words(place, caes, words):
    result = caes.command("dlq", *words, code=2)
    assert len(result.err.splitlines()) == 1 and "dlq" in result.err
    assert json.dumps(result.out) == '""'


def test_full_letters_can_be_retried(place, caes):
    """Nothing more is copied when there is no room; to make room must be possible."""
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(sync={"settle": 0.5}, deadLetters={"max": 3})
    for _ in range(3):
        place.put_doc(10, likes="many")
    caes.sync(since=9, code=None)
    good = place.put_doc(11, likes=1)
    assert "deadLetters.max" in caes.sync(code=3).err and place.row(good) is None
    place.cql(f"ALTER TABLE {place.keyspace}.data DROP likes")
    assert caes.command("dlq", "retry", "--json").json["left"] == 0
    caes.sync()
    assert len(place.rows()) == 4


def test_a_window_that_full_letters_cut_short(place, caes):
    """What stands behind the page that made the last letter is copied when a batch has made room."""
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(interval=0.2, sync={"settle": 0.5}, deadLetters={"max": 2})
    version = now()
    old = place.put_doc(version - 1, likes="many")
    caes.sync(code=None)
    assert len(dead_letters(caes)) == 1
    place.put_doc(version, likes="many")
    place.elastic.bulk(place.index, [(uuid.uuid4(), version, {"likes": i}) for i in range(2500)])
    place.write_row(now(), key=old, likes=1)
    caes.run()
    eventually(lambda: len(place.rows()) == 2501)


def test_a_look_that_compares_nothing_settles_nothing(place, caes):
    """The second look at a copied record sees to its row; a document that was refused meanwhile stays."""
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(interval=0.2, sync={"settle": 3})
    version = now()
    key = place.put_doc(version, likes=1)
    daemon = caes.run()
    eventually(lambda: key in place.rows())
    place.elastic.put(place.index, key, version, {"likes": "many"}, version_type="external_gte")
    place.cql(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, {version - 1}, {key})")
    eventually(lambda: "to the dead letters" in daemon.text())
    time.sleep(5)
    daemon.stop()
    assert len(dead_letters(caes)) == 1


def write_rows(place, version, rows, **using):
    """Rows and their entries, many at once; rows: {key: content}."""
    timestamp = using.get("timestamp")
    batch = place.session.prepare(
        f"BEGIN BATCH {f'USING TIMESTAMP {timestamp}' if timestamp else ''} "
        f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, ?, ?) USING TTL 3600; "
        f"INSERT INTO {place.keyspace}.data (did, user, likes, score, day) VALUES (?, ?, ?, ?, ?); "
        "APPLY BATCH")
    waiting = [place.session.execute_async(batch, [version, uuid.UUID(k), uuid.UUID(k), c.get("user"),
                                                   c.get("likes"), c.get("score"), c.get("day")])
               for k, c in rows.items()]
    for one in waiting:
        one.result()


def test_ten_thousand_records_of_which_a_hundred_can_not_be_copied(place, caes):
    """Each reason for refusal at least once: the others arrive, these are kept with all that is needed
    to know them by, and when the causes are mended nothing is left."""
    place.make_tables({"user": "text", "likes": "int", "score": "double", "day": "date"})
    place.make_index({"user": {"type": "keyword"}, "likes": {"type": "keyword"},
                      "score": {"type": "double"}, "day": {"type": "keyword"}})
    caes.configure(sync={"settle": 0.5, "maxFutureSkew": 1, "overlap": 600},
                   CassandraConfig={"maxDeletes": 3, "deleteSettle": 0.5})
    ids = lambda n: [str(uuid.uuid4()) for _ in range(n)]  # noqa: E731
    content = {"user": "good", "likes": 1}
    to_delete, unexplained, stamped = ids(10), ids(5), ids(5)
    start = now()
    write_rows(place, start, {k: content for k in to_delete + unexplained})
    caes.sync()
    time.sleep(1)

    version = now()
    docs, rows = {k: content for k in ids(4950)}, {k: content for k in ids(4950)}
    place.elastic.bulk(place.index, [(k, version, c) for k, c in docs.items()])
    write_rows(place, version, rows)
    future = now() + 40  # until then both syncs must be over
    bad_docs = {k: c for n, c in (
        (10, {"likes": "many"}), (10, {"likes": 3_000_000_000}), (10, {"day": "31/12/1999"}),
        (5, {"user": ["a", "b"]}), (5, {"score": "1.5"})) for k in ids(n) for c in [c]}
    strange = [k.upper() for k in ids(5)] + [f"no-key-{n}" for n in range(5)]
    place.elastic.bulk(place.index, [(k, version, c) for k, c in bad_docs.items()])
    place.elastic.bulk(place.index, [(k, version, content) for k in strange])
    early_docs, early_rows = ids(5), ids(5)
    place.elastic.bulk(place.index, [(k, future, content) for k in early_docs])
    write_rows(place, future, {k: content for k in early_rows})
    write_rows(place, version, {k: content for k in stamped}, timestamp=future * 1_000_000)
    for key in unexplained:
        place.cql(f"UPDATE {place.keyspace}.data SET user = 'unversioned' WHERE did = %s",
                  [uuid.UUID(key)])
    time.sleep(1)
    place.elastic.bulk(place.index, [(k, version + 1, {"user": "document"})
                                     for k in stamped + unexplained])
    bad_rows = {k: c for n, c in ((10, {"score": float("nan")}), (10, {"user": "x" * 40_000}))
                for k in ids(n) for c in [c]}
    write_rows(place, version, bad_rows)
    for key in to_delete:
        place.delete_row(version, key)
    caes.sync(code=1)
    time.sleep(1)
    caes.sync(code=None)

    documents, table = place.docs(), place.rows()
    assert all(documents[k][1] == content == table[k] for k in [*docs, *rows])
    bad = {*bad_docs, *strange, *early_docs, *early_rows, *stamped, *unexplained, *bad_rows,
           *to_delete}
    listed = letters(caes)
    reasons = {"docs": bad_docs, "strange": strange, "early docs": early_docs,
               "early rows": early_rows, "stamped": stamped, "unexplained": unexplained,
               "rows": bad_rows, "deletes": to_delete}
    found = {letter["key"] for letter in listed}
    assert {name: len(found & set(keys)) for name, keys in reasons.items()} == {
        name: len(keys) for name, keys in reasons.items()}
    assert found == bad and len(bad) == len(listed) == 100
    for letter in listed:
        assert letter["version"] >= start and letter["reason"] and letter["direction"]
        shown = caes.command("dlq", "show", letter["key"], "--json").json["dead_letters"]
        assert len(shown) == 1
        assert shown[0]["payload"] is not None or letter["key"] in to_delete
    assert len({letter["rule"] for letter in listed}) >= 7

    version = now() + 1
    place.elastic.bulk(place.index, [(k, version, content) for k in bad_docs])
    for key in strange:
        place.delete_doc(key)
    write_rows(place, version, {k: content for k in bad_rows})
    while now() <= future:
        time.sleep(1)
    time.sleep(1)
    # a write time that lay ahead of its entry is one more thing that somebody has to decide
    assert caes.command("dlq", "retry", "--json", code=1).json["left"] == len(stamped)
    assert {letter["rule"] for letter in letters(caes)} == {"unexplained"}
    assert caes.command("dlq", "retry", "--json").json["left"] == 0
    documents, table = {k: c for k, (_, c) in place.docs().items()}, place.rows()
    assert documents == table
    assert set(table) == {*docs, *rows, *bad - set(strange) - set(to_delete)}
    assert all(table[k] == {"user": "document"} for k in unexplained + stamped)
    caes.sync()
