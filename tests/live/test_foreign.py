"""Indices in states that operators bring about: closed, read-only, behind an alias, gone. The daemon waits
with a clear state and goes on by itself; nothing is lost."""
import pytest
import requests
from support import eventually, now

BLOCKS = {
    "closed": (("POST", "/{}/_close"), ("POST", "/{}/_open")),
    "read-only": ({"index.blocks.write": True}, {"index.blocks.write": None}),
    "flood stage": ({"index.blocks.read_only_allow_delete": True},
                    {"index.blocks.read_only_allow_delete": None}),
}


def change(place, what):
    if isinstance(what, dict):
        place.elastic.call("PUT", f"/{place.index}/_settings", what)
    else:
        place.elastic.call(what[0], what[1].format(place.index))


@pytest.mark.parametrize("name", BLOCKS)
def test_an_index_that_refuses_is_waited_for(place, caes, name):
    place.make()
    daemon = caes.configure(http={"readyLag": 4}).run()
    eventually(lambda: requests.get(caes.status_url + "/readyz", timeout=5).ok, 40)
    block, mend = BLOCKS[name]
    change(place, block)
    key = place.write_row(now(), user="waits", message=name)

    def told():  # while it is being closed, its shards may be missing first
        state = requests.get(caes.status_url + "/status.json", timeout=5).json()["pipelines"][0]
        message = state["failure"]["message"]
        return ("block" in message or "closed" in message) and place.index in message and state

    state = eventually(told, 40)
    print(state["state"], state["failure"])
    eventually(lambda: requests.get(caes.status_url + "/readyz", timeout=5).status_code == 503)
    assert state["dead_letters"] == 0
    errors = [line for line in daemon.text().splitlines() if " ERROR " in line]
    assert len(errors) == 1 and "trying again until it works" in errors[0]
    change(place, mend)
    eventually(lambda: place.doc(key), 40)
    eventually(lambda: requests.get(caes.status_url + "/readyz", timeout=5).ok)
    eventually(lambda: "works again after" in daemon.text())


def test_an_alias_of_two(place, caes):
    """A document may be in either: check says so, and nothing is doubled."""
    place.make()
    other, alias = place.index + "-2", place.index + "-all"
    place.elastic.create(other, {"user": {"type": "keyword"}, "message": {"type": "keyword"}})
    try:
        place.elastic.call("POST", "/_aliases", {"actions": [
            {"add": {"index": place.index, "alias": alias, "is_write_index": False}},
            {"add": {"index": other, "alias": alias, "is_write_index": True}}]})
        caes.configure(ElasticSearchConfig={"index": alias})
        assert "stands for 2 indices" in caes.command("check", code=1).out
        row = place.write_row(now(), user="row")
        refused = caes.sync(code=None)
        assert refused.code == 3 and alias in refused.err
        assert not place.doc(row) and place.elastic.count(other) == 0
    finally:
        place.elastic.drop(other)


def test_an_alias_of_one(place, caes):
    place.make()
    alias = place.index + "-alias"
    place.elastic.call("POST", "/_aliases",
                       {"actions": [{"add": {"index": place.index, "alias": alias}}]})
    caes.configure(ElasticSearchConfig={"index": alias})
    row, doc = place.write_row(now(), user="row"), place.put_doc(now(), user="document")
    caes.sync()
    assert place.doc(row)[1]["user"] == "row" and place.row(doc)["user"] == "document"
    assert caes.command("verify", "--json").json["equal"] == 2
