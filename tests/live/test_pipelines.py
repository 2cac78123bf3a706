"""Several index/table pairs in one daemon: each with its own state, metrics and log lines; they share
their connections, and one whose servers are gone holds up none of the others."""
import time
import uuid
from urllib.parse import urlsplit

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families
from proxy import Proxy
from secure import Authority, Terminator
from support import Place, eventually, now


@pytest.fixture
def other(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made


@pytest.fixture(params=[1, 2], ids=["one-thread", "two-threads"])
def two(request, place, other, caes):
    """caes with the pipelines "people" (place) and "things" (other)."""
    place.make()
    other.make()
    caes.configure(ElasticSearchConfig={"index": None}, CassandraConfig={"keyspace": None},
                   workers=request.param,
                   pipelines=[entry("people", place), entry("things", other)])
    caes.threads = request.param
    return caes


def entry(name, place, cassandra=None, **elasticsearch):
    return {"name": name, "ElasticSearchConfig": {"index": place.index, **elasticsearch},
            "CassandraConfig": {"keyspace": place.keyspace, **(cassandra or {})}}


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
    eventually(lambda: ready(two, "people", "things"), 40)
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


# --- shared connections

def travels(place, within=20):
    """A record of each side reaches the other one; returns after how many seconds."""
    start = time.monotonic()
    row, doc = place.write_row(now(), user="row"), place.put_doc(now(), user="document")
    eventually(lambda: place.doc(row) and place.row(doc), within)
    return time.monotonic() - start


def errors(daemon):
    return [line for line in daemon.text().splitlines() if " ERROR " in line]


def ready(caes, *names):
    return all(metric(caes, "caes_ready", name) == [1] for name in names)


def test_many_have_the_connections_of_one(place, caes):
    """Twelve tables and indices: one of them has connections to Cassandra, all have no more."""
    place.make()
    port, other_port = place.servers.cassandra_port, urlsplit(place.elastic.url).port
    daemon = caes.run()
    eventually(lambda: ready(caes, "default"), 40)
    travels(place)
    alone = eventually(lambda: daemon.connections(port) >= 2 and daemon.connections(port))
    assert 1 <= daemon.connections(other_port) <= 4
    assert daemon.stop() == 0
    indices = [f"{place.index}-{i}" for i in range(12)]
    pipelines = []
    try:
        for i, index in enumerate(indices):
            place.cql(f"CREATE TABLE {place.keyspace}.data{i} (did uuid PRIMARY KEY, user text)")
            place.cql(f"CREATE TABLE {place.keyspace}.ts{i} (id int, timestamp int, did uuid, "
                      "PRIMARY KEY (id, timestamp, did))")
            place.elastic.create(index, {"user": {"type": "keyword"}})
            pipelines.append({"name": f"p{i}", "ElasticSearchConfig": {"index": index},
                              "CassandraConfig": {"dataColumnFamily": f"data{i}",
                                                  "timeseriesColumnFamily": f"ts{i}"}})
        caes.configure(ElasticSearchConfig={"index": None}, pipelines=pipelines,
                       CassandraConfig={"dataColumnFamily": None})
        daemon = caes.run()
        eventually(lambda: ready(caes, *(p["name"] for p in pipelines)), 60)
        keys = [str(uuid.uuid4()) for _ in indices]
        for index, key in zip(indices, keys):
            place.elastic.put(index, key, now(), {"user": index})
        for i, key in enumerate(keys):
            eventually(lambda n=i, k=key: place.cql(
                f"SELECT user FROM {place.keyspace}.data{n} WHERE did = {k}")[0]["user"] == indices[n])
        eventually(lambda: all(sum(metric(caes, "caes_records_total", p["name"])) == 1
                               for p in pipelines))
        for _ in range(20):
            assert daemon.connections(port) == alone
            time.sleep(0.1)
        requests_of = [sum(metric(caes, "caes_request_seconds_count", p["name"])) for p in pipelines]
        assert all(count > 0 for count in requests_of), "each counts its own"
        lines = [line for line in daemon.text().splitlines() if "connected to Cassandra" in line]
        assert len(lines) == 1 and "caes.pipeline." not in lines[0], "they belong to no pipeline"
    finally:
        for index in indices:
            place.elastic.drop(index)


@pytest.mark.parametrize("broken", ["table", "index"])
def test_one_that_lost_its_table_or_index(broken, two, place, other):
    daemon = two.configure(http={"readyLag": 5}).run()
    eventually(lambda: ready(two, "people", "things"), 40)
    usual = travels(other)
    if broken == "table":
        place.cql(f"DROP TABLE {place.keyspace}.data")
    else:
        place.elastic.call("POST", f"/{place.index}/_close")
    place.put_doc(now(), user="waits") if broken == "table" else place.write_row(now(), user="waits")
    eventually(lambda: metric(two, "caes_ready", "people") == [0], 40)
    for _ in range(5):
        assert travels(other) < max(10, 3 * usual)
    eventually(lambda: ready(two, "things"))
    assert not any(" things: " in line for line in errors(daemon))
    if broken == "table":
        place.cql(f"CREATE TABLE {place.keyspace}.data (did uuid PRIMARY KEY, user text, message text)")
    else:
        place.elastic.call("POST", f"/{place.index}/_open")
    eventually(lambda: ready(two, "people", "things"), 40)
    travels(place, 40)
    travels(other)
    assert daemon.stop() == 0


def test_schema_events_reach_each(two, place, other):
    daemon = two.run()
    eventually(lambda: ready(two, "people", "things"), 40)
    for where in (place, other):
        where.cql(f"ALTER TABLE {where.keyspace}.data ADD more text")
        key = where.write_row(now(), user="row", more=where.name)
        eventually(lambda w=where, k=key: w.doc(k)[1]["more"] == w.name)
    assert errors(daemon) == []


def test_a_reload_takes_one_apart(two, place, other):
    """Its login, its host, or the whole pipeline changes: the other one goes on."""
    daemon = two.run()
    port = place.servers.cassandra_port
    eventually(lambda: ready(two, "people", "things"), 40)
    shared = eventually(lambda: daemon.connections(port) >= 2 * two.threads
                        and daemon.connections(port))
    alone = shared // two.threads  # those of one thread share theirs

    def reload(*pipelines):
        two.configure(pipelines=list(pipelines))
        two.command("reload")
        for where in (place, other)[-len(pipelines):]:
            travels(where, 40)

    login = {"username": "somebody", "password": "a secret"}  # which this server does not ask for
    reload(entry("people", place, login), entry("things", other))
    eventually(lambda: daemon.connections(port) == 2 * alone)
    reload(entry("people", place), entry("things", other))
    eventually(lambda: daemon.connections(port) == shared)
    two.configure(pipelines=[entry("people", place, {"port": 1}), entry("things", other)])
    two.command("reload")
    travels(other, 40)
    eventually(lambda: metric(two, "caes_ready", "people") == [0] and ready(two, "things"))
    reload(entry("things", other))
    eventually(lambda: daemon.connections(port) == alone)
    reload(entry("people", place), entry("things", other))
    eventually(lambda: daemon.connections(port) == shared)
    assert "a secret" not in daemon.text()
    assert daemon.stop() == 0


@pytest.mark.parametrize("side", ["CassandraConfig", "ElasticSearchConfig"])
@pytest.mark.parametrize("wrong", ["no certificate", "another authority"])
def test_tls_is_each_pipelines_own(side, wrong, two, place, other, tmp_path):
    """One that may not connect gets no connection of one that may."""
    authority, url = Authority(tmp_path), urlsplit(place.elastic.url)
    target = (url.hostname, url.port) if side == "ElasticSearchConfig" else \
        (place.servers.cassandra_hosts[0], place.servers.cassandra_port)
    cert, key = map(str, authority.issue("a client"))
    right = {"ca": str(authority.pem), "cert": cert, "key": key}
    bad = {"ca": str(authority.pem)} if wrong == "no certificate" else \
        {**right, "ca": str(Authority(tmp_path).pem)}
    with Terminator(*target, *authority.issue("127.0.0.1"), clients=authority.pem) as front:
        def at(tls):
            return {"hosts": [f"https://127.0.0.1:{front.port}"], "tls": tls} \
                if side == "ElasticSearchConfig" else {"port": front.port, "tls": tls}

        def pipelines(tls):
            made = [entry("people", place), entry("things", other)]
            made[0][side] |= at(right)
            made[1][side] |= at(tls)
            return made

        daemon = two.configure(pipelines=pipelines(bad)).run()
        travels(place, 40)
        waits = other.write_row(now(), user="waits")
        eventually(lambda: any("things: " in line and "tls.c" in line for line in errors(daemon)), 40)
        for _ in range(3):
            travels(place)
        eventually(lambda: ready(two, "people"))
        assert other.doc(waits) is None
        two.configure(pipelines=pipelines(right)).command("reload")
        eventually(lambda: other.doc(waits), 40)
        travels(place)
        assert daemon.stop() == 0
