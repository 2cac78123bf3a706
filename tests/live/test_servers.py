"""The servers behave as the program relies on, and the helpers of these tests say what is there."""
import pytest
from support import eventually


@pytest.mark.parametrize("which", ["place", "place2"])
def test_a_place_holds_what_applications_write(which, request):
    place = request.getfixturevalue(which).make()
    key = place.write_row(10, user="ana", message="hello")
    assert place.row(key) == {"user": "ana", "message": "hello"}
    assert place.rows() == {key: {"user": "ana", "message": "hello"}}
    assert place.entries() == [(10, key)]
    place.delete_row(11, key)
    assert place.row(key) is None
    assert place.entries() == [(10, key), (11, key)]

    place.put_doc(10, key, user="bo")
    assert place.doc(key) == (10, {"user": "bo"})
    assert place.docs() == {key: (10, {"user": "bo"})}


@pytest.mark.parametrize("which", ["place", "place2"])
def test_external_versions(which, request):
    place = request.getfixturevalue(which).make()
    elastic, index = place.elastic, place.index
    assert elastic.bulk(index, [("a", 10, {"user": "x"}), ("b", 10, {"user": "y"})]) == 0
    assert elastic.bulk(index, [("a", 10, {"user": "z"}), ("b", 11, {"user": "w"})]) == 1
    assert place.docs() == {"a": (10, {"user": "x"}), "b": (11, {"user": "w"})}
    elastic.put(index, "a", 10, {"user": "z"}, version_type="external_gte")
    assert place.doc("a") == (10, {"user": "z"})
    elastic.delete(index, "a", 12)
    assert place.doc("a") is None
    assert elastic.bulk(index, [("a", 11, {"user": "late"})]) == 1
    assert elastic.count(index) == 1


def test_the_seeds_timestamp_can_be_searched(place2):
    place2.make()
    place2.put_doc(10, "a", user="x")
    place2.put_doc(12, "b", user="y")
    place2.elastic.refresh(place2.index)
    found = place2.elastic.call("POST", f"/{place2.index}/_search", {
        "query": {"range": {"_timestamp": {"gte": 11}}}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == ["b"]


def test_write_timestamps_guard_a_row(place):
    place.make()
    key = place.write_row(10, user="new", timestamp=2_000)
    place.write_row(9, key, user="old", timestamp=1_000)
    assert place.row(key) == {"user": "new"}
    assert place.writetime(key, "user") == 2_000


def test_composite_and_text_keys(place):
    place.make(key={"tenant": "text", "number": "int"}, version_type="bigint")
    place.write_row(10, "acme|7", user="x")
    assert place.rows() == {"acme|7": {"user": "x"}}
    assert place.entries() == [(10, "acme|7")]


def test_eventually_reports_the_last_failure():
    def check():
        assert 1 == 2, "no"
    with pytest.raises(AssertionError, match="no"):
        eventually(check, timeout=0.2)
