"""`check`: a table of broken set-ups, each with one thing wrong, which it has to name; and set-ups
that are as they should be, of which it must not complain."""
import time
import uuid
from dataclasses import dataclass, field
from typing import Callable

import pytest
from relay import Relay
from support import Caes, Place, eventually, free_port, now


def us(version):
    return version * 1_000_000


def fill(place, records=3, **row):
    """Applications write on both sides as they should."""
    row = row or {"user": "ana", "message": "hello"}
    for at in range(records):
        place.write_row(now() - at, **row)
        place.put_doc(now() - at, **row)
    place.elastic.refresh(place.index)


def findings(caes, code=None, *words):
    result = caes.command("check", "--json", *words, code=code)
    assert set(result.json) == {"findings"}
    for finding in result.json["findings"]:
        assert set(finding) == {"severity", "where", "what", "remedy"}
        assert finding["severity"] in ("error", "warning", "info") and finding["what"]
        assert finding["remedy"] or finding["severity"] == "info", finding
    return result.json["findings"]


@pytest.fixture
def quiet(caes):
    return caes.configure(http={"listen": "off"})


@pytest.fixture
def quiet2(caes2):
    return caes2.configure(http={"listen": "off"})


# --- as it should be

def assert_healthy(caes):
    assert [f for f in findings(caes, 0) if f["severity"] != "info"] == []


def test_an_empty_setup_is_fine(place, quiet):
    place.make()
    assert_healthy(quiet)


def test_a_setup_with_data_is_fine(place, quiet):
    place.make()
    fill(place)
    assert_healthy(quiet)
    quiet.sync(since=1)
    place.elastic.refresh(place.index)
    assert_healthy(quiet)  # the daemon's copies, too
    text = quiet.command("check").out
    assert "\n0 errors, 0 warnings\n" in text and place.index not in text.splitlines()[-1]


def test_the_seeds_setup_is_fine(place2, quiet2):
    place2.make()
    fill(place2)
    assert_healthy(quiet2)
    quiet2.sync(since=1)
    place2.elastic.refresh(place2.index)
    assert_healthy(quiet2)


def test_what_init_makes_is_fine(place, quiet):
    place.make_keyspace()
    place.cql(f"CREATE TYPE {place.keyspace}.home (street text, zip int)")
    place.cql(f"CREATE TABLE {place.keyspace}.data (did uuid PRIMARY KEY, user text, age int, "
              "score double, born date, seen timestamp, address inet, picture blob, ok boolean, "
              "tags set<text>, marks map<text, int>, pair tuple<int, text>, at frozen<home>)")
    quiet.command("init")
    assert_healthy(quiet)


def test_guard_timestamp_is_fine_with_its_write_times(place, quiet):
    place.make()
    quiet.configure(CassandraConfig={"guard": "timestamp"})
    for at in range(3):
        version = now() - at
        place.write_row(version, timestamp=us(version), user="ana")
        place.put_doc(version, user="bob")
    place.elastic.refresh(place.index)
    assert_healthy(quiet)
    quiet.sync(since=1)
    place.elastic.refresh(place.index)
    assert_healthy(quiet)


def test_an_insert_query_is_fine(place, quiet):
    place.make()
    place.cql(f"CREATE TABLE {place.keyspace}.by_user (user text, did uuid, "
              "PRIMARY KEY(user, did))")
    quiet.configure(CassandraConfig={"insertQuery": [
        "INSERT INTO by_user (user, did) VALUES (%(user)s, %(did)s)"]})
    fill(place)
    assert_healthy(quiet)
    assert place.cql(f"SELECT * FROM {place.keyspace}.by_user") == []


def test_milliseconds_are_fine(place, quiet):
    place.make_tables(version_type="bigint")
    place.make_index()
    quiet.configure(sync={"versionUnit": "ms"})
    version = time.time_ns() // 1_000_000
    place.write_row(version, user="ana")
    place.put_doc(version, user="bob")
    place.elastic.refresh(place.index)
    assert_healthy(quiet)


