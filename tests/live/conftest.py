"""Fixtures of the live tests: real servers, a place of one's own on them, the program."""
import pytest
import support


@pytest.fixture(scope="session")
def servers():
    """Addresses of running servers; starts the quick set when the environment names none."""
    return support.Servers.find()


@pytest.fixture(scope="session")
def cassandra(servers):
    """A session of the Python driver, which shares no code with the program under test."""
    cluster, session = servers.connect()
    yield session
    cluster.shutdown()


@pytest.fixture(scope="session")
def es(servers):
    """The modern Elasticsearch (or what ELASTICSEARCH_URL names)."""
    return support.Elastic(servers.elasticsearch)


@pytest.fixture(scope="session")
def es2(servers):
    """Elasticsearch 2.4.6: the seed's protocol with _timestamp."""
    if not servers.elasticsearch2:
        pytest.skip("Elasticsearch 2.4.6 is not running")
    return support.Elastic(servers.elasticsearch2)


@pytest.fixture
def place(servers, cassandra, es):
    """A keyspace and an index that nobody else uses, empty; make_tables() and make_index() fill it."""
    with support.Place(servers, cassandra, es) as made:
        yield made


@pytest.fixture
def place2(servers, cassandra, es2):
    """The same with Elasticsearch 2.4.6."""
    with support.Place(servers, cassandra, es2) as made:
        yield made


@pytest.fixture
def caes(place, tmp_path):
    """Runs the program on `place`."""
    with support.Caes(place, tmp_path) as runner:
        yield runner


@pytest.fixture
def caes2(place2, tmp_path):
    """Runs the program on `place2`."""
    with support.Caes(place2, tmp_path) as runner:
        yield runner
