"""`explain`: a record as both stores have it, and the rule that decides it."""
import time

import pytest
from support import eventually, now


def explain(caes, key, code=0):
    return caes.command("explain", key, "--json", code=code).json


def test_each_side_newer_equal_and_tied(place, caes):
    place.make(columns={"user": "text", "likes": "int"},
               properties={"user": {"type": "keyword"}, "likes": {"type": "integer"}})
    caes.configure(sync={"settle": 0.5})
    version = now()
    caes.sync()
    key = place.write_row(version, user="row", likes=1)
    seen = explain(caes, key)
    assert seen["elasticsearch"] is None
    assert seen["cassandra"]["version"] == version
    assert seen["cassandra"]["row"] == {"likes": 1, "user": "row"}
    assert seen["cassandra"]["writetimes"] == {
        "likes": place.writetime(key, "likes"), "user": place.writetime(key, "user")}
    assert (seen["decision"], seen["rule"]) == ("copy to Elasticsearch", "row_newer")
    assert place.doc(key) is None, "it writes nothing"

    caes.sync()
    seen = explain(caes, key)
    assert seen["elasticsearch"] == {
        "version": version, "source": {"user": "row", "likes": 1, "timestamp": version}}
    assert (seen["decision"], seen["rule"], seen["differences"]) == ("nothing", "equal", [])

    time.sleep(0.7)
    place.put_doc(version + 1, key, user="document", likes=1, more=[1, 2])
    seen = explain(caes, key)
    assert (seen["decision"], seen["rule"]) == ("copy to Cassandra", "document_newer")
    assert seen["differences"] == [
        {"field": "user", "elasticsearch": "document", "cassandra": "row"}]
    assert seen["elasticsearch"]["source"]["more"] == [1, 2]
    text = caes.command("explain", key).out
    for word in ("document_newer", "differs", '"row"' if '"row"' in text else "row", str(version)):
        assert word in text

    tied = place.write_row(version, user="row")
    place.put_doc(version, tied, user="document")
    caes.configure(sync={"settle": 30})
    assert explain(caes, tied)["rule"] == "row_too_fresh"
    caes.configure(sync={"settle": 0.5})
    time.sleep(0.7)
    assert explain(caes, tied)["rule"] == "tie"
    assert explain(caes, tied)["decision"] == "copy to Cassandra"


def test_dead_letters_are_told(place, caes):
    place.make(columns={"likes": "int"}, properties={"likes": {"type": "keyword"}})
    caes.configure(sync={"settle": 0.5})
    key = place.put_doc(now(), likes="many")
    caes.sync(code=1)
    seen = explain(caes, key)
    assert seen["decision"] == "dead letter" and seen["rule"] == "unreadable"
    assert "likes" in seen["elasticsearch"]["unreadable"]
    assert len(seen["dead_letters"]) == 1 and "likes" in seen["dead_letters"][0]["reason"]


def test_through_the_running_daemon(place, caes):
    place.make()
    caes.configure(interval=0.2)
    caes.run()
    key = place.write_row(now(), user="row")
    eventually(lambda: place.doc(key))
    assert explain(caes, key)["rule"] == "equal"


def test_nowhere_and_no_key(place, caes):
    place.make()
    assert explain(caes, "ed31ee76-d49a-4c05-8f0a-6a856a94de8e", code=1)["cassandra"] is None
    result = caes.command("explain", "ED31EE76-d49a-4c05-8f0a-6a856a94de8e", code=2)
    assert "canonical" in result.err and len(result.err.splitlines()) >= 1
    caes.command("explain", code=2)


@pytest.mark.parametrize("kind, key", [("uuid", None), ("text", "a|b\\c \u00e4"), ("int", "-7")])
def test_keys(place, caes, kind, key):
    place.make(key={"did": kind})
    key = place.write_row(now(), key, user="row")
    seen = caes.command("explain", "--json", "--", key).json
    assert seen["key"] == key and seen["cassandra"]["row"]["user"] == "row"
