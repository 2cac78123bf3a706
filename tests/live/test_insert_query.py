"""insertQuery: statements of the user's own that go with every copy to Cassandra."""
import contextlib
import threading
import time
import uuid

import pytest
from proxy import Proxy
from support import eventually, now

V = 1427254212


@pytest.fixture(params=["", "2"], ids=["modern", "2.4.6"])
def pair(request):
    place = request.getfixturevalue(f"place{request.param}")
    return place, request.getfixturevalue(f"caes{request.param}")


@pytest.fixture(params=["ordered", "logged"])
def batch(request):
    return request.param


def query(caes, *texts, **more):
    caes.configure(CassandraConfig={"insertQuery": texts[0] if len(texts) == 1 else list(texts),
                                    **more})


def table(place, name, columns):
    place.cql(f"CREATE TABLE {place.keyspace}.{name} ({columns})")


def rows(place, name):
    """Rows of a table as dicts without nulls, in a stable order."""
    found = place.cql(f"SELECT * FROM {place.keyspace}.{name}")
    return sorted(({n: v for n, v in row.items() if v is not None} for row in found), key=str)


def copied(caes, count=1):
    assert caes.counts(caes.sync(since=1)) == {"to_cassandra.copied": count}


def test_several_statements(pair, batch):
    """The seed's purpose: one table for each way of asking."""
    place, caes = pair
    place.make()
    table(place, "by_user", "user text, did uuid, message text, PRIMARY KEY (user, did)")
    table(place, "latest", "did uuid PRIMARY KEY, v bigint, message text")
    query(caes, """
        -- for the page of a user
        INSERT INTO by_user (user, did, message)
        VALUES (%(user)s, %(did)s, %(message)s);
        UPDATE latest SET v = %(ts)s, message = %(message)s WHERE did = %(did)s;
    """, batch=batch)
    key = place.put_doc(V, user="ana", message="hello")
    copied(caes)
    did = uuid.UUID(key)
    assert place.row(key) == {"user": "ana", "message": "hello"}
    assert place.entries() == [(V, key)]
    assert rows(place, "by_user") == [{"user": "ana", "did": did, "message": "hello"}]
    assert rows(place, "latest") == [{"did": did, "v": V, "message": "hello"}]
    assert caes.counts(caes.sync()) == {}


def test_the_seeds_file_works_unchanged(place2, caes2):
    """Statements of a batch followed each other without a semicolon, fields are as in its test."""
    place2.make(columns={"vint": "int", "vstring": "text"})
    table(place2, "vint_by_did", "did uuid, vint int, PRIMARY KEY (did, vint)")
    table(place2, "dids", "vstring text, at int, did uuid, PRIMARY KEY (vstring, at, did)")
    caes2.config.pop("state"), caes2.config.pop("pidFile"), caes2.config.pop("http")
    host, port = place2.elastic.url.removeprefix("http://").split(":")
    caes2.config = {
        "interval": 60,
        "ElasticSearchConfig": {"index": place2.index, "type": place2.elastic.type,
                                "driver": {"hosts": [{"host": host, "port": int(port)}]}},
        "CassandraConfig": {
            "keyspace": place2.keyspace, "dataColumnFamily": "data",
            "timeseriesColumnFamily": "ts", "timeseriesIdFieldName": "id",
            "dataIdFieldName": "did", "timestampFieldName": "timestamp",
            "driver": {"contact_points": place2.servers.cassandra_hosts,
                       "port": place2.servers.cassandra_port},
            "insertQuery": """
                INSERT INTO vint_by_did (did, vint)
                VALUES (%(did)s, %(vint)s)
                INSERT INTO dids (vstring, at, did) VALUES (%(vstring)s, %(ts)s, %(did)s)
            """, "ttl": 3600}}
    key = place2.put_doc(V, vint=1, vstring="Hi")
    copied(caes2)
    assert rows(place2, "vint_by_did") == [{"did": uuid.UUID(key), "vint": 1}]
    assert rows(place2, "dids") == [{"did": uuid.UUID(key), "vstring": "Hi", "at": V}]
    assert place2.row(key) == {"vint": 1, "vstring": "Hi"}


