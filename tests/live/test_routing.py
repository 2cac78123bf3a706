"""Documents that an application indexes with a routing of its own: they lie on shards that their _id does not
tell. The daemon finds them, keeps their routing and makes no second copy."""
import subprocess
import time
import uuid

import pytest
from support import eventually, now, token

SHARDS = 4
FIELDS = {"user": {"type": "keyword"}, "message": {"type": "keyword"}, "gone": {"type": "boolean"}}


@pytest.fixture
def routed(place, caes):
    """With so many records that most have a routing of another shard than their _id."""
    place.make_tables()
    place.make_index(FIELDS, shards=SHARDS)
    caes.configure(sync={"settle": 0.2, "overlap": 3},
                   CassandraConfig={"deleteSettle": 0.2},
                   ElasticSearchConfig={"deletedFieldName": "gone", "keepDeleted": 4})
    return place


def put(place, version, routing, key=None, **doc):
    key = str(key or uuid.uuid4())
    place.elastic.put(place.index, key, version, doc, routing=routing)
    return key


def copies(place, key):
    """Everything of that _id on any shard: (routing, version, content)."""
    place.elastic.refresh(place.index)
    answer = place.elastic.call("POST", f"/{place.index}/_search", {
        "size": 100, "version": True, "query": {"ids": {"values": [key]}}})
    return [(hit.get("_routing"), hit["_version"],
             {n: v for n, v in hit["_source"].items() if n != "timestamp"})
            for hit in answer["hits"]["hits"]]


def misplaced(place, keys):
    """How many can't be found by their _id."""
    return sum(place.doc(key) is None for key in keys)


def rest():
    """Until versions of whole seconds and settle have passed."""
    time.sleep(1.3)


def test_its_routing_stays(routed, caes):
    keys = [put(routed, now(), f"customer-{i}", user=f"u{i}", extra=i) for i in range(12)]
    plain = routed.put_doc(now(), user="plain")
    caes.sync()
    assert {routed.row(key)["user"] for key in keys} == {f"u{i}" for i in range(12)}
    assert misplaced(routed, keys) > 1, "the test shows nothing otherwise"
    rest()
    version = now()
    for i, key in enumerate([*keys, plain]):
        routed.write_row(version, key, user=f"changed {i}", message="by Cassandra")
    assert caes.counts(caes.sync())["to_elasticsearch.copied"] == 13
    for i, key in enumerate(keys):
        assert copies(routed, key) == [(f"customer-{i}", version, {
            "user": f"changed {i}", "message": "by Cassandra", "extra": i})]
    assert copies(routed, plain) == [(None, version, {"user": "changed 12",
                                                      "message": "by Cassandra"})]
    assert caes.counts(caes.sync()) == {}
    report = caes.command("verify", "--json").json
    assert report["equal"] == report["compared"] == 13
    seen = caes.command("explain", keys[0], "--json").json
    assert seen["elasticsearch"]["version"] == version and seen["rule"] == "equal"
    rest()
    for key in keys[:6]:
        routed.delete_row(now(), key)
    time.sleep(0.3)
    caes.sync()
    time.sleep(0.3)
    caes.sync()
    assert [copies(routed, key) for key in keys[:6]] == [[]] * 6
    assert routed.elastic.count(routed.index) == 7
    report = caes.command("verify", "--json").json
    assert report["equal"] == report["compared"] == 7


def test_documents_older_than_the_window(routed, caes):
    """Nothing read since the start shows that there are such documents: the index is asked."""
    keys = [put(routed, now() - 5000, f"customer-{i}", user="old", extra=i) for i in range(8)]
    routed.put_doc(now(), user="plain")
    caes.sync()
    assert routed.row(keys[0]) is None, "they are older than where the first run starts"
    version = now()
    for key in keys:
        routed.write_row(version, key, user="new")
    caes.sync()
    for i, key in enumerate(keys):
        assert copies(routed, key) == [(f"customer-{i}", version, {"user": "new", "extra": i})]


def test_routed_while_it_runs(routed, caes):
    """The daemon starts with an index without any: the window brings the first."""
    daemon = caes.run()
    routed.put_doc(now(), user="plain")
    rest()
    keys = [put(routed, now(), f"customer-{i}", user="new") for i in range(8)]
    deadline = time.monotonic() + 20
    while any(routed.row(key) is None for key in keys) and time.monotonic() < deadline:
        time.sleep(0.1)
    rest()
    version = now()
    for key in keys:
        routed.write_row(version, key, user="changed")
    while any(copies(routed, key)[0][1] != version for key in keys) and time.monotonic() < deadline:
        time.sleep(0.1)
    for i, key in enumerate(keys):
        assert copies(routed, key) == [(f"customer-{i}", version, {"user": "changed"})]
    assert "documents with a routing of their own" in daemon.text()


def test_several_documents_of_one_id(routed, caes):
    """As earlier copies without a routing left them: the newest is the record's, and the log says so."""
    version = now()
    keys = [put(routed, version - 2, f"customer-{i}", user="older") for i in range(10)]
    for key in keys:
        routed.put_doc(version, key, user="newer")
    caes.sync()
    assert {routed.row(key)["user"] for key in keys} == {"newer"}
    rest()
    changed = now()
    for key in keys:
        routed.write_row(changed, key, user="changed")
    told = caes.sync().err
    doubled = [key for key in keys if len(copies(routed, key)) == 2]
    assert doubled, "the test shows nothing otherwise"
    for key in doubled:
        assert {c[:2] for c in copies(routed, key)} == {
            (f"customer-{keys.index(key)}", version - 2), (None, changed)}
    assert told.count("is the _id of several documents with different routings") == 1


