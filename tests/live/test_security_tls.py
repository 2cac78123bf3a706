"""Real servers with everything on: Cassandra with PasswordAuthenticator, CassandraAuthorizer and
client_encryption_options, Elasticsearch with x-pack-security; TLS on both, in the long run
(CAES_TEST_LONG=1) once more with certificates of the client. They are started for it unless they
run (tools/servers start cassandra_tls elasticsearch_tls)."""
import os
import time
import uuid

import pytest
import secure
from support import Caes, Place, eventually, now

PASSWORD = "not-to-be-seen"
GRANTS = ("SELECT ON KEYSPACE {ks}", "MODIFY ON KEYSPACE {ks}")


KINDS = ["tls", "mtls"] if os.environ.get("CAES_TEST_LONG") else ["tls"]


@pytest.fixture(scope="module", params=KINDS)
def servers(request):
    with secure.both(request.param) as found:
        found.kind = request.param
        yield found


@pytest.fixture(scope="module")
def place(servers):
    with Place(servers.servers, servers.session, servers.elastic) as made:
        made.make_tables()
        made.make_index({"user": {"type": "keyword"},
                         "message": {"type": "keyword", "index": False, "doc_values": False}})
        yield made


@pytest.fixture(scope="module")
def role(place):
    """A login of Cassandra with no more rights than the program needs."""
    name = "r" + uuid.uuid4().hex[:12]
    place.cql(f"CREATE ROLE {name} WITH PASSWORD = '{PASSWORD}' AND LOGIN = true")
    for privilege in GRANTS:
        place.cql(f"GRANT {privilege.format(ks=place.keyspace)} TO {name}")
    yield name
    place.cql(f"DROP ROLE {name}")


def tls(folder, kind):
    own = {"cert": str(folder / "client.pem"), "key": str(folder / "client.key")}
    return {"ca": str(folder / "ca.pem"), **(own if kind == "mtls" else {})}


@pytest.fixture
def caes(place, role, tmp_path, servers):
    with Caes(place, tmp_path) as runner:
        yield runner.configure(
            CassandraConfig={"username": role, "password": PASSWORD,
                             "tls": tls(servers.cassandra_folder, servers.kind)},
            ElasticSearchConfig={"username": "daemon", "password": "daemon",
                                 "tls": tls(servers.elastic_folder, servers.kind)})


def refusal(caes, *words, code=3):
    """The one line that a sync ends with; it names what the words say, and no secret."""
    result = caes.sync(code=code)
    lines = result.err.strip().splitlines()
    line = lines[-1]
    assert all(word in line for word in words), line
    assert PASSWORD not in result.err + result.out
    assert not any(" ERROR " in other for other in lines[:-1]), lines
    return line


def cassandra_at(caes):
    return f"127.0.0.1:{caes.config['CassandraConfig']['port']}"


def test_both_ways(place, caes):
    rows = [place.write_row(now(), user="ana", message="x" * 20000) for _ in range(50)]
    docs = [place.put_doc(now(), user="bob", message="y" * 20000) for _ in range(50)]
    counts = caes.counts(caes.sync())
    assert counts["to_elasticsearch.copied"] >= 50 and counts["to_cassandra.copied"] >= 50
    assert all(place.doc(key)[1]["user"] == "ana" for key in rows)
    assert all(place.row(key)["user"] == "bob" for key in docs)


def test_check_finds_nothing(place, caes):
    place.write_row(now(), user="ana")
    caes.configure(http={"listen": "off"})
    findings = caes.command("check", "--json", code=0).json["findings"]
    assert [f for f in findings if f["severity"] != "info"] == []


@pytest.mark.parametrize("protocol", [4, 5])
def test_each_protocol_version(protocol, place, caes):
    key = place.put_doc(now(), user="bob", message="z" * 200000)
    caes.configure(CassandraConfig={"protocolVersion": protocol})
    caes.sync()
    assert len(place.row(key)["message"]) == 200000


def test_cassandra_refuses_the_password(caes):
    caes.configure(CassandraConfig={"password": PASSWORD + "x"})
    refusal(caes, cassandra_at(caes), "login refused", "look at username and password")


def test_cassandra_asks_for_a_login(caes):
    caes.configure(CassandraConfig={"username": None, "password": None})
    refusal(caes, cassandra_at(caes), "asks for a login", "give username and password")