def test_nothing_is_written(place, quiet):
    place.make()
    fill(place)
    keys = list(place.rows())

    def all_of_it():
        stats = place.elastic.call("GET", f"/{place.index}/_stats")["_all"]["total"]
        return (place.rows(), sorted(place.entries()), place.docs(),
                [place.writetime(key, "user") for key in keys],
                stats["indexing"]["index_total"], stats["indexing"]["delete_total"],
                place.elastic.call("GET", f"/{place.index}/_mapping"))
    before = all_of_it()
    findings(quiet, 0)
    assert all_of_it() == before
    assert [p.name for p in quiet.folder.iterdir()] == ["config.yaml"], "no state of its own"


def test_a_running_daemon_does_not_mind(place, quiet):
    place.make()
    daemon = quiet.run()
    eventually(lambda: "connected" in daemon.text())
    assert_healthy(quiet)
    assert daemon.stop() == 0


# --- one thing wrong

@dataclass
class Broken:
    name: str
    severity: str
    where: str      # each with {index} and {keyspace}
    what: str
    prepare: Callable = None  # (place, caes); by default a healthy set-up with data
    config: dict = field(default_factory=dict)
    code: int = None
    es2: bool = False
    alone: bool = True  # nothing else may be an error or warning

    def expected_code(self):
        return self.code if self.code is not None else int(self.severity == "error")


@pytest.fixture(scope="module")
def common(servers, cassandra, es):
    """A healthy set-up and one without data, for all that change nothing in Cassandra: a keyspace
    takes seconds to come and go."""
    with Place(servers, cassandra, es) as usual_place, Place(servers, cassandra, es) as empty_place:
        usual(usual_place, None)
        empty_place.make_tables()
        yield usual_place, empty_place


def tables(columns=None, **options):
    def prepare(place, caes):
        place.make_tables(columns, **options)
        place.make_index()
    return prepare


def mapping(properties=None, columns=None, settings=None, **top):
    """An index with these properties (and members of the mapping) for the usual tables."""
    def prepare(place, caes):
        if columns:
            place.make_tables(columns)
        fields = {n: {"type": "keyword"} for n in place.columns} | {"timestamp": {"type": "long"}}
        fields = {n: d for n, d in (fields | (properties or {})).items() if d}
        place.elastic.call("PUT", f"/{place.index}", {
            "settings": {"number_of_shards": 1, "number_of_replicas": 0, **(settings or {})},
            "mappings": {"properties": fields, **top}})
    prepare.shared = not columns
    return prepare


def settings(**values):
    def prepare(place, caes):
        place.make_index(**values)
    prepare.shared = True
    return prepare


def shared(function):
    function.shared = True
    return function


def after(*statements):
    """The healthy set-up, then CQL with {ks}."""
    def prepare(place, caes):
        place.make()
        for statement in statements:
            place.cql(statement.replace("{ks}", place.keyspace).replace("{id}", str(uuid.uuid4())))
    return prepare


def instead(*statements, index=True):
    """Only a keyspace, CQL with {ks}, and the usual index."""
    def prepare(place, caes):
        place.make_keyspace()
        for statement in statements:
            place.cql(statement.replace("{ks}", place.keyspace))
        if index:
            place.make_index()
    return prepare


def rows(*writes, **options):
    """writes: functions of the place."""
    def prepare(place, caes):
        place.make(**options)
        for write in writes:
            write(place)
        place.elastic.refresh(place.index)
    return prepare


def docs(*writes):
    """The same where nothing is written in Cassandra."""
    def prepare(place, caes):
        place.make_index()
        for write in writes:
            write(place)
        place.elastic.refresh(place.index)
    return shared(prepare)


def docs_counted_by_the_server(place):
    for at in range(3):
        place.elastic.call("PUT", f"/{place.index}/_doc/{uuid.uuid4()}",
                           {"timestamp": now(), "user": "ana"})


@shared
def closed(place, caes):
    place.make_index()
    place.elastic.call("POST", f"/{place.index}/_close")


@shared
def two_indices(place, caes):
    for end in "ab":
        place.elastic.create(place.index + end, {})
        place.elastic.call("PUT", f"/{place.index}{end}/_alias/{place.index}alias")
    caes.configure(ElasticSearchConfig={"index": f"{place.index}alias"})