def test_the_names_of_the_seed_whatever_the_columns_are(place, caes):
    """%(did)s and %(ts)s were no column names; a mapped field called ts is meant where it is."""
    place.make_tables(columns={"ts": "text"}, key={"uid": "uuid"})
    place.make_index()
    place.cql(f"DROP TABLE {place.keyspace}.ts")
    table(place, "ts", "id int, timestamp int, uid uuid, PRIMARY KEY (id, timestamp, uid)")
    table(place, "more", "k text PRIMARY KEY, a uuid, b text")
    caes.configure(CassandraConfig={"dataIdFieldName": "uid"})
    query(caes, "INSERT INTO more (k, a, b) VALUES (%(uid)s, %(did)s, %(ts)s)")
    key = place.put_doc(V, ts="a text")
    copied(caes)
    assert rows(place, "more") == [{"k": key, "a": uuid.UUID(key), "b": "a text"}]


def test_a_value_stays_a_value(pair):
    place, caes = pair
    place.make()
    table(place, "by_user", "user text PRIMARY KEY, message text")
    query(caes, "INSERT INTO by_user (user, message) VALUES (%(user)s, %(message)s)")
    nasty = ["x'); DROP TABLE data; --", "'", "''", "%(user)s", "$$", "?", "/*", "\x00\u2028\n",
             "😀 100%"]
    for text in nasty:
        place.put_doc(V, user=text, message=f"{text}'{text}")
    copied(caes, len(nasty))
    assert {row["user"]: row["message"] for row in rows(place, "by_user")} == \
        {text: f"{text}'{text}" for text in nasty}
    assert len(place.rows()) == len(nasty)


def test_literals_and_percent_signs(place, caes):
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, a text, \"B\" int, m map<text, int>")
    query(caes, "INSERT INTO more (did, a, \"B\", m) VALUES (%(did)s, '100%% it''s; -- no comment',"
                " 7, {'a:b': 1})")
    key = place.put_doc(V, user="ana")
    copied(caes)
    assert rows(place, "more") == [{"did": uuid.UUID(key), "a": "100% it's; -- no comment", "B": 7,
                                    "m": {"a:b": 1}}]


def test_types_and_fields_without_a_column(pair, batch):
    place, caes = pair
    exact = {"type": "string"} if place.elastic.stamped else {"type": "keyword"}
    place.make_tables()
    place.make_index({"user": exact, "message": exact, "extra": {"type": "object"}})
    table(place, "more", "did uuid PRIMARY KEY, b boolean, n int, big bigint, d double, "
                         "at timestamp, ip inet, u uuid, v timestamp, s text, dec decimal")
    query(caes, "INSERT INTO more (did, b, n, big, d, at, ip, u, v, s, dec) VALUES (%(did)s, "
                "%(flag)s, %(n)s, %(big)s, %(d)s, %(at)s, %(ip)s, %(extra.id)s, %(ts)s, %(ts)s, "
                "%(ts)s)", batch=batch)
    other = str(uuid.uuid4())
    key = place.put_doc(V, user="ana", flag=True, n=1.0, big=2 ** 53 + 1, d=0.1,
                        at="2015-03-25T03:30:12Z", ip="::1", extra={"id": other})
    copied(caes)
    (row,) = rows(place, "more")
    assert row["at"].isoformat() == "2015-03-25T03:30:12"
    assert row["v"].timestamp() == V or row["v"].isoformat() == "2015-03-25T03:30:12"
    assert row | {"at": 0, "v": 0} == {
        "did": uuid.UUID(key), "b": True, "n": 1, "big": 2 ** 53 + 1, "d": 0.1, "at": 0, "v": 0,
        "ip": "::1", "u": uuid.UUID(other), "s": str(V), "dec": V}
    assert place.row(key) == {"user": "ana"}  # the rest has no column there
    # and stays in the document
    version = V + 1
    place.write_row(version, key, user="new")
    caes.sync()
    assert place.doc(key)[1]["extra"] == {"id": other}


def test_a_missing_value_removes_what_was_there(pair, batch):
    place, caes = pair
    place.make()
    table(place, "latest", "did uuid PRIMARY KEY, user text, message text, mine text")
    query(caes, "INSERT INTO latest (did, user, message) VALUES (%(did)s, %(user)s, %(message)s)",
          batch=batch)
    gone, null = (place.put_doc(V, user="ana", message="hello") for _ in range(2))
    copied(caes, 2)
    place.cql(f"UPDATE {place.keyspace}.latest SET mine = 'x' WHERE did = {gone}")
    place.put_doc(V + 1, gone, user="ana")
    place.put_doc(V + 1, null, user="ana", message=None)
    copied(caes, 2)
    assert rows(place, "latest") == sorted(
        [{"did": uuid.UUID(gone), "user": "ana", "mine": "x"},
         {"did": uuid.UUID(null), "user": "ana"}], key=str)


