"""`load` copies everything that exists, and what is written meanwhile is not missed."""
import contextlib
import datetime
import fcntl
import http.server
import json
import os
import pty
import random
import re
import signal
import socket
import struct
import subprocess
import termios
import threading
import time
import uuid

import pytest
import requests
from proxy import Proxy
from state import dead_letters
from test_crash import Application
from support import Caes, eventually, now, token

COLUMNS = {"user": "text", "message": "text", "likes": "int"}
PROPERTIES = {"user": {"type": "keyword"}, "message": {"type": "keyword"},
              "likes": {"type": "integer"}}
OLD = now() - 5000
LONG = os.environ.get("CAES_TEST_LONG")


def content(n, size=20):
    return {"user": f"user {n}", "message": "m" * size, "likes": n}


def fill_rows(place, count, version=OLD, size=20, seconds=1_000_000):
    """Rows as applications wrote them an hour ago: their entries have expired."""
    insert = place.session.prepare(
        f"INSERT INTO {place.keyspace}.data (did, user, message, likes) VALUES (?, ?, ?, ?) "
        "USING TIMESTAMP ?")
    records, futures = {}, []
    for n in range(count):
        key, record = uuid.uuid4(), content(n, size)
        records[str(key)] = record
        futures.append(place.session.execute_async(
            insert, [key, *record.values(), version * seconds + n % seconds]))
        if len(futures) == 500:
            for future in futures:
                future.result()
            futures = []
    for future in futures:
        future.result()
    return records


def fill_documents(place, count, version=OLD, size=20):
    """Documents of versions long ago, and a last one of a while ago: a first cycle begins there."""
    records = {str(uuid.uuid4()): content(n, size) for n in range(count)}
    items = [(key, version + n % 1000, record) for n, (key, record) in enumerate(records.items())]
    place.put_doc(now() - 200, **content(-1))
    for i in range(0, count, 5000):
        place.elastic.bulk(place.index, items[i:i + 5000])
    return records


def documents(place):
    return {key: doc for key, (_, doc) in place.docs().items()}


@pytest.fixture
def ready(place, caes):
    place.make(columns=COLUMNS, properties=PROPERTIES)
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 5},
                   CassandraConfig={"ttl": 3600})
    return place


def load(caes, side, *words, code=0, timeout=180):
    return caes.command("load", "--from", side, "--json", *words, code=code, timeout=timeout).json


def test_from_cassandra(ready, caes):
    records = fill_rows(ready, 3000)
    report = load(caes, "cassandra")
    assert report["copied"] == report["records"] == 3000 and report["from"] == "cassandra"
    assert documents(ready) == records
    key = next(iter(records))
    assert ready.doc(key)[0] == OLD, "the write time in the unit of versions"
    again = load(caes, "cassandra")
    assert again["copied"] == 0 and again["superseded"] + again["unchanged"] == 3000
    assert caes.counts(caes.sync()) == {}


def test_from_elasticsearch(ready, caes):
    records = fill_documents(ready, 3000)
    report = load(caes, "elasticsearch")
    assert report["copied"] == 3000 and report["records"] == 3001
    assert ready.rows() == documents(ready) and records.items() <= ready.rows().items()
    assert ready.writetime(next(iter(records)), "user") == OLD * 1_000_000 + 1
    assert len(ready.entries()) == 1, "the write time tells the version"
    again = load(caes, "elasticsearch")
    assert again["copied"] == 0 and again["unchanged"] == 3001
    assert caes.counts(caes.sync()) == {}