@shared
def state_below_a_file(place, caes):
    place.make_index()
    (caes.folder / "file").write_text("")
    caes.configure(state=str(caes.folder / "file" / "state.db"), pidFile=None)


@shared
def without_timestamp_meta(place, caes):
    place.elastic.call("PUT", f"/{place.index}", {"mappings": {place.elastic.type: {
        "properties": {"user": {"type": "string"}, "message": {"type": "string"}}}}})


@shared
def other_type(place, caes):
    place.make_index()
    caes.configure(ElasticSearchConfig={"type": "other"})


def counted_per_record(place):
    """Versions of an application that counts them itself, record by record."""
    for at in range(40):
        place.put_doc(1 + at % 4, user="ana")


def many_without_rows(place):
    for at in range(20):
        place.cql(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s) "
                  "USING TTL 3600", [now() - at, uuid.uuid4()])


def a_view(place, caes):
    place.make()
    place.cql(f"CREATE TABLE {place.keyspace}.base (did uuid PRIMARY KEY, user text)")
    try:
        place.cql(f"CREATE MATERIALIZED VIEW {place.keyspace}.by_user AS SELECT * FROM "
                  f"{place.keyspace}.base WHERE did IS NOT NULL AND user IS NOT NULL "
                  "PRIMARY KEY (did, user)")
    except Exception as refused:  # off by default since 4.0
        if "disabled" not in str(refused):
            raise
        pytest.skip("materialized views are disabled on this server")


TS = "CREATE TABLE {ks}.ts (id int, timestamp int, did uuid, PRIMARY KEY(id, timestamp, did))"
DATA = "CREATE TABLE {ks}.data (did uuid PRIMARY KEY, user text, message text)"
UPPER = "ED31EE76-D49A-4C05-8F0A-6A856A94DE8E"
LONG = {"type": "long"}
FUTURE = 1_000_000