def test_delete_then_insert(pair, batch):
    """At one write time the delete would hide what is inserted."""
    place, caes = pair
    place.make()
    table(place, "names", "did uuid, user text, PRIMARY KEY (did, user)")
    query(caes, "DELETE FROM names WHERE did = %(did)s; "
                "INSERT INTO names (did, user) VALUES (%(did)s, %(user)s)", batch=batch)
    key = place.put_doc(V, user="ana")
    copied(caes)
    did = uuid.UUID(key)
    assert rows(place, "names") == [{"did": did, "user": "ana"}]
    place.put_doc(V + 1, key, user="bea")
    copied(caes)
    assert rows(place, "names") == [{"did": did, "user": "bea"}]


def test_delete_of_columns(place, caes):
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, a text, m map<text, text>")
    query(caes, "DELETE a, m[%(user)s] FROM more WHERE did = %(did)s")
    key = str(uuid.uuid4())
    place.cql(f"INSERT INTO {place.keyspace}.more (did, a, m) VALUES ({key}, 'a', "
              "{'ana': '1', 'bea': '2'}) USING TIMESTAMP 1")
    place.put_doc(V, key, user="ana")
    copied(caes)
    assert rows(place, "more") == [{"did": uuid.UUID(key), "m": {"bea": "2"}}]


def test_excluded_fields_may_be_named(place, caes):
    """exclude keeps a field from the data table; who names it here wants it."""
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, message text")
    caes.configure(ElasticSearchConfig={"exclude": ["message"]})
    query(caes, "INSERT INTO more (did, message) VALUES (%(did)s, %(message)s)")
    key = place.put_doc(V, user="ana", message="hello")
    copied(caes)
    assert place.row(key) == {"user": "ana"}
    assert rows(place, "more") == [{"did": uuid.UUID(key), "message": "hello"}]


def test_the_guards_write_time(place, caes):
    """What an application writes later stays, also with a lower version."""
    place.make()
    caes.configure(sync={"settle": "1s"})
    table(place, "latest", "did uuid PRIMARY KEY, message text")
    query(caes, "UPDATE latest SET message = %(message)s WHERE did = %(did)s")
    key = place.put_doc(V, message="of the document")
    before = time.time_ns() // 1000
    copied(caes)
    found = place.cql(f"SELECT WRITETIME(message) AS w FROM {place.keyspace}.latest")[0]["w"]
    assert found == place.writetime(key, "message")
    assert before - 60_000_000 < found <= time.time_ns() // 1000 - 1_000_000


def test_guard_timestamp(place, caes, batch):
    place.make()
    version = now()
    caes.configure(CassandraConfig={"guard": "timestamp"})
    table(place, "latest", "did uuid PRIMARY KEY, message text")
    table(place, "names", "did uuid, user text, PRIMARY KEY (did, user)")
    query(caes, "UPDATE latest SET message = %(message)s WHERE did = %(did)s;"
                "DELETE FROM names WHERE did = %(did)s;"
                "INSERT INTO names (did, user) VALUES (%(did)s, %(user)s)", batch=batch)
    key = place.put_doc(version, user="ana", message="hello")
    copied(caes)
    written = place.cql(f"SELECT WRITETIME(message) AS w FROM {place.keyspace}.latest")[0]["w"]
    assert written == version * 1_000_000 + 1
    assert rows(place, "names") == [{"did": uuid.UUID(key), "user": "ana"}]
    place.put_doc(version + 1, key, user="bea")
    copied(caes)
    assert rows(place, "names") == [{"did": uuid.UUID(key), "user": "bea"}]


def test_using(place, caes, batch):
    """A TTL from the document, where it has one; a write time of one's own."""
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, user text")
    query(caes, "INSERT INTO more (did, user) VALUES (%(did)s, %(user)s) "
                "USING TTL %(keep)s AND TIMESTAMP %(at)s", batch=batch)
    short = place.put_doc(V, user="ana", keep=100, at=5)
    plain = place.put_doc(V, user="bea")
    copied(caes, 2)
    found = {str(row["did"]): row for row in place.cql(
        f"SELECT did, TTL(user) AS t, WRITETIME(user) AS w FROM {place.keyspace}.more")}
    assert 90 < found[short]["t"] <= 100 and found[short]["w"] == 5
    assert found[plain]["t"] is None and found[plain]["w"] == place.writetime(plain, "user")


