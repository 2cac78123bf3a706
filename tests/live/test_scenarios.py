"""Histories that lost data in programs like this one, played on real servers: windows, looks, own
copies. docs/semantics.md has the rules."""
import contextlib
import json
import socket
import time
import uuid

import pytest
from proxy import Proxy
from state import payloads
from support import eventually, now


@pytest.fixture
def quick(caes):
    """Rules that act after seconds act after fewer."""
    return caes.configure(interval=0.2, sync={"settle": 0.5, "overlap": 6},
                          CassandraConfig={"deleteSettle": 2})


def both(place, key):
    """The content that both sides hold; None when they differ, () when neither has the key."""
    row, doc = place.row(key), place.doc(key)
    if row is None and doc is None:
        return ()
    return row if doc and row == doc[1] else None


def write_entry(place, version, key, ttl=3600):
    place.cql(f"INSERT INTO {place.keyspace}.ts (id, timestamp, did) VALUES (0, %s, %s) "
              f"USING TTL {ttl}", [version, uuid.UUID(key)])


def write_row_only(place, key, **row):
    place.cql(f"INSERT INTO {place.keyspace}.data (did, {', '.join(row)}) "
              f"VALUES (%s{', %s' * len(row)})", [uuid.UUID(key), *row.values()])


# --- windows

@pytest.mark.parametrize("side", ["put_doc", "write_row"])
def test_a_clock_two_minutes_ahead_hides_nobody_elses_writes(place, caes, side):
    place.make()
    caes.configure(interval=0.2)
    caes.run()
    ahead = getattr(place, side)(now() + 120, user="ahead")
    eventually(lambda: both(place, ahead) == {"user": "ahead"})
    for _ in range(3):
        rows = [place.write_row(now(), user="row") for _ in range(5)]
        docs = [place.put_doc(now(), user="document") for _ in range(5)]
        eventually(lambda: all(both(place, key) == {"user": "row"} for key in rows))
        eventually(lambda: all(both(place, key) == {"user": "document"} for key in docs))
    if side == "put_doc":  # what others write to that key has the lower version
        place.write_row(now(), ahead, user="later, but lower")
        time.sleep(1)
        eventually(lambda: both(place, ahead) == {"user": "ahead"})


def test_after_a_clock_ahead_the_next_sync_sees_what_others_wrote(place, caes):
    place.make()
    place.put_doc(now() + 120, user="ahead")
    caes.sync()
    row = place.write_row(now(), user="row")
    doc = place.put_doc(now(), user="document")
    caes.sync()
    assert both(place, row) == {"user": "row"}
    assert both(place, doc) == {"user": "document"}


def test_a_clock_ahead_does_not_hide_what_was_written_while_nobody_ran(place, quick):
    """Versions up to the last cycle are read, not up to the highest that somebody gave."""
    place.make()
    quick.configure(sync={"overlap": 2})
    place.put_doc(now() + 120, user="ahead")
    quick.sync()
    start = now()
    time.sleep(8)
    rows = [place.write_row(start + second, user="row") for second in range(8)]
    docs = [place.put_doc(start + second, user="document") for second in range(8)]
    quick.sync()
    assert all(both(place, key) == {"user": "row"} for key in rows)
    assert all(both(place, key) == {"user": "document"} for key in docs)


def test_the_first_start_is_not_moved_by_cycles_that_fail(place, quick):
    """Nor by a crash in the first cycle: what was written after it is no older than the start."""
    place.make()
    quick.configure(sync={"overlap": 2})
    block = {"index.blocks.write": True}
    place.elastic.call("PUT", f"/{place.index}/_settings", block)
    first = place.write_row(now(), user="first")
    quick.sync(code=3)
    second = place.write_row(now() + 1, user="second")
    time.sleep(7)
    third = place.write_row(now(), user="third")
    place.elastic.call("PUT", f"/{place.index}/_settings", {"index.blocks.write": None})
    quick.sync()
    assert [both(place, key) for key in (first, second, third)] == [
        {"user": "first"}, {"user": "second"}, {"user": "third"}]


def test_an_old_document_that_is_written_again_is_no_reason_to_read_its_contemporaries(
        place, quick):
    """The version that it had is out of the window, and its looks must not draw the window there."""
    place.make()
    old = [place.put_doc(now() - 5000 + number, user="old") for number in range(5)]
    place.put_doc(now(), user="recent")
    quick.sync()
    place.write_row(now(), old[0], user="new")
    for _ in range(3):
        quick.sync()
        time.sleep(0.6)
    assert place.doc(old[0])[1] == {"user": "new"}
    assert not [key for key in old[1:] if place.row(key)]


