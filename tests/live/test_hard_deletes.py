"""`verify` tells rows that lost their document from rows that never had one."""
import json
import time
import uuid

import pytest
from support import eventually, now
from test_load import fill_rows, load
from test_verify import verify

COLUMNS = {"user": "text", "message": "text", "likes": "int", "day": "text"}
PROPERTIES = {"user": {"type": "keyword"}, "message": {"type": "keyword"},
              "likes": {"type": "integer"}, "day": {"type": "date"}}
DELETED, MISSING = "deleted_in_elasticsearch", "missing_in_elasticsearch"
OVERLAP = 1


@pytest.fixture
def ready(place, caes):
    place.make(columns=COLUMNS, properties=PROPERTIES)
    caes.configure(interval=0.2, sync={"settle": 0.2, "overlap": OVERLAP},
                   CassandraConfig={"ttl": 3600})
    return place


def remove(place, keys):
    for key in keys:
        place.elastic.delete(place.index, key)
    place.elastic.refresh(place.index)


def put_old_row(place, **content):
    key = str(uuid.uuid4())
    names = "".join(f", {name}" for name in content)
    place.cql(f"INSERT INTO {place.keyspace}.data (did{names}) VALUES (%s"
              f"{', %s' * len(content)}) USING TIMESTAMP {(now() - 4000) * 1_000_000}",
              [uuid.UUID(key), *content.values()])
    return key


def test_after_a_load(ready, caes, tmp_path):
    """All that a load copied once had its document; what became a dead letter never had, also when
    nobody remembers the letter any more."""
    place = ready
    records = fill_rows(place, 400)
    refused, purged = [put_old_row(place, day="no day") for _ in range(2)]
    assert load(caes, "cassandra", code=1)["dead"] == 2
    caes.command("dlq", "purge", purged)
    gone = sorted(records)[:30]
    remove(place, gone)
    expected = {(key, DELETED) for key in gone} | {(refused, MISSING), (purged, MISSING)}
    file = tmp_path / "keys"
    report, found = verify(caes, "--keys-to", file)
    assert found == expected and report[DELETED] == 30 and report[MISSING] == 2
    assert verify(caes, "--sample", 100000)[1] == expected
    caes.run()
    eventually(lambda: caes.command("status", code=None).code == 0)  # it can be asked
    assert verify(caes)[1] == expected, "the daemon is asked"
    lines = [line for line in file.read_text().splitlines() if json.loads(line)["kind"] == DELETED]
    file.write_text("".join(f"{line}\n" for line in lines))
    plan = caes.command("repair", "--missing", "delete", "--dry-run", "--json", code=None)
    kinds = {key["key"]: key["kind"] for key in plan.json["keys"]}
    assert kinds == dict(expected) and len(place.rows()) == 402
    done = caes.command("repair", "--missing", "delete", "--keys", file, "--json").json
    assert done["mended"] == 30 and done["unmended"] == 0
    assert set(place.rows()) == {*records, refused, purged} - {*gone}
    assert verify(caes)[1] == {(refused, MISSING), (purged, MISSING)}


def test_rows_that_are_written_again_meanwhile_stay(ready, caes, tmp_path):
    """A delete under the guard: a newer write is not taken away with the row."""
    place = ready
    records = fill_rows(place, 20)
    load(caes, "cassandra")
    gone = sorted(records)[:4]
    remove(place, gone)
    file = tmp_path / "keys"
    assert verify(caes, "--keys-to", file)[1] == {(key, DELETED) for key in gone}
    again = place.write_row(now(), gone[0], user="again")
    done = caes.command("repair", "--missing", "delete", "--keys", file, "--json").json
    assert done["unmended"] == 0
    assert set(place.rows()) == {*records} - {*gone[1:]} and again == gone[0]
    assert place.doc(gone[0])[1]["user"] == "again"


def test_another_index_has_no_history(ready, caes):
    """Its documents are missing: `repair --missing delete` would empty the table."""
    place = ready
    records = fill_rows(place, 100)
    load(caes, "cassandra")
    place.elastic.drop(place.index)
    place.make_index(PROPERTIES)
    assert verify(caes)[1] == {(key, MISSING) for key in records}
    caes.sync()
    assert verify(caes)[1] == {(key, MISSING) for key in records}
    load(caes, "cassandra")
    remove(place, list(records)[:1])
    assert verify(caes)[1] == {(list(records)[0], DELETED)}


def test_after_cycles_only(ready, caes):
    """What is older than the first cycle may never have been seen; what came later was."""
    place = ready
    old = put_old_row(place, user="before the sync")
    caes.sync()
    time.sleep(2 * OVERLAP + 1)
    synced = place.write_row(now(), user="synced", likes=1)
    caes.sync()
    assert place.doc(synced)[1] == {"user": "synced", "likes": 1}
    remove(place, [synced])
    time.sleep(2 * OVERLAP + 1)
    caes.sync()
    assert verify(caes)[1] == {(old, MISSING), (synced, DELETED)}


def test_a_gap_ends_what_is_known(ready, caes):
    place = ready
    caes.configure(CassandraConfig={"ttl": 3})
    caes.sync()
    lost = place.write_row(now(), ttl=1, user="lost", likes=1)
    time.sleep(4)
    caes.sync(code=1)
    time.sleep(2 * OVERLAP + 1)
    caes.sync(code=1)
    assert verify(caes)[1] == {(lost, MISSING)}
    load(caes, "cassandra")
    remove(place, [lost])
    assert verify(caes)[1] == {(lost, DELETED)}


def test_without_the_state_it_is_said(ready, caes):
    place = ready
    put_old_row(place, user="x")
    caes.sync()
    state = caes.folder / "state.db"
    assert state.exists()
    content = state.read_bytes()
    state.write_bytes(b"x" * 4096)
    result = caes.command("verify", "--json", code=1)
    assert "never copied" in result.err and result.json[MISSING] == 1
    state.write_bytes(content)