def killed(caes, side, *words, after):
    """A load that is killed when so many records are copied; what it had said by then."""
    process = subprocess.Popen(caes.argv("load", "--from", side, "--json", *words), env=caes.env,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    last = {}
    for line in process.stdout:
        progress = json.loads(line).get("progress", {})
        last = progress if "copied" in progress else last
        if last.get("copied", -1) >= after:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert last and process.returncode == -signal.SIGKILL, last
    return last


@pytest.mark.parametrize("side", ["cassandra", "elasticsearch"])
def test_killed_it_goes_on_where_it_was(ready, caes, side):
    count = 12000
    records = (fill_rows if side == "cassandra" else fill_documents)(ready, count)
    target = (lambda: len(ready.docs())) if side == "cassandra" else (lambda: len(ready.rows()))
    killed(caes, side, "--rate", 1500, after=3000)
    first = target()
    assert 3000 <= first < count
    killed(caes, side, "--rate", 1500, "--resume", after=2000)
    second = target()
    assert first + 1000 <= second < count
    report = load(caes, side, "--resume")
    assert report["resumed"]
    copied, repeated = report["copied"], report["superseded"] + report["unchanged"]
    assert copied + repeated + second >= count, "a bulk on its way may land after second was counted"
    assert report["records"] <= count - second + count // 16 + 5, "a part at most is repeated"
    assert repeated <= count // 16 + 5
    found = documents(ready) if side == "cassandra" else ready.rows()
    assert records.items() <= found.items() and len(found) <= count + 1
    assert load(caes, side, "--resume")["resumed"] is False, "there is nothing to go on with"


def test_without_resume_it_begins_anew(ready, caes):
    records = fill_rows(ready, 6000)
    killed(caes, "cassandra", "--rate", 1000, after=1000)
    result = caes.command("load", "--from", "cassandra")
    assert "--resume would have gone on" in result.err and "6,000 records" in result.out
    assert documents(ready) == records


def test_rate_and_progress(ready, caes):
    fill_rows(ready, 3000)
    started = time.monotonic()
    result = caes.command("load", "--from", "cassandra", "--json", "--rate", 1000)
    assert 2.5 < time.monotonic() - started < 12
    lines = [json.loads(line) for line in result.out.splitlines()]
    assert all("progress" in line for line in lines[:-1]) and len(lines) >= 4
    told = [line["progress"] for line in lines[:-1]]
    assert [p["records"] for p in told] == sorted(p["records"] for p in told)
    assert told[-1]["share"] == 1 and 0 < told[0]["share"] < 1 and told[0]["left_s"] > 0
    assert told[-1]["bytes"] > 100000 and told[-1]["waited_s"]["elasticsearch"] >= 0
    place = ready
    place.elastic.drop(place.index)
    place.make_index(PROPERTIES)
    plain = caes.command("load", "--from", "cassandra", "--rate", 400, timeout=60)
    assert "copy:" in plain.err and "records" in plain.err, "a line every 5 s"
    assert plain.out.startswith("3,000 records: 3,000 copied")


def test_newer_documents_are_left_alone(ready, caes):
    """Whatever is there with a higher version stays, and so do fields that no column takes."""
    place = ready
    place.elastic.drop(place.index)
    place.make_index({**PROPERTIES, "tags": {"type": "keyword"}})
    records = fill_rows(place, 2000)
    keys = sorted(records)
    newer, extra, equal = keys[:100], keys[100:200], keys[200:300]
    place.elastic.bulk(place.index, [(k, OLD + 50, {"user": "newer"}) for k in newer])
    place.elastic.bulk(place.index, [(k, OLD - 50, {"user": "older", "tags": ["kept"]})
                                     for k in extra])
    place.elastic.bulk(place.index, [(k, OLD - 50, records[k]) for k in equal])
    report = load(caes, "cassandra")
    assert report["copied"] == 1800 and report["superseded"] == 100 and report["unchanged"] == 100
    expected = {**records, **{k: {"user": "newer"} for k in newer},
                **{k: {**records[k], "tags": ["kept"]} for k in extra}}
    assert documents(place) == expected
    assert place.doc(extra[0])[0] == OLD and place.doc(equal[0])[0] == OLD - 50


@pytest.mark.parametrize("tie", ["cassandra", "elasticsearch"])
def test_ties_in_a_closed_mapping(place, caes, tie):
    """What is there is looked at where it is Cassandra's turn: other content of the same version."""
    place.make_tables(COLUMNS)
    place.elastic.call("PUT", f"/{place.index}", {"mappings": {
        "dynamic": "strict", "properties": {**PROPERTIES, "timestamp": {"type": "long"}}}})
    caes.configure(sync={"settle": 0.3, "overlap": 5, "tie": tie})
    rows = fill_rows(place, 20)
    other = {key: {"user": "by Elasticsearch"} for key in list(rows)[:10]}
    last = place.put_doc(now() - 200, user="a first cycle begins there")
    place.elastic.bulk(place.index, [(key, OLD, doc) for key, doc in other.items()])
    load(caes, "cassandra")
    found = documents(place)
    del found[last]
    assert found == (rows if tie == "cassandra" else {**rows, **other})


def test_newer_rows_are_left_alone(ready, caes):
    place = ready
    records = fill_documents(place, 2000)
    keys = sorted(records)
    newer, older, deleted = keys[:100], keys[100:200], keys[200:300]
    put = place.session.prepare(f"INSERT INTO {place.keyspace}.data (did, user, message) "
                                "VALUES (?, ?, ?) USING TIMESTAMP ?")
    for k in newer:
        place.session.execute(put, [uuid.UUID(k), "newer", "", (OLD + 2000) * 1_000_000])
    for k in older:
        place.session.execute(put, [uuid.UUID(k), "older", "old", (OLD - 50) * 1_000_000])
    for k in deleted:
        place.cql(f"DELETE FROM {place.keyspace}.data USING TIMESTAMP {(OLD + 2000) * 1_000_000} "
                  "WHERE did = %s", [uuid.UUID(k)])
    shorter = older[0]
    place.elastic.put(place.index, shorter, OLD + 1500, {"user": "no message"})
    report = load(caes, "elasticsearch")
    assert report["superseded"] == 100
    rows = place.rows()
    assert all(rows[k] == {"user": "newer", "message": ""} for k in newer)
    assert all(rows[k] == records[k] for k in older[1:]) and not rows.keys() & set(deleted)
    assert rows[shorter] == {"user": "no message"}, "columns that the document lacks are cleared"
    assert all(rows[k] == records[k] for k in keys[300:])


@pytest.mark.parametrize("query", [None, "INSERT INTO other (user) VALUES (%(user)s)"])
def test_documents_that_are_marked_as_deleted(ready, caes, query):
    """They delete rows that are older; no cycle looks at either."""
    place = ready
    place.elastic.drop(place.index)
    place.make_index({**PROPERTIES, "gone": {"type": "boolean"}})
    place.cql(f"CREATE TABLE {place.keyspace}.other (user text PRIMARY KEY)")
    caes.configure(ElasticSearchConfig={"deletedFieldName": "gone"},
                   CassandraConfig={"insertQuery": query})
    rows = fill_rows(place, 60)
    older, newer, kept = (sorted(rows)[i:i + 20] for i in (0, 20, 40))
    none = [str(uuid.uuid4()) for _ in range(20)]
    place.put_doc(now() - 200, user="last")
    place.elastic.bulk(place.index, [
        *((key, OLD + 50, {"gone": True}) for key in [*older, *none]),
        *((key, OLD - 50, {"gone": True}) for key in newer),
        *((key, OLD + 50, {"user": "kept", "gone": False}) for key in kept)])
    report = load(caes, "elasticsearch")
    assert report["deleted"] == report["superseded"] == report["copied"] == 20
    left = place.rows()
    assert not left.keys() & {*older, *none} and {*newer, *kept} <= left.keys()
    assert all(left[key] == rows[key] for key in newer)
    assert all(left[key] == {"user": "kept"} for key in kept)
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES ({older[0]}, 'late') USING "
              f"TIMESTAMP {(OLD + 49) * 1_000_000}")
    assert place.row(older[0]) is None, "at the time of its version"
    assert load(caes, "elasticsearch")["deleted"] == 0


def test_entries_tell_the_version_of_rows(ready, caes):
    """An entry that is still there goes before the write time, which may be that of a copy."""
    place = ready
    late = place.write_row(OLD, user="by entry", timestamp=(OLD + 1000) * 1_000_000)
    docs = fill_documents(place, 10)
    both = sorted(docs)[0]
    place.write_row(OLD - 100, both, user="by entry", timestamp=(OLD + 1000) * 1_000_000)
    assert load(caes, "cassandra")["copied"] == 1
    assert place.doc(late) == (OLD, {"user": "by entry"})
    load(caes, "elasticsearch")
    assert place.row(both) == docs[both], "its write time would have been the higher one"