def test_marked_documents_go(routed, caes):
    keys = [put(routed, now(), f"customer-{i}", user="ana") for i in range(8)]
    caes.sync()
    rest()
    for i, key in enumerate(keys):
        put(routed, now(), f"customer-{i}", key, user="ana", gone=True)
    caes.sync()
    assert routed.rows() == {}
    time.sleep(5)
    caes.sync()
    assert routed.elastic.count(routed.index) == 0


def test_repair(routed, caes):
    keys = [put(routed, now(), f"customer-{i}", user="ana", extra=i) for i in range(8)]
    caes.sync()
    time.sleep(5)
    caes.sync()  # the last look at them
    for key in keys[:4]:
        routed.cql(f"UPDATE {routed.keyspace}.data SET user = 'silent' WHERE did = {key}")
    for key in keys[4:6]:
        routed.cql(f"DELETE FROM {routed.keyspace}.data WHERE did = {key}")
    time.sleep(0.5)
    caes.command("repair", "--policy", "cassandra", "--missing", "delete", "--json")
    for i, key in enumerate(keys):
        found = copies(routed, key)
        if i in (4, 5):
            assert found == []
        else:
            assert [(r, c) for r, _, c in found] == [
                (f"customer-{i}", {"user": "silent" if i < 4 else "ana", "extra": i})]
    report = caes.command("verify", "--json").json
    assert report["equal"] == report["compared"] == 6


def test_load(routed, caes):
    long_ago = now() - 5000
    keys = [put(routed, long_ago, f"customer-{i}", user="older", extra=i) for i in range(8)]
    for key in keys:
        routed.write_row(long_ago + 10, key, (long_ago + 10) * 10**6, user="newer")
    caes.command("load", "--from", "cassandra")
    for i, key in enumerate(keys):
        assert copies(routed, key) == [(f"customer-{i}", long_ago + 10,
                                        {"user": "newer", "extra": i})]


@pytest.fixture
def closed(place, caes):
    """A load need not look at what is there: its mapping lets no other field in."""
    place.make_tables()
    place.elastic.call("PUT", f"/{place.index}", {
        "settings": {"number_of_shards": SHARDS, "number_of_replicas": 0},
        "mappings": {"dynamic": "strict", "properties": {
            "user": {"type": "keyword"}, "message": {"type": "keyword"},
            "timestamp": {"type": "long"}}}})
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 5})
    return place


def test_load_into_a_closed_mapping(closed, caes):
    long_ago = now() - 5000
    keys = [put(closed, long_ago, f"customer-{i}", user="older") for i in range(8)]
    for key in keys:
        closed.write_row(long_ago + 10, key, (long_ago + 10) * 10**6, user="newer")
    caes.command("load", "--from", "cassandra")
    for i, key in enumerate(keys):
        assert copies(closed, key) == [(f"customer-{i}", long_ago + 10, {"user": "newer"})]


@pytest.mark.parametrize("workers", [1, 3])
def test_load_while_the_first_with_a_routing_come(closed, caes, workers):
    long_ago = now() - 5000
    caes.configure(workers=workers)
    insert = closed.session.prepare(f"INSERT INTO {closed.keyspace}.data (did, user) VALUES "
                                    f"(?, 'newer') USING TIMESTAMP {(long_ago + 10) * 10**6}")
    keys = sorted((str(uuid.uuid4()) for _ in range(2000)), key=token)
    for key in keys:
        closed.session.execute(insert, [uuid.UUID(key)])
    process = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--rate", 300),
                               env=caes.env)
    eventually(lambda: closed.elastic.count(closed.index) >= 100)
    last = keys[-60:]
    for i, key in enumerate(last):
        put(closed, long_ago, f"customer-{i}", key, user="older")
    put(closed, now(), "new", user="it tells that there are such documents")
    assert process.wait(60) == 0
    for i, key in enumerate(last):
        assert copies(closed, key) == [(f"customer-{i}", long_ago + 10, {"user": "newer"})]
    assert closed.elastic.count(closed.index) == 2001


def demanding(place):
    place.make_tables()
    place.elastic.call("PUT", f"/{place.index}", {
        "settings": {"number_of_shards": SHARDS, "number_of_replicas": 0},
        "mappings": {"_routing": {"required": True},
                     "properties": {**FIELDS, "timestamp": {"type": "long"}}}})


def test_an_index_that_demands_a_routing(place, caes):
    """What is there is kept up to date; what only Cassandra has can't be put anywhere."""
    demanding(place)
    caes.configure(sync={"settle": 0.2})
    keys = [put(place, now(), f"customer-{i}", user="ana") for i in range(6)]
    caes.sync()
    assert len(place.rows()) == 6
    rest()
    version = now()
    for key in keys:
        place.write_row(version, key, user="changed")
    caes.sync()
    for i, key in enumerate(keys):
        assert copies(place, key) == [(f"customer-{i}", version, {"user": "changed"})]
    assert caes.command("verify", "--json").json["equal"] == 6
    lone = place.write_row(now(), user="nowhere")
    time.sleep(0.3)
    caes.sync(code=1)
    letter = caes.command("dlq", "show", lone).out
    assert "routing is required" in letter
    assert "_routing is required" in caes.command("check", code=None).out


def test_a_required_routing_before_there_is_any(place, caes):
    """A record that can't be written is no reason to stop, and documents that come later are found."""
    demanding(place)
    caes.configure(sync={"settle": 0.2})
    row = place.write_row(now(), user="nowhere to go")
    caes.sync(code=1)
    assert "routing is required" in caes.command("dlq", "show", row).out
    key = put(place, now(), "somewhere", user="u")
    caes.sync()
    assert place.row(key) == {"user": "u"}