BROKEN = [
    # the configuration
    Broken("ttl below the interval", "error", "CassandraConfig.ttl (line", "interval 100s",
           config={"interval": 100, "http": {"readyLag": 200},
                   "CassandraConfig": {"ttl": 90}}),
    Broken("ttl hardly longer", "warning", "CassandraConfig.ttl (line", "pause of the daemon",
           config={"interval": 10, "CassandraConfig": {"ttl": 80}}),
    Broken("ttl below overlap", "error", "CassandraConfig.ttl (line", "ttl must exceed",
           config={"CassandraConfig": {"ttl": 50}}, code=2),
    Broken("guard timestamp without times", "error", "CassandraConfig.guard (line", "in s or ms",
           config={"CassandraConfig": {"guard": "timestamp"}, "sync": {"versionUnit": "none"}},
           code=2),
    Broken("unknown key", "error", "intervall (line", "unknown key", config={"intervall": 1},
           code=2),
    Broken("overlap below settle", "error", "sync.overlap (line", "sync.settle (5s)",
           config={"sync": {"overlap": 5, "settle": 5}}),
    Broken("short overlap", "warning", "sync.overlap (line", "little more than sync.settle",
           config={"sync": {"overlap": 5}}),
    Broken("no settle", "warning", "sync.settle (line", "clocks differ",
           config={"sync": {"settle": 0}}),
    Broken("hasty deletes", "warning", "CassandraConfig.deleteSettle (line", "merely late",
           config={"CassandraConfig": {"deleteSettle": 1}}),
    Broken("a skew of days", "warning", "sync.maxFutureSkew (line", "48 h",
           config={"sync": {"maxFutureSkew": "2d"}}),
    Broken("no skew", "warning", "sync.maxFutureSkew (line", "differ a little",
           config={"sync": {"maxFutureSkew": "1s"}}),
    Broken("state in no folder", "error", "configuration state (line", "Not a directory",
           state_below_a_file, alone=False),
    Broken("never refreshed", "error", "ElasticSearchConfig.refresh (line", "never show",
           settings(refresh_interval="-1"), {"ElasticSearchConfig": {"refresh": False}}),
    Broken("seldom refreshed", "warning", "ElasticSearchConfig.refresh (line", "too late",
           settings(refresh_interval="10s"), {"ElasticSearchConfig": {"refresh": False}}),
    # connections
    Broken("no Cassandra", "error", "cassandra 127.0.0.1", "refused", shared(
        lambda p, c: c.configure(CassandraConfig={"port": free_port()})), code=3, alone=False),
    Broken("no Elasticsearch", "error", "elasticsearch http://", "connect", shared(
        lambda p, c: c.configure(ElasticSearchConfig={"hosts": [f"http://127.0.0.1:{free_port()}"]})),
        code=3),
    Broken("another data center", "error", "cassandra 127.0.0.1", "datacenter",
           config={"CassandraConfig": {"localDatacenter": "elsewhere"}}, code=3),
    # keyspace and tables
    Broken("no keyspace", "error", "cassandra {keyspace}", "no such keyspace",
           lambda p, c: p.make_index({})),
    Broken("no data table", "error", "cassandra {keyspace}.data", "no such table", instead(TS)),
    Broken("no time series table", "error", "cassandra {keyspace}.ts", "no such table",
           instead(DATA)),
    Broken("durable_writes off", "warning", "cassandra {keyspace}", "durable_writes",
           after("ALTER KEYSPACE {ks} WITH durable_writes = false")),
    Broken("a materialized view", "error", "cassandra {keyspace}.by_user", "materialized view",
           a_view, {"CassandraConfig": {"dataColumnFamily": "by_user"}}),
    Broken("a counter table", "warning", "cassandra {keyspace}.data", "counter table", instead(
        TS, "CREATE TABLE {ks}.data (did uuid PRIMARY KEY, user counter)")),
    Broken("a static column", "error", "cassandra {keyspace}.data.owner", "static columns", instead(
        "CREATE TABLE {ks}.data (did uuid, part int, owner text static, user text, message text, "
        "PRIMARY KEY(did, part))",
        "CREATE TABLE {ks}.ts (id int, timestamp int, did uuid, part int, "
        "PRIMARY KEY(id, timestamp, did, part))"),
        {"CassandraConfig": {"dataIdFieldName": ["did", "part"]}}),
    Broken("a type that can't be mapped", "error", "cassandra {keyspace}.data.odd", "can't be mapped",
           after("ALTER TABLE {ks}.data ADD odd "
                 "'org.apache.cassandra.db.marshal.LexicalUUIDType'")),
    Broken("another key", "error", "cassandra {keyspace}.data", "primary key",
           config={"CassandraConfig": {"dataIdFieldName": "key"}}),
    Broken("a rename of nothing", "error", "configuration rename (line", "no column \"nobody\"",
           config={"rename": {"somebody": "nobody"}}),
    Broken("an include of nothing", "warning", "ElasticSearchConfig.include (line",
           "usr: no column has such a field", config={"ElasticSearchConfig": {
               "include": ["usr", "message"]}}),
    Broken("an include of a column's old name", "warning", "ElasticSearchConfig.include (line",
           "user: no column", mapping({"user": None, "name": {"type": "keyword"}}), {
               "rename": {"name": "user"}, "ElasticSearchConfig": {"include": ["user", "message"]}}),
    Broken("an exclude of nothing", "warning", "CassandraConfig.exclude (line",
           "mesage: the table has no such column", config={"CassandraConfig": {
               "exclude": ["mesage"]}}),
    Broken("a column with a name of the server's", "error", "cassandra {keyspace}.data._id",
           "no document can have", after('ALTER TABLE {ks}.data ADD "_id" text')),
    Broken("a column with the name of the mark", "info", "cassandra {keyspace}.data.user",
           "mark of deleted documents", mapping({"user": {"type": "boolean"}}),
           {"ElasticSearchConfig": {"deletedFieldName": "user"}}),
    Broken("an insertQuery to nowhere", "error", "CassandraConfig.insertQuery (line", "nowhere",
           config={"CassandraConfig": {"insertQuery": [
               "UPDATE nowhere SET a = %(user)s WHERE did = %(did)s"]}}),
    Broken("an insertQuery with a condition", "error", "CassandraConfig.insertQuery (line", "IF",
           config={"CassandraConfig": {
               "insertQuery": "DELETE FROM other WHERE did = %(did)s IF EXISTS"}}, code=2),
    Broken("data that expires", "warning", "cassandra {keyspace}.data", "default_time_to_live",
           after("ALTER TABLE {ks}.data WITH default_time_to_live = 1000")),
    Broken("entries that expire at once", "error", "cassandra {keyspace}.ts", "sync.overlap",
           after("ALTER TABLE {ks}.ts WITH default_time_to_live = 30")),
    Broken("entries that expire before ttl", "warning", "cassandra {keyspace}.ts",
           "CassandraConfig.ttl", after("ALTER TABLE {ks}.ts WITH default_time_to_live = 600")),
    Broken("deletes that come back", "warning", "cassandra {keyspace}.data", "gc_grace_seconds",
           after("ALTER TABLE {ks}.data WITH gc_grace_seconds = 0")),
    Broken("the older series", "warning", "cassandra {keyspace}.ts", "older form",
           tables(older=True)),
    Broken("a series of another key", "error", "cassandra {keyspace}.ts.did", "of type text",
           instead(DATA, TS.replace("did uuid", "did text"))),
    Broken("a series by another column", "error", "cassandra {keyspace}.ts",
           "first clustering column", instead(DATA, TS.replace("id, timestamp, did", "id, did, timestamp"))),
    Broken("a series of more partitions", "error", "cassandra {keyspace}.ts.day", "partition key",
           instead(DATA, "CREATE TABLE {ks}.ts (id int, day int, timestamp int, did uuid, "
                         "PRIMARY KEY((id, day), timestamp, did))")),
    Broken("an int for milliseconds", "error", "cassandra {keyspace}.ts.timestamp", "ms",
           config={"sync": {"versionUnit": "ms"}}, prepare=tables()),
    Broken("a timestamp for microseconds", "error", "cassandra {keyspace}.ts", "milliseconds",
           tables(version_type="timestamp"), {"sync": {"versionUnit": "us"}}),
    Broken("entries in other partitions", "error", "cassandra {keyspace}.ts", "timeseriesBuckets",
           after("INSERT INTO {ks}.ts (id, timestamp, did) VALUES (3, 10, {id})")),
    # the index
    Broken("no index", "error", "elasticsearch {index}", "no such index",
           shared(lambda p, c: None)),
    Broken("an alias of two", "error", "elasticsearch {index}alias", "2 indices", two_indices),
    Broken("a closed index", "error", "elasticsearch {index}", "is closed", closed),
    Broken("a read-only index", "error", "elasticsearch {index}", "index.blocks.write",
           settings(**{"blocks.write": True})),
    Broken("a pipeline", "warning", "elasticsearch {index}", "default_pipeline",
           settings(default_pipeline="changes-all")),
    Broken("a short memory of deletes", "warning", "elasticsearch {index}", "gc_deletes (10000 ms)",
           settings(gc_deletes="10s")),
    Broken("no _source", "error", "elasticsearch {index}", "_source is disabled",
           mapping(_source={"enabled": False})),
    Broken("half a _source", "warning", "elasticsearch {index}", "leaves fields out",
           mapping(_source={"excludes": ["message"]})),
    Broken("routing", "warning", "elasticsearch {index}", "_routing is required",
           mapping(_routing={"required": True})),
    Broken("another type", "error", "elasticsearch {index}", "no type \"other\"", other_type,
           es2=True),
    Broken("_timestamp off", "error", "elasticsearch {index}", "_timestamp is not enabled",
           without_timestamp_meta, es2=True),
    # mapping and columns
    Broken("strict without a timestamp", "error", "elasticsearch {index}.timestamp",
           "dynamic is strict", mapping({"timestamp": None}, dynamic="strict")),
    Broken("closed without a timestamp", "error", "elasticsearch {index}.timestamp",
           "dynamic is false", mapping({"timestamp": None}, dynamic=False)),
    Broken("no timestamp yet", "warning", "elasticsearch {index}.timestamp", "first document",
           mapping({"timestamp": None})),
    Broken("a keyword as timestamp", "error", "elasticsearch {index}.timestamp", "mapped as keyword",
           mapping({"timestamp": {"type": "keyword"}})),
    Broken("a float as timestamp", "error", "elasticsearch {index}.timestamp", "mapped as float",
           mapping({"timestamp": {"type": "float"}})),
    Broken("days as timestamp", "error", "elasticsearch {index}.timestamp", "takes no numbers",
           mapping({"timestamp": {"type": "date", "format": "strict_date"}})),
    Broken("a timestamp nobody can search", "error", "elasticsearch {index}.timestamp",
           "not indexed", mapping({"timestamp": {"type": "long", "index": False}})),
    Broken("strict without a field", "error", "elasticsearch {index}", "refused: message",
           mapping({"message": None}, dynamic="strict")),
    Broken("text in a long", "error", "elasticsearch {index}.user", "column user of type text",
           mapping({"user": LONG})),
    Broken("text in an object", "error", "elasticsearch {index}.user", "no objects",
           mapping({"user": {"properties": {"name": {"type": "keyword"}}}})),
    Broken("a bigint in an integer", "warning", "elasticsearch {index}.age", "beyond the field's range",
           mapping({"age": {"type": "integer"}}, {"age": "bigint"})),
    Broken("instants in days", "error", "elasticsearch {index}.seen", "format does not take",
           mapping({"seen": {"type": "date", "format": "yyyy-MM-dd"}}, {"seen": "timestamp"})),
    Broken("an int in a long", "info", "elasticsearch {index}.age", "beyond the column's range",
           mapping({"age": LONG}, {"age": "int"})),
    Broken("fields without columns", "info", "cassandra {keyspace}.data", "these fields; they stay in "
           "Elasticsearch: age", mapping({"age": LONG})),
    # real data
    Broken("guard timestamp without its write times", "error", "CassandraConfig.guard (line",
           "3 of 3 rows", config={"CassandraConfig": {"guard": "timestamp"}}),
    Broken("write times in seconds", "error", "cassandra {keyspace}.data", "the version itself", rows(
        lambda p: p.write_row(now(), timestamp=now(), user="ana"))),
    Broken("write times in the future", "error", "cassandra {keyspace}.data", "1 of 1 rows", rows(
        lambda p: p.write_row(now(), timestamp=us(now() + 10000), user="ana"))),
    Broken("documents without external versions", "error", "elasticsearch {index}",
           "without external versions", docs(docs_counted_by_the_server)),
    Broken("another version in the field", "error", "elasticsearch {index}", "differs from timestamp",
           docs(lambda p: p.put_doc(now(), user="ana", timestamp=now() - 100))),
    Broken("documents of the future", "error", "elasticsearch {index}", "sync.maxFutureSkew", docs(
        lambda p: p.put_doc(now() + FUTURE, user="ana"))),
    Broken("entries of the future", "error", "cassandra {keyspace}.ts", "sync.maxFutureSkew", rows(
        lambda p: p.write_row(now() + FUTURE, user="ana"))),
    Broken("versions counted per record", "warning", "elasticsearch {index}", "counted per record",
           docs(counted_per_record), {"sync": {"versionUnit": "none"}}),
    Broken("some versions counted per record", "warning", "elasticsearch {index}",
           "2 of 6 documents", rows(lambda p: fill(p, 4), lambda p: [
               p.put_doc(at, user="ana") for at in (2, 3)])),
    Broken("versions that are no times", "warning", "sync.versionUnit (default)", "no such times",
           docs(lambda p: p.put_doc(10, user="ana"))),
    Broken("milliseconds for seconds", "error", "sync.versionUnit (default)", "look like ms", docs(
        lambda p: p.put_doc(now() * 1000, user="ana"))),
    Broken("seconds for milliseconds", "error", "sync.versionUnit (line", "look like s", rows(
        lambda p: p.write_row(now(), user="ana"), version_type="bigint"),
        {"sync": {"versionUnit": "ms"}}),
    Broken("times for nothing", "info", "sync.versionUnit (line", "times in s",
           config={"sync": {"versionUnit": "none"}}),
    Broken("an _id in capitals", "error", "elasticsearch {index}", "not the canonical form", docs(
        lambda p: p.put_doc(now(), UPPER, user="ana"))),
    Broken("an _id that is no uuid", "error", "elasticsearch {index}", "1 of 1 documents", docs(
        lambda p: p.put_doc(now(), "42", user="ana"))),
    Broken("documents without the field", "error", "elasticsearch {index}.timestamp",
           "1 documents lack it", rows(fill, lambda p: p.elastic.call(
               "PUT", f"/{p.index}/_doc/{uuid.uuid4()}", {"user": "ana"}, version=now(),
               version_type="external"))),
    Broken("documents that don't fit", "error", "elasticsearch {index}", "don't fit into", rows(
        lambda p: p.put_doc(now(), age=5_000_000_000), columns={"age": "int"},
        properties={"age": LONG})),
    Broken("entries without rows", "warning", "cassandra {keyspace}.ts", "20 of 20 records",
           rows(many_without_rows)),
    Broken("an entry without its row", "info", "cassandra {keyspace}.ts", "1 of 4 records", rows(
        fill, lambda p: p.delete_row(now(), uuid.uuid4()))),
    Broken("entries with a short TTL", "error", "cassandra {keyspace}.ts", "TTL below sync.overlap",
           rows(lambda p: p.write_row(now(), ttl=50, user="ana"), older=True), alone=False),
    Broken("entries without a TTL", "info", "cassandra {keyspace}.ts", "never expire", rows(
        lambda p: p.write_row(now(), ttl=0, user="ana"), older=True), alone=False),
    Broken("entries that stay", "info", "cassandra {keyspace}.ts", "may grow for ever", rows(
        lambda p: p.write_row(now() - 7230, ttl=100000, user="ana"))),
    Broken("conditional writes", "error", "cassandra {keyspace}.data", "IF", after(
        "INSERT INTO {ks}.data (did, user) VALUES ({id}, 'ana') IF NOT EXISTS")),
]