def test_a_document_without_external_version_is_no_reason_to_read_the_whole_index(place, quick):
    place.make()
    old = [place.put_doc(now() - 5000 + number, user="old") for number in range(5)]
    place.put_doc(now(), user="recent")
    quick.sync()
    key = str(uuid.uuid4())
    place.elastic.call("PUT", f"/{place.index}/{place.elastic.type}/{key}",
                       {"timestamp": now(), "user": "plain"})
    for _ in range(3):
        quick.sync()
        time.sleep(0.6)
    assert place.row(key) == {"user": "plain"}
    assert not [key for key in old if place.row(key)]


def test_since_leaves_looks_at_older_versions_to_the_next_run(place, quick):
    """What lies below it is not read, so nothing there may be decided."""
    place.make()
    place.elastic.call("PUT", f"/{place.index}/_settings", {"index.blocks.write": True})
    key = str(uuid.uuid4())
    write_entry(place, 100, key)
    write_row_only(place, key, user="row")
    time.sleep(1)
    quick.sync(since=90, code=3)
    place.elastic.call("PUT", f"/{place.index}/_settings", {"index.blocks.write": None})
    place.write_row(150, key, user="newer row")
    place.put_doc(120, key, user="document")
    time.sleep(1)
    quick.sync(since=200)
    assert place.row(key) == {"user": "newer row"}
    quick.sync()
    assert place.row(key) == {"user": "newer row"} == place.doc(key)[1]


def test_a_write_that_shows_as_late_as_the_overlap(place, quick):
    """Whole reads come every overlap/4 only, while others go on writing."""
    place.make()
    quick.configure(sync={"overlap": 16})
    quick.run()
    first = place.write_row(now(), user="first")
    eventually(lambda: both(place, first))  # else the first window may begin above what is late
    late = []
    for part in range(8):
        for number in range(9):
            if number == 0 and part < 6:  # then a whole read more
                late += [place.write_row(now() - 15, user="late"),
                         place.put_doc(now() - 15, user="late")]
            place.write_row(now(), user="other")
            time.sleep(0.3)
    eventually(lambda: all(both(place, key) == {"user": "late"} for key in late))


def test_a_version_is_written_again_when_the_overlap_ends(place, caes):
    """Without a new entry. The version is that of a whole second."""
    place.make()
    caes.configure(interval=0.1, sync={"settle": 2, "overlap": 4})
    caes.run()
    time.sleep(-time.time() % 1)
    version = now()
    written, deleted = (place.put_doc(version, user="first") for _ in range(2))
    eventually(lambda: len(place.rows()) == 2)
    time.sleep(max(0, version + 4.6 - time.time()))
    place.write_row(version, written, user="again")
    place.delete_row(version, deleted)
    eventually(lambda: all(both(place, key) == {"user": "first"} for key in (written, deleted)))


def write_late(place, key, version, change):
    """An application's write to a key that has the version, seconds above it and seconds late."""
    if change == "written":
        place.write_row(now() - 8, key, user="late", message="late")
    elif change == "written alike":
        place.write_row(now() - 8, key, user="first", message="first")
        place.elastic.put(place.index, key, version, {"user": "again"}, "external_gte",
                          ok=(200, 201, 409))  # 409: the row is copied already
    elif change == "column gone":
        place.write_row(now() - 8, key, message=None)
    else:
        place.delete_row(now() - 8, key)


def test_a_late_write_before_the_last_look_at_its_key(place, caes):
    """Its entry is read with the whole overlap only. A look at the version before must not take
    the row for an explained one, and put that version's content back."""
    place.make()
    caes.configure(interval=0.1, sync={"settle": 0.3, "overlap": 12},
                   CassandraConfig={"deleteSettle": 1})
    caes.run()
    first = {"user": "first", "message": "first"}
    expected = {"written": {"user": "late", "message": "late"}, "written alike": first,
                "column gone": {"user": "first"}, "row gone": ()}
    groups = []
    begin = time.monotonic()
    for i in range(6):  # whole reads are 3 s apart: few groups meet one
        while time.monotonic() < begin + 0.9 * i:
            time.sleep(0.01)
        version = now()
        groups.append((version, time.monotonic(), [
            (place.put_doc(version, **first), change) for change in expected]))
    for version, written, keys in groups:
        while time.monotonic() < written + 12 - 0.6:
            place.put_doc(now(), user="goes on")  # the window begins lately
            time.sleep(0.05)
        for key, change in keys:
            write_late(place, key, version, change)

    def lost():
        return [change for *_, keys in groups for key, change in keys
                if both(place, key) != expected[change]]

    time.sleep(4)  # the last looks, and a whole read
    eventually(lambda: not lost())