def test_a_record_that_is_rejected(pair, batch):
    """A key without a value, a value that does not fit, a refusal of the server: this record only,
    and without a row or an entry where it is known before."""
    place, caes = pair
    place.make()
    table(place, "by_user", "user text, n int, did uuid, PRIMARY KEY (user, did))"
          " WITH CLUSTERING ORDER BY (did ASC")
    query(caes, "UPDATE by_user USING TTL %(keep)s SET n = %(n)s "
                "WHERE user = %(user)s AND did = %(did)s", batch=batch)
    fine = place.put_doc(V, user="ana", n=1)
    keyless = place.put_doc(V, message="no user")
    wrong = place.put_doc(V, user="bea", n=2 ** 40)
    refused = place.put_doc(V, user="cai", n=2, keep=-1)
    result = caes.sync(since=1, code=1)
    assert caes.counts(result) == {"to_cassandra.copied": 1, "to_cassandra.dead": 3}
    assert rows(place, "by_user") == [{"user": "ana", "n": 1, "did": uuid.UUID(fine)}]
    assert place.row(fine) == {"user": "ana"}
    assert place.row(keyless) is None and place.row(wrong) is None
    assert place.entries() == [(V, fine)]
    log = result.err
    assert f"{keyless} version {V}" in log and 'insertQuery statement 1: field "user" has no ' \
        f"value, but it names a row or element of {place.keyspace}.by_user" in log
    assert 'insertQuery statement 1: field "n"' in log
    assert "A TTL must be greater or equal to 0" in log
    if batch == "ordered":
        assert "insertQuery statement 1: invalid request" in log
    # Nothing is tried again, and a better version settles it.
    assert caes.counts(caes.sync()) == {}
    for key in (keyless, wrong, refused):
        place.put_doc(V + 1, key, user="dea", n=3)
    copied(caes, 3)
    assert len(rows(place, "by_user")) == 4 and len(place.rows()) == 4


def test_dead_letters_are_tried_again(place, caes):
    place.make()
    table(place, "by_user", "user text PRIMARY KEY, did uuid")
    query(caes, "INSERT INTO by_user (user, did) VALUES (%(nick)s, %(did)s)")
    key = place.put_doc(V, user="ana")
    caes.sync(since=1, code=1)
    assert 'field "nick" has no value' in caes.command("dlq", "show", key).out
    caes.command("dlq", "retry", code=1)
    assert place.row(key) is None
    query(caes, "INSERT INTO by_user (user, did) VALUES (%(user)s, %(did)s)")
    caes.command("dlq", "retry")
    assert place.row(key) == {"user": "ana"} and place.entries() == [(V, key)]
    assert rows(place, "by_user") == [{"user": "ana", "did": uuid.UUID(key)}]


def test_deletes_leave_it_alone(place, caes):
    """Statements belong to copies to Cassandra."""
    place.make()
    caes.configure(CassandraConfig={"deleteSettle": 0})
    table(place, "log", "did uuid, v int, PRIMARY KEY (did, v)")
    query(caes, "INSERT INTO log (did, v) VALUES (%(did)s, %(ts)s)")
    key = place.put_doc(V, user="ana")
    copied(caes)
    place.delete_row(V + 1, key)
    caes.sync()
    eventually(lambda: caes.sync() and place.doc(key) is None)
    assert [row["v"] for row in rows(place, "log")] == [V]
    place.write_row(V + 2, user="of Cassandra")
    caes.sync()
    assert [row["v"] for row in rows(place, "log")] == [V]


def test_own_columns_of_the_data_table(place, caes):
    """Columns that the sync leaves alone may be written, those that it writes may not."""
    place.make(columns={"user": "text", "seen": "int"})
    caes.configure(ElasticSearchConfig={"exclude": ["seen"]}, CassandraConfig={"exclude": ["seen"]})
    query(caes, "UPDATE data SET seen = %(ts)s WHERE did = %(did)s")
    key = place.put_doc(V, user="ana")
    copied(caes)
    assert place.row(key) == {"user": "ana", "seen": V}
    assert caes.counts(caes.sync()) == {}
    assert place.doc(key) == (V, {"user": "ana"})
    for text, why in [
            ("UPDATE data SET user = %(user)s WHERE did = %(did)s",
             'the sync itself writes column "user" of the data table'),
            ("DELETE FROM data WHERE did = %(did)s", "the sync itself writes the rows"),
            ("INSERT INTO ts (id, timestamp, did) VALUES (0, %(ts)s, %(did)s)",
             "the sync itself writes the time series table")]:
        query(caes, text)
        assert why in caes.sync(code=2).err


