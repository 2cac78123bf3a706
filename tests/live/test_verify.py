"""`verify` finds what differs, all of it and nothing else."""
import itertools
import json
import random
import threading
import time
import uuid

import pytest
from support import now

COLUMNS = {"user": "text", "likes": "int"}
VERSION = now() - 1000
PROPERTIES = {"user": {"type": "keyword"}, "likes": {"type": "integer"}}


def fill(place, count, version):
    """Both sides hold the same count records; returns {key: content}."""
    records = {str(uuid.uuid4()): {"user": f"user {n}", "likes": n} for n in range(count)}
    place.elastic.bulk(place.index, [(k, version, c) for k, c in records.items()])
    insert = place.session.prepare(
        f"INSERT INTO {place.keyspace}.data (did, user, likes) VALUES (?, ?, ?) USING TIMESTAMP ?")
    futures = [place.session.execute_async(insert, [uuid.UUID(k), c["user"], c["likes"],
                                                    version * 1_000_000])
               for k, c in records.items()]
    for future in futures:
        future.result()
    return records


def put_row(place, key, version, **content):
    names = ", ".join(content)
    place.cql(f"INSERT INTO {place.keyspace}.data (did, {names}) VALUES (%s, "
              f"{', '.join(['%s'] * len(content))}) USING TIMESTAMP {version * 1_000_000}",
              [uuid.UUID(key), *content.values()])


def verify(caes, *words, code=None):
    result = caes.command("verify", "--json", *words, code=code)
    found = {(k["key"], k["kind"]) for k in result.json["keys"]}
    assert result.code == (1 if found else 0)
    return result.json, found


@pytest.fixture
def filled(place, caes):
    place.make(columns=COLUMNS, properties=PROPERTIES)
    caes.configure(interval=0.1, sync={"settle": 0.2})
    return fill(place, 3000, VERSION)


def test_equal_stores_are_equal(place, caes, filled):
    report, found = verify(caes)
    assert found == set()
    assert report["compared"] == report["equal"] == report["rows"] == report["documents"] == 3000


def test_each_kind_is_found_and_nothing_else(place, caes, filled):
    version = VERSION
    keys = random.sample(sorted(filled), 12)
    place.elastic.delete(place.index, keys[0])
    place.elastic.delete(place.index, keys[1])
    for key in keys[2:4]:
        place.cql(f"DELETE FROM {place.keyspace}.data WHERE did = %s", [uuid.UUID(key)])
    place.elastic.put(place.index, keys[4], version + 500, {"user": "newer", "likes": 1})
    place.elastic.put(place.index, keys[5], version + 500, {"user": "newer"})
    put_row(place, keys[6], version + 500, user="newer", likes=1)
    place.write_row(version + 400, keys[7], timestamp=(version + 300) * 1_000_000, likes=1,
                    user="newer")
    place.elastic.put(place.index, keys[8], version, {"user": "tie"}, version_type="external_gte")
    place.elastic.put(place.index, keys[9], version + 500, {"user": ["no", "text"], "likes": 1})
    place.elastic.put(place.index, "not-a-uuid", version, {"user": "x"})
    lone = str(uuid.uuid4())
    put_row(place, lone, version, user="lone")
    expected = {
        (keys[0], "missing_in_elasticsearch"), (keys[1], "missing_in_elasticsearch"),
        (keys[2], "missing_in_cassandra"), (keys[3], "missing_in_cassandra"),
        (keys[4], "older_in_cassandra"), (keys[5], "older_in_cassandra"),
        (keys[6], "older_in_elasticsearch"), (keys[7], "older_in_elasticsearch"),
        (keys[8], "different"), (keys[9], "unparsable"), ("not-a-uuid", "unparsable"),
        (lone, "missing_in_elasticsearch")}
    report, found = verify(caes)
    assert found == expected
    assert report["compared"] == 3002 and report["equal"] == 3002 - len(expected)
    assert report["older_in_elasticsearch"] == 2 and report["unparsable"] == 2
    versions = {k["key"]: (k["elasticsearch_version"], k["cassandra_version"])
                for k in report["keys"]}
    assert versions[keys[7]] == (version, version + 400), "the entry's version, not the write time's"
    assert versions[keys[0]] == (None, version)
    text = caes.command("verify", code=1).out
    assert "2 unparsable" in text and all(key in text for key, _ in expected)