def test_a_lower_version_over_a_copy_is_no_tie_for_cassandra(place, caes):
    place.make()
    caes.configure(interval=0.1, sync={"settle": 0.5, "overlap": 20, "tie": "cassandra"},
                   CassandraConfig={"deleteSettle": 1})
    caes.run()
    version = now()
    content = {"user": "newest", "message": "newest"}
    keys = [place.put_doc(version, **content) for _ in range(6)]
    eventually(lambda: len(place.rows()) == 6)
    for late, written, nulled, deleted in ((1, *keys[:3]), (5, *keys[3:])):
        place.write_row(version - late, written, user="older")
        place.write_row(version - late, nulled, message=None)
        place.delete_row(version - late, deleted)
    for _ in range(80):  # a quarter of the overlap, and more
        place.put_doc(now(), user="goes on")
        time.sleep(0.1)
    eventually(lambda: [both(place, key) for key in keys] == 6 * [content])
    assert {place.doc(key)[0] for key in keys} == {version}


def test_a_tie_for_cassandra_over_a_copy(place, caes):
    place.make()
    caes.configure(interval=0.1, sync={"settle": 0.5, "overlap": 8, "tie": "cassandra"})
    caes.run()
    key = place.put_doc(now(), user="of elasticsearch")
    eventually(lambda: place.row(key))
    place.write_row(place.doc(key)[0], key, user="of cassandra")
    eventually(lambda: both(place, key) == {"user": "of cassandra"})


@pytest.mark.parametrize("window", [10000, 1000], ids=["", "small pages only"])
def test_documents_that_show_late_among_many(place, caes, window):
    """What was read before is read again without its content."""
    place.make_tables()
    place.make_index(**{"index.max_result_window": window} if place.elastic.major > 2 else {})
    caes.configure(interval=0.2, sync={"settle": 3, "overlap": 30})
    daemon = caes.run()
    late, shouted = [], []
    for _ in range(8):
        place.elastic.bulk(place.index, [(uuid.uuid4(), now(), {"user": "many"})
                                         for _ in range(150)])
        late.append(place.put_doc(now() - 2, user="late"))
        shouted.append(place.put_doc(now() - 2, str(uuid.uuid4()).upper(), user="shouted"))
        time.sleep(0.5)
    eventually(lambda: all(both(place, key) == {"user": "late"} for key in late))
    eventually(lambda: len(place.rows()) == len(place.docs()) - len(shouted))
    eventually(lambda: daemon.text().count("to the dead letters") == len(shouted))
    daemon.stop()
    kept = payloads(caes)
    assert set(kept) == set(shouted)
    assert all(json.loads(text)["user"] == "shouted" for text in kept.values())


def test_a_write_that_shows_late_is_found_within_the_overlap(place, quick):
    place.make()
    quick.run()
    first = place.write_row(now(), user="first")
    eventually(lambda: both(place, first))
    rows = [place.write_row(now() - late, user="late") for late in (1, 3, 5)]
    docs = [place.put_doc(now() - late, user="late") for late in (1, 3, 5)]
    eventually(lambda: all(both(place, key) == {"user": "late"} for key in rows + docs))


def test_what_was_written_while_nobody_ran(place, quick):
    """Longer than the overlap: the window begins where the checkpoint is."""
    place.make()
    quick.sync()
    place.write_row(now(), user="first")
    quick.sync()
    start = now()
    time.sleep(8)
    rows = [place.write_row(start + second, user="row") for second in range(8)]
    docs = [place.put_doc(start + second, user="document") for second in range(8)]
    quick.sync()
    assert all(both(place, key) == {"user": "row"} for key in rows)
    assert all(both(place, key) == {"user": "document"} for key in docs)


# --- looks

@pytest.mark.parametrize("delay", [1, 3])
@pytest.mark.parametrize("present", [False, True], ids=["new", "present"])
def test_an_entry_that_shows_before_its_row(place, caes, delay, present):
    """A batch is atomic, but not isolated."""
    place.make()
    caes.configure(interval=0.2, sync={"overlap": 8})
    caes.run()
    key = str(uuid.uuid4())
    if present:
        place.write_row(now() - 5, key, user="before")
        eventually(lambda: both(place, key) == {"user": "before"})
    write_entry(place, now(), key)
    time.sleep(delay)
    write_row_only(place, key, user="after")
    eventually(lambda: both(place, key) == {"user": "after"})


