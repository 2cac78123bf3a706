"""Cassandra, from the jars of cassandra-all: the configuration is ours to write."""
import json
import subprocess
from pathlib import Path

from .certificates import PASSWORD
from .places import Failure
from .process import answers
from .server import Server

# Of Cassandra's own jvm17-server.options.
OPEN = """
-Djdk.attach.allowAttachSelf=true
-Dio.netty.tryReflectionSetAccessible=true
-Dio.netty.allocator.useCacheForAllThreads=true
-Dio.netty.allocator.maxOrder=11
--add-exports=java.base/jdk.internal.misc=ALL-UNNAMED
--add-exports=java.base/java.lang.ref=ALL-UNNAMED
--add-exports=java.management.rmi/com.sun.jmx.remote.internal.rmi=ALL-UNNAMED
--add-exports=java.rmi/sun.rmi.registry=ALL-UNNAMED
--add-exports=java.rmi/sun.rmi.server=ALL-UNNAMED
--add-exports=java.sql/java.sql=ALL-UNNAMED
--add-exports=jdk.attach/sun.tools.attach=ALL-UNNAMED
--add-exports=jdk.compiler/com.sun.tools.javac.file=ALL-UNNAMED
--add-exports=jdk.unsupported/sun.misc=ALL-UNNAMED
--add-opens=java.base/java.io=ALL-UNNAMED
--add-opens=java.base/java.lang=ALL-UNNAMED
--add-opens=java.base/java.lang.module=ALL-UNNAMED
--add-opens=java.base/java.lang.reflect=ALL-UNNAMED
--add-opens=java.base/java.util=ALL-UNNAMED
--add-opens=java.base/jdk.internal.loader=ALL-UNNAMED
--add-opens=java.base/jdk.internal.math=ALL-UNNAMED
--add-opens=java.base/jdk.internal.module=ALL-UNNAMED
--add-opens=java.base/jdk.internal.ref=ALL-UNNAMED
--add-opens=java.base/jdk.internal.reflect=ALL-UNNAMED
--add-opens=java.base/jdk.internal.util.jar=ALL-UNNAMED
--add-opens=java.base/sun.nio.ch=ALL-UNNAMED
--add-opens=jdk.compiler/com.sun.tools.javac=ALL-UNNAMED
--add-opens=jdk.management/com.sun.management.internal=ALL-UNNAMED
""".split()

LOGBACK = """<configuration>
  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder><pattern>%-5level %date{ISO8601} %F:%L - %msg%n</pattern></encoder>
  </appender>
  <root level="INFO"><appender-ref ref="OUT"/></root>
</configuration>
"""