def test_dead_letters(ready, caes):
    place = ready
    records = fill_documents(place, 500)
    bad = [place.put_doc(OLD + n, user=["a", "list"]) for n in range(20)]
    place.put_doc(OLD, "not-a-uuid", user="bad")
    report = load(caes, "elasticsearch", code=1)
    assert report["dead"] == 21 and report["copied"] == 500
    letters = dead_letters(caes)
    assert {key for key, _ in letters} == {*bad, "not-a-uuid"} and len(letters) == 21
    assert "user" in letters[bad[0], OLD]
    assert records.items() <= place.rows().items()


def test_refused_documents_are_dead_letters(ready, caes):
    place = ready
    place.elastic.drop(place.index)
    place.make_index({**PROPERTIES, "user": {"type": "date"}})
    rows = fill_rows(place, 50)
    report = load(caes, "cassandra", code=1)
    assert report["dead"] == 50 and report["copied"] == 0
    letters = caes.command("dlq", "list", "--json", code=1).json["dead_letters"]
    assert {letter["key"] for letter in letters} == set(rows)
    shown = caes.command("dlq", "show", letters[0]["key"], "--json").json["dead_letters"][0]
    assert shown["payload"] == rows[letters[0]["key"]]


def test_too_many_dead_letters_stop_it(ready, caes):
    caes.configure(deadLetters={"max": 10})
    for n in range(50):
        ready.put_doc(OLD, f"not-a-uuid-{n}", user="bad")
    ready.put_doc(now() - 200, user="last")
    result = caes.command("load", "--from", "elasticsearch", code=1)
    assert "deadLetters.max" in result.err and "--resume" in result.err


def test_the_daemon_does_it(ready, caes):
    """Asked through its socket; one load at a time; with the daemon killed it goes on in the next
    one, or in a command; who interrupts the command stops it."""
    records = fill_rows(ready, 12000)
    daemon = caes.run()
    eventually(lambda: caes.command("status", code=None).code != 4)
    argv = caes.argv("load", "--from", "cassandra", "--rate", "1000", "--relax")
    first = subprocess.Popen(argv, env=caes.env, stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(ready.docs()) >= 1000)
    assert "running already" in caes.command("load", "--from", "elasticsearch", code=4).err
    daemon.kill()
    assert first.wait(20) != 0, first.stderr.read()
    second = len(ready.docs())
    caes.run()
    eventually(lambda: settings(ready)[0] != "-1")
    more = subprocess.Popen([*argv, "--resume"], env=caes.env, stderr=subprocess.PIPE, text=True)
    eventually(lambda: len(ready.docs()) >= second + 1000)
    more.send_signal(signal.SIGINT)
    more.wait(20)
    eventually(lambda: settings(ready)[0] != "-1")
    # 4: it is ending still
    report = eventually(lambda: (done := caes.command("load", "--from", "cassandra", "--json", "--resume",
                                                      code=None)).code != 4 and done).json
    assert report["resumed"] and report["records"] < 12000 - second
    assert documents(ready) == records