@pytest.mark.parametrize("down", [0, 7], ids=["at once", "after more than the overlap"])
def test_an_entry_before_its_row_with_a_crash_in_between(place, quick, down):
    """No entry is forgotten before its second look, whatever others wrote meanwhile."""
    place.make()
    daemon = quick.run()
    other = place.write_row(now(), user="other")
    eventually(lambda: both(place, other))
    key = str(uuid.uuid4())
    write_entry(place, now(), key)
    time.sleep(0.4)
    daemon.kill()
    time.sleep(down)
    write_row_only(place, key, user="late")
    others = [place.put_doc(now(), user="other") for _ in range(3)]
    quick.run()
    eventually(lambda: all(both(place, k) == {"user": "other"} for k in others))
    eventually(lambda: both(place, key) == {"user": "late"})


def test_a_sync_leaves_the_second_look_to_the_next_run(place, quick):
    place.make()
    key = str(uuid.uuid4())
    write_entry(place, now(), key)
    quick.sync()
    write_row_only(place, key, user="late")
    time.sleep(1)
    quick.sync()
    assert both(place, key) == {"user": "late"}


def test_a_second_look_asks_for_rows_only(place, quick):
    """As long as they are what was copied; the last look asks for both."""
    def gets():
        stats = place.elastic.call("GET", f"/{place.index}/_stats/get")
        return stats["_all"]["primaries"]["get"]["total"]

    place.make()
    quick.configure(sync={"overlap": 8})  # the last look is not due by the second sync
    keys = [place.write_row(now(), user="row") for _ in range(5)]
    keys += [place.put_doc(now(), user="document") for _ in range(5)]
    late = place.write_row(now(), user="first half")
    quick.sync()
    first = gets()
    write_row_only(place, late, message="second half")
    time.sleep(1)
    quick.sync()
    assert gets() == first + 1
    assert place.doc(late)[1] == {"user": "first half", "message": "second half"}
    second = gets()
    time.sleep(8 + 1 + 2 * 0.5 + 0.5)  # overlap, the second of the version, settle twice
    quick.sync()
    assert gets() == second + len(keys) + 1


def test_a_late_half_of_a_batch(place, quick):
    """The copy of the first half is the daemon's own: no tie, the other half follows."""
    place.make()
    quick.run()
    key = place.write_row(now(), user="first half")
    eventually(lambda: place.doc(key))
    write_row_only(place, key, message="second half")
    whole = {"user": "first half", "message": "second half"}
    eventually(lambda: both(place, key) == whole)


@pytest.mark.parametrize("lists", [{"ElasticSearchConfig": {"exclude": ["secret"]}},
                                   {"CassandraConfig": {"exclude": ["secret"]}}],
                         ids=["to Elasticsearch", "to Cassandra"])
def test_a_late_half_beside_a_column_that_travels_one_way(place, quick, lists):
    place.make(columns={"user": "text", "message": "text", "secret": "text"})
    quick.configure(**lists).run()
    key = place.write_row(now(), user="first half", secret="cassandra")
    eventually(lambda: place.doc(key))
    write_row_only(place, key, message="second half")
    eventually(lambda: place.doc(key)[1].get("message") == "second half")
    assert place.row(key)["message"] == "second half"


# --- own copies: an application writes the same version once more after it was copied

def settle_down(place, quick, key, content):
    """Both sides come to hold content and keep it through all looks."""
    eventually(lambda: both(place, key) == content)
    time.sleep(3)
    assert both(place, key) == content, (place.row(key), place.doc(key))
    assert quick.daemons[-1].stop() == 0
    counts = quick.counts(quick.sync())
    assert not [name for name in counts if "unchanged" not in name]


def test_the_row_was_copied_and_is_rewritten(place, quick):
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="first", message="goes")
    eventually(lambda: place.doc(key))
    place.write_row(version, key, user="second", message=None)
    settle_down(place, quick, key, {"user": "second"})
    assert place.doc(key)[0] == version