class Cassandra(Server):
    heap = "1g"
    port_names = ("native", "storage", "jmx")
    # The other nodes of a ring use the same ports on these addresses.
    port_addresses = ("127.0.0.1", "127.0.0.2", "127.0.0.3")

    datacenter = "datacenter1"

    def join(self, number):
        self.address = f"127.0.0.{number}"
        self.joins = "cassandra"
        self.heap = "600m"

    def join_elsewhere(self):
        self.join(3)
        self.datacenter = "datacenter2"

    def demand_logins(self):
        """Of the role cassandra, password cassandra, which can make others."""
        self.secure = True
        self.heap = "600m"

    def settings(self, instance):
        data = instance.folder / "data"
        allow = ("PasswordAuthenticator", "CassandraAuthorizer") if self.secure else \
            ("AllowAllAuthenticator", "AllowAllAuthorizer")
        return {
            "cluster_name": "caes", "num_tokens": 16, "auto_bootstrap": bool(self.joins),
            "partitioner": "org.apache.cassandra.dht.Murmur3Partitioner",
            "endpoint_snitch": "GossipingPropertyFileSnitch", "dynamic_snitch": False,
            "authenticator": allow[0], "authorizer": allow[1],
            "materialized_views_enabled": True,
            "listen_address": self.address, "rpc_address": self.address,
            "start_native_transport": True,
            "native_transport_port": instance.ports["native"],
            "storage_port": instance.ports["storage"],
            "seed_provider": [{"class_name": "org.apache.cassandra.locator.SimpleSeedProvider",
                               "parameters": [{"seeds": "127.0.0.1"}]}],
            "data_file_directories": [str(data / "data")],
            "commitlog_directory": str(data / "commitlog"),
            "saved_caches_directory": str(data / "saved_caches"),
            "hints_directory": str(data / "hints"),
            "cdc_raw_directory": str(data / "cdc_raw"), "cdc_enabled": False,
            "commitlog_sync": "periodic", "commitlog_sync_period": "1000ms",
            "memtable_heap_space": "128MiB", "memtable_offheap_space": "128MiB",
            "concurrent_compactors": 1, "auto_snapshot": False, **self.encryption(instance),
        }

    def encryption(self, instance):
        if not self.tls:
            return {}
        folder = self.certificates(instance)
        return {"client_encryption_options": {
            "enabled": True, "optional": False, "require_client_auth": self.tls == "both",
            "keystore": str(folder / "server.p12"), "keystore_password": PASSWORD,
            "truststore": str(folder / "trust.p12"), "truststore_password": PASSWORD,
            "store_type": "PKCS12"}}

    def agents(self, lib):
        return []

    def prepare(self, instance):
        folder, lib = instance.folder, Path(instance.state["home"]) / "lib"
        # JSON is YAML.
        (folder / "config/cassandra.yaml").write_text(json.dumps(self.settings(instance), indent=1))
        (folder / "config/logback.xml").write_text(LOGBACK)
        (folder / "config/cassandra-rackdc.properties").write_text(
            f"dc={self.datacenter}\nrack=rack1\n")
        return [
            f"{self.java}/bin/java", *self.agents(lib), *OPEN,
            f"-Xms{self.heap}", f"-Xmx{self.heap}", "-XX:+UseG1GC", "-Xss512k",
            f"-Djava.io.tmpdir={folder / 'tmp'}",
            f"-Dcassandra.config=file://{folder / 'config/cassandra.yaml'}",
            f"-Dcassandra.storagedir={folder / 'data'}",
            f"-Dlogback.configurationFile={folder / 'config/logback.xml'}",
            "-Dcassandra-foreground=yes",
            f"-Dcassandra.jmx.local.port={instance.ports['jmx']}",
            "-Dcassandra.ring_delay_ms=1000",
            "-Dcassandra.superuser_setup_delay_ms=0",
            # Alone there is no gossip to wait for.
            *([] if self.joins else ["-Dcassandra.skip_wait_for_gossip_to_settle=0"]),
            "-cp", f"{folder / 'config'}:{lib}/*", "org.apache.cassandra.service.CassandraDaemon",
        ], {}

    def ready(self, instance):
        if not instance.log.exists():
            return False
        text = instance.log.read_text(errors="replace")
        return ("Starting listening for CQL clients" in text
                and answers(self.address, instance.ports["native"]))

    def drain(self, instance):
        lib = Path(instance.state["home"]) / "lib"
        run = subprocess.run(
            [f"{self.java}/bin/java", *OPEN, "-Xmx128m", f"-Duser.home={instance.folder / 'tmp'}",
             "-cp", f"{lib}/*", "org.apache.cassandra.tools.NodeTool", "-h", "127.0.0.1",
             "-p", str(instance.ports["jmx"]), "drain"], capture_output=True, text=True)
        if run.returncode:
            raise Failure(f"{self.name} {self.version}: {(run.stderr or run.stdout).strip()[:300]}")

    def where(self, instance):
        return f"{self.address}:{instance.ports['native']}"

    def exports(self, instance, before):
        hosts = [self.address]
        base = f"CASSANDRA_{self.version}".replace(".", "_").replace("-", "_").upper()
        if self.joins:
            hosts = before.get(f"{base}_HOSTS", "127.0.0.1").split(",") + hosts
        hosts = ",".join(sorted(set(hosts)))
        port = instance.ports["native"]
        if self.secure:
            base = f"CASSANDRA_{self.kind()}"
            return {f"{base}_HOSTS": hosts, f"{base}_PORT": port,
                    f"{base}_FOLDER": instance.folder / "config/tls"}
        return {"CASSANDRA_HOSTS": hosts, "CASSANDRA_PORT": port,
                f"{base}_HOSTS": hosts, f"{base}_PORT": port}


class Cassandra4(Cassandra):
    def settings(self, instance):
        settings = super().settings(instance)
        if self.number < (4, 1):
            settings["enable_materialized_views"] = settings.pop("materialized_views_enabled")
            for new, old, value in (("commitlog_sync_period", "commitlog_sync_period_in_ms", 1000),
                                    ("memtable_heap_space", "memtable_heap_space_in_mb", 128),
                                    ("memtable_offheap_space", "memtable_offheap_space_in_mb", 128)):
                del settings[new]
                settings[old] = value
        return settings

    def agents(self, lib):
        # Without it 4.x dies on hidden classes of Java 17. It looks into what it measures.
        packages = ("util.concurrent", "util.concurrent.atomic", "util.concurrent.locks", "nio",
                    "net", "lang.ref", "security", "time", "math", "text", "util.regex")
        return [f"-javaagent:{jar}" for jar in lib.glob("jamm-*.jar")] + [
            f"--add-opens=java.base/java.{package}=ALL-UNNAMED" for package in packages]
