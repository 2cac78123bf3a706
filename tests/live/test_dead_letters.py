"""What can't be copied is kept with its reason; the rest goes on."""
import json
import time

import pytest
from state import dead_letters, highest, payloads
from support import now


def test_versions_in_the_future_move_no_window(place, caes):
    place.make()
    caes.configure(sync={"settle": 0.5})
    doc = place.put_doc(now() + 3600, user="future document")
    row = place.write_row(now() + 7200, user="future row")
    fine = place.put_doc(now(), user="fine")
    result = caes.sync(code=1)
    assert result.json["to_cassandra"]["dead"] == result.json["to_elasticsearch"]["dead"] == 1
    assert place.row(fine) == {"user": "fine"}
    assert place.row(doc) is None and place.doc(row) is None
    letters = dead_letters(caes)
    assert {key for key, _ in letters} == {doc, row}
    assert all("maxFutureSkew" in reason for reason in letters.values())
    assert highest(caes) <= now()
    keys = [place.put_doc(now(), user="later"), place.write_row(now(), user="later")]
    caes.sync()
    assert all(place.row(key) == {"user": "later"} == place.doc(key)[1] for key in keys)


def test_a_write_time_in_the_future(place, caes):
    """Nothing could be written over such a row: it is said, not tried for ever."""
    place.make()
    caes.configure(sync={"settle": 0.5})
    key = place.write_row(now() - 1, user="row", timestamp=(now() + 3600) * 1_000_000)
    version = now()
    place.put_doc(version, key, user="document")
    caes.sync(code=1)
    assert place.row(key) == {"user": "row"}
    assert "write time" in dead_letters(caes)[key, version]


UUID = "AAAAAAAA-1111-4111-8111-111111111111"


@pytest.mark.parametrize("kind, bad, good", [
    ("uuid", [UUID, "not-a-uuid", UUID.lower().replace("-", "")], UUID.lower()),
    ("int", ["007", "+7", "7.0", "99999999999"], "7"),
    ("bigint", ["007", "-0"], "-7"),
])
def test_ids_that_are_no_canonical_key(place, caes, kind, bad, good):
    place.make(key={"did": kind})
    caes.configure(sync={"settle": 0.5})
    for number, key in enumerate(bad):
        place.put_doc(10 + number, key, user="bad")
    place.put_doc(10, good, user="good")
    result = caes.sync(since=9, code=1)
    assert caes.counts(result) == {"to_cassandra.copied": 1, "to_cassandra.dead": len(bad)}
    assert place.rows() == {good: {"user": "good"}}
    assert {key for key, _ in dead_letters(caes)} == set(bad)
    assert caes.counts(caes.sync()) == {}, "known by now, and said once"


def test_a_value_that_does_not_fit(place, caes):
    place.make_tables({"user": "text", "count": "int"})
    place.make_index({"user": {"type": "keyword"}, "count": {"type": "keyword"}})
    caes.configure(sync={"settle": 0.5})
    words = place.put_doc(10, user="words", count="many")
    large = place.put_doc(10, user="large", count="99999999999")
    fine = place.put_doc(11, user="fine", count=7)
    result = caes.sync(since=9, code=1)
    assert result.json["to_cassandra"]["dead"] == 2
    assert place.rows() == {fine: {"user": "fine", "count": 7}}
    letters = dead_letters(caes)
    assert set(letters) == {(words, 10), (large, 10)}
    assert all("count" in reason for reason in letters.values()), letters
    assert json.loads(payloads(caes)[words])["count"] == "many"
    place.put_doc(12, words, user="mended", count=8)
    caes.sync()
    assert place.row(words) == {"user": "mended", "count": 8}
    assert set(dead_letters(caes)) == {(large, 10)}, "settled by the next version"


def test_what_elasticsearch_refuses(place, caes):
    place.make_tables({"user": "text", "count": "text"})
    place.make_index({"user": {"type": "keyword"}, "count": {"type": "integer"}})
    bad = place.write_row(10, user="bad", count="many")
    fine = place.write_row(10, user="fine", count="7")
    result = caes.sync(since=9, code=1)
    assert caes.counts(result) == {"to_elasticsearch.copied": 1, "to_elasticsearch.dead": 1}
    assert place.doc(fine) and place.doc(bad) is None
    assert set(dead_letters(caes)) == {(bad, 10)}
    assert json.loads(payloads(caes)[bad])["count"] == "many"


def test_keys_that_are_no_id(place, caes):
    """Each is told apart, also those of one version."""
    place.make(key={"did": "text"})
    caes.configure(sync={"settle": 0.5})
    for letter in "xy":
        place.write_row(10, letter * 600, user=letter)
    assert caes.sync(since=9, code=1).json["to_elasticsearch"]["dead"] == 2
    assert len(dead_letters(caes)) == 2
    assert all(reason.startswith("the key has 600 bytes") for reason in
               dead_letters(caes).values())


def test_a_version_that_does_not_fit_the_column(place, caes):
    place.make(version_type="int")
    caes.configure(sync={"versionUnit": "ms", "settle": 0.5})
    version = now() * 1000
    key = place.put_doc(version, user="ana")
    caes.sync(code=1)
    assert "fit" in dead_letters(caes)[key, version]
    assert place.row(key) is None


def test_no_cycle_goes_far_beyond_their_bound(place, caes):
    place.make()
    caes.configure(deadLetters={"max": 100})
    place.elastic.bulk(place.index, [(f"no-uuid-{n}", 10, {"user": "bad"}) for n in range(3000)])
    result = caes.sync(since=9, code=3)
    assert "deadLetters.max" in result.err
    assert 100 <= len(dead_letters(caes)) <= 1100, "a page, and no more"


def test_entries_that_may_have_expired_unseen(place, caes):
    """Down for longer than ttl: said until repair or load."""
    place.make()
    caes.configure(sync={"settle": 0.5, "overlap": 1}, CassandraConfig={"ttl": 2})
    caes.sync()
    time.sleep(4)
    result = caes.sync(code=1)
    assert "may be missing" in result.err
    caes.sync(code=1)
