"""What the seed's README promises, literally: on Elasticsearch 2.4.6 with its own protocol
(_timestamp) and on the modern server, where a field holds the version."""
import json
import time
import uuid

import pytest
from cassandra.cluster import NoHostAvailable
from cassandra.concurrent import execute_concurrent_with_args
from support import PROGRAM, now

SEED_VERSION = 1427254212  # of the README's example
SEED_KEY = "ed31ee76-d49a-4c05-8f0a-6a856a94de8e"
MANY = 1000


@pytest.fixture(params=["", "2"], ids=["modern", "2.4.6"])
def pair(request):
    """A place on the server in question and the program for it."""
    return (request.getfixturevalue(f"place{request.param}"),
            request.getfixturevalue(f"caes{request.param}"))


def count_writes(place, keyspace, table):
    """How often anything was written to it. The view stumbles over a keyspace (of another test) that
    is dropped at that moment."""
    for left in range(9, -1, -1):
        try:
            return place.cql("SELECT count FROM system_views.local_write_latency "
                             "WHERE keyspace_name = %s AND table_name = %s",
                             [keyspace, table])[0]["count"]
        except NoHostAvailable as stumbled:
            if not left or "isVirtual" not in str(stumbled):
                raise
            time.sleep(0.2)


def fingerprint(place):
    """All that a write to either store would change: versions, sequence numbers and operation
    counters there; contents, write times, entries and write counters here."""
    elastic, keyspace = place.elastic, place.keyspace
    docs = place.docs()
    sequence = {}
    if elastic.major >= 7:
        found = elastic.call("POST", f"/{place.index}/_search", {
            "size": 10000, "seq_no_primary_term": True})
        sequence = {hit["_id"]: (hit["_seq_no"], hit["_primary_term"])
                    for hit in found["hits"]["hits"]}
    done = elastic.call("GET", f"/{place.index}/_stats")["_all"]["primaries"]["indexing"]
    times = place.cql("SELECT did, " + ", ".join(
        f'WRITETIME("{name}") AS "{name}"' for name in place.columns) + f" FROM {keyspace}.data")
    # How often anything at all was written to each table.
    writes = [count_writes(place, keyspace, table) for table in ("data", "ts")]
    return {"documents": docs, "sequence": sequence,
            "operations": (done["index_total"], done["delete_total"]),
            "rows": place.rows(), "times": sorted(map(str, times)),
            "entries": sorted(place.entries()), "writes": writes}


def differences(before, after):
    return {part: (before[part], after[part]) for part in before if before[part] != after[part]}


def assert_quiet(place, caes, cycles=1):
    """Another sync writes nothing at all to either store, and says so."""
    before = fingerprint(place)
    for _ in range(cycles):
        counts = caes.counts(caes.sync())
        written = {name: count for name, count in counts.items() if "unchanged" not in name}
        assert not written
    assert not differences(before, fingerprint(place))


def test_a_document_reaches_cassandra(pair):
    place, caes = pair
    place.make()
    place.put_doc(SEED_VERSION, SEED_KEY, user="jgoliveira84", message="Let's sync!!")
    result = caes.sync(since=SEED_VERSION)
    assert caes.counts(result) == {"to_cassandra.copied": 1}
    assert place.row(SEED_KEY) == {"user": "jgoliveira84", "message": "Let's sync!!"}
    assert place.entries() == [(SEED_VERSION, SEED_KEY)]  # id is 0: entries() reads only that
    assert_quiet(place, caes)


def test_its_entry_lives_for_the_ttl(place, caes):
    place.make()
    caes.configure(sync={"overlap": 1}, CassandraConfig={"ttl": 5})
    place.put_doc(SEED_VERSION, SEED_KEY, user="ana")
    caes.sync(since=SEED_VERSION)
    assert place.entries() == [(SEED_VERSION, SEED_KEY)]
    time.sleep(6)
    assert place.entries() == []
    assert place.row(SEED_KEY) == {"user": "ana"}


def test_a_plain_batch_reaches_elasticsearch(pair):
    place, caes = pair
    place.make()
    place.write_row(SEED_VERSION, SEED_KEY, user="jgoliveira84", message="Let's sync!!")
    result = caes.sync(since=SEED_VERSION)
    assert caes.counts(result) == {"to_elasticsearch.copied": 1}
    assert place.doc(SEED_KEY) == (SEED_VERSION, {"user": "jgoliveira84",
                                                  "message": "Let's sync!!"})
    field = "_timestamp" if place.elastic.stamped else "timestamp"
    place.elastic.refresh(place.index)
    found = place.elastic.call("POST", f"/{place.index}/_search", {
        "query": {"range": {field: {"gte": SEED_VERSION, "lte": SEED_VERSION}}}})
    assert [hit["_id"] for hit in found["hits"]["hits"]] == [SEED_KEY]
    assert_quiet(place, caes)