class Losing(Proxy):
    """Requests with a mark don't reach the server; their connection ends."""

    def __init__(self, host, port, mark):
        super().__init__(host, port)
        self.mark, self.lost = mark, 0

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(1 << 20):
                if self.mark in data:
                    self.lost += 1
                    break
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def test_a_copy_that_arrives_after_the_next_one(place, quick):
    """The row does not show it yet, so its columns must be covered all the same."""
    place.make()
    with Losing(place.servers.cassandra_hosts[0], place.servers.cassandra_port, b"lost") as proxy:
        quick.configure(CassandraConfig={"contactPoints": ["127.0.0.1"], "port": proxy.port})
        quick.run()
        key = place.put_doc(now(), user="first", message="lost")
        eventually(lambda: proxy.lost > 0)
        late = time.time_ns() // 1000
        time.sleep(1.1)
        place.put_doc(now(), key, user="second")
        eventually(lambda: both(place, key) == {"user": "second"})
        place.cql(f"UPDATE {place.keyspace}.data USING TIMESTAMP {late} SET message = 'lost' "
                  "WHERE did = %s", [uuid.UUID(key)])
        assert both(place, key) == {"user": "second"}


def test_the_document_was_copied_and_is_rewritten(place, quick):
    place.make()
    quick.run()
    version = now()
    key = place.put_doc(version, user="first", message="goes")
    eventually(lambda: place.row(key))
    place.elastic.put(place.index, key, version, {"user": "second"}, version_type="external_gte")
    settle_down(place, quick, key, {"user": "second"})


def test_the_copied_document_is_rewritten(place, quick):
    """Now two applications wrote one version: the tie rule."""
    place.make()
    quick.run()
    version = now()
    key = place.write_row(version, user="of cassandra")
    eventually(lambda: place.doc(key))
    place.elastic.put(place.index, key, version, {"user": "of elasticsearch"},
                      version_type="external_gte")
    settle_down(place, quick, key, {"user": "of elasticsearch"})


def test_the_copied_row_is_rewritten(place, quick):
    place.make()
    quick.run()
    version = now()
    key = place.put_doc(version, user="of elasticsearch")
    eventually(lambda: place.row(key))
    place.write_row(version, key, user="of cassandra")
    settle_down(place, quick, key, {"user": "of elasticsearch"})


def test_ties_for_cassandra(place, quick):
    place.make()
    quick.configure(sync={"tie": "cassandra"})
    version = now()
    key = place.write_row(version, user="of cassandra")
    place.put_doc(version, key, user="of elasticsearch")
    quick.run()
    settle_down(place, quick, key, {"user": "of cassandra"})


# --- deciding

def test_equal_content_of_one_version_is_left_alone(place, caes):
    place.make(columns={"user": "text", "count": "int", "ratio": "double"})
    key = place.write_row(10, user="ana", count=3, ratio=2.0)
    place.put_doc(10, key, user="ana", count=3.0, ratio=2, extra=None)
    before = place.writetime(key, "user")
    assert caes.counts(caes.sync(since=9)) in ({"to_cassandra.unchanged": 1},
                                               {"to_elasticsearch.unchanged": 1})
    assert place.writetime(key, "user") == before


@pytest.mark.parametrize("which", ["", "2"], ids=["modern", "2.4.6"])
def test_fields_without_a_column_survive_a_copy_back(request, which):
    place, caes = (request.getfixturevalue(name + which) for name in ("place", "caes"))
    place.make()
    key = place.put_doc(10, user="old", message="goes", extra={"tags": ["a", "b"]}, other=1)
    caes.sync(since=9)
    assert place.row(key) == {"user": "old", "message": "goes"}
    place.write_row(11, key, user="new", message=None)
    caes.sync()
    assert place.row(key) == {"user": "new"}
    assert place.doc(key) == (11, {"user": "new", "extra": {"tags": ["a", "b"]}, "other": 1})


def test_columns_outside_the_mapping_are_never_touched(place, caes):
    place.make(columns={"user": "text", "secret": "text"})
    caes.configure(CassandraConfig={"exclude": ["secret"]},
                   ElasticSearchConfig={"exclude": ["secret"]})
    key = place.write_row(10, user="old", secret="kept")
    caes.sync(since=9)
    assert place.doc(key) == (10, {"user": "old"})
    place.put_doc(11, key, user="new")
    caes.sync()
    assert place.row(key) == {"user": "new", "secret": "kept"}


def test_many_writes_of_one_key_on_both_sides(place, quick):
    place.make(version_type="bigint")
    quick.configure(sync={"versionUnit": "ms"})
    quick.run()
    key = str(uuid.uuid4())
    for number in range(60):
        version = int(time.time() * 1000)
        if number % 3:
            place.write_row(version, key, user=f"row {number}")
        else:
            place.put_doc(version, key, user=f"document {number}")
        time.sleep(0.05)
    eventually(lambda: both(place, key) == {"user": "row 59"})
    settle_down(place, quick, key, {"user": "row 59"})