def test_keys_to_a_file_and_memory(place, caes, filled, tmp_path):
    place.cql(f"TRUNCATE {place.keyspace}.data")
    file = tmp_path / "keys.jsonl"
    report, _ = verify(caes, "--keys-to", file, "--memory", "1M")
    assert report["missing_in_cassandra"] == 3000 and len(report["keys"]) == 1000
    lines = file.read_text().splitlines()
    assert len(lines) == 3000 and all('"missing_in_cassandra"' in line for line in lines)
    assert file.stat().st_mode & 0o777 == 0o600


def test_ranges_cover_everything_once(place, caes, filled):
    keys = random.sample(sorted(filled), 20)
    for key in keys:
        place.elastic.delete(place.index, key)
    low, high = -(2 ** 63), 2 ** 63 - 1
    cuts = [low, -3 * 10 ** 18, 0, 5 * 10 ** 18, high]
    found, compared = [], 0
    for a, b in zip(cuts, cuts[1:]):
        report, part = verify(caes, f"--range={a}..{b}")
        found += [key for key, _ in part]
        compared += report["compared"]
    assert sorted(found) == sorted(keys) and compared == 3000


def test_since_looks_at_what_was_written_since(place, caes, filled):
    version = now()
    old = random.choice(sorted(filled))
    place.elastic.delete(place.index, old)
    lone = [place.write_row(version, user="row"), place.put_doc(version, user="doc")]
    report, found = verify(caes, "--since", version)
    assert {key for key, _ in found} == set(lone) and report["compared"] == 2


def test_since_tells_the_highest_of_many_entries(place, caes):
    place.make_tables(COLUMNS)
    place.make_index(PROPERTIES, gc_deletes="0s")
    caes.configure(interval=0.1, sync={"settle": 0.2})
    keys = list(fill(place, 2600, VERSION))
    insert = place.session.prepare(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) "
                                   "VALUES (0, ?, ?) USING TTL 3600")
    entries = [(VERSION + 1 + n, uuid.UUID(key)) for key in keys for n in range(3)]
    random.shuffle(entries)
    for future in [place.session.execute_async(insert, entry) for entry in entries]:
        future.result()
    place.elastic.bulk(place.index, [(k, VERSION + 2, {"user": "x"}) for k in keys])
    file = caes.folder / "keys"
    report, _ = verify(caes, "--since", VERSION + 1, "--keys-to", file)
    assert report["compared"] == len(keys)
    versions = {json.loads(line)["cassandra_version"] for line in open(file)}
    assert versions == {VERSION + 3}


def test_a_sample_tells_how_sure_it_is(place, caes, filled):
    report, found = verify(caes, "--sample", "500")
    assert found == set() and 500 <= report["compared"] <= 1100
    assert 0 < report["share_at_most"] < 0.01 and report["confidence"] == 0.95
    for key in sorted(filled)[:1000]:
        place.elastic.delete(place.index, key)
    report, found = verify(caes, "--sample", "500")
    assert len(found) > 20 and report["share_at_most"] > len(found) / report["compared"]


def test_samples_are_others_each_time(place, caes, filled):
    """Of those that are in doubt; and they count the entries of their keys, and keep to a range."""
    later = VERSION + 500
    for key, content in sorted(filled.items())[:1500]:  # their entries are newer than their write times
        place.write_row(later + 100, key, timestamp=later * 1_000_000, **{**content, "likes": 7})
    samples = [verify(caes, "--sample", "100") for _ in range(2)]
    assert samples[0][1] != samples[1][1]
    for report, found in samples:
        assert found and {kind for _, kind in found} == {"older_in_elasticsearch"}
        assert {key["cassandra_version"] for key in report["keys"]} == {later + 100}
    low, high = -2**62, 0
    _, found = verify(caes, "--sample", "100", f"--range={low}..{high}")
    tokens = {str(row["did"]): row["t"] for row in place.session.execute(
        f"SELECT did, token(did) AS t FROM {place.keyspace}.data")}
    assert found and all(low < tokens[key] <= high for key, _ in found)


