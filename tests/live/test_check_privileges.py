"""`check` on servers that ask for logins and look at privileges; they are started for it unless
they run (tools/servers start cassandra_secure elasticsearch_secure)."""
import re
import time
import uuid

import pytest
from secure import cassandra_session, started
from support import Caes, Elastic, Place, Servers, now


@pytest.fixture(scope="module")
def secure():
    """(servers, session of the superuser, Elasticsearch as its superuser)"""
    with started("cassandra_secure", "elasticsearch_secure") as found:
        url = found["ELASTICSEARCH_SECURE_URL"]
        host, port = found["CASSANDRA_SECURE_HOSTS"], int(found["CASSANDRA_SECURE_PORT"])
        cluster, session = cassandra_session([host], port)
        yield (Servers([host], port, url, None), session,
               Elastic(url.replace("http://", "http://admin:admin@")))
        cluster.shutdown()


@pytest.fixture
def place(secure):
    with Place(*secure) as made:
        made.make()
        made.write_row(now(), user="ana")
        made.put_doc(now(), user="bob")
        made.elastic.refresh(made.index)
        yield made


@pytest.fixture
def role(place):
    """A new login of Cassandra that may do nothing."""
    name = "r" + uuid.uuid4().hex[:12]
    place.cql(f"CREATE ROLE {name} WITH PASSWORD = '{name}' AND LOGIN = true")
    yield name
    place.cql(f"DROP ROLE {name}")


@pytest.fixture
def caes(place, role, tmp_path, secure):
    with Caes(place, tmp_path) as runner:
        yield runner.configure(
            http={"listen": "off"},
            CassandraConfig={"username": role, "password": role},
            ElasticSearchConfig={"hosts": [secure[0].elasticsearch], "username": "daemon",
                                 "password": "daemon"})


def grant(place, role, *privileges):
    for privilege in privileges:
        place.cql(f"GRANT {privilege.format(ks=place.keyspace)} TO {role}")


def findings(caes, code, *severities):
    return [(f["severity"], f["where"], f["what"]) for f in
            caes.command("check", "--json", code=code).json["findings"]
            if f["severity"] in severities]


ALL = ("SELECT ON KEYSPACE {ks}", "MODIFY ON KEYSPACE {ks}")


def test_enough_is_enough(place, role, caes):
    grant(place, role, *ALL, "SELECT ON TABLE system.paxos")
    assert findings(caes, 0, "error", "warning") == []
    caes.sync(since=1)
    assert not [f for f in findings(caes, 0, "info") if "IF" in f[2]]


def test_what_paxos_hides_is_said(place, role, caes):
    grant(place, role, *ALL)
    assert [f for f in findings(caes, 0, "info") if "system.paxos is not permitted" in f[2]]


def test_a_superuser_may_all(caes):
    caes.configure(CassandraConfig={"username": "cassandra", "password": "cassandra"},
                   ElasticSearchConfig={"username": "admin", "password": "admin"})
    assert findings(caes, 0, "error", "warning") == []


LACKING = [
    ((), {("data", "SELECT"), ("data", "MODIFY"), ("ts", "SELECT"), ("ts", "MODIFY")}),
    (("SELECT ON KEYSPACE {ks}",), {("data", "MODIFY"), ("ts", "MODIFY")}),
    (("SELECT ON KEYSPACE {ks}", "MODIFY ON TABLE {ks}.ts"), {("data", "MODIFY")}),
    (("MODIFY ON KEYSPACE {ks}", "SELECT ON TABLE {ks}.data"), {("ts", "SELECT")}),
]


@pytest.mark.parametrize("granted, lacking", LACKING)
def test_what_cassandra_does_not_permit(granted, lacking, place, role, caes):
    grant(place, role, *granted)
    before = place.rows(), place.entries()
    found = findings(caes, 1, "error")
    assert {(where.rsplit(".", 1)[1], re.search("lacks ([A-Z]+)", what)[1])
            for _, where, what in found} == lacking
    assert (place.rows(), place.entries()) == before


def test_the_tables_of_an_insert_query_count(place, role, caes):
    place.cql(f"CREATE TABLE {place.keyspace}.by_user (user text, did uuid, "
              "PRIMARY KEY(user, did))")
    grant(place, role, "SELECT ON KEYSPACE {ks}", "MODIFY ON TABLE {ks}.data",
          "MODIFY ON TABLE {ks}.ts")
    caes.configure(CassandraConfig={"insertQuery": [
        "INSERT INTO by_user (user, did) VALUES (%(user)s, %(did)s)"]})
    (_, where, what), = findings(caes, 1, "error")
    assert where == f"cassandra {place.keyspace}.by_user" and "lacks MODIFY" in what
    grant(place, role, "MODIFY ON TABLE {ks}.by_user")
    time.sleep(2.5)  # the server remembers privileges for two seconds
    assert findings(caes, 0, "error") == []


@pytest.mark.parametrize("refresh, lacking", [
    (True, "index, delete, maintenance"), (False, "index, delete")])
def test_what_elasticsearch_does_not_permit(refresh, lacking, place, role, caes):
    grant(place, role, *ALL)
    caes.configure(ElasticSearchConfig={"username": "reader", "password": "reader",
                                        "refresh": refresh})
    assert findings(caes, 1, "error", "warning") == [
        ("error", f"elasticsearch {place.index}", f"the login lacks: {lacking}")]


@pytest.mark.parametrize("side, login", [
    ("CassandraConfig", {"password": "wrong"}),
    ("CassandraConfig", {"username": None, "password": None}),
    ("ElasticSearchConfig", {"password": "wrong"}),
    ("ElasticSearchConfig", {"username": None, "password": None}),
])
def test_a_login_that_is_refused(side, login, place, role, caes):
    grant(place, role, *ALL)
    caes.configure(**{side: login})
    server = {"CassandraConfig": "cassandra ", "ElasticSearchConfig": "elasticsearch "}[side]
    (severity, where, what), = findings(caes, 3, "error")
    assert where.startswith(server) and "wrong" not in what