def usual(place, caes):
    place.make()
    fill(place)


@pytest.mark.parametrize("broken", BROKEN, ids=lambda b: b.name.replace(" ", "-"))
def test_what_is_broken_is_named(broken, servers, cassandra, es, common, tmp_path, request):
    if broken.prepare is None:
        with Caes(common[0], tmp_path) as caes:
            assert_named(broken, common[0], caes.configure(http={"listen": "off"}))
        return
    elastic = request.getfixturevalue("es2") if broken.es2 else es
    with Place(servers, cassandra, elastic) as place:
        own = place.keyspace
        if getattr(broken.prepare, "shared", False):
            place.keyspace = common[1].keyspace
        try:
            with Caes(place, tmp_path) as caes:
                broken.prepare(place, caes.configure(http={"listen": "off"}))
                assert_named(broken, place, caes)
        finally:
            place.keyspace = own
            for end in "ab":
                place.elastic.drop(place.index + end)


def assert_named(broken, place, caes):
    found = findings(caes.configure(**broken.config), broken.expected_code())
    where = broken.where.format(index=place.index, keyspace=place.keyspace)
    hits = [f for f in found if f["severity"] == broken.severity
            and (f["where"] == where or where in f["where"]) and broken.what in f["what"]]
    assert len(hits) == 1, (where, found)
    if broken.alone:
        assert [f for f in found if f["severity"] != "info" and f is not hits[0]] == []


