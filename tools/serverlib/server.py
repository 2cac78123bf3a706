"""What all servers have in common."""
from . import certificates
from .fetch import fetch
from .places import Failure


class Server:
    address = "127.0.0.1"
    port_addresses = ("127.0.0.1",)
    joins = None
    port_names = ()
    secure = False  # asks for logins and looks at privileges
    tls = None      # or "server"; "both": asks for a client's certificate too

    def __init__(self, row, name, version, java):
        self.row, self.name, self.version, self.java = row, name, version, java
        self.number = tuple(int(p) if p.isdigit() else 0 for p in version.split("."))

    def __eq__(self, other):
        return (self.name, self.version) == (other.name, other.version)

    def demand_logins(self):
        raise Failure(f"{self.name} {self.version}: this script knows no logins for it")

    def join_elsewhere(self):
        raise Failure(f"{self.name} {self.version}: this script knows no data centers of it")

    def demand_tls(self, tls):
        self.demand_logins()
        self.tls = tls

    def drain(self, instance):
        raise Failure(f"{self.name} {self.version} can't be drained")

    def kind(self):
        """What its variables are called after the name."""
        return {None: "SECURE", "server": "TLS", "both": "MTLS"}[self.tls]

    def certificates(self, instance):
        """Where they lie; made when they are not there."""
        folder = instance.folder / "config" / "tls"
        certificates.make(folder, self.java)
        return folder

    def needs_java(self):
        if not self.java:
            low, high = self.row.java
            raise Failure(f"{self.name} {self.version} needs a JDK {low}"
                          f"{'' if low == high else ' or newer'}: install one under /usr/lib/jvm "
                          f"or set JAVA{low}_HOME")

    def fetch(self, cache):
        self.needs_java()
        return fetch(cache, self.row.group, self.row.artifact, self.version, self.row.kind)

    def tag(self):
        return f"{self.name}_{self.version}".upper().replace(".", "_").replace("-", "_")

    def prepare(self, instance):
        """Writes the configuration; returns the command line and what its environment needs."""
        raise NotImplementedError

    def ready(self, instance):
        raise NotImplementedError

    def where(self, instance):
        raise NotImplementedError

    def exports(self, instance, before):
        """The variables of `servers env`, given those of older servers."""
        raise NotImplementedError