def test_mistakes_without_a_server(place, caes):
    """Nothing was made: nobody is asked."""
    query(caes, "INSERT INTO t (did)\n  VALUES ('%(did)s')")
    text = caes.sync(code=2).err
    assert "config.yaml:" in text and "CassandraConfig.insertQuery: line 2, column 12 of the text: " \
        "a placeholder within quotes" in text
    query(caes, "DELETE FROM t WHERE did = %(did)s", "UPDATE t SET c = c + 1 WHERE did = %(did)s")
    assert "CassandraConfig.insertQuery[2]: line 1, column 14 of the text: a counter is not " \
        "idempotent" in caes.sync(code=2).err
    assert caes.command("run", code=2).err.count("not idempotent") == 1


@pytest.mark.parametrize("text, why", [
    ("INSERT INTO nope (a) VALUES (1)",
     "statement 1 (line 1, column 1): cassandra has no table K.nope"),
    ("DELETE FROM more WHERE did = %(did)s;\n INSERT INTO more (did, nope) VALUES (%(did)s, 1)",
     "statement 2 (line 2, column 25): table K.more has no column \"nope\""),
    ("INSERT INTO more (did, a) VALUES (%(did)s)", "statement 1 (line 1, column 1): invalid"),
    ("INSERT INTO more (did, a)\nVALUES (%(did)s, %(a)s) USING NOTHING",
     "statement 1 (line 2, column 31): syntax error"),
    ("INSERT INTO more (did) VALUES (%(did)s) WHERE x", "statement 1 (line 1, column 41): syntax"),
    ("UPDATE hits SET n = n + %(n)s WHERE did = %(did)s", "is a counter, which is not idempotent"),
    ("UPDATE more SET l = l + %(l)s WHERE did = %(did)s", "an append to a list is not idempotent"),
    ("UPDATE more SET l = %(l)s + l WHERE did = %(did)s", "an append to a list is not idempotent"),
    ("DELETE l[%(n)s] FROM more WHERE did = %(did)s", "by its position is not idempotent"),
    ("INSERT INTO more (did) VALUES (uuid())", "a key that is made here is not idempotent"),
    ("UPDATE more SET m = {%(a)s: :b} WHERE did = %(did)s", "statement 1 (line 1, column 1): "),
])
def test_mistakes_against_the_schema(place, caes, text, why):
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, a text, l list<int>, m map<text, text>")
    table(place, "hits", "did uuid PRIMARY KEY, n counter")
    query(caes, text)
    place.put_doc(V, user="ana")
    result = caes.sync(since=1, code=2)
    assert why.replace("K.", place.keyspace + ".") in result.err
    assert "CassandraConfig.insertQuery: statement" in result.err
    assert place.rows() == {}


def test_a_list_under_guard_timestamp(place, caes):
    """A whole list replaces the one before, but at the same write time it would double."""
    place.make()
    table(place, "more", "did uuid PRIMARY KEY, l list<int>")
    query(caes, "UPDATE more SET l = [1] WHERE did = %(did)s", guard="timestamp")
    assert "a list is not idempotent with guard: timestamp" in caes.sync(code=2).err
    query(caes, "UPDATE more SET l = [1] WHERE did = %(did)s", guard="snapshot")
    key = place.put_doc(V, user="ana")
    copied(caes)
    place.put_doc(V + 1, key, user="bea")
    copied(caes)
    assert rows(place, "more") == [{"did": uuid.UUID(key), "l": [1]}]


def test_run_goes_on_trying(place, caes):
    """A mistake against the schema is told, and works once the schema is mended."""
    place.make()
    query(caes, "INSERT INTO later (did) VALUES (%(did)s)")
    key = place.put_doc(now(), user="ana")
    daemon = caes.run()
    eventually(lambda: "cassandra has no table" in daemon.text())
    assert daemon.running()
    assert place.row(key) is None
    table(place, "later", "did uuid PRIMARY KEY")
    eventually(lambda: place.row(key) and rows(place, "later"), timeout=40)
    eventually(lambda: "works again" in daemon.text())
    # A table that goes away stops the sync, and no record is given up for it.
    told = daemon.text().count("cassandra has no table")
    place.cql(f"DROP TABLE {place.keyspace}.later")
    second = place.put_doc(now(), user="bea")
    eventually(lambda: daemon.text().count("cassandra has no table") > told, timeout=40)
    table(place, "later", "did uuid PRIMARY KEY, more int")
    eventually(lambda: len(rows(place, "later")) == 1 and place.row(second), timeout=60)
    assert "dead letters" not in daemon.text()
    assert daemon.stop() == 0


