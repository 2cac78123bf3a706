#!/usr/bin/env python3
"""How long a record takes to the other side, and what the daemon costs while it does.

Real servers (tools/servers, or those that CASSANDRA_HOSTS and ELASTICSEARCH_URL name), a `run` with
interval 0.1 for the latencies, one with interval 1 for its idle CPU and memory. Prints one table.

    build/venv/bin/python bench/latency.py [--samples 100] [--guard snapshot|timestamp]
"""
import argparse
import os
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/live"))
from support import Caes, Elastic, Place, Servers, eventually, now  # noqa: E402

TICKS = os.sysconf("SC_CLK_TCK")


def spent(pid):
    """CPU seconds of a process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def resident(pid):
    """Resident memory in MiB, now and at its highest."""
    lines = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return [int(lines[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM")]


def arrives(look, pause=0.002, timeout=30):
    """Milliseconds until look() returns something."""
    start = time.monotonic()
    while not look():
        if time.monotonic() - start > timeout:
            raise SystemExit(f"nothing arrived within {timeout} s")
        time.sleep(pause)
    return (time.monotonic() - start) * 1000


def measure(place, samples, guard):
    """Latencies of new records, written one at a time at no fixed distance."""
    to_elasticsearch, to_cassandra = [], []
    for number in range(samples):
        time.sleep(0.05 + 0.0137 * (number % 11))
        version = now()
        stamp = version * 1_000_000 if guard == "timestamp" else None
        row = place.write_row(version, user="row", message=str(number), timestamp=stamp)
        to_elasticsearch.append(arrives(lambda: place.doc(row)))
        doc = place.put_doc(now(), user="document", message=str(number))
        did = uuid.UUID(doc)
        read = f"SELECT user FROM {place.keyspace}.data WHERE did = %s"
        to_cassandra.append(arrives(lambda: place.cql(read, [did])))
    return to_elasticsearch, to_cassandra


def idle(daemon, seconds):
    """Share of a core while nothing is written."""
    time.sleep(5)  # the looks at what was written before
    before, start = spent(daemon.process.pid), time.monotonic()
    time.sleep(seconds)
    return 100 * (spent(daemon.process.pid) - before) / (time.monotonic() - start)


def line(name, *values):
    print(f"{name:<44}" + "".join(f"{value:>12}" for value in values))


def show(name, values):
    values = sorted(values)
    p99 = values[min(len(values) - 1, int(len(values) * 0.99))]
    line(name, f"{statistics.median(values):.0f} ms", f"{p99:.0f} ms", f"{values[-1]:.0f} ms")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--idle", type=float, default=20, help="seconds to watch an idle daemon")
    parser.add_argument("--guard", default="snapshot", choices=["snapshot", "timestamp"])
    args = parser.parse_args()
    servers = Servers.find()
    cluster, session = servers.connect()
    elastic = Elastic(servers.elasticsearch)
    with tempfile.TemporaryDirectory() as folder, Place(servers, session, elastic) as place:
        place.make()
        caes = Caes(place, Path(folder))
        caes.configure(interval=0.1, CassandraConfig={"guard": args.guard})
        daemon = caes.run()
        first = place.write_row(now(), user="warm")
        eventually(lambda: place.doc(first))
        to_elasticsearch, to_cassandra = measure(place, args.samples, args.guard)
        busy = resident(daemon.process.pid)
        daemon.stop()

        caes.configure(interval=1)
        daemon = caes.run()
        eventually(daemon.running)
        share = idle(daemon, args.idle)
        memory = resident(daemon.process.pid)
        daemon.stop()

        print(f"Elasticsearch {elastic.version}, guard {args.guard}, {args.samples} records each way, "
              f"load of the machine {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        line("", "p50", "p99", "max")
        show("Cassandra to Elasticsearch (GET), interval 0.1", to_elasticsearch)
        show("Elasticsearch to Cassandra, interval 0.1", to_cassandra)
        line("", "now", "highest")
        line("resident memory, interval 0.1", *(f"{value:.1f} MiB" for value in busy))
        line("resident memory, interval 1, idle", *(f"{value:.1f} MiB" for value in memory))
        line("CPU of one core, interval 1, idle", f"{share:.2f} %")
    cluster.shutdown()


if __name__ == "__main__":
    main()