def two_marks(place, caes):
    mapping(dynamic=False)(place, caes)
    place.put_doc(now(), user="ana", gone="yes")
    place.put_doc(now(), user="bob", gone=True)
    place.elastic.refresh(place.index)


@pytest.mark.parametrize("broken", [
    Broken("a mark that is no boolean", "error", "elasticsearch {index}.gone", "mapped as keyword",
           mapping({"gone": {"type": "keyword"}})),
    Broken("a mark that holds text", "error", "elasticsearch {index}.gone", "not boolean in 1 of 2",
           two_marks),
], ids=lambda b: b.name.replace(" ", "-"))
def test_a_mark_of_deleted_documents(broken, place, quiet, common):
    quiet.configure(ElasticSearchConfig={"deletedFieldName": "gone"})
    place.keyspace, own = common[1].keyspace, place.keyspace
    broken.prepare(place, quiet)
    quiet.configure(CassandraConfig={"keyspace": place.keyspace})
    assert_named(broken, place, quiet)
    place.keyspace = own


def test_text_names_place_matter_and_remedy(place, quiet):
    place.make_tables()
    result = quiet.command("check", code=1)
    lines = result.out.splitlines()
    at = lines.index(f"error    elasticsearch {place.index}")
    assert lines[at + 1] == "         there is no such index"
    assert lines[at + 2].startswith("         -> create it (caes-sync init does)")
    assert lines[-1] == "1 error, 0 warnings"
    assert [s.split()[0] for s in lines if s[:1] not in (" ", "")][0] == "error", "errors first"


