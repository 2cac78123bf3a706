"""The dead letters as an operator meets them: listed, shown, mended and tried again, purged."""
import json
import time

import pytest
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
        "tried": 3, "settled": 0, "dead": 3, "put_off": 0, "left": 3}
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
    result = caes.command("dlq", "retry", "--json").json
    assert result["settled"] + len(keys) - result["tried"] == len(keys) and result["left"] == 0
    assert set(place.rows()) == set(keys)
    assert place.row(keys[0]) == {"likes2": "many"}


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
        "tried": 1, "settled": 1, "dead": 0, "put_off": 0, "left": 0}
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
    assert caes.command("dlq", "retry", "--json", code=1).json["dead"] == 1
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
