"""Which servers there are: one row for each name and major version."""
import re
from dataclasses import dataclass

from . import cassandra, elastic, elastic_old
from .fetch import java_home, java_homes
from .places import Failure

DEFAULT_ELASTICSEARCH = "9.5.3"
ELASTICSEARCH_FOR_JDK_17 = "8.19.21"


@dataclass(frozen=True)
class Row:
    name: str      # as on the command line; others share it, such as cassandra2 and cassandra_secure
    versions: str  # a prefix of the version
    group: str
    artifact: str
    kind: str      # zip or jars
    java: tuple    # oldest and newest Java that it runs on
    make: type


ROWS = [
    Row("cassandra", "6.", "org.apache.cassandra", "cassandra-all", "jars", (17, 21),
        cassandra.Cassandra),
    Row("cassandra", "5.", "org.apache.cassandra", "cassandra-all", "jars", (17, 17),
        cassandra.Cassandra),
    Row("cassandra", "4.", "org.apache.cassandra", "cassandra-all", "jars", (17, 17),
        cassandra.Cassandra4),
    Row("elasticsearch", "9.", "org.elasticsearch.distribution.integ-test-zip", "elasticsearch",
        "zip", (21, 99), elastic.Elasticsearch),
    Row("elasticsearch", "8.", "org.elasticsearch.distribution.integ-test-zip", "elasticsearch",
        "zip", (17, 23), elastic.Elasticsearch),
    Row("elasticsearch", "7.", "org.elasticsearch.distribution.integ-test-zip", "elasticsearch",
        "zip", (17, 17), elastic.Elasticsearch),
    Row("elasticsearch", "6.", "org.elasticsearch.distribution.integ-test-zip", "elasticsearch",
        "zip", (17, 17), elastic_old.Elasticsearch6),
    Row("elasticsearch", "5.", "org.elasticsearch.distribution.integ-test-zip", "elasticsearch",
        "zip", (17, 17), elastic_old.Elasticsearch5),
    Row("elasticsearch", "2.", "org.elasticsearch.distribution.zip", "elasticsearch",
        "zip", (17, 17), elastic_old.Elasticsearch2),
    Row("elasticsearch", "1.", "org.elasticsearch", "elasticsearch", "jars", (17, 17),
        elastic_old.Elasticsearch1),
    Row("opensearch", "3.", "org.opensearch.distribution.integ-test-zip", "opensearch",
        "zip", (21, 99), elastic.OpenSearch),
    Row("opensearch", "2.", "org.opensearch.distribution.integ-test-zip", "opensearch",
        "zip", (17, 17), elastic.OpenSearch),
]


VARIANTS = {
    "": lambda server: None,
    "secure": lambda server: server.demand_logins(),
    "dc2": lambda server: server.join_elsewhere(),
    "tls": lambda server: server.demand_tls("server"),
    "mtls": lambda server: server.demand_tls("both"),
}


def default_version(name):
    if name.startswith("cassandra"):
        return "5.0.9"
    new = any(major >= 21 for major in java_homes())
    if name == "opensearch":
        return "3.6.0" if new else "2.11.0"
    if new:
        return DEFAULT_ELASTICSEARCH
    from .instance import say
    say(f"no JDK 21 or newer found (JAVA21_HOME, PATH, /usr/lib/jvm): elasticsearch is "
        f"{ELASTICSEARCH_FOR_JDK_17} in place of {DEFAULT_ELASTICSEARCH}")
    return ELASTICSEARCH_FOR_JDK_17


def resolve(word):
    """NAME or NAME=VERSION -> a server."""
    name, _, version = word.partition("=")
    node = re.fullmatch(r"cassandra([23])", name)
    family, _, variant = ("cassandra", "", "") if node else name.partition("_")
    if family not in {row.name for row in ROWS} or variant not in VARIANTS:
        raise Failure(f"{name}: no such server: cassandra, cassandra2, cassandra3, "
                      "cassandra_dc2, elasticsearch, opensearch; cassandra and elasticsearch with "
                      "_secure, _tls, _mtls")
    version = version or default_version(family)
    for row in ROWS:
        if row.name == family and version.startswith(row.versions):
            home = java_home(*row.java)
            server = row.make(row, name, version, home)
            if node:
                server.join(int(node[1]))
            VARIANTS[variant](server)
            return server
    raise Failure(f"{name} {version}: not one that this script can start")
