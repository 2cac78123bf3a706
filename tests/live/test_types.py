"""Every CQL type, both ways: rows of one table travel to an index, and from there to another table,
which must hold the same bytes; what the Python driver reads of both is compared too."""
import json
import struct
import time
import uuid
from decimal import Decimal

import pytest
from cassandra.util import Date, Duration, Time, sortedset
from cqlraw import RawSession
from state import dead_letters
from support import Caes, Place, eventually, now

SINCE = 10
TYPES = ["""CREATE TYPE KS.address (street text, "Zip Code" int)""",
         """CREATE TYPE KS.person (name text, home frozen<address>, emails frozen<set<text>>,
            born date, marks frozen<map<text, frozen<list<double>>>>)"""]
UUIDS = [uuid.UUID(int=0), uuid.UUID("ed31ee76-d49a-4c05-8f0a-6a856a94de8e"),
         uuid.UUID(int=2**128 - 1)]
TEXTS = ["", "a\0b", "\U0001F600é\u2028", '"\\\n\t', "NaN", "{\"a\":1}"]
ADDRESS = ("x", 5)
PERSON = ("ana", ADDRESS, ["a@x", "b@x"], Date(0), {"m": [0.1, -0.0]})

# type, values of the Python driver; each row takes the next one of each
COLUMNS = {
    "ascii": ("ascii", ["", "a~\0\x7f"]),
    "bigint": ("bigint", [2**53 + 1, -2**63, 2**63 - 1, 0]),
    "blob": ("blob", [b"", bytes(range(256)), b"\0"]),
    "boolean": ("boolean", [True, False]),
    "date": ("date", [Date(0), Date(-1), Date(16519), Date(-2**31), Date(2**31 - 1)]),
    "decimal": ("decimal", [Decimal("1.10"), Decimal("-0.000001"), Decimal("1E+100"),
                            Decimal("123456789012345678901234567890.123456789"), Decimal("0E-5")]),
    "double": ("double", [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1e22, 123456789.0]),
    "duration": ("duration", [Duration(0, 0, 0), Duration(1, 2, 3),
                              Duration(-14, -400, -(2**63 - 1))]),
    "float": ("float", [0.1, -0.0, 1e-45, 3.4028234663852886e38, 16777216.0]),
    "inet": ("inet", ["127.0.0.1", "::1", "2001:db8::1:0:0:1", "::102:304"]),
    "int": ("int", [0, -2**31, 2**31 - 1]),
    "smallint": ("smallint", [0, -2**15, 2**15 - 1]),
    "text": ("text", TEXTS),
    "time": ("time", [Time(0), Time(86399999999999), Time(1)]),
    "timestamp": ("timestamp", [0, -1, 1427254212123, -62135596800000, 253402300799999]),
    "timeuuid": ("timeuuid", [uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"), uuid.uuid1()]),
    "tinyint": ("tinyint", [0, -128, 127]),
    "uuid": ("uuid", UUIDS),
    "varint": ("varint", [0, -1, 128, -129, 2**64, -2**200, 10**300]),
    "list_int": ("list<int>", [[3, 1, 3], [], [0]]),
    "list_text": ("list<text>", [TEXTS, [""]]),
    "frozen_list": ("frozen<list<bigint>>", [[2**53 + 1], [1, 2]]),
    "list_list": ("list<frozen<list<decimal>>>", [[[], [Decimal("1.0"), Decimal("1.00")]], []]),
    "set_text": ("set<text>", [set(TEXTS), {"a"}, set()]),
    "set_int": ("set<int>", [{-5, 3, 0}, {7}]),
    "frozen_set": ("frozen<set<timestamp>>", [{-1, 0, 5}]),
    "set_tuple": ("set<frozen<tuple<int, text>>>", [{(2, "b"), (1, None), (-1, "")}]),
    "map_text": ("map<text, int>", [{"": 1, "a.b": 2, " ": 3, "é": -1, "_id": 0}, {}]),
    "map_int": ("map<int, text>", [{-1: "x", 2: "", 10: "\0"}]),
    "map_uuid": ("map<uuid, frozen<set<date>>>", [{UUIDS[1]: [Date(-1), Date(1)], UUIDS[0]: []}]),
    "map_boolean": ("map<boolean, inet>", [{True: "::1", False: "10.0.0.1"}]),
    "map_double": ("map<double, blob>", [{0.1: b"\xff", -1e300: b""}]),
    "map_tuple": ("map<frozen<tuple<int, int>>, frozen<map<text, time>>>",
                  [{(1, 2): {"a": Time(5)}, (0, 9): {}}]),
    "tuple_": ("tuple<int, text, frozen<list<boolean>>>",
               [(1, "a", [True]), (None, None, None), (0, "", [])]),
    "address": ("address", [ADDRESS, ("", None), (None, 0)]),
    "frozen_address": ("frozen<address>", [ADDRESS, (None, None)]),
    "person": ("person", [PERSON, (None, None, None, None, None), ("b", None, set(), None, {})]),
    "people": ("list<frozen<person>>", [[PERSON, PERSON], []]),
    "person_map": ("map<text, frozen<person>>", [{"x": PERSON}]),
    "vector_float": ("vector<float, 3>", [[0.1, 0.2, 0.3], [3.0, 4.0, -0.0], [1e-10, 123.456, 7.0]]),
    "vector_int": ("vector<int, 2>", [[1, -1]]),
    "vector_text": ("vector<text, 2>", [["", "b" * 200]]),
    "vector_vector": ("vector<vector<double, 2>, 2>", [[[0.1, 0.2], [0.3, 0.4]]]),
}
ROWS = max(len(values) for _, values in COLUMNS.values())


@pytest.fixture
def raw(servers):
    session = RawSession(servers)
    yield session
    session.close()


@pytest.fixture
def other(servers, cassandra, place):
    """A second keyspace for the same index."""
    with Place(servers, cassandra, place.elastic) as made:
        made.index = place.index
        yield made


@pytest.fixture
def caes_other(other, tmp_path):
    folder = tmp_path / "other"
    folder.mkdir()
    with Caes(other, folder) as runner:
        yield runner


def cql(place, text, *values):
    return place.cql(text.replace("KS", place.keyspace), list(values) or None)


def without_vectors(place, columns):
    """Columns {name: type or (type, …)}: before 5.0 Cassandra has no vectors."""
    if place.cassandra_major >= 5:
        return columns
    return {name: kind for name, kind in columns.items()
            if not (kind if isinstance(kind, str) else kind[0]).startswith("vector<")}


def make_all(place):
    place.make_keyspace()
    for statement in TYPES:
        cql(place, statement)
    columns = ", ".join(f"c_{name} {kind}" for name, (kind, _) in
                        without_vectors(place, COLUMNS).items())
    cql(place, f"CREATE TABLE KS.data (did uuid PRIMARY KEY, {columns})")


def add_entry(place, version, key):
    cql(place, "INSERT INTO KS.ts (id, timestamp, did) VALUES (0, %s, %s)", version, key)


def write_all(place):
    every = without_vectors(place, COLUMNS)
    names = ", ".join(f"c_{name}" for name in every)
    insert = place.session.prepare(f"INSERT INTO {place.keyspace}.data (did, {names}) VALUES "
                                   f"(?{', ?' * len(every)})")
    for number in range(ROWS):
        key = uuid.uuid4()
        place.session.execute(insert, [key] + [
            values[number % len(values)] for _, values in every.values()], timeout=60)
        add_entry(place, SINCE + number, key)
    key = uuid.uuid4()
    cql(place, "INSERT INTO KS.data (did) VALUES (%s)", key)
    add_entry(place, SINCE + ROWS, key)


def nothing_is_null(name, value):
    """A column's value as both sides compare it."""
    kind = COLUMNS.get(name.removeprefix("c_"), [""])[0]
    if kind.startswith(("list", "set", "map", "frozen<list", "frozen<set")) and value == bytes(4):
        return None
    return value


def bytes_of(raw, place):
    return {row["did"]: {n: nothing_is_null(n, v) for n, v in row.items()}
            for row in raw.rows(f"{place.keyspace}.data")}


def values_of(place):
    """As the driver reads them; user-defined types of both keyspaces are tuples."""
    rows = {row["did"]: {n: v for n, v in row.items() if v is not None and not _empty(v)}
            for row in place.cql(f"SELECT * FROM {place.keyspace}.data")}
    return {key: repr(sorted(row.items())) for key, row in rows.items()}


def _empty(v):
    return isinstance(v, (list, sortedset)) and not v or hasattr(v, "items") and not len(v)


def travel(place, caes, other, caes_other, raw):
    """All columns from place over the index to other."""
    make_all(place)
    make_all(other)
    caes.command("init")  # the index from the table; the time series tables
    caes_other.command("init")
    write_all(place)
    result = caes.sync(since=SINCE, code=None)
    assert caes.counts(result) == {"to_elasticsearch.copied": ROWS + 1}, dead_letters(caes)
    result = caes_other.sync(since=SINCE, code=None)
    assert caes_other.counts(result) == {"to_cassandra.copied": ROWS + 1}, dead_letters(caes_other)
    want, have = bytes_of(raw, place), bytes_of(raw, other)
    assert want.keys() == have.keys()
    for key in want:
        for name in want[key]:
            assert have[key][name] == want[key][name], f"{name} {want[key][name]}"
    assert values_of(place) == values_of(other)


def test_every_type(place, caes, other, caes_other, raw):
    travel(place, caes, other, caes_other, raw)
    # nothing is left to do, also for a program that remembers nothing
    caes.configure(state=str(caes.folder / "new.db"))
    result = caes.sync(since=SINCE)
    assert set(caes.counts(result)) == {"to_cassandra.unchanged"}


def test_sets_inside_of_values_in_any_order(place, caes, other, caes_other, raw):
    """Cassandra sorts them in a column of their own only: drivers write them as they like."""
    for one in (place, other):
        make_all(one)
    caes.command("init")
    caes_other.command("init")
    key = uuid.uuid4()
    insert = place.session.prepare(
        f"INSERT INTO {place.keyspace}.data (did, c_person) VALUES (?, ?)")
    place.session.execute(insert, [key, ("ana", None, ["b@x", "c@x", "a@x"], None, None)])
    add_entry(place, SINCE, key)
    caes.sync(since=SINCE)
    assert place.doc(key)[1] == {"c_person": {"name": "ana", "emails": ["a@x", "b@x", "c@x"]}}
    caes_other.sync(since=SINCE)
    assert b"a@x\0\0\0\3b@x\0\0\0\3c@x" in bytes_of(raw, other)[key.bytes]["c_person"]
    caes.configure(state=str(caes.folder / "new.db"))
    assert caes.counts(caes.sync(since=SINCE)) == {"to_cassandra.unchanged": 1}
    place.put_doc(SINCE + 1, key, c_person={"name": "ana", "emails": ["c@x", "a@x", "b@x", "a@x"]})
    add_entry(place, SINCE + 1, key)
    caes.configure(state=str(caes.folder / "newer.db"))
    assert caes.counts(caes.sync(since=SINCE + 1)) == {"to_cassandra.unchanged": 1}


def test_every_type_on_2_4_6(servers, cassandra, place2, caes2, tmp_path, raw):
    with Place(servers, cassandra, place2.elastic) as other:
        other.index = place2.index
        folder = tmp_path / "other"
        folder.mkdir()
        with Caes(other, folder) as caes_other:
            travel(place2, caes2, other, caes_other, raw)


def test_documents_of_applications(place, caes):
    """Forms that the program itself does not write."""
    place.make_keyspace()
    for statement in TYPES:
        cql(place, statement)
    place.make_tables(without_vectors(place, {
        "l": "list<int>", "s": "set<text>", "m": "map<int, int>", "a": "address",
        "p": "frozen<person>", "d": "decimal", "v": "vector<float, 2>"}))
    caes.command("init")
    doc = {"v": [1, 0.1]} if place.cassandra_major >= 5 else {}
    key = place.put_doc(SINCE, l=7, s=["b", "a", "b"], m={"2": 1.0, "1": 2}, d=1.5, **doc,
                        a={"street": None, "Zip Code": 7}, p={"home": {"street": "x"}, "emails": []})
    caes.sync(since=SINCE)
    row = place.row(key)
    assert (row["l"], list(row["s"]), dict(row["m"])) == ([7], ["a", "b"], {1: 2, 2: 1})
    assert row["d"] == Decimal("1.5") and (not doc or row["v"][0] == 1.0)
    assert tuple(row["a"]) == (None, 7) and row["p"].home.street == "x"
    place.put_doc(SINCE + 1, key, l=[], m={}, a={})
    caes.sync(since=SINCE)
    assert place.row(key) is not None and not {"l", "m", "a", "s"} & set(place.row(key))


REFUSED = [("l", [1, None], "null is no element"), ("l", {"a": 1}, "no value for a column"),
           ("m", {"1": None}, "null is no value of a map"),
           ("m", {"1": 1, "1.0": 2}, "two entries"), ("m", {"x": 1}, "x is no int"),
           ("a", {"city": "x"}, "is no field of type address"), ("t", [1], "1 values in place of"),
           ("v", [1], "1 values in place of the 2")]


def test_what_would_be_lost_is_refused(place, caes):
    place.make_keyspace()
    cql(place, TYPES[0])
    place.make_tables(without_vectors(place, {
        "l": "list<int>", "m": "map<int, int>", "a": "address", "t": "tuple<int, int>",
        "v": "vector<int, 2>"}))
    refused = [one for one in REFUSED if one[0] != "v" or place.cassandra_major >= 5]
    # an index that accepts anything
    place.elastic.create(place.index, {n: {"type": "object", "enabled": False} for n in "lmatv"})
    keys = [place.put_doc(SINCE + i, **{n: v}) for i, (n, v, _) in enumerate(refused)]
    if place.elastic.major != 2:  # which has no dots in names
        keys.append(place.put_doc(SINCE + len(refused), **{"a.street": "x"}))
    result = caes.sync(since=SINCE, code=1)
    assert caes.counts(result) == {"to_cassandra.dead": len(keys)}
    letters = {key: reason for (key, _), reason in dead_letters(caes).items()}
    for key, why in zip(keys, [why for _, _, why in refused] + ["write an object"]):
        assert why in letters[key]


def test_counters_are_only_read(place, caes):
    place.make_keyspace()
    cql(place, "CREATE TABLE KS.data (did uuid PRIMARY KEY, n counter)")
    caes.command("init")
    key = uuid.uuid4()
    cql(place, "UPDATE KS.data SET n = n + %s WHERE did = %s", 2**53 + 1, key)
    add_entry(place, SINCE, key)
    assert caes.counts(caes.sync(since=SINCE)) == {"to_elasticsearch.copied": 1}
    assert place.doc(key) == (SINCE, {"n": 2**53 + 1})
    cql(place, "UPDATE KS.data SET n = n - 1 WHERE did = %s", key)
    add_entry(place, SINCE + 1, key)
    assert caes.counts(caes.sync()) == {"to_elasticsearch.copied": 1}
    assert place.doc(key) == (SINCE + 1, {"n": 2**53})
    place.put_doc(SINCE + 2, key, n=1)
    caes.sync(code=1)
    assert "counters, which can't be written" in dead_letters(caes)[str(key), SINCE + 2]
    assert place.row(str(key)) == {"n": 2**53}


def test_nan_and_infinity(place, caes, other, caes_other, raw):
    columns = {"d": "double", "f": "float", "l": "list<double>", "m": "map<double, float>"}
    for one in (place, other):
        one.make_tables(columns)
    for one in (caes, caes_other):
        one.configure(CassandraConfig={"nonFinite": "text"})
    caes.command("init")
    mapping = place.elastic.mapping(place.index)
    assert mapping["properties"]["d"] == {"type": "double", "ignore_malformed": True}
    nan, inf = float("nan"), float("inf")
    keys = [place.write_row(SINCE, d=nan, f=inf), place.write_row(SINCE + 1, l=[-inf, 1.5, nan]),
            place.write_row(SINCE + 2, f=-inf, m={nan: inf, 1.5: nan})]
    caes.sync(since=SINCE)
    assert place.doc(keys[0])[1] == {"d": "NaN", "f": "Infinity"}
    assert place.doc(keys[1])[1] == {"l": ["-Infinity", 1.5, "NaN"]}
    caes_other.sync(since=SINCE)
    assert bytes_of(raw, place) == bytes_of(raw, other)
    # by default they are refused, with a word about the option
    caes.configure(CassandraConfig={"nonFinite": None}, state=str(caes.folder / "new.db"))
    key = place.write_row(SINCE + 3, d=nan)
    caes.sync(since=SINCE + 3, code=1)
    assert "nonFinite" in dead_letters(caes)[key, SINCE + 3]


def test_a_vector_that_cosine_would_change(place, caes, other, caes_other, raw):
    """Newer servers keep vectors apart from _source, normalised where the similarity is cosine."""
    if place.elastic.stamped:
        pytest.skip("nothing is kept apart from _source here, and _forcemerge has another name")
    if place.cassandra_major < 5:
        pytest.skip("this Cassandra has no vectors")
    vector = [0.1, 0.2, 0.3]
    for one in (place, other):
        one.make_tables({"v": "vector<float, 3>"})
    caes.command("init")
    place.write_row(SINCE, v=vector)
    caes.sync(since=SINCE)
    place.elastic.call("POST", f"/{place.index}/_forcemerge", max_num_segments=1)
    caes_other.sync(since=SINCE)
    assert bytes_of(raw, other) == bytes_of(raw, place)
    assert struct.pack(">3f", *vector) in [row["v"] for row in bytes_of(raw, other).values()]
    if place.elastic.major >= 9:  # and it can be searched by
        found = place.elastic.call("POST", f"/{place.index}/_search", {
            "knn": {"field": "v", "query_vector": vector, "k": 1, "num_candidates": 10}})
        assert len(found["hits"]["hits"]) == 1


def test_a_type_that_is_altered(place, caes):
    """The schema is read again when a value has more fields than were known."""
    place.make_keyspace()
    cql(place, TYPES[0])
    place.make_tables({"a": "frozen<address>"})
    caes.command("init")
    caes.configure(interval=0.2, sync={"settle": 0.2})
    daemon = caes.run(since=SINCE)
    old, new = uuid.uuid4(), uuid.uuid4()
    cql(place, "INSERT INTO KS.data (did, a) VALUES (%s, {street: 'old'})", old)
    add_entry(place, now(), old)
    eventually(lambda: place.doc(old))
    cql(place, "ALTER TYPE KS.address ADD city text")
    cql(place, "INSERT INTO KS.data (did, a) VALUES (%s, {street: 'new', city: 'x'})", new)
    add_entry(place, now(), new)
    eventually(lambda: place.doc(new)[1] == {"a": {"street": "new", "city": "x"}})
    daemon.stop()


def test_the_write_time_of_a_collection_counts(place, caes):
    """A row of which only a list was written, with no entry that tells the version, is not
    overwritten."""
    if place.cassandra_major < 5:
        pytest.skip("this Cassandra does not tell the write time of a collection")
    place.make_tables({"l": "list<int>", "user": "text"})
    caes.command("init")
    caes.configure(sync={"settle": 0.3})
    key = place.write_row(now() - 30, l=[1], user="row")
    caes.sync()
    time.sleep(1)
    cql(place, "UPDATE KS.data SET l = l + [2] WHERE did = %s", uuid.UUID(key))
    version = now()
    place.put_doc(version, key, l=[9], user="document")
    caes.sync(code=1)
    assert place.row(key) == {"l": [1, 2], "user": "row"}
    assert (key, version) in dead_letters(caes)


# --- keys

KEYS = {
    "uuid": ("uuid", uuid.UUID("ed31ee76-d49a-4c05-8f0a-6a856a94de8e"), None),
    "timeuuid": ("timeuuid", uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"), None),
    "text": ("text", "a|b\\c é%/?#", "a|b\\c é%/?#"),
    "int": ("int", -7, "-7"),
    "bigint": ("bigint", 2**53 + 1, str(2**53 + 1)),
    "boolean": ("boolean", True, "true"),
    "double": ("double", 0.1, "0.1"),
}


def make_keyed(place, key, partition=1):
    """Tables with a key of these columns, in both tables the same."""
    place.make_keyspace()
    names = list(key)
    columns = "".join(f'"{n}" {t}, ' for n, t in key.items())
    head = ", ".join(f'"{n}"' for n in names[:partition])
    rest = "".join(f', "{n}"' for n in names[partition:])
    cql(place, f"CREATE TABLE KS.data ({columns}v text, PRIMARY KEY (({head}){rest}))")
    cql(place, f"CREATE TABLE KS.ts (id int, timestamp bigint, {columns}"
               f"PRIMARY KEY (id, timestamp, {head}{rest}))")
    place.key_columns, place.columns = dict(key), {"v": "text"}


def write_keyed(place, version, key, v):
    names = ", ".join(f'"{n}"' for n in place.key_columns)
    marks = ", ".join(["%s"] * len(key))
    cql(place, f"INSERT INTO KS.data ({names}, v) VALUES ({marks}, %s)", *key, v)
    cql(place, f"INSERT INTO KS.ts (id, timestamp, {names}) VALUES (0, %s, {marks})", version, *key)


def documents(place):
    return {key: content for key, (_, content) in place.docs().items()}


def put_by_id(place, version, key, **doc):
    """Ids that don't fit into a path."""
    assert place.elastic.bulk(place.index, [(key, version, doc)]) == 0


@pytest.mark.parametrize("name", KEYS)
def test_a_key_of_one_column(place, caes, name):
    kind, value, text = KEYS[name]
    make_keyed(place, {"k": kind})
    caes.configure(CassandraConfig={"dataIdFieldName": "k"}, sync={"settle": 0.3}).command("init")
    write_keyed(place, SINCE, [value], "row")
    caes.sync(since=SINCE)
    text = text or str(value)
    assert documents(place) == {text: {"v": "row"}}
    put_by_id(place, SINCE + 1, text, v="document")
    caes.sync()
    assert [(r["k"], r["v"]) for r in cql(place, "SELECT * FROM KS.data")] == [(value, "document")]


COMPOSITE = [
    ({"a": "text", "b": "int"}, 1, ["x|y\\z", -1], "x\\|y\\\\z|-1"),
    ({"a": "uuid", "B": "bigint", "c": "text"}, 2, [UUIDS[1], 2**60, ""],
     f"{UUIDS[1]}|{2**60}|"),
    ({"a": "int", "b": "timeuuid", "c": "timestamp", "d": "boolean"}, 1,
     [0, uuid.UUID("50554d6e-29bb-11e5-b345-feff819cdc9f"), 1427254212123, False],
     "0|50554d6e-29bb-11e5-b345-feff819cdc9f|2015-03-25T03:30:12.123Z|false"),
    ({"a": "text", "b": "inet", "c": "date", "d": "varint", "e": "blob", "f": "double"}, 2,
     ["é", "::1", Date(16519), -10**30, b"\0\xff", 0.1],
     f"é|::1|2015-03-25|-{10**30}|AP8=|0.1"),
]


@pytest.mark.parametrize("columns, partition, key, text", COMPOSITE)
def test_a_key_of_several_columns(place, caes, columns, partition, key, text):
    make_keyed(place, columns, partition)
    caes.configure(CassandraConfig={"dataIdFieldName": list(columns)}, sync={"settle": 0.3})
    caes.command("init")
    write_keyed(place, SINCE, key, "row")
    caes.sync(since=SINCE)
    assert documents(place) == {text: {"v": "row"}}
    put_by_id(place, SINCE + 1, text, v="document")
    caes.sync()
    assert [r["v"] for r in cql(place, "SELECT * FROM KS.data")] == ["document"]
    entries = cql(place, "SELECT * FROM KS.ts WHERE id = 0")
    assert sorted(e["timestamp"] for e in entries) == [SINCE, SINCE + 1]
    # a delete, both tables agreeing on the key
    where = " AND ".join(f'"{n}" = %s' for n in columns)
    names = ", ".join(f'"{n}"' for n in columns)
    cql(place, f"DELETE FROM KS.data WHERE {where}", *key)
    cql(place, f"INSERT INTO KS.ts (id, timestamp, {names}) VALUES (0, %s"
               f"{', %s' * len(columns)})", SINCE + 2, *key)
    caes.configure(CassandraConfig={"deleteSettle": 0})
    eventually(lambda: caes.sync() and documents(place) == {}, pause=0.4)


def test_keys_that_can_not_travel(place, caes):
    make_keyed(place, {"a": "text", "b": "int"})
    caes.configure(CassandraConfig={"dataIdFieldName": ["a", "b"]}, sync={"settle": 0.3})
    caes.command("init")
    write_keyed(place, SINCE, ["x" * 511, 1], "too long")
    write_keyed(place, SINCE + 1, ["x" * 510, 1], "just fits")
    bad = ["x", "x|1|2", "x|01", "x\\|1", "x\\", "x\\y|1", "|"]
    for number, key in enumerate(bad):
        put_by_id(place, SINCE + 2 + number, key, v="bad")
    bad.append("|1")  # Cassandra has no empty partition key
    put_by_id(place, SINCE + 20, "|1", v="empty text")
    result = caes.sync(since=SINCE, code=1)
    assert caes.counts(result) == {
        "to_elasticsearch.copied": 1, "to_elasticsearch.dead": 1,
        "to_cassandra.dead": len(bad)}
    reasons = " ".join(dead_letters(caes).values())
    assert "513 bytes" in reasons and "canonical" in reasons and "2 parts" in reasons
    assert {r["a"]: r["v"] for r in cql(place, "SELECT * FROM KS.data")} == {
        "x" * 511: "too long", "x" * 510: "just fits"}


# --- init

MAPPING = {
    "title": {"type": "text", "fields": {"raw": {"type": "keyword"}}}, "tag": {"type": "keyword"},
    "at": {"type": "date"}, "day": {"type": "date", "format": "dd/MM/yyyy"},
    "n": {"type": "long"}, "ok": {"type": "boolean"}, "price": {"type": "double"},
    "ip": {"type": "ip"},
    "raw": {"type": "binary"}, "place": {"type": "geo_point"},
    "comments": {"type": "nested", "properties": {"by": {"type": "keyword"},
                                                  "stars": {"type": "integer"}}},
    "owner": {"properties": {"name": {"type": "text"}, "home": {"type": "geo_point"}}},
    "range": {"type": "integer_range"}, "other": {"type": "alias", "path": "n"},
    "vector": {"type": "dense_vector", "dims": 3, "index": True, "similarity": "l2_norm"},
}
DOCUMENTS = [
    {"title": "a", "tag": "x", "at": "2015-03-25T03:30:12.001Z", "day": "25/03/2015", "n": 2**53 + 1,
     "ok": True, "price": 1.25, "ip": "10.0.0.1", "raw": "AP+/",
     "place": {"lat": 41.12, "lon": -71.34}, "owner": {"name": "ana", "more": [1, [2]], "x": {"y": None}},
     "comments": [{"by": "bob", "stars": 5}, {"by": "eve"}], "range": {"gte": 1, "lt": 5},
     "vector": [0.1, 0.2, 0.3]},
    {"place": "41.12,-71.34", "comments": {"by": "one"}, "owner": [{"name": "a"}, {"name": "b"}]},
    {"place": [-71.34, 41.12], "owner": {}},
    {"place": "POINT (-71.34 41.12)"},
    {"place": [{"lat": 1, "lon": 2}, "3,4"], "comments": []},
    {"place": {"type": "Point", "coordinates": [-71.34, 41.12]}, "title": ""},
    {},
]


def test_init_sees_documents_that_are_not_refreshed_yet(place, caes):
    place.make_index({"n": {"type": "long"}}, refresh_interval="-1")
    place.put_doc(SINCE, "no uuid", n=1)
    assert "-- the key is text: of 1 documents" in caes.command("init", "--dry-run").out


def test_init_makes_tables_that_hold_any_document(place, caes, tmp_path):
    """An index to tables made by init, then from there to a second index made by init."""
    if place.elastic.major < 8 or place.elastic.opensearch:
        pytest.skip("no dense_vector here")
    place.elastic.create(place.index, MAPPING)
    keys = [place.put_doc(SINCE + i, **doc) for i, doc in enumerate(DOCUMENTS)]
    planned = caes.command("init", "--dry-run").out
    made = caes.command("init").out
    assert planned == made
    vector = "vector<float, 3>" if place.cassandra_major >= 5 else "frozen<list<float>>"
    for line in ["\"title\" text", "\"at\" timestamp", "\"day\" text", f"\"vector\" {vector}",
                 "\"place\" frozen<caes_json>", "\"comments\" frozen<caes_json>",
                 "CREATE TYPE IF NOT EXISTS"]:
        assert line in made
    assert caes.command("init").out.strip() == "" or "nothing" in caes.command("init").out
    result = caes.sync(since=SINCE)
    assert caes.counts(result) == {"to_cassandra.copied": len(DOCUMENTS)}, dead_letters(caes)
    found = cql(place, "SELECT place, vector FROM KS.data WHERE did = %s", uuid.UUID(keys[0]))[0]
    assert json.loads(found["place"].json) == {"lat": 41.12, "lon": -71.34}
    # the second index holds the same
    first = documents(place)
    try:
        place.index += "b"
        caes.configure(ElasticSearchConfig={"index": place.index}, state=str(tmp_path / "b.db"))
        caes.command("init")
        caes.sync(since=SINCE)
        for number, key in enumerate(keys):
            again = place.doc(key)[1]
            want = dict(DOCUMENTS[number])
            again.pop("vector", None), want.pop("vector", None)
            assert again == {n: v for n, v in want.items()}, first[key]
    finally:
        place.elastic.drop(place.index)
        place.index = place.index[:-1]


DATES = {
    None: "2015-03-25T03:30:12.001Z", "epoch_millis": 1427254212123, "epoch_second": 1427254212,
    "strict_date_time_no_millis": "2015-03-25T03:30:12Z", "strict_date": "2015-03-25",
    "strict_date_time": "2015-03-25T03:30:12.001Z", "dd/MM/yyyy": "25/03/2015",
}


def test_dates_go_back_into_the_index_that_they_come_from(place, caes):
    dates = DATES
    if place.elastic.major < 2:  # had neither strict forms nor seconds of the epoch
        dates = {form and form.removeprefix("strict_"): value for form, value in DATES.items()
                 if not (form or "").startswith("epoch")}
    fields = {f"f{i}": {"type": "date", "format": form} if form else {"type": "date"}
              for i, form in enumerate(dates)}
    place.elastic.create(place.index, fields | {"n": {"type": "long"}})
    document = {f"f{i}": value for i, value in enumerate(dates.values())}
    key = place.put_doc(SINCE, **document)
    caes.command("init")
    caes.command("check")  # no errors
    caes.sync(since=SINCE)
    cql(place, "UPDATE KS.data SET n = 1 WHERE did = %s", uuid.UUID(key))
    add_entry(place, SINCE + 1, uuid.UUID(key))
    assert caes.counts(caes.sync()) == {"to_elasticsearch.copied": 1}, dead_letters(caes)
    assert place.doc(key) == (SINCE + 1, document | {"n": 1})


def test_what_init_prints_can_be_pasted(place, caes):
    """Every statement of a dry run works as it stands; afterwards nothing is left to make."""
    make_all(place)
    out = caes.command("init", "--dry-run").out
    statements, _, request = out.partition(f"PUT /{place.index}\n")
    for statement in statements.split(";\n"):
        if statement.strip():
            place.cql(statement)
    place.elastic.call("PUT", f"/{place.index}", json.loads(request))
    result = caes.command("init")
    assert "CREATE" not in result.out and "PUT" not in result.out