def test_cassandra_does_not_permit(place, role, caes):
    place.cql(f"REVOKE MODIFY ON KEYSPACE {place.keyspace} FROM {role}")
    time.sleep(2.5)  # the server remembers privileges for two seconds
    place.put_doc(now(), user="bob")
    refusal(caes, f"cassandra {cassandra_at(caes)}: not permitted", "MODIFY", role, "grant it")
    place.cql(f"GRANT MODIFY ON KEYSPACE {place.keyspace} TO {role}")
    time.sleep(2.5)


def test_elasticsearch_refuses_the_password(place, caes):
    caes.configure(ElasticSearchConfig={"password": PASSWORD})
    refusal(caes, place.elastic.url, "401", "look at username, password or apiKey")


def test_elasticsearch_asks_for_a_login(place, caes):
    caes.configure(ElasticSearchConfig={"username": None, "password": None})
    refusal(caes, place.elastic.url, "401", "look at username, password or apiKey")


def test_elasticsearch_does_not_permit(place, caes):
    place.write_row(now(), user="ana")
    caes.configure(ElasticSearchConfig={"username": "reader", "password": "reader"})
    refusal(caes, place.elastic.url, "403", "lacks a privilege")


def test_cassandra_without_tls(caes):
    caes.configure(CassandraConfig={"tls": None})
    refusal(caes, cassandra_at(caes), "TLS", "tls.ca")


def test_elasticsearch_without_tls(place, caes):
    url = place.elastic.url.replace("https", "http")
    caes.configure(ElasticSearchConfig={"hosts": [url]})
    refusal(caes, url, "TLS", "take https://")


def test_cassandra_of_another_authority(caes, tmp_path):
    caes.configure(CassandraConfig={"tls": {"ca": str(secure.Authority(tmp_path).pem)}})
    refusal(caes, cassandra_at(caes), "certificate is refused", "tls.ca")


def test_elasticsearch_of_another_authority(place, caes, tmp_path):
    caes.configure(ElasticSearchConfig={"tls": {"ca": str(secure.Authority(tmp_path).pem)}})
    refusal(caes, place.elastic.url, "certificate is refused", "tls.ca")


def test_a_private_authority_is_not_known_by_itself(place, caes):
    caes.configure(CassandraConfig={"tls": {"ca": None, "enabled": True}})
    refusal(caes, cassandra_at(caes), "certificate is refused", "tls.ca")


def test_without_verification(place, caes):
    caes.configure(CassandraConfig={"tls": {"ca": None, "verify": False}},
                   ElasticSearchConfig={"tls": {"ca": None, "verify": False}})
    key = place.put_doc(now(), user="bob")
    caes.sync()
    assert place.row(key)


@pytest.mark.parametrize("name, fine", [("localhost", True), ("elsewhere.example", False)])
def test_the_name_in_cassandras_certificate(name, fine, caes):
    caes.configure(CassandraConfig={"tls": {"serverName": name}})
    if fine:
        caes.sync()
    else:
        refusal(caes, cassandra_at(caes), "certificate is refused", "name")


def test_a_missing_certificate_of_the_client(servers, place, caes):
    if servers.kind != "mtls":
        pytest.skip("these servers ask for none")
    caes.configure(CassandraConfig={"tls": {"cert": None, "key": None}})
    refusal(caes, cassandra_at(caes), "certificate", "tls.cert and tls.key")
    caes.configure(CassandraConfig={"tls": tls(servers.cassandra_folder, "mtls")},
                   ElasticSearchConfig={"tls": {"cert": None, "key": None}})
    refusal(caes, place.elastic.url, "certificate", "tls.cert and tls.key")


def test_another_authoritys_client(servers, caes, tmp_path):
    if servers.kind != "mtls":
        pytest.skip("these servers ask for none")
    cert, key = secure.Authority(tmp_path).issue("a client")
    caes.configure(CassandraConfig={"tls": {"cert": str(cert), "key": str(key)}})
    refusal(caes, cassandra_at(caes), "certificate", "tls.cert")


def test_a_rotated_password_is_taken_at_reload(place, role, caes):
    file = caes.folder / "password"
    file.write_text(PASSWORD + "\n")
    caes.configure(CassandraConfig={"password": None, "passwordFile": str(file)})
    daemon = caes.run()
    first = place.put_doc(now(), user="bob")
    eventually(lambda: place.row(first))
    time.sleep(5.5)  # the server lets a role's password change every five seconds
    place.cql(f"ALTER ROLE {role} WITH PASSWORD = '{PASSWORD}2'")
    file.write_text(PASSWORD + "2\n")
    caes.command("reload")
    eventually(lambda: "reads its configuration again" in daemon.text())
    second = place.put_doc(now(), user="bob")
    eventually(lambda: place.row(second))
    assert PASSWORD not in daemon.text()
    assert daemon.stop() == 0
