"""Documents that a field marks as deleted, and rows that were deleted while nobody looked."""
import time

import pytest
from support import eventually, now


@pytest.fixture
def soft(place, caes):
    place.make_tables()
    place.make_index({"user": {"type": "keyword"}, "message": {"type": "keyword"},
                      "gone": {"type": "boolean"}})
    caes.configure(sync={"settle": 0.2, "overlap": 3}, CassandraConfig={"deleteSettle": 0.2},
                   ElasticSearchConfig={"deletedFieldName": "gone", "keepDeleted": 4})
    return place


def test_a_marked_document_deletes_its_row_and_goes_later(soft, caes):
    key = soft.put_doc(now(), user="ana")
    stays = soft.put_doc(now(), user="bo", gone=False)
    caes.sync()
    assert soft.row(key) == {"user": "ana"}
    time.sleep(1.1)
    version = now()
    soft.put_doc(version, key, user="ana", gone=True)
    result = caes.sync()
    assert caes.counts(result) == {"to_cassandra.deleted": 1}
    assert soft.row(key) is None and (version, key) in soft.entries()
    kept = soft.doc(key) == (version, {"user": "ana", "gone": True})
    assert kept or now() >= version + 4, "others may not have seen it"
    assert caes.counts(caes.sync()) == {}
    time.sleep(5)
    caes.sync()
    assert soft.doc(key) is None and soft.doc(stays) is not None and soft.row(stays) == {"user": "bo"}
    assert caes.counts(caes.sync()) == {}


def test_a_newer_row_brings_it_back(soft, caes):
    key = soft.put_doc(now(), user="ana", gone=True)
    caes.sync()
    time.sleep(1.1)
    soft.write_row(now(), key, user="again")
    time.sleep(0.5)
    caes.sync()
    version, content = soft.doc(key)
    assert content == {"user": "again"} and soft.row(key) == {"user": "again"}
    time.sleep(5)
    caes.sync()
    assert soft.doc(key)[1] == {"user": "again"}


def test_a_row_that_lives_keeps_its_marked_document(soft, caes):
    """The mark lost against a newer row: nothing is removed that is not gone on both sides."""
    key = soft.write_row(now() - 100, user="row")
    soft.elastic.put(soft.index, key, now() - 200, {"user": "doc", "gone": True})
    caes.sync()
    assert soft.row(key) == {"user": "row"}
    caes.sync()
    assert soft.row(key) == {"user": "row"} and soft.doc(key) is not None


def test_it_can_be_marked_without_any_other_field(soft, caes):
    caes.configure(ElasticSearchConfig={"keepDeleted": 60})
    key = soft.write_row(now(), user="row")
    caes.sync()
    time.sleep(1.1)
    soft.put_doc(now(), key, gone=True)
    caes.sync()
    assert soft.row(key) is None
    assert caes.command("verify", "--json", code=0).json["equal"] == 1


def test_deletes_while_the_daemon_was_down(soft, caes):
    daemon = caes.configure(interval=0.2).run()
    rows = [soft.write_row(now(), user="row") for _ in range(20)]
    docs = [soft.put_doc(now(), user="doc") for _ in range(20)]
    eventually(lambda: len(soft.docs()) == 40 == len(soft.rows()))
    daemon.kill()
    time.sleep(1.1)
    for key in rows:
        soft.delete_row(now(), key)
    for key in docs:
        soft.put_doc(now(), key, gone=True)
    time.sleep(4)  # longer than the overlap
    caes.run()
    eventually(lambda: soft.rows() == {} and soft.docs() == {}, timeout=30)


def test_elasticsearch_2(place2, caes2):
    place2.make_tables()
    exact = {"type": "string", "index": "not_analyzed"}
    place2.make_index({"user": exact, "gone": {"type": "boolean"}})
    caes2.configure(sync={"settle": 0.2, "overlap": 3},
                    ElasticSearchConfig={"deletedFieldName": "gone", "keepDeleted": 4})
    key = place2.put_doc(now(), user="ana")
    caes2.sync()
    time.sleep(1.1)
    version = now()
    place2.put_doc(version, key, user="ana", gone=True)
    caes2.sync()
    assert place2.row(key) is None
    assert place2.doc(key) is not None or now() >= version + 4
    time.sleep(5)
    caes2.sync()
    assert place2.doc(key) is None
