"""Elasticsearch and OpenSearch."""
import base64
import hashlib
import json
import shutil
import ssl
import urllib.error
import urllib.request
from pathlib import Path

from .server import Server


# Of a server with logins: user, password (the same) and what the user may do.
ROLES = {
    "admin": {"cluster": ["all"], "indices": ["all"]},
    "daemon": {"cluster": ["monitor"],
               "indices": ["read", "write", "maintenance", "view_index_metadata"]},
    "reader": {"cluster": ["monitor"], "indices": ["read", "view_index_metadata"]},
}


def hashed(password):
    """As the server's file of users wants it."""
    salt = hashlib.sha256(password.encode()).digest()
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 10000, 32)
    return "{PBKDF2}10000$" + "$".join(base64.b64encode(b).decode() for b in (salt, key))


def health(url, certificates):
    context = None
    if certificates:
        context = ssl.create_default_context(cafile=certificates / "ca.pem")
        context.load_cert_chain(certificates / "client.pem", certificates / "client.key")
    try:
        with urllib.request.urlopen(f"{url}/_cluster/health", timeout=2,
                                    context=context) as answer:
            return json.load(answer)["status"] in ("yellow", "green")
    except urllib.error.HTTPError as refused:
        return refused.code == 401
    except (OSError, ValueError, KeyError, urllib.error.URLError):
        return False


class Elasticsearch(Server):
    port_names = ("http", "transport")
    heap = "512m"
    prefix = "ES"
    binary = "elasticsearch"
    transport_key = "transport.port"

    def demand_logins(self):
        """Of the users in ROLES."""
        self.secure = True

    def settings(self, instance):
        folder = instance.folder
        settings = {
            "cluster.name": "caes", "node.name": "caes-1", "network.host": "127.0.0.1",
            "http.port": instance.ports["http"], self.transport_key: instance.ports["transport"],
            "path.data": str(folder / "data"), "path.logs": str(folder / "tmp/logs"),
            # A developer's disk is often fuller than a server's.
            "cluster.routing.allocation.disk.threshold_enabled": False,
        }
        if self.tls:
            settings |= self.encryption(instance)
        return settings | self.discovery(Path(instance.state["home"]))

    def discovery(self, home):
        settings = {"discovery.type": "single-node"}
        if (home / "modules/x-pack-security").is_dir():
            settings["xpack.security.enabled"] = self.secure
        if self.secure:
            settings |= {"xpack.security.http.ssl.enabled": bool(self.tls),
                         "xpack.security.autoconfiguration.enabled": False}
        return settings

    def encryption(self, instance):
        folder, key = self.certificates(instance), "xpack.security.http.ssl."
        return {f"{key}key": str(folder / "server.key"),
                f"{key}certificate": str(folder / "server.pem"),
                f"{key}certificate_authorities": [str(folder / "ca.pem")],
                f"{key}client_authentication": "required" if self.tls == "both" else "none"}

    def write_users(self, config):
        users, members, roles = [], [], []
        for name, may in ROLES.items():
            users.append(f"{name}:{hashed(name)}")
            members.append(f"{name}:{name}")
            indices = [{"names": ["*"], "privileges": may["indices"]}]
            role = json.dumps({"cluster": may["cluster"], "indices": indices})
            roles.append(f"{name}: {role}")  # each role has to begin a line
        for file, lines in (("users", users), ("users_roles", members), ("roles.yml", roles)):
            (config / file).write_text("\n".join(lines) + "\n")

    def configure(self, instance):
        config = instance.folder / "config"
        shutil.copytree(Path(instance.state["home"]) / "config", config, dirs_exist_ok=True)
        # JSON is YAML.
        (config / f"{self.binary}.yml").write_text(json.dumps(self.settings(instance), indent=1))
        if self.secure:
            self.write_users(config)
        options = config / "jvm.options"
        if options.exists():
            # The log of collections, dumps and crashes would go to the (shared) home.
            words = ("gc.log", "HeapDumpPath", "ErrorFile")
            kept = [s for s in options.read_text().splitlines() if not any(w in s for w in words)]
            options.write_text("\n".join(kept) + "\n")

    def prepare(self, instance):
        self.configure(instance)
        folder = instance.folder
        java = f"{self.prefix}_JAVA_HOME"
        return [f"{instance.state['home']}/bin/{self.binary}"], {
            java: self.java, "JAVA_HOME": self.java, f"{self.prefix}_PATH_CONF": f"{folder}/config",
            f"{self.prefix}_TMPDIR": f"{folder}/tmp", "CLI_JAVA_OPTS": "-Xmx64m",
            f"{self.prefix}_JAVA_OPTS": f"-Xms{self.heap} -Xmx{self.heap}",
        }

    def url(self, instance):
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{instance.ports['http']}"

    where = url

    def ready(self, instance):
        return health(self.url(instance), self.tls and instance.folder / "config/tls")

    def exports(self, instance, before):
        url = self.url(instance)
        if self.secure:
            base = f"ELASTICSEARCH_{self.kind()}"
            return {f"{base}_URL": url, f"{base}_FOLDER": instance.folder / "config/tls"}
        return {f"{self.name.upper()}_URL": url, f"{self.tag()}_URL": url}


class OpenSearch(Elasticsearch):
    prefix = "OPENSEARCH"
    binary = "opensearch"
    demand_logins = Server.demand_logins