def test_versions_that_are_not_wall_clock_time(pair):
    place, caes = pair
    place.make()
    keys = {version: place.write_row(version, user=f"row {version}") for version in (8, 9, 10, 11)}
    docs = {version: place.put_doc(version, user=f"document {version}") for version in (8, 9, 10)}
    result = caes.sync(since=9)
    assert caes.counts(result) == {"to_elasticsearch.copied": 3, "to_cassandra.copied": 2}
    for version in (9, 10, 11):
        assert place.doc(keys[version]) == (version, {"user": f"row {version}"})
    for version in (9, 10):
        assert place.row(docs[version]) == {"user": f"document {version}"}
    assert place.doc(keys[8]) is None  # --since is inclusive, and no less
    assert place.row(docs[8]) is None


def test_cassandra_newer(pair):
    """The program of 2015 lost Cassandra's write here."""
    place, caes = pair
    place.make()
    key = place.put_doc(10, user="old", message="from Elasticsearch")
    place.write_row(11, key, user="new", message="from Cassandra")
    caes.sync(since=9)
    content = {"user": "new", "message": "from Cassandra"}
    assert place.row(key) == content
    assert place.doc(key) == (11, content)
    assert_quiet(place, caes)


def test_elasticsearch_newer(pair):
    place, caes = pair
    place.make()
    key = place.write_row(10, user="old", message="from Cassandra")
    place.put_doc(11, key, user="new", message="from Elasticsearch")
    caes.sync(since=9)
    content = {"user": "new", "message": "from Elasticsearch"}
    assert place.row(key) == content
    assert place.doc(key) == (11, content)
    assert (11, key) in place.entries()
    assert_quiet(place, caes)


def test_a_newer_document_clears_what_it_lacks(pair):
    place, caes = pair
    place.make()
    key = place.write_row(10, user="old", message="goes")
    place.put_doc(11, key, user="new")
    caes.sync(since=9)
    assert place.row(key) == {"user": "new"}
    assert place.doc(key) == (11, {"user": "new"})


def test_a_tie_keeps_elasticsearchs_content(pair):
    place, caes = pair
    place.make()
    tied = place.write_row(10, user="cassandra", message="loses")
    place.put_doc(10, tied, user="elasticsearch", message="wins")
    row = place.write_row(10, user="other row")
    doc = place.put_doc(10, user="other document")
    newer_row = place.write_row(11, place.put_doc(9, user="old"), user="newer row")
    caes.sync(since=9)
    expected = {tied: {"user": "elasticsearch", "message": "wins"}, row: {"user": "other row"},
                doc: {"user": "other document"}, newer_row: {"user": "newer row"}}
    assert place.rows() == expected
    assert {key: content for key, (_, content) in place.docs().items()} == expected
    assert place.doc(tied)[0] == 10
    assert_quiet(place, caes)


def write_many(place, versions):
    """Rows with their entries, as the applications write them, many at a time."""
    insert = place.session.prepare(
        f"BEGIN BATCH INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, ?, ?) "
        f"USING TTL 3600; INSERT INTO {place.keyspace}.data (did, user, message) "
        f"VALUES (?, ?, ?); APPLY BATCH")
    rows = {uuid.uuid4(): (version, f"row {version}", "of Cassandra") for version in versions}
    execute_concurrent_with_args(place.session, insert, [
        (version, key, key, user, message) for key, (version, user, message) in rows.items()])
    return {str(key): row for key, row in rows.items()}


