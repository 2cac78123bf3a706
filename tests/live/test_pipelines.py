"""Several index/table pairs in one daemon: each with its own state, metrics and log lines; one whose
servers are gone holds up none of the others."""
import uuid

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from proxy import Proxy
from support import Place, eventually, now


@pytest.fixture
def other(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made


@pytest.fixture
def two(place, other, caes):
    """caes with the pipelines "people" (place) and "things" (other)."""
    place.make()
    other.make()
    caes.configure(ElasticSearchConfig={"index": None}, CassandraConfig={"keyspace": None},
                   pipelines=[entry("people", place), entry("things", other)])
    return caes


def entry(name, place, **elasticsearch):
    return {"name": name, "ElasticSearchConfig": {"index": place.index, **elasticsearch},
            "CassandraConfig": {"keyspace": place.keyspace}}


def metric(caes, name, pipeline):
    text = requests.get(caes.status_url + "/metrics", timeout=10).text
    return [s.value for f in text_string_to_metric_families(text) for s in f.samples
            if s.name == name and s.labels.get("pipeline") == pipeline]


def test_both_ways_in_both(two, place, other):
    daemon = two.run()
    keys = [(p, p.write_row(now(), user="row", message=p.name),
             p.put_doc(now(), user="document", message=p.name)) for p in (place, other)]
    for where, row, doc in keys:
        eventually(lambda w=where, k=row: w.doc(k)[1]["message"] == w.name, 40)
        eventually(lambda w=where, k=doc: w.row(k)["message"] == w.name)
        assert len(where.rows()) == len(where.docs()) == 2
    for name in ("people", "things"):
        eventually(lambda n=name: sum(metric(two, "caes_records_total", n)) == 2)
        eventually(lambda n=name: metric(two, "caes_ready", n) == [1])
        assert f"caes.pipeline.{name}" in daemon.text()
        assert (two.folder / f"state-{name}.db").exists()
    status = two.command("status", "--json").json
    assert [p["name"] for p in status["pipelines"]] == ["people", "things"]
    page = requests.get(two.status_url + "/", timeout=10).text
    assert place.index in page and other.index in page


def test_one_that_is_broken_holds_up_nobody(two, place, other):
    with Proxy.of_url(place.elastic.url) as proxy:
        two.configure(pipelines=[entry("people", place, hosts=[proxy.url]),
                                 entry("things", other)])
        proxy.cut()
        daemon = two.run()
        key = other.write_row(now(), user="goes on")
        waits = place.write_row(now(), user="waits")
        eventually(lambda: other.doc(key), 40)
        eventually(lambda: "people: elasticsearch" in daemon.text())
        assert "things: elasticsearch" not in daemon.text()
        assert metric(two, "caes_ready", "people") == [0]
        eventually(lambda: metric(two, "caes_ready", "things") == [1])
        answer = requests.get(two.status_url + "/readyz", timeout=10)
        assert answer.status_code == 503 and "people" in answer.text
        assert "things" not in answer.text
        proxy.mend()
        eventually(lambda: place.doc(waits), 40)
        eventually(lambda: requests.get(two.status_url + "/readyz", timeout=10).ok)


def test_commands_that_are_for_one(two, place, other):
    doc = {"user": "x", "message": "y"}
    key = other.put_doc(now(), key="no-uuid", **doc)
    two.command("sync", code=1)
    for words in (["dlq", "list"], ["explain", key], ["verify"], ["repair"],
                  ["load", "--from", "cassandra"], ["sync", "--since", "5"]):
        refused = two.command(*words, code=2)
        assert "--pipeline" in refused.err and '"people", "things"' in refused.err
    assert "no-uuid" not in two.command("--pipeline", "people", "dlq", "list").out
    assert "no-uuid" in two.command("--pipeline", "things", "dlq", "list", code=1).out
    assert "things" in two.command("--pipeline", "thing", "dlq", "list", code=2).err
    two.run()
    eventually(lambda: two.command("status", code=None).code == 0, 40)
    assert "no-uuid" not in two.command("--pipeline", "people", "dlq", "list").out
    assert "no-uuid" in two.command("--pipeline", "things", "dlq", "list", code=1).out
    row = place.write_row(now(), **doc)
    eventually(lambda: place.doc(row), 40)
    assert two.command("--pipeline", "people", "verify", "--json").json["equal"] == 1


def test_one_of_them_alone(two, place, other):
    ours, theirs = place.write_row(now(), user="a"), other.write_row(now(), user="b")
    result = two.command("--pipeline", "people", "sync", "--json").json
    assert result["to_elasticsearch"]["copied"] == 1
    assert place.doc(ours) and not other.doc(theirs)
    said = two.command("sync").out.splitlines()
    assert [line.split(":")[0] for line in said] == ["people", "things"]
    assert other.doc(theirs)


def test_init_and_check_of_all(place, other, caes):
    place.make_index({"user": {"type": "keyword"}})
    other.make_tables()
    caes.configure(ElasticSearchConfig={"index": None},
                   CassandraConfig={"keyspace": None, "dataColumnFamily": "data"},
                   pipelines=[entry("people", place), entry("things", other)])
    place.make_keyspace()
    said = caes.command("init").out
    assert place.keyspace in said and other.index in said
    assert "nothing to do" in caes.command("init").out
    found = caes.command("check", "--json", code=None).json["findings"]
    assert {f["where"].split(":")[0] for f in found} <= {"people", "things"}


def test_a_reload_adds_one(two, place, other):
    two.configure(pipelines=[entry("people", place)])
    daemon = two.run()
    key = place.write_row(now(), user="first")
    eventually(lambda: place.doc(key), 40)
    eventually(lambda: sum(metric(two, "caes_records_total", "people")) == 1)
    two.configure(pipelines=[entry("things", other), entry("people", place)])
    two.command("reload")
    key = other.write_row(now(), user="second")
    eventually(lambda: other.doc(key), 40)
    assert sum(metric(two, "caes_records_total", "people")) == 1  # went on with its counters
    more = place.write_row(now(), key=uuid.uuid4(), user="third")
    eventually(lambda: place.doc(more), 40)
    assert daemon.stop() == 0


def test_two_of_one_pair_are_refused(two, place):
    two.configure(pipelines=[entry("people", place), entry("again", place)])
    refused = two.command("check", code=2).err
    assert "pipelines[2]" in refused and 'pipeline "people"' in refused


def test_one_is_paused(two, place, other):
    two.run()
    eventually(lambda: metric(two, "caes_ready", "people") == [1])
    assert '"people", "things"' in two.command("pause", code=2).err
    two.command("--pipeline", "people", "pause")
    waits = place.write_row(now(), user="waits")
    key = other.write_row(now(), user="goes on")
    eventually(lambda: other.doc(key))
    eventually(lambda: metric(two, "caes_paused", "people") == [1])
    assert metric(two, "caes_paused", "things") == [0]
    answer = requests.get(two.status_url + "/readyz", timeout=10)
    assert answer.status_code == 503 and answer.text.strip() == "people: paused"
    assert place.doc(waits) is None
    two.command("--pipeline", "people", "resume")
    eventually(lambda: place.doc(waits))
