"""Documents whose content no column takes, beside what must still be done with their key."""
import time

from state import dead_letters


def test_a_copy_over_it_is_repeated(place, caes):
    """The daemon knows that it sent (key, 20), the document is an older one, as when the copy did
    not arrive: what can't be converted can't be compared with what was sent."""
    words = {"user": {"type": "keyword"}, "count": {"type": "keyword"}}
    place.make_tables({"user": "text", "count": "int"})
    place.make_index(words)
    caes.configure(sync={"settle": 0.5})
    key = place.write_row(20, user="row", count=1)
    caes.sync(since=9)
    assert place.doc(key)[0] == 20
    place.elastic.drop(place.index)
    place.make_index(words)
    place.put_doc(10, key, user="document", count="many")
    caes.sync(since=9)
    version, document = place.doc(key)
    assert (version, document["user"], document["count"]) == (20, "row", 1)


def test_documents_without_their_source_delete_nothing(place, caes):
    place.make_tables()
    place.elastic.call("PUT", f"/{place.index}", {"mappings": {
        "_source": {"enabled": False}, "properties": {
            "user": {"type": "keyword"}, "timestamp": {"type": "long"}}}})
    caes.configure(sync={"settle": 0.5})
    key = place.write_row(10, user="row")
    other = place.put_doc(11, user="other")
    place.put_doc(11, key, user="document")
    time.sleep(1)
    caes.sync(since=9, code=1)
    assert place.row(key) == {"user": "row"} and place.row(other) is None
    assert {letter: "_source" in reason for letter, reason in dead_letters(caes).items()} == {
        (key, 11): True, (other, 11): True}
