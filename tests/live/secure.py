"""Servers that ask for logins and speak TLS, and certificates of every kind."""
import contextlib
import datetime
import ipaddress
import os
import re
import select
import socket
import ssl
import threading
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import requests
from cassandra.auth import PlainTextAuthProvider
from cassandra.cluster import EXEC_PROFILE_DEFAULT, Cluster, ExecutionProfile, NoHostAvailable
from cassandra.query import dict_factory
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from support import Elastic, Servers, servers_tool


# --- certificates

class Authority:
    """Issues certificates into a folder."""

    def __init__(self, folder, name="an authority"):
        self.folder = folder
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        self.certificate = self._sign(self.name, self.key.public_key(), -1, 30,
                                      [(constraints, True)])
        self.pem = folder / f"{uuid.uuid4().hex}.pem"
        self.pem.write_bytes(self.certificate.public_bytes(serialization.Encoding.PEM))

    def _sign(self, subject, public, begin, end, extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = (x509.CertificateBuilder().subject_name(subject).issuer_name(self.name)
                   .public_key(public).serial_number(x509.random_serial_number())
                   .not_valid_before(now + datetime.timedelta(days=begin))
                   .not_valid_after(now + datetime.timedelta(days=end)))
        for extension, critical in extensions:
            builder = builder.add_extension(extension, critical)
        return builder.sign(self.key, hashes.SHA256())

    def issue(self, *names, begin=-1, end=30):
        """(certificate's file, key's file) for these names and addresses; days from now."""
        key = ec.generate_private_key(ec.SECP256R1())
        alternatives = []
        for name in names:
            with contextlib.suppress(ValueError):
                alternatives.append(x509.IPAddress(ipaddress.ip_address(name)))
                continue
            alternatives.append(x509.DNSName(name))
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
        certificate = self._sign(subject, key.public_key(), begin, end,
                                 [(x509.SubjectAlternativeName(alternatives), False)])
        base = self.folder / uuid.uuid4().hex
        base.with_suffix(".pem").write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM))
        base.with_suffix(".key").write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption()))
        return base.with_suffix(".pem"), base.with_suffix(".key")


class Terminator:
    """A port that speaks TLS with a given certificate, in front of a plain real server."""

    def __init__(self, host, port, certificate, key, clients=None, newest=None):
        """clients: the file of the authority whose certificates clients must have."""
        self.target = (host, int(port))
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        if newest:
            self.context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
            self.context.maximum_version = newest
        if clients:
            self.context.verify_mode = ssl.CERT_REQUIRED
            self.context.load_verify_locations(clients)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near):
        with contextlib.suppress(OSError), near:
            near.settimeout(60)
            with self.context.wrap_socket(near, server_side=True) as inner, \
                    socket.create_connection(self.target) as far:
                self._carry(inner, far)

    @staticmethod
    def _carry(inner, far):
        """Both ways in one thread: two must not use one TLS connection at the same time."""
        while True:
            ready = [inner] if inner.pending() else select.select([inner, far], [], [])[0]
            for source, target in ((inner, far), (far, inner)):
                if source in ready:
                    data = source.recv(65536)
                    if not data:
                        return
                    target.sendall(data)


# --- servers

def variables():
    found = dict(re.findall(r"export (\w+)=(\S+)", servers_tool("env")))
    return {**found, **{k: v for k, v in os.environ.items() if re.search("_(SECURE|M?TLS)_", k)}}


@contextlib.contextmanager
def started(*names):
    """Variables of these servers; those that did not run end afterwards."""
    own = servers_tool("start", *names).split()
    yield variables()
    if own:
        servers_tool("stop", *own)


def cassandra_session(hosts, port, user="cassandra", password="cassandra", tls=None):
    """The first superuser is made some moments after the server is up."""
    profile = ExecutionProfile(row_factory=dict_factory, request_timeout=60)
    for _ in range(60):
        cluster = Cluster(hosts, port=port, connect_timeout=20, ssl_context=tls,
                          execution_profiles={EXEC_PROFILE_DEFAULT: profile},
                          auth_provider=PlainTextAuthProvider(user, password))
        try:
            return cluster, cluster.connect()
        except NoHostAvailable:
            cluster.shutdown()
            time.sleep(0.5)
    raise AssertionError("Cassandra takes no login")


class SecureElastic(Elastic):
    """The same over TLS, as its superuser."""

    def __init__(self, url, folder):
        self.folder = folder
        super().__init__(url)

    def open(self):
        session = requests.Session()
        session.trust_env = False  # a bundle that the environment names would count instead
        session.verify = str(self.folder / "ca.pem")
        session.cert = (str(self.folder / "client.pem"), str(self.folder / "client.key"))
        session.auth = ("admin", "admin")
        return session


@dataclass
class Secure:
    """Both stores with everything on."""
    servers: Servers
    session: object
    elastic: SecureElastic
    cassandra_folder: Path
    elastic_folder: Path


def client_context(folder):
    context = ssl.create_default_context(cafile=folder / "ca.pem")
    context.check_hostname = False
    context.load_cert_chain(folder / "client.pem", folder / "client.key")
    return context


@contextlib.contextmanager
def both(kind):
    """kind: tls or mtls"""
    with started(f"cassandra_{kind}", f"elasticsearch_{kind}") as found:
        tag = kind.upper()
        folders = [Path(found[f"{server}_{tag}_FOLDER"]) for server in
                   ("CASSANDRA", "ELASTICSEARCH")]
        hosts = found[f"CASSANDRA_{tag}_HOSTS"].split(",")
        port = int(found[f"CASSANDRA_{tag}_PORT"])
        cluster, session = cassandra_session(hosts, port, tls=client_context(folders[0]))
        url = found[f"ELASTICSEARCH_{tag}_URL"]
        yield Secure(Servers(hosts, port, url, None), session, SecureElastic(url, folders[1]),
                     *folders)
        cluster.shutdown()
