"""Documents whose content no column takes, beside what must still be done with their key."""


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