def on_terminal(caes, columns, *words):
    """What a command writes to a terminal: (exit code, text)."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(caes.argv(*words), env=caes.env, stdin=child, stdout=child,
                               stderr=child)
    os.close(child)
    text = b""
    with contextlib.suppress(OSError):  # the other end was closed
        while part := os.read(parent, 65536):
            text += part
    os.close(parent)
    return process.wait(20), text.decode()


@pytest.mark.parametrize("columns", [80, 150])
def test_the_bar(ready, caes, columns):
    """Drawn in place on a line of its own, and gone at the end."""
    fill_rows(ready, 6000)
    ready.cql(f"INSERT INTO {ready.keyspace}.data (did, user) VALUES (uuid(), 'a') "
              f"USING TIMESTAMP {(now() + 100000) * 1_000_000}")
    code, text = on_terminal(caes, columns, "--log-level", "error", "load", "--from", "cassandra",
                             "--rate", "2000")
    frames = re.findall(r"(\[([#.]+)\] +(\d+) %  ([^\r\n]*))\r", text)
    assert len(frames) >= 3 and all(len(frame[0].rstrip()) <= columns for frame in frames), text
    done = [int(frame[2]) for frame in frames]
    assert done == sorted(done) and done[0] < 50 < done[-1]
    assert {len(frame[1]) for frame in frames} == {10 if columns == 80 else 24}
    middle = next(frame for frame in frames if int(frame[2]) > 30)
    assert re.fullmatch(r"[\d,]+ records [\d,]+/s [\d.]+ [KM]B \d+ s left( \d+ dead)? C\* \d+ s "
                        r"ES \d+ s *", middle[3]), middle
    last = text.split("\r")[-2:]
    assert "".join(last).strip().startswith("6,001 records: 6,000 copied") and code == 1, last


def settings(place):
    found = place.elastic.call("GET", f"/{place.index}/_settings")[place.index]["settings"]["index"]
    return found.get("refresh_interval"), found["number_of_replicas"]


def test_relaxed_settings_are_restored(ready, caes):
    place = ready
    place.elastic.call("PUT", f"/{place.index}/_settings", {
        "index": {"refresh_interval": "7s", "number_of_replicas": 1}})
    fill_rows(place, 6000)
    load(caes, "cassandra", "--relax")
    assert settings(place) == ("7s", "1")
    killed(caes, "cassandra", "--relax", "--rate", 1000, after=0)
    assert settings(place) == ("-1", "0")
    caes.command("dlq", "list")
    assert settings(place) == ("7s", "1")
    place.elastic.call("PUT", f"/{place.index}/_settings", {"index": {"refresh_interval": None}})
    process = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--relax", "--rate", 1000),
                               env=caes.env, stderr=subprocess.PIPE, text=True)
    eventually(lambda: settings(place) == ("-1", "0"))
    process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 1 and "--resume" in process.stderr.read()
    assert settings(place) == (None, "1")
    killed(caes, "cassandra", "--relax", "--rate", 1000, after=0)
    caes.run()
    eventually(lambda: settings(place) == (None, "1"))


@pytest.mark.parametrize("words", [(), ("--from", "nowhere"), ("--from", "cassandra", "--rate", "0"),
                                   ("--from", "elasticsearch", "--relax")])
def test_wrong_words(place, caes, words):
    result = caes.command("load", *words, code=2)
    assert len(result.err.splitlines()) == 1


# --- while others write

def old_ms():
    return (now() - 3000) * 1000


def fill_both(place, count):
    """Old records: some on either side only, some on both with another version on each."""
    version, expected = old_ms(), {}
    insert = place.session.prepare(f"INSERT INTO {place.keyspace}.data (did, user, message) "
                                   "VALUES (?, ?, ?) USING TIMESTAMP ?")
    docs, futures = [], []
    for n in range(count):
        key, row, doc = str(uuid.uuid4()), n % 3 != 1, n % 3 != 2
        row_version, doc_version = version + 2 * n, version + 2 * n + (1 if n % 2 else -1)
        of_row = {"user": f"old row {n}", "message": "c"}
        of_doc = {"user": f"old document {n}", "message": "e"}
        if row:
            futures.append(place.session.execute_async(
                insert, [uuid.UUID(key), *of_row.values(), row_version * 1000]))
        if doc:
            docs.append((key, doc_version, of_doc))
        expected[key] = of_doc if doc and (not row or doc_version > row_version) else of_row
    for future in futures:
        future.result()
    place.elastic.bulk(place.index, docs)
    return expected


@pytest.mark.parametrize("guard", ["snapshot", "timestamp"])
@pytest.mark.parametrize("first", ["cassandra", "elasticsearch"])
def test_load_then_run_while_others_write(place, caes, guard, first):
    """Equal at the end, with everything that was there before and that was acknowledged since. The
    first load is killed twice."""
    place.make(version_type="bigint")
    caes.configure(interval=0.2, sync={"versionUnit": "ms", "overlap": "10s", "settle": 1},
                   CassandraConfig={"guard": guard, "deleteSettle": 3, "maxDeletes": 100000})
    before = fill_both(place, 3000)
    application = Application(place, own_write_times=guard == "timestamp")
    application.hot = random.sample(sorted(before), 60)
    application.order = {key: threading.Lock() for key in application.hot}
    second = "elasticsearch" if first == "cassandra" else "cassandra"
    with application:
        time.sleep(1)
        killed(caes, first, "--rate", 250, after=300)
        killed(caes, first, "--rate", 250, "--resume", after=300)
        assert load(caes, first, "--rate", 500, "--resume")["resumed"]
        load(caes, second, "--rate", 500)
        daemon = caes.run()
        time.sleep(2)
    expected = before | {key: content for key, (_, content) in application.acknowledged.items()}
    expected = {key: content for key, content in expected.items() if content is not None}
    assert not application.failures

    def differences():
        rows, docs = place.rows(), documents(place)
        return {key: (application.acknowledged.get(key), before.get(key), rows.get(key),
                      place.doc(key))
                for key in expected.keys() | rows.keys() | docs.keys()
                if not expected.get(key) == rows.get(key) == docs.get(key)}

    deadline = time.monotonic() + 60
    while (different := differences()) and time.monotonic() < deadline:
        time.sleep(1)
    assert not different, f"{len(different)} of {len(expected)}: {list(different.items())[:5]}"
    assert daemon.stop() == 0
    assert dead_letters(caes) == {}


def test_through_the_running_daemon(ready, caes):
    caes.run()
    records = fill_rows(ready, 3000)
    eventually(lambda: caes.command("status", code=None).code == 0)
    result = caes.command("load", "--from", "cassandra", "--json")
    assert result.json["copied"] == 3000
    assert documents(ready) == records
    docs = fill_documents(ready, 2000, version=OLD - 3000)
    report = load(caes, "elasticsearch")
    assert report["copied"] == 2001
    assert docs.items() <= ready.rows().items()
    slow = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--json", "--rate", "100"),
                            env=caes.env, stdout=subprocess.PIPE, text=True)
    slow.stdout.readline()  # it is at work
    assert "running already" in caes.command("load", "--from", "cassandra", code=4).err
    slow.send_signal(signal.SIGINT)
    slow.communicate()
    eventually(lambda: load(caes, "cassandra", "--resume", code=None).get("resumed"))


# --- options

def test_time_to_live_travels(place, caes):
    place.make(columns=COLUMNS, properties={**PROPERTIES, "lives": {"type": "integer"}})
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3},
                   CassandraConfig={"ttlFieldName": "lives"})
    row, forever = str(uuid.uuid4()), str(uuid.uuid4())
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user, message) VALUES ({row}, 'a', 'b') "
              f"USING TIMESTAMP {OLD * 1_000_000} AND TTL 5000")
    place.cql(f"UPDATE {place.keyspace}.data USING TIMESTAMP {OLD * 1_000_000} AND TTL 4000 "
              f"SET likes = 1 WHERE did = {row}")
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES ({forever}, 'a') "
              f"USING TIMESTAMP {OLD * 1_000_000}")
    doc = place.put_doc(OLD, user="doc", lives=3000)
    wrong = place.put_doc(OLD, user="doc", lives=-5)
    place.put_doc(now() - 200, user="last")
    load(caes, "cassandra")
    assert 3900 < place.doc(row)[1]["lives"] <= 4000, "the least of the columns"
    assert place.doc(forever) == (OLD, {"user": "a"})
    assert load(caes, "elasticsearch", code=1)["dead"] == 1

    def ttl(key):
        return place.cql(f"SELECT TTL(user) AS t FROM {place.keyspace}.data WHERE did = {key}"
                         )[0]["t"]
    assert 2900 < ttl(doc) <= 3000 and place.row(wrong) is None
    fresh = place.put_doc(now(), user="by the daemon", lives=2000)
    written = place.write_row(now(), user="by the daemon")
    place.cql(f"UPDATE {place.keyspace}.data USING TTL 1000 SET likes = 1 WHERE did = {written}")
    time.sleep(1)
    caes.sync()
    assert 1900 < ttl(fresh) <= 2000
    assert 900 < place.doc(written)[1]["lives"] <= 1000


def test_time_to_live_that_does_not_travel_is_said(ready, caes):
    ready.cql(f"INSERT INTO {ready.keyspace}.data (did, user) VALUES (uuid(), 'a') "
              f"USING TIMESTAMP {OLD * 1_000_000} AND TTL 5000")
    result = caes.command("load", "--from", "cassandra")
    assert "ttlFieldName" in result.err and "1 records: 1 copied" in result.out


@pytest.mark.parametrize("kind", ["bigint", "timestamp"])
def test_version_column(place, caes, kind):
    """It goes before the write time, and copies fill it."""
    place.make(columns={"user": "text", "v": kind}, properties={"user": {"type": "keyword"}})
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3},
                   CassandraConfig={"versionColumn": "v"})
    unit = 1000 if kind == "timestamp" else 1
    key = str(uuid.uuid4())
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user, v) VALUES ({key}, 'row', "
              f"{(OLD + 7) * unit}) USING TIMESTAMP {OLD * 1_000_000}")
    doc = place.put_doc(OLD + 9, user="doc")
    fresh = place.put_doc(now() - 200, user="new")
    assert load(caes, "cassandra")["copied"] == 1
    assert place.doc(key) == (OLD + 7, {"user": "row"})
    load(caes, "elasticsearch")

    def version(of):
        return place.cql(f"SELECT CAST(v AS bigint) AS v FROM {place.keyspace}.data "
                         f"WHERE did = {of}")[0]["v"] if kind == "bigint" else \
            int(place.row(of)["v"].replace(tzinfo=datetime.timezone.utc).timestamp()) * unit
    assert version(doc) == (OLD + 9) * unit
    assert version(fresh) == place.doc(fresh)[0] * unit, "a copy of the cycles"


def test_versions_that_are_no_time(place, caes):
    place.make(columns={"user": "text", "v": "bigint"}, properties={"user": {"type": "keyword"}})
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3, "versionUnit": "none"},
                   CassandraConfig={"versionColumn": None})
    key, other = place.write_row(50, user="row"), str(uuid.uuid4())
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user, v) VALUES ({other}, 'x', 7)")
    result = caes.command("load", "--from", "cassandra", code=2)
    assert "versionColumn" in result.err and other in result.err
    caes.configure(CassandraConfig={"versionColumn": "v"})
    old, last = place.put_doc(3, user="old doc"), place.put_doc(70, user="last")
    gone = place.put_doc(5, user="gone")
    place.delete_row(8, gone)
    time.sleep(0.5)
    load(caes, "cassandra")
    assert place.doc(other) == (7, {"user": "x"})
    load(caes, "elasticsearch")
    rows = {key: row["user"] for key, row in place.rows().items()}
    assert rows == {key: "row", other: "x", old: "old doc", last: "last"}
    assert (3, old) in place.entries()


def test_insert_query_goes_with_every_copy(ready, caes):
    ready.cql(f"CREATE TABLE {ready.keyspace}.by_user (user text PRIMARY KEY, likes int)")
    caes.configure(CassandraConfig={
        "insertQuery": "INSERT INTO by_user (user, likes) VALUES (%(user)s, %(likes)s)"})
    records = fill_documents(ready, 300)
    assert load(caes, "elasticsearch")["copied"] == 300
    found = {row["user"]: row["likes"] for row in
             ready.cql(f"SELECT * FROM {ready.keyspace}.by_user")}
    assert {r["user"]: r["likes"] for r in records.values()}.items() <= found.items()
    assert records.items() <= ready.rows().items()


def replicas(place, count):
    place.cql(f"ALTER KEYSPACE {place.keyspace}_other WITH replication = "
              f"{{'class': 'SimpleStrategy', 'replication_factor': {count}}}")


@pytest.fixture
def elsewhere(ready, caes):
    """With an insertQuery whose table may lack replicas: rows are written, its statements fail."""
    other = f"{ready.keyspace}_other"
    ready.cql(f"CREATE KEYSPACE {other} WITH replication = "
              "{'class': 'SimpleStrategy', 'replication_factor': 1}")
    ready.cql(f"CREATE TABLE {other}.by_user (user text PRIMARY KEY, likes int)")
    caes.configure(CassandraConfig={"consistency": "LOCAL_QUORUM", "insertQuery":
        f"INSERT INTO {other}.by_user (user, likes) VALUES (%(user)s, %(likes)s)"})
    yield ready
    ready.cql(f"DROP KEYSPACE {other}")


def by_user(place):
    rows = place.cql(f"SELECT * FROM {place.keyspace}_other.by_user")
    return {row["user"]: row["likes"] for row in rows}


@pytest.mark.parametrize("tie", ["cassandra", "elasticsearch"])
@pytest.mark.parametrize("kill", [False, True])
def test_insert_query_that_failed_behind_its_row_is_sent_again(elsewhere, caes, tie, kill):
    place = elsewhere
    caes.configure(sync={"tie": tie})
    records = fill_documents(place, 300)
    assert caes.counts(caes.sync()) == {"to_cassandra.copied": 1}, "the last one"
    replicas(place, 9)
    words = ("load", "--from", "elasticsearch", "--json")
    process = subprocess.Popen(caes.argv(*words), env=caes.env, stdout=subprocess.PIPE, text=True)
    eventually(lambda: len(place.rows()) >= 150)
    time.sleep(1)
    if kill:
        process.kill()
        process.wait()
    replicas(place, 1)
    if kill:
        load(caes, "elasticsearch", "--resume")
    else:
        process.communicate(timeout=60)
        assert process.returncode == 0
    assert {r["user"]: r["likes"] for r in records.values()}.items() <= by_user(place).items()
    assert records.items() <= place.rows().items()
    assert load(caes, "elasticsearch")["copied"] == 0, "equal now, and known to be"


def test_a_server_without_sequence_numbers(place2, caes2):
    """Elasticsearch 2.4.6: parts by versions, `_timestamp` and scroll."""
    place2.make()
    caes2.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3})
    keys = [str(uuid.uuid4()) for _ in range(3000)]
    expected = {k: {"user": f"u{n}", "message": "m"} for n, k in enumerate(keys)}
    place2.elastic.bulk(place2.index, [(k, OLD + n // 3, expected[k])
                                       for n, k in enumerate(keys)])
    place2.put_doc(now() - 200, user="last")
    assert load(caes2, "elasticsearch")["copied"] == 3000
    assert expected.items() <= place2.rows().items()
    rows = {}
    for n in range(200):
        key = uuid.uuid4()
        rows[str(key)] = {"user": f"r{n}"}
        place2.cql(f"INSERT INTO {place2.keyspace}.data (did, user) VALUES (%s, %s) "
                   f"USING TIMESTAMP {OLD * 1_000_000}", [key, f"r{n}"])
    report = load(caes2, "cassandra", "--relax")
    assert report["copied"] == 200
    assert rows.items() <= {k: d for k, (_, d) in place2.docs().items()}.items()


def test_what_was_left_out_before_a_kill_is_told(place2, caes2):
    """Documents without a version (2.x), and dead letters."""
    place2.make_tables()
    elastic, kind = place2.elastic, place2.elastic.type
    elastic.call("PUT", f"/{place2.index}", {"mappings": {kind: {
        "properties": {"user": {"type": "string", "index": "not_analyzed"}}}}})
    for n in range(5):
        elastic.call("PUT", f"/{place2.index}/{kind}/{uuid.uuid4()}", {"user": "no version"})
    elastic.call("PUT", f"/{place2.index}/_mapping/{kind}", {
        kind: {"_timestamp": {"enabled": True}}})
    caes2.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3})
    elastic.bulk(place2.index, [*((f"no-uuid-{n}", OLD, {"user": "u"}) for n in range(3)),
                                *((str(uuid.uuid4()), OLD + n // 3, {"user": "u"})
                                  for n in range(4000))])
    place2.put_doc(now() - 200, user="last")
    killed(caes2, "elasticsearch", "--rate", 700, after=2000)
    assert caes2.command("dlq", "list", "--json", code=1).json["count"] == 3
    report = load(caes2, "elasticsearch", "--resume", code=1)
    assert report["resumed"] and report["dead_before"] == 3 and report["left_out"] == 5


def test_several_shards(place, caes):
    """Each of them counts for itself: many documents have the same sequence number."""
    place.make_tables(columns=COLUMNS)
    place.make_index(PROPERTIES, shards=5)
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3})
    records = fill_documents(place, 4000)
    report = load(caes, "elasticsearch")
    assert report["copied"] == 4000 and report["records"] == 4001
    assert records.items() <= place.rows().items()


def test_documents_without_the_version_field(ready, caes):
    """A search by version does not find them; a load does."""
    lines = "".join(f'{{"index":{{"_id":"{uuid.uuid4()}"}}}}\n{{"user":"bare {n}"}}\n'
                    for n in range(100))
    ready.elastic.call("POST", f"/{ready.index}/_bulk", lines.encode())
    ready.put_doc(now() - 200, user="last")
    assert load(caes, "elasticsearch")["copied"] == 100
    assert len(ready.rows()) == 101


def test_a_gap_is_closed_from_cassandra(place, caes):
    """Entries that expired unseen are made good by a load of all rows; not by one of documents."""
    place.make(columns=COLUMNS, properties=PROPERTIES)
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 2}, CassandraConfig={"ttl": 3})
    caes.sync()
    lost = place.write_row(now(), ttl=1, user="lost", likes=1)
    time.sleep(4)
    caes.sync(code=1)
    load(caes, "elasticsearch")
    assert caes.sync(code=1).code == 1

    def closed():  # there is another gap when the test itself stands still for 3 s
        load(caes, "cassandra")
        return caes.sync(code=None).code == 0

    eventually(closed)
    assert place.doc(lost)[1] == {"user": "lost", "likes": 1}


def test_a_load_that_waited_too_long_begins_anew(place, caes):
    """Entries that no cycle saw have expired meanwhile: the old border means nothing any more."""
    place.make(columns=COLUMNS, properties=PROPERTIES)
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 2}, CassandraConfig={"ttl": 3})
    records = fill_rows(place, 4000)
    killed(caes, "cassandra", "--rate", 500, after=1000)
    records[place.write_row(now(), ttl=1, user="meanwhile", likes=1)] = {
        "user": "meanwhile", "likes": 1}
    time.sleep(4)
    result = caes.command("load", "--from", "cassandra", "--resume", "--json")
    assert "begins anew" in result.out and result.json["resumed"] is False
    assert documents(place) == records


def test_another_index_begins_anew(ready, caes):
    records = fill_rows(ready, 4000)
    killed(caes, "cassandra", "--rate", 500, after=1000)
    ready.elastic.drop(ready.index)
    ready.make_index(PROPERTIES)
    result = caes.command("load", "--from", "cassandra", "--resume")
    assert "another one by now" in result.err
    assert documents(ready) == records


@pytest.mark.parametrize("side", ["cassandra", "elasticsearch"])
def test_an_index_that_is_replaced_meanwhile_is_no_end(ready, caes, side):
    """Its alias moves to an empty one: what was copied before is not there, or what is left can't
    be read any more."""
    place, elastic = ready, ready.elastic
    records = (fill_rows if side == "cassandra" else fill_documents)(place, 3000)
    elastic.create(place.index + "-new", PROPERTIES)
    try:
        elastic.call("POST", "/_aliases", {"actions": [
            {"add": {"index": place.index, "alias": place.index + "-alias"}}]})
        caes.configure(ElasticSearchConfig={"index": place.index + "-alias"})
        process = subprocess.Popen(
            caes.argv("load", "--from", side, "--json", "--rate", 1000), env=caes.env,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        said = iter(json.loads(line).get("progress", {}) for line in process.stdout)
        assert any(progress.get("copied", 0) >= 1000 for progress in said)
        elastic.call("POST", "/_aliases", {"actions": [
            {"remove": {"index": place.index, "alias": place.index + "-alias"}},
            {"add": {"index": place.index + "-new", "alias": place.index + "-alias"}}]})
        told = process.communicate(timeout=60)[1]
        assert process.returncode == 1 and "is another one by now: load again" in told, told
        result = caes.command("load", "--from", side, "--resume")
        assert "begins anew: the table or the index is another one" in result.err
        if side == "cassandra":
            assert {key: doc for key, (_, doc) in elastic.all(place.index + "-new").items()} \
                == records
    finally:
        elastic.drop(place.index + "-new")


def test_another_configuration_begins_anew(place, caes):
    """What was copied already is looked at with the versions of the new one."""
    place.make(columns={"user": "text", "v": "bigint"}, properties={"user": {"type": "keyword"}})
    caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3})
    insert = place.session.prepare(f"INSERT INTO {place.keyspace}.data (did, user, v) "
                                   f"VALUES (?, 'row', ?) USING TIMESTAMP {OLD * 1_000_000}")
    for future in [place.session.execute_async(insert, [uuid.uuid4(), OLD + 100])
                   for _ in range(4000)]:
        future.result()
    killed(caes, "cassandra", "--rate", 500, after=1000)
    caes.configure(CassandraConfig={"versionColumn": "v"})
    changed = random.choice(sorted(place.docs()))
    place.elastic.put(place.index, changed, OLD + 50, {"user": "older than the row by now"})
    result = caes.command("load", "--from", "cassandra", "--resume")
    assert "columns or configuration" in result.err and "4,000 records" in result.out
    assert place.doc(changed) == (OLD + 100, {"user": "row"})


def resources(pid):
    """MiB at most, CPU seconds."""
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        peak = next((int(line.split()[1]) for line in status if line.startswith("VmHWM")), 0)
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return peak / 1024, (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not LONG, reason="long")
@pytest.mark.parametrize("side", ["cassandra", "elasticsearch"])
def test_many_records_with_two_kills(place, caes, side):
    """300,000 records of about 300 bytes: complete and equal, a part at most repeated each time,
    memory bounded."""
    count, part = 300000, 300000 // 15
    place.make(columns=COLUMNS, properties=PROPERTIES)
    fill = fill_rows if side == "cassandra" else fill_documents
    records = fill(place, count, size=220)
    peaks, cpu, started, looked = [], 0.0, time.monotonic(), 0
    for limit in (60000, 60000, None):
        words = [] if not peaks else ["--resume"]
        process = subprocess.Popen(caes.argv("load", "--from", side, "--json", *words),
                                   env=caes.env, stdout=subprocess.PIPE, text=True)
        used = [0.0, 0.0]
        for line in process.stdout:
            answer = json.loads(line)
            if process.poll() is None:  # may end right now
                used = [max(pair) for pair in zip(used, resources(process.pid))]
            copied = answer.get("progress", {}).get("copied", 0)
            if limit and copied >= limit:
                process.kill()
                looked += answer["progress"]["records"]
        assert process.wait() == (-signal.SIGKILL if limit else 0)
        peaks.append(used[0])
        cpu += used[1]
    report = answer
    print(f"{side}: {time.monotonic() - started:.1f} s in all, the last run "
          f"{report['records'] / report['seconds']:.0f} records/s, RSS {max(peaks):.0f} MiB, "
          f"CPU {cpu:.2f} s, {looked + report['records'] - count} records looked at again")
    repeated = report["superseded"] + report["unchanged"]
    assert report["resumed"] and max(peaks) < 96
    assert looked + report["records"] <= count + 2 * part + 1 and repeated <= part + 1
    found = documents(place) if side == "cassandra" else place.rows()
    assert len(found) - count in (0, 1) and records.items() <= found.items()


# --- servers in trouble

def test_a_server_that_is_away_when_entries_are_read_again_is_said(ready, caes):
    place = ready
    fill_rows(place, 100)
    place.cql(f"INSERT INTO {place.keyspace}.data (did, user) VALUES (uuid(), 'may have an entry')")
    with Proxy(place.servers.cassandra_hosts[0], place.servers.cassandra_port) as proxy:
        caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": proxy.port,
                                        "requestTimeout": 1, "connectTimeout": 1})
        process = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--json"), env=caes.env,
                                   stdout=subprocess.PIPE, text=True)
        said = iter(json.loads(line).get("progress", {}) for line in process.stdout)
        assert any(progress.get("phase") == "wait" for progress in said)
        proxy.cut()
        threading.Timer(15, proxy.mend).start()
        notes = [progress["note"] for progress in said if "note" in progress]
        assert process.wait(60) == 0
    assert [note for note in notes if note.startswith("waits: ")], notes
    assert len(documents(place)) == 101


class Overloaded(http.server.BaseHTTPRequestHandler):
    """In front of Elasticsearch: of three bulks one is refused as a whole, one by half."""
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def forward(self, body):
        return requests.request(self.command, self.server.target + self.path, data=body, timeout=60,
                                headers={"Content-Type": self.headers.get("Content-Type")})

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "_bulk" not in self.path:
            answer = self.forward(body)
            self.answer(answer.status_code, answer.content)
            return
        lines = body.splitlines(keepends=True)
        server = self.server
        with server.lock:
            server.sizes.append(len(lines) // 2)
            turn = len(server.sizes) % 3
        busy = {"status": 429, "error": {"type": "es_rejected_execution_exception", "reason": "no"}}
        if turn == 1:
            self.answer(429, json.dumps(busy).encode())
        elif turn == 2 and len(lines) > 2:
            half = len(lines) // 4 * 2
            answer = self.forward(b"".join(lines[:half])).json()
            answer["items"] += [{"index": busy}] * ((len(lines) - half) // 2)
            self.answer(200, json.dumps(answer).encode())
        else:
            answer = self.forward(body)
            self.answer(answer.status_code, answer.content)

    do_GET = do_PUT = do_DELETE = do_POST


def test_overload_makes_it_slower(ready, caes):
    records = fill_rows(ready, 5000)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Overloaded)
    server.target, server.lock, server.sizes = ready.elastic.url, threading.Lock(), []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        caes.configure(ElasticSearchConfig={"hosts": [f"http://127.0.0.1:{server.server_port}"]})
        report = load(caes, "cassandra")
    finally:
        server.shutdown()
    assert report["copied"] == report["records"] == 5000
    assert documents(ready) == records
    assert min(server.sizes) < max(server.sizes), server.sizes
    assert dead_letters(caes) == {}


class Swallowing(Proxy):
    """The first requests with a mark reach the server; their connection ends before the answer."""

    def __init__(self, host, port, mark, times):
        super().__init__(host, port)
        self.mark, self.left, self.mute = mark, times, set()

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                if target in self.mute:
                    break
                last = self.mark in data and self.left > 0
                if last:
                    self.left -= 1
                    self.mute.add(source)
                target.sendall(data)
                if last:
                    time.sleep(0.3)
                    break
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_lists_whose_write_was_not_answered_are_not_doubled(place, caes):
    place.make(columns={"tags": "list<text>"}, properties={"tags": {"type": "keyword"}})
    records = {str(uuid.uuid4()): {"tags": [f"marked {n}", "second"]} for n in range(300)}
    place.put_doc(now() - 200, tags=["last"])
    place.elastic.bulk(place.index, [(key, OLD, record) for key, record in records.items()])
    with Swallowing(place.servers.cassandra_hosts[0], place.servers.cassandra_port, b"marked",
                    3) as proxy:
        caes.configure(interval=0.3, sync={"settle": 0.3, "overlap": 3}, CassandraConfig={
            "contactPoints": ["127.0.0.1"], "port": proxy.port, "requestTimeout": 2})
        report = load(caes, "elasticsearch")
        assert proxy.left <= 0  # two threads may take the last one
    rows = place.rows()
    assert {key: rows[key] for key in records} == records
    assert report["records"] == 301 and report["dead"] == 0


class Holding(Overloaded):
    """In front of Elasticsearch: bulks that index wait until they are let through."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "_bulk" in self.path and b'{"index"' in body:
            with self.server.lock:
                self.server.held.append(body)
            self.server.through.wait(60)
        answer = self.forward(body)
        self.answer(answer.status_code, answer.content)

    do_GET = do_PUT = do_DELETE = do_POST