def test_a_thousand_records_each_way(pair):
    place, caes = pair
    place.make()
    start = now() - MANY // 50
    rows = write_many(place, [start + number // 50 for number in range(MANY)])
    docs = {str(uuid.uuid4()): (start + number // 50, f"document {number}", "of Elasticsearch")
            for number in range(MANY)}
    assert place.elastic.bulk(place.index, [
        (key, version, {"user": user, "message": message})
        for key, (version, user, message) in docs.items()]) == 0
    result = caes.sync(since=start)
    assert caes.counts(result) == {"to_elasticsearch.copied": MANY, "to_cassandra.copied": MANY}
    expected = {key: (version, {"user": user, "message": message})
                for key, (version, user, message) in (rows | docs).items()}
    assert place.docs() == expected
    assert place.rows() == {key: content for key, (_, content) in expected.items()}
    assert sorted(place.entries()) == sorted((v, key) for key, (v, _) in expected.items())

    assert_quiet(place, caes)
    time.sleep(2.5)  # the second looks are due now
    assert_quiet(place, caes, cycles=2)


def test_the_older_primary_key_works_with_a_warning(pair):
    place, caes = pair
    place.make(older=True)
    row = place.write_row(10, user="row")
    doc = place.put_doc(11, user="document")
    result = caes.sync(since=9)
    assert caes.counts(result) == {"to_elasticsearch.copied": 1, "to_cassandra.copied": 1}
    assert place.doc(row) == (10, {"user": "row"})
    assert place.row(doc) == {"user": "document"}
    assert sorted(place.entries()) == [(10, row), (11, doc)]
    warnings = [line for line in result.err.splitlines() if "PRIMARY KEY" in line]
    assert len(warnings) == 1, result.err
    assert_quiet(place, caes)


def test_an_entry_of_the_daemon_never_replaces_an_applications(place, caes):
    """Where the older key holds one entry a version, the application's must survive."""
    place.make(older=True)
    row = place.write_row(10, user="row")
    doc = place.put_doc(10, user="document")
    caes.sync(since=9)
    assert place.doc(row) == (10, {"user": "row"})
    assert place.row(doc) == {"user": "document"}
    assert place.entries() == [(10, row)]


def test_the_present_primary_key_works_without(place, caes):
    place.make()
    place.write_row(10, user="row")
    assert " WARNING " not in caes.sync(since=9).err


@pytest.mark.parametrize("lists, expected", [
    ({"include": ["user"]}, {"user": "ana"}),
    ({"exclude": ["user"]}, {"message": "hello"}),
    ({"include": ["user"], "exclude": ["user", "message"]}, {"user": "ana"}),
], ids=["include", "exclude", "include beats exclude"])
def test_fields_that_may_go_to_cassandra(pair, lists, expected):
    place, caes = pair
    place.make()
    caes.configure(ElasticSearchConfig=lists)
    key = place.put_doc(10, user="ana", message="hello")
    caes.sync(since=9)
    assert place.row(key) == expected
    assert place.doc(key) == (10, {"user": "ana", "message": "hello"})
    assert_quiet(place, caes)


@pytest.mark.parametrize("lists, expected", [
    ({"include": ["user"]}, {"user": "ana"}),
    ({"exclude": ["user"]}, {"message": "hello"}),
], ids=["include", "exclude"])
def test_columns_that_may_go_to_elasticsearch(place, caes, lists, expected):
    place.make()
    caes.configure(CassandraConfig=lists)
    key = place.write_row(10, user="ana", message="hello")
    caes.sync(since=9)
    assert place.doc(key) == (10, expected)
    assert place.row(key) == {"user": "ana", "message": "hello"}
    assert_quiet(place, caes)


SEEDS_FILE = """\
interval: 1
ElasticSearchConfig:
    index: {index}
    type: {type}
    driver:
        hosts: [{{host: 127.0.0.1, port: {es_port}}}]
CassandraConfig:
    keyspace: {keyspace}
    dataColumnFamily: data
    timeseriesColumnFamily: ts
    timeseriesIdFieldName: id
    dataIdFieldName: did
    timestampFieldName: timestamp
    ttl: 3600
    driver:
        contact_points: {hosts}
        port: {port}
logging:
    version: 1
    formatters:
        simple:
            format: '%(asctime)s - %(name)s - %(levelname)s - %(message)s'
    handlers:
        console:
            class: logging.StreamHandler
            level: INFO
            formatter: simple
            stream: ext://sys.stderr
    loggers:
        caes:
            level: INFO
            handlers: [console]
            propagate: no
    root:
        level: INFO
        handlers: [console]
"""


def test_the_seeds_configuration_works_unchanged(pair, monkeypatch):
    place, caes = pair
    place.make()
    home = caes.folder / ".caes"
    home.mkdir()
    (home / "config.yaml").write_text(SEEDS_FILE.format(
        index=place.index, type=place.elastic.type, es_port=place.elastic.url.rsplit(":", 1)[1],
        keyspace=place.keyspace, hosts=json.dumps(place.servers.cassandra_hosts),
        port=place.servers.cassandra_port))
    key = place.put_doc(10, user="ana")
    monkeypatch.setattr(caes, "argv", lambda *words: [PROGRAM, *map(str, words)])
    caes.sync(since=9)
    assert place.row(key) == {"user": "ana"}
    assert (home / "state.db").exists()