def test_wide_partitions_and_composite_keys(place, caes):
    """Rows of a partition come in the order of their clustering column, documents in that of text."""
    key = {"tenant": "text", "number": "int"}
    place.make_keyspace()
    place.columns, place.key_columns = {"user": "text"}, key
    place.cql(f"CREATE TABLE {place.keyspace}.data (tenant text, number int, user text, "
              "PRIMARY KEY (tenant, number))")
    place.cql(f"CREATE TABLE {place.keyspace}.ts (id int, timestamp int, tenant text, number int, "
              "PRIMARY KEY (id, timestamp, tenant, number))")
    place.make_index()
    caes.configure(CassandraConfig={"dataIdFieldName": ["tenant", "number"]}, interval=0.1,
                   sync={"settle": 0.2})
    version = now() - 1000
    records = [(t, n) for t in ("a|b", "c") for n in range(-700, 700)]
    insert = place.session.prepare(f"INSERT INTO {place.keyspace}.data (tenant, number, user) "
                                   f"VALUES (?, ?, ?) USING TIMESTAMP {version * 1000000}")
    for future in [place.session.execute_async(insert, [t, n, f"u{n}"]) for t, n in records]:
        future.result()
    text = {r: f"{r[0].replace('|', chr(92) + '|')}|{r[1]}" for r in records}
    place.elastic.bulk(place.index, [(text[r], version, {"user": f"u{r[1]}"}) for r in records
                                     if r not in (("c", 7), ("a|b", -7))])
    report, found = verify(caes, "--memory", "1M")
    assert report["compared"] == 2800
    assert found == {("c|7", "missing_in_elasticsearch"),
                     ("a\\|b|-7", "missing_in_elasticsearch")}


def test_writers_go_on(place, caes, filled):
    """What is only on its way to the other side is no difference, and neither is a version that was
    given twice, which is found when it leaves the overlap. (A row that gets a version which the key
    had before, while its document gets a newer one, is a dead letter: those have no documents.)"""
    caes.configure(sync={"settle": 0.2, "overlap": 10})
    caes.run()
    stop = threading.Event()

    def write():
        keys = sorted(filled)
        both, rows, given = keys[:1500], keys[1500:], {}
        while not stop.is_set():
            version, (key, other) = now(), random.sample(both, 2)
            place.write_row(version, random.choice(rows[:20]), user="again", likes=1)
            if given.get(key, 0) < version:
                place.write_row(version, key, user="again", likes=1)
                given[key] = version
            if given.get(other, 0) < version:
                place.elastic.bulk(place.index, [(other, version, {"user": "again", "likes": 2})])
                given[other] = version

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            report, found = verify(caes)
            assert found == set(), report
    finally:
        stop.set()
        writer.join()


def test_what_never_stands_still_is_no_difference(place, caes, filled):
    """A record that is written all the time, in Cassandra or in Elasticsearch, and one that is not."""
    caes.configure(interval=1, sync={"settle": 0.2, "overlap": 4})
    hot_row, hot_document, still = random.sample(sorted(filled), 3)
    place.elastic.delete(place.index, still)
    stop, written = threading.Event(), [time.monotonic()]

    def write():
        for n in itertools.count():
            place.write_row(now(), hot_row, user=f"row {n}", likes=1)
            place.elastic.put(place.index, hot_document, VERSION + 1 + n, {"user": f"document {n}"})
            written.append(time.monotonic())
            if stop.wait(0.5):
                return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(3):
            begun = len(written) - 1
            report, found = verify(caes)
            times = [*written[begun:], time.monotonic()]
            if max(b - a for a, b in zip(times, times[1:])) < 3:
                break  # else the writer itself stood still: longer than verify waits
    finally:
        stop.set()
        writer.join()
    assert found == {(still, "missing_in_elasticsearch")}
    assert report["still_changing"] == 2 and report["equal"] == 2997 and report["compared"] == 3000
    assert "2 still changing" not in caes.command("verify", code=1).out, "at rest now"


def test_progress_lines_and_rate(place, caes, filled):
    result = caes.command("verify", "--json", "--rate", "3000", code=0)
    lines = result.out.splitlines()
    assert len(lines) >= 2 and all(line.startswith('{"progress":') for line in lines[:-1])
    assert result.json["seconds"] >= 1.5


@pytest.mark.parametrize("words", [("--rate", "0"), ("--memory", "10"), ("--range", "5..1"),
                                   ("--sample", "x"), ("--keys-to", "/nowhere/at/all")])
def test_wrong_options(place, caes, words):
    place.make()
    result = caes.command("verify", *words, code=2)
    assert words[0] in result.err