def test_rows_that_had_to_wait_are_read_again(ready, caes):
    """They were deleted meanwhile, and no cycle looks at that any more."""
    place = ready
    caes.configure(sync={"overlap": 2}, CassandraConfig={"deleteSettle": 0.5})
    records = fill_rows(place, 3000)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Holding)
    server.target, server.lock, server.held = place.elastic.url, threading.Lock(), []
    server.through = threading.Event()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        caes.configure(ElasticSearchConfig={"hosts": [f"http://127.0.0.1:{server.server_port}"]})
        process = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--json"), env=caes.env,
                                   stdout=subprocess.PIPE, text=True)
        eventually(lambda: len(server.held) >= 4)
        time.sleep(0.5)  # those that are scanned and not sent
        sent = b"".join(server.held)
        first = [key for key in sorted(records, key=token) if key.encode() not in sent]
        for key in first[:100]:
            place.delete_row(now(), key)
        time.sleep(6)
        server.through.set()
        report = json.loads(process.communicate(timeout=60)[0].splitlines()[-1])
    finally:
        server.through.set()
        server.shutdown()
    assert process.returncode == 0 and report["dead"] == 0
    for key in first[:100]:
        del records[key]
    assert documents(place) == records == place.rows()


class Slow(Proxy):
    """Answers pass at so many bytes a second, of all connections, and each so many seconds late."""

    def __init__(self, host, port):
        super().__init__(host, port)
        self.rate, self.late, self.free = None, 0, threading.Lock()

    def _carry(self, source, target):
        if source.getpeername()[1] != self.target[1]:
            super()._carry(source, target)
            return
        with contextlib.suppress(OSError):
            while data := source.recv(4096):
                time.sleep(self.late)
                if self.rate:
                    with self.free:
                        time.sleep(len(data) / self.rate)
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def slow(ready, caes):
    """Rows that are read for more than half a second are late."""
    with Slow(ready.servers.cassandra_hosts[0], ready.servers.cassandra_port) as proxy:
        caes.configure(workers=1, sync={"overlap": 2}, CassandraConfig={
            "contactPoints": ["127.0.0.1"], "port": proxy.port, "compression": False})
        yield proxy


