"""Certificates that are wrong in every way, and ports that speak something else: a port with TLS in
front of the real servers shows the daemon certificates that the test makes."""
import shutil
import signal
import ssl
from urllib.parse import urlsplit

import pytest
from secure import Authority, Terminator
from support import Caes, Place, eventually, now

SIDES = ["CassandraConfig", "ElasticSearchConfig"]


class Front:
    """One of the two servers behind TLS."""

    def __init__(self, side, place, caes, folder):
        self.side, self.caes = side, caes
        self.authority = Authority(folder)
        url = urlsplit(place.elastic.url)
        self.target = (url.hostname, url.port) if side == "ElasticSearchConfig" else \
            (place.servers.cassandra_hosts[0], place.servers.cassandra_port)

    def show(self, *names, clients=None, newest=None, **validity):
        certificate = self.authority.issue(*(names or ("127.0.0.1",)), **validity)
        front = Terminator(*self.target, *certificate, clients=clients, newest=newest)
        self.configure(front.port)
        return front

    def configure(self, port, scheme="https", **tls):
        tls = {"ca": str(self.authority.pem), **tls}
        if self.side == "ElasticSearchConfig":
            self.name = f"{scheme}://127.0.0.1:{port}"
            self.caes.configure(ElasticSearchConfig={"hosts": [self.name], "tls": tls})
        else:
            self.name = f"127.0.0.1:{port}"
            self.caes.configure(CassandraConfig={"port": port, "tls": tls})

    def tls(self, **changes):
        self.caes.configure(**{self.side: {"tls": changes}})

    def refusal(self, *words, code=3):
        line = self.caes.sync(code=code).err.strip().splitlines()[-1]
        assert self.name in line and all(word in line for word in words), line
        return line


@pytest.fixture(scope="module")
def place(servers, cassandra, es):
    with Place(servers, cassandra, es) as made:
        yield made.make()


@pytest.fixture
def caes(place, tmp_path):
    with Caes(place, tmp_path) as runner:
        yield runner


@pytest.fixture(params=SIDES)
def front(request, place, caes, tmp_path):
    return Front(request.param, place, caes, tmp_path)


def test_one_that_is_right(place, front, caes):
    row, doc = place.write_row(now(), user="ana"), place.put_doc(now(), user="bob")
    with front.show():
        caes.sync()
    assert place.doc(row) and place.row(doc)


def test_expired(front):
    with front.show(begin=-9, end=-2):
        front.refusal("certificate is refused", "expired", "renew it")


def test_not_valid_yet(front):
    with front.show(begin=2, end=9):
        front.refusal("certificate is refused", "not yet valid", "clocks")


@pytest.mark.parametrize("name", ["elsewhere.example", "127.0.0.9"])
def test_of_another_host(name, front):
    with front.show(name):
        front.refusal("certificate is refused", "mismatch", "connect by a name")


def test_of_an_unknown_authority(front, tmp_path):
    with front.show():
        front.tls(ca=str(Authority(tmp_path).pem))
        front.refusal("certificate is refused", "tls.ca")


def test_an_authority_of_the_same_name(front, tmp_path):
    """The name is not what counts."""
    forged = Authority(tmp_path)
    with Terminator(*front.target, *forged.issue("127.0.0.1")) as port:
        front.configure(port.port)
        front.refusal("certificate is refused")


def test_wrong_but_not_verified(front, caes):
    with front.show("elsewhere.example", begin=-9, end=-2):
        front.tls(verify=False)
        caes.sync()
        findings = caes.configure(http={"listen": "off"}).command("check", "--json", code=0).json["findings"]
        assert [f["where"].split()[1] for f in findings if "pose as the server" in f["what"]] == [
            f"{front.side}.tls.verify"]


def test_a_name_of_the_certificate_that_is_no_address(place, caes, tmp_path):
    front = Front("CassandraConfig", place, caes, tmp_path)
    with front.show("cassandra.example"):
        front.refusal("mismatch")
        front.tls(serverName="cassandra.example")
        eventually(caes.sync)


def test_a_port_without_tls(front):
    front.configure(front.target[1])
    front.refusal("speaks no TLS")


def test_tls_that_is_too_old(front):
    with front.show(newest=ssl.TLSVersion.TLSv1_1):
        front.refusal("TLS")


def test_the_server_asks_for_a_certificate(front, caes):
    with front.show(clients=front.authority.pem):
        front.refusal("tls.cert and tls.key")
        cert, key = front.authority.issue("a client")
        front.tls(cert=str(cert), key=str(key))
        caes.sync()


def test_a_file_that_is_not_there(front, caes):
    front.configure(front.target[1], ca="/nowhere/ca.pem")
    line = caes.sync(code=2).err.strip().splitlines()[-1]
    assert f"{caes.file}:" in line and f"{front.side}.tls.ca: /nowhere/ca.pem" in line


def test_files_that_do_not_belong_together(front, caes):
    cert, _ = front.authority.issue("a client")
    _, key = front.authority.issue("a client")
    front.configure(front.target[1], cert=str(cert), key=str(key))
    line = caes.sync(code=2).err.strip().splitlines()[-1]
    assert f"{front.side}.tls.key: {key}" in line and "mismatch" in line


def test_a_key_without_its_certificate(front, caes):
    _, key = front.authority.issue("a client")
    front.configure(front.target[1], key=str(key))
    assert "belong together" in caes.sync(code=2).err


def test_rotated_files_are_taken_at_reload(place, front, caes, tmp_path):
    """The old authority stops signing: server and client get new certificates of a new one."""
    cert, key = front.authority.issue("a client")
    own = {"cert": tmp_path / "own.pem", "key": tmp_path / "own.key", "ca": tmp_path / "ca.pem"}

    def lay_down(authority, certificate):
        shutil.copy(authority.pem, own["ca"])
        for name, file in zip(("cert", "key"), certificate):
            shutil.copy(file, own[name])

    lay_down(front.authority, (cert, key))
    with front.show(clients=front.authority.pem) as first:
        front.tls(**{name: str(file) for name, file in own.items()})
        daemon = caes.run()
        before = place.put_doc(now(), user="bob")
        eventually(lambda: place.row(before))
    new = Authority(tmp_path)
    # Only half of it is there: what runs goes on, and the reload says why.
    own["key"].write_text("half a key")
    told = caes.command("reload", code=2).err
    assert "tls.key" in told and str(own["key"]) in told
    daemon.signal(signal.SIGHUP)
    eventually(lambda: "goes on with the old configuration" in daemon.text())
    assert daemon.running()
    lay_down(new, new.issue("a client"))
    front.authority = new
    with front.show(clients=new.pem) as second:
        assert second.port != first.port
        front.tls(**{name: str(file) for name, file in own.items()})
        caes.command("reload")
        after = place.put_doc(now(), user="bob")
        eventually(lambda: place.row(after), 30)
        assert daemon.stop() == 0