# --- what a test server does not say

def ahead(seconds):
    def change(status, value):
        for node in value["nodes"].values():
            node["timestamp"] += int(seconds * 1000)
        return status, value
    return change


def lacks(*missing):
    def change(status, value):
        names = ["read", "index", "delete", "maintenance", "view_index_metadata"]
        return 200, {"username": "caes", "has_all_requested": False, "cluster": {"monitor": True},
                     "index": {"t": {name: name not in missing for name in names}}}
    return change


def stream(status, value):
    (name, index), = value.items()
    return 200, {f".ds-{name}-000001": {**index, "data_stream": name}}


def refused(status, value):
    return 403, {"error": {"type": "security_exception", "reason": "unauthorized"}, "status": 403}


LOGIN = {"username": "caes", "password": "secret"}

ALTERED = [
    ("a clock ahead", "/_nodes/stats", ahead(10), {}, "error", "elasticsearch caes-1", "ahead of", 1),
    ("a clock behind", "/_nodes/stats", ahead(-10), {}, "error", "elasticsearch caes-1", "behind", 1),
    ("a clock a little off", "/_nodes/stats", ahead(1.5), {}, "warning", "sync.settle", "ahead", 0),
    ("privileges", "/_security/user/_has_privileges", lacks("delete", "maintenance"), LOGIN, "error",
     "elasticsearch {index}", "the login lacks: delete, maintenance", 1),
    ("all privileges", "/_security/user/_has_privileges", lacks(), LOGIN, None, "", "", 0),
    ("a data stream", "/{index}", stream, {}, "error", "elasticsearch {index}", "data stream", 1),
    ("no look at the index", "/{index}", refused, {}, "warning", "elasticsearch {index}",
     "looking at the index", 0),
    ("another version", "/_nodes/_local",
     lambda status, value: (200, {"nodes": {"n": {"version": "6.8.0"}}}), {}, "warning",
     "elasticsearch http", "never tried", 1),
    ("too old a version", "/_nodes/_local",
     lambda status, value: (200, {"nodes": {"n": {"version": "1.4.0"}}}), {}, "error",
     "elasticsearch http", "too old", 3),
]


@pytest.mark.parametrize("case", ALTERED, ids=lambda c: c[0].replace(" ", "-"))
def test_what_the_server_answers_is_named(case, place, quiet):
    _, path, change, login, severity, where, what, code = case
    if "version" in case[0] and place.elastic.http.get(place.elastic.url).status_code == 200:
        pytest.skip("this server tells its version at the root")
    place.make()
    fill(place)
    with Relay(place.elastic.url, {path.format(index=place.index): change}) as relay:
        quiet.configure(ElasticSearchConfig={"hosts": [relay.url], **login})
        found = [f for f in findings(quiet, code) if f["severity"] != "info"]
    if severity is None:
        assert found == []
        return
    hits = [f for f in found if f["severity"] == severity and what in f["what"]
            and where.format(index=place.index) in f["where"]]
    assert len(hits) == 1, found