def test_rows_that_are_read_for_long_go_in_smaller_pages(ready, caes, slow):
    records = fill_rows(ready, 300, size=1000)
    slow.rate = 50_000
    assert load(caes, "cassandra", timeout=120)["copied"] == 300
    assert documents(ready) == records


def test_a_row_that_is_read_for_long_is_told_of_and_no_way_to_hang(ready, caes, slow):
    records = fill_rows(ready, 40)
    slow.late = 0.7
    process = subprocess.Popen(caes.argv("load", "--from", "cassandra", "--json"), env=caes.env,
                               stdout=subprocess.PIPE, text=True)
    threading.Timer(60, process.kill).start()
    said = iter(json.loads(line).get("progress", {}) for line in process.stdout)
    assert "longer sync.overlap" in next((p["note"] for p in said if "note" in p), "")
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 1
    slow.late = 0
    assert load(caes, "cassandra", "--resume")["resumed"]
    assert documents(ready) == records


@pytest.mark.parametrize("side", ["cassandra", "elasticsearch"])
@pytest.mark.parametrize("server", ["cassandra", "elasticsearch"])
def test_a_server_that_goes_away(ready, caes, side, server):
    place = ready
    records = (fill_rows if side == "cassandra" else fill_documents)(place, 6000)
    with contextlib.ExitStack() as stack:
        if server == "elasticsearch":
            proxy = stack.enter_context(Proxy.of_url(place.elastic.url))
            caes.configure(ElasticSearchConfig={"hosts": [proxy.url], "requestTimeout": 1})
        else:
            proxy = stack.enter_context(Proxy(place.servers.cassandra_hosts[0],
                                              place.servers.cassandra_port))
            caes.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": proxy.port,
                                            "requestTimeout": 1, "connectTimeout": 1})
        process = subprocess.Popen(caes.argv("load", "--from", side, "--json", "--rate", "1000"),
                                   env=caes.env, stdout=subprocess.PIPE, text=True)
        process.stdout.readline()
        process.stdout.readline()
        proxy.cut()
        time.sleep(3)
        assert process.poll() is None, "it waits"
        proxy.mend()
        out = process.stdout.read()
        assert process.wait(60) == 0
    report = json.loads(out.splitlines()[-1])
    assert report["records"] in (6000, 6001) and report["dead"] == 0
    found = documents(place) if side == "cassandra" else place.rows()
    assert records.items() <= found.items()