class Silent(Proxy):
    """Passes all requests, but no answer once a request with mark has come by."""

    def __init__(self, mark, host, port):
        super().__init__(host, port)
        self.mark, self.seen, self.ended = mark, threading.Event(), threading.Event()

    def _carry(self, source, target):
        answers = source.getpeername()[1] == self.target[1]
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if not answers and self.mark in data:
                    self.seen.set()
                if answers and self.seen.is_set():
                    self.ended.wait()
                    return
                target.sendall(data)


def test_killed_between_row_and_entry(pair):
    place, caes = pair
    place.make()
    table(place, "by_user", "user text, did uuid, message text, PRIMARY KEY (user, did)")
    table(place, "names", "did uuid, user text, PRIMARY KEY (did, user)")
    query(caes, "INSERT INTO by_user (user, did, message) VALUES (%(user)s, %(did)s, %(message)s);"
                "DELETE FROM names WHERE did = %(did)s;"
                "INSERT INTO names (did, user) VALUES (%(did)s, %(user)s)")
    (host, *_), port = place.servers.cassandra_hosts, place.servers.cassandra_port
    key = place.put_doc(V, user="ana", message="the mark")
    did = uuid.UUID(key)
    there = [{"user": "ana", "did": did, "message": "the mark"}]
    with Silent(b"the mark", host, port) as proxy:
        caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": proxy.port,
                                        "compression": False})
        daemon = caes.run(since=1)
        eventually(lambda: place.row(key) and rows(place, "by_user") == there)
        daemon.kill()
        proxy.ended.set()
    assert place.entries() == []
    caes.configure(CassandraConfig={"contactPoints": [host], "port": port})
    copied(caes)
    assert place.entries() == [(V, key)]
    assert place.row(key) == {"user": "ana", "message": "the mark"}
    assert rows(place, "by_user") == there
    assert rows(place, "names") == [{"did": did, "user": "ana"}]
    assert caes.counts(caes.sync()) == {}
    assert place.doc(key) == (V, {"user": "ana", "message": "the mark"})


def test_many(place, caes, batch):
    place.make()
    table(place, "by_user", "user text, did uuid, PRIMARY KEY (user, did)")
    table(place, "latest", "did uuid PRIMARY KEY, message text")
    query(caes, "INSERT INTO by_user (user, did) VALUES (%(user)s, %(did)s);"
                "UPDATE latest SET message = %(message)s WHERE did = %(did)s", batch=batch)
    docs = {str(uuid.uuid4()): {"user": f"u{n % 7}", "message": f"m{n}"} for n in range(1200)}
    place.elastic.bulk(place.index, [(key, V, doc) for key, doc in docs.items()])
    copied(caes, len(docs))
    assert place.rows() == docs
    assert {str(row["did"]): row["user"] for row in rows(place, "by_user")} == \
        {key: doc["user"] for key, doc in docs.items()}
    assert {str(row["did"]): row["message"] for row in rows(place, "latest")} == \
        {key: doc["message"] for key, doc in docs.items()}
    assert len(place.entries()) == len(docs)


def test_placeholders_of_composite_keys(place, caes):
    place.make_keyspace()
    table(place, "data", "a text, b int, user text, PRIMARY KEY (a, b)")
    table(place, "ts", "id int, timestamp int, a text, b int, PRIMARY KEY (id, timestamp, a, b)")
    table(place, "more", "user text PRIMARY KEY, a text, b text, c bigint")
    place.columns, place.key_columns = {"user": "text"}, {"a": "text", "b": "int"}
    place.make_index()
    caes.configure(CassandraConfig={"dataIdFieldName": ["a", "b"]})
    query(caes, "INSERT INTO more (user, a, b, c) VALUES (%(user)s, %(a)s, %(b)s, %(b)s)")
    place.put_doc(V, "x\\|y|-7", user="ana", a="of the document")
    copied(caes)
    assert rows(place, "more") == [{"user": "ana", "a": "x|y", "b": "-7", "c": -7}]
