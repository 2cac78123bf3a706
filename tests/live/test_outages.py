# serial
"""What an operator sees when the servers themselves break: Elasticsearch is killed, then Cassandra, one of
them stands still for half a minute, changes can't be copied. Each is on the page, in the metrics, in
readiness and in the log, and gone again afterwards; nothing is lost. Servers that somebody else runs
are left alone."""
import contextlib
import html
import re
import threading
import time
import uuid

import pytest
from cassandra import DriverException
from cassandra.cluster import NoHostAvailable
from support import eventually, now, servers_tool
from test_http import Metrics, get, up


class Server:
    """One of tools/servers, as the daemon's operator and the person who breaks it see it."""

    def __init__(self, label, name, version):
        self.label, self.title = label, {"cassandra": "Cassandra"}.get(label, "Elasticsearch")
        self.word = f"{name}={version}"

    def tool(self, verb):
        servers_tool(verb, self.word)


def answers(place):
    try:
        return place.cql("SELECT key FROM system.local")
    except NoHostAvailable:
        return None


@pytest.fixture
def broken(place):
    """Both servers; whatever a test did to them, they run afterwards."""
    name = "opensearch" if place.elastic.opensearch else "elasticsearch"
    release = place.cql("SELECT release_version FROM system.local")[0]["release_version"]
    pair = [Server("elasticsearch", name, place.elastic.version),
            Server("cassandra", "cassandra", release)]
    running = servers_tool("list")
    if not all(f"{server.word} " in running for server in pair):
        pytest.skip("these servers are not run by tools/servers")
    yield pair
    for server in pair:
        server.tool("start")
    eventually(lambda: answers(place), 60)


def page(caes):
    """The words of the page, as somebody without JavaScript reads them."""
    text = re.sub(r"<(style|script|svg)\b.*?</\1>", " ", get(caes, "/").text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", text)).split())


def sees(caes, daemon, server, since):
    """Everywhere that an operator looks, this server is down and the other one is not."""
    eventually(lambda: f"Waiting for {server.title} since" in page(caes), 60)
    eventually(lambda: f"{server.title} is down" in (r := get(caes, "/readyz")).text
               and r.status_code == 503, 30)
    assert get(caes, "/healthz").status_code == 200
    metrics = Metrics(caes)
    for sample in metrics.samples("caes_up"):
        assert sample.value == (sample.labels["server"] != server.label), sample
    assert metrics.value("caes_ready") == 0 and metrics.value("caes_stuck") == 0
    eventually(lambda: any("ERROR" in line and server.label in line and "trying again" in line
                           for line in daemon.text()[since:].splitlines()))


def is_well(caes, daemon, server, since):
    up(caes)
    eventually(lambda: "All is well" in page(caes), 30)
    eventually(lambda: f"Waiting for {server.title}" not in page(caes))
    eventually(lambda: (m := Metrics(caes)).value("caes_ready") == 1
               and all(sample.value == 1 for sample in m.samples("caes_up")))
    eventually(lambda: "works again after" in daemon.text()[since:])


def write_both(place, label):
    """A record in each store that is up; what is expected of both once all is well."""
    key = uuid.uuid4()
    if label == "elasticsearch":
        place.write_row(now(), key=key, user="written meanwhile", message="row")
    else:
        place.put_doc(now(), key=key, user="written meanwhile", message="document")
    return key


def test_servers_that_are_killed(place, caes, broken):
    place.make()
    daemon = caes.configure(http={"readyLag": 5}).run()
    up(caes)
    for server in broken:
        before = len(daemon.text())
        server.tool("kill")
        sees(caes, daemon, server, before)
        key = write_both(place, server.label)
        back = len(daemon.text())
        server.tool("start")
        eventually(lambda: answers(place), 60)
        is_well(caes, daemon, server, back)
        eventually(lambda k=key: place.doc(k) and place.row(k), 60)
        assert place.doc(key)[1]["user"] == place.row(key)["user"] == "written meanwhile"


class Writer:
    """Writes new records to both stores until it is left, and keeps the keys that were acknowledged."""

    def __init__(self, place):
        self.place, self.keys, self.ended = place, [], threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(one,), daemon=True)
                        for one in (place.put_doc, place.write_row)]

    def write(self, one):
        while not self.ended.wait(0.02):
            with contextlib.suppress(DriverException, NoHostAvailable):
                self.keys.append(str(one(now(), user="written")))

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *unused):
        self.ended.set()
        for thread in self.threads:
            thread.join()


