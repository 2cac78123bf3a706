"""API keys: the servers of the tests can't make any, so a gate in front of one asks for it."""
import pytest
from gate import Gate, Verdict
from support import Caes, Place, eventually, now

KEY = "VnVhQ2ZHY0JDZGJrUW0tZTVhT3g6dWkybHAyYXhUTm1zeWFrdzl0dk5udw=="


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


class Guard:
    key = KEY

    def __call__(self, method, url, headers, body):
        if headers.get("Authorization") != f"ApiKey {self.key}":
            raise Verdict("unable to authenticate with provided credentials")


@pytest.fixture
def guard():
    return Guard()


@pytest.fixture
def gate(place, guard):
    with Gate(place.elastic.url, guard, 401) as made:
        yield made


@pytest.fixture
def caes(place, tmp_path, gate):
    with Caes(place, tmp_path) as runner:
        yield runner.configure(ElasticSearchConfig={"hosts": [gate.url], "apiKey": KEY})


def test_both_ways(place, caes, gate):
    row, doc = place.write_row(now(), user="ana"), place.put_doc(now(), user="bob")
    caes.sync()
    assert place.doc(row) and place.row(doc)
    assert gate.passed and not gate.refused


def test_one_that_is_refused(caes, gate):
    caes.configure(ElasticSearchConfig={"apiKey": "another-" + KEY})
    result = caes.sync(code=3)
    line = result.err.strip().splitlines()[-1]
    assert gate.url in line and "401" in line and "apiKey" in line
    assert KEY not in result.err and not gate.passed


def test_it_is_not_in_the_log(place, caes):
    place.write_row(now(), user="ana")
    result = caes.command("--log-level", "debug", "sync", code=0)
    assert "DEBUG" in result.err and KEY not in result.err + result.out


def test_a_rotated_key_is_taken_at_reload(place, caes, guard):
    file = caes.folder / "key"
    file.write_text(KEY + "\n")
    caes.configure(ElasticSearchConfig={"apiKey": None, "apiKeyFile": str(file)})
    daemon = caes.run()
    before = place.write_row(now(), user="ana")
    eventually(lambda: place.doc(before))
    guard.key = "the-next-key"
    after = place.write_row(now(), user="ana")
    eventually(lambda: "401" in daemon.text())
    file.write_text("the-next-key\n")
    caes.command("reload")
    eventually(lambda: place.doc(after), 30)
    assert "the-next-key" not in daemon.text() and KEY not in daemon.text()
    assert daemon.stop() == 0