def test_a_node_that_is_drained(place, caes, broken):
    """As before an upgrade: the process stays, but closes and refuses connections."""
    place.make()
    daemon = caes.configure(http={"readyLag": 5}, sync={"settle": 0.5}).run()
    up(caes)
    server, before = broken[1], len(daemon.text())
    with Writer(place) as writer:
        eventually(lambda: len(place.rows()) > 20)
        server.tool("drain")
        rows = len(writer.keys)
        sees(caes, daemon, server, before)
        address = f"{place.servers.cassandra_hosts[0]}:{place.servers.cassandra_port}"
        waits = rf"state\.text: Waiting for Cassandra since .*{address}.*refused"
        told = eventually(lambda: re.search(waits, t := caes.command("status").out) and t)
        assert re.search(r"dead_letters: 0$", told, re.MULTILINE)
        assert len(writer.keys) > rows and daemon.running()
        back = len(daemon.text())
        server.tool("restart")
        eventually(lambda: answers(place), 60)
        is_well(caes, daemon, server, back)
    keys = set(writer.keys)
    eventually(lambda: keys <= place.rows().keys() and keys <= place.docs().keys(), 60)
    assert Metrics(caes).value("caes_dead_letters") == 0
    assert daemon.stop() == 0
    report = caes.command("verify", "--json").json
    assert report["equal"] == report["compared"] >= len(keys)


def test_a_server_that_stands_still(place, caes, broken):
    place.make()
    daemon = caes.configure(http={"readyLag": 5}, ElasticSearchConfig={"requestTimeout": 5}).run()
    up(caes)
    server, before, begun = broken[0], len(daemon.text()), time.monotonic()
    server.tool("pause")
    try:
        sees(caes, daemon, server, before)
        key = write_both(place, server.label)
        time.sleep(max(0, begun + 30 - time.monotonic()))
        assert Metrics(caes).value("caes_lag_seconds", direction="to_elasticsearch") > 20
        assert f"Waiting for {server.title} since" in page(caes)
        assert "stuck" not in page(caes) + daemon.text()
        back = len(daemon.text())
    finally:
        server.tool("resume")
    is_well(caes, daemon, server, back)
    eventually(lambda: place.doc(key), 60)


def test_changes_that_cannot_be_copied(place, caes):
    """The key and the reason are shown, the payload is not; after the cause is mended all is well."""
    place.make({"user": "text", "likes": "int"},
               {"user": {"type": "keyword"}, "likes": {"type": "keyword"}})
    daemon = caes.run()
    up(caes)
    keys = [place.put_doc(now(), user="in the dark", likes="very many") for _ in range(3)]
    eventually(lambda: Metrics(caes).value("caes_dead_letters") == 3)
    eventually(lambda: "Needs a look" in page(caes))
    text = page(caes)
    assert all(str(key) in text for key in keys) and "likes" in text
    assert "in the dark" not in get(caes, "/").text and "in the dark" not in daemon.text()
    assert any(str(key) in daemon.text() for key in keys)
    assert Metrics(caes).value("caes_records_total", direction="to_cassandra", result="dead") == 3
    assert get(caes, "/readyz").status_code == 200  # the others flow on
    assert "but for 3 changes in the dead letters" in text
    for key in keys:
        place.put_doc(now() + 1, key=key, user="mended", likes=5)
    eventually(lambda: Metrics(caes).value("caes_dead_letters") == 0)
    eventually(lambda: "All is well" in page(caes))
    assert not any(str(key) in page(caes) for key in keys)
    assert {place.row(key)["likes"] for key in keys} == {5}
