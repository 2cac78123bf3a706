"""One round of everything on real servers, each part right behind the other: what the servers do for
a client that does nothing, what caes-sync does, what a script does. Parts return plain numbers."""
import os
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path

from common import COLUMNS, ROOT, Caes, Meter, Place, finish, now, raw, spent, start_raw

OLD = 5000  # seconds: what loads copy was written that long ago


def per_record(meter, records, client):
    """Microseconds of CPU a record, and records a second."""
    return {"cassandra": meter.cassandra * 1e6 / records,
            "elasticsearch": meter.elasticsearch * 1e6 / records,
            "client": client * 1e6 / records, "rate": records / meter.wall}


def raw_part(place, side, *words):
    with Meter(place.servers) as meter:
        records, _, cpu = raw(place, side, *words)
    return per_record(meter, records, cpu)


def program(place, caes, *words):
    argv = caes.argv("--log-level", "warning", *words, "--json")
    with Meter(place.servers) as meter:
        report, cpu, peak = finish(subprocess.Popen(argv, env=caes.env, stdout=subprocess.PIPE))
    return report, meter, cpu, peak


def load(place, side, records):
    with tempfile.TemporaryDirectory() as folder, Caes(place, Path(folder)) as caes:
        caes.configure(sync={"settle": 1, "overlap": 5})
        report, meter, cpu, peak = program(place, caes, "load", "--from", side)
    if not 0.98 * records <= report["copied"] <= records:  # the first window is a cycle's
        raise SystemExit(f"load --from {side}: {report}")
    return {**per_record(meter, records, cpu), "peak": peak}


def verify(place, records):
    with tempfile.TemporaryDirectory() as folder, Caes(place, Path(folder)) as caes:
        caes.configure(sync={"settle": 1, "overlap": 5})
        report, meter, cpu, peak = program(place, caes, "verify")
    if report["equal"] != records:
        raise SystemExit(f"verify: {report}")
    return {**per_record(meter, records, cpu), "peak": peak}


def script(place, way, records):
    """None where the client library can't be had."""
    library = ROOT / "build/bench-python"
    if not library.exists():
        return None
    servers = place.servers
    argv = [sys.executable, str(ROOT / "bench/script.py"), way, servers.cassandra_hosts[0],
            str(servers.cassandra_port), place.keyspace, place.elastic.url, place.index]
    with Meter(place.servers) as meter:
        report, cpu, peak = finish(subprocess.Popen(
            argv, env={**os.environ, "PYTHONPATH": str(library)}, stdout=subprocess.PIPE))
    if report["records"] != records:
        raise SystemExit(f"script {way}: {report}")
    return {**per_record(meter, records, cpu), "peak": peak}


def from_cassandra(session_of, records):
    """Everything that begins with a full table."""
    result, version = {}, now() - OLD
    with session_of() as place:
        place.make(columns=COLUMNS)
        result["rows in unlogged batches"] = raw_part(place, "cassandra", "batches", 0, records,
                                                      version)
        result["scan"] = raw_part(place, "cassandra", "scan")
        result["load to Elasticsearch"] = load(place, "cassandra", records)
        place.elastic.refresh(place.index)
        result["verify"] = verify(place, records)
        again(place)
        result["script to Elasticsearch"] = script(place, "to-elasticsearch", records)
    return result


def again(place):
    """An empty index of the same name."""
    place.elastic.drop(place.index)
    place.make_index()


def from_elasticsearch(session_of, records):
    """Everything that begins with a full index."""
    result, version = {}, now() - OLD
    with session_of() as place:
        place.make(columns=COLUMNS)
        result["bulk"] = raw_part(place, "elasticsearch", "bulk", 0, records, version)
        place.elastic.refresh(place.index)
        result["point in time"] = raw_part(place, "elasticsearch", "pit")
        result["load to Cassandra"] = load(place, "elasticsearch", records)
    with session_of() as place:
        place.make(columns=COLUMNS)
        raw(place, "elasticsearch", "bulk", 0, records, version)
        place.elastic.refresh(place.index)
        result["script to Cassandra"] = script(place, "to-cassandra", records)
    return result


def other_writes(session_of, records):
    result, version = {}, now() - OLD
    for mode, name, count in (("rows", "rows, one each", records),
                              ("pairs", "row and entry", records // 4),
                              ("logged", "row and entry, logged batch", records // 8)):
        with session_of() as place:
            place.make(columns=COLUMNS)
            result[name] = raw_part(place, "cassandra", mode, 0, count, version)
    return result


def cycle(session_of, changed):
    """One `sync` of so many changed records, each way."""
    result = {}
    for side, name in (("cassandra", "cycle to Elasticsearch"),
                       ("elasticsearch", "cycle to Cassandra")):
        with session_of() as place, tempfile.TemporaryDirectory() as folder, \
                Caes(place, Path(folder)) as caes:
            place.make(columns=COLUMNS)
            version = now()
            raw(place, side, "pairs" if side == "cassandra" else "bulk", 0, changed, 0)
            time.sleep(3)  # settle: what is fresher would be put off
            report, meter, cpu, peak = program(place, caes, "sync", "--since", version)
            way = "to_elasticsearch" if side == "cassandra" else "to_cassandra"
            if report[way]["copied"] != changed:
                raise SystemExit(f"sync of {side}: {report}")
            result[name] = {**per_record(meter, changed, cpu), "peak": peak}
    return result


class Probe(threading.Thread):
    """Writes a record now and then on one side and waits for it on the other: milliseconds."""

    def __init__(self, place, write, look):
        super().__init__(daemon=True)
        self.place, self.write, self.look = place, write, look
        self.lags, self.ended = [], False

    def run(self):
        while not self.ended:
            key = self.write()
            start = time.monotonic()
            while not self.look(key) and time.monotonic() - start < 30:
                time.sleep(0.005)
            self.lags.append((time.monotonic() - start) * 1000)
            time.sleep(0.05)


def steady(session_of, rate, seconds):
    """Both ways at once at a fixed rate, interval 0.1."""
    with session_of() as place, tempfile.TemporaryDirectory() as folder, \
            Caes(place, Path(folder)) as caes:
        place.make(columns=COLUMNS)
        caes.configure(interval=0.1)
        daemon = caes.run()
        read = place.session.prepare(f"SELECT name FROM {place.keyspace}.data WHERE did = ?")
        probes = [
            Probe(place, lambda: place.write_row(now(), name="probe"), place.doc),
            Probe(place, lambda: place.put_doc(now(), name="probe"),
                  lambda key: list(place.session.execute(read, [uuid.UUID(key)])))]
        writers = [
            start_raw(place, "cassandra", "pairs", 0, rate * seconds, 0, rate),
            start_raw(place, "elasticsearch", "bulk", 10**9, rate * seconds, 0, rate,
                      max(1, rate // 20))]
        for probe in probes:
            probe.start()
        time.sleep(2)
        cpu = spent(daemon.process.pid)
        with Meter(place.servers) as meter:
            for writer in writers:
                finish(writer)
        cpu = spent(daemon.process.pid) - cpu
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        for probe in probes:
            probe.ended = True
        for probe in probes:
            probe.join(40)
        peak = int(next(line.split()[1] for line in status.splitlines()
                        if line.startswith("VmHWM"))) / 1024
        daemon.kill()
    return {"lags": [probe.lags for probe in probes], "core": 100 * cpu / meter.wall,
            "client": cpu * 1e6 / (2 * rate * meter.wall), "peak": peak,
            "cassandra": meter.cassandra / meter.wall * 100,
            "elasticsearch": meter.elasticsearch / meter.wall * 100}


def idle(session_of, seconds):
    with session_of() as place, tempfile.TemporaryDirectory() as folder, \
            Caes(place, Path(folder)) as caes:
        place.make(columns=COLUMNS)
        caes.configure(interval=1)
        daemon = caes.run()
        time.sleep(5)
        before, start = spent(daemon.process.pid), time.monotonic()
        time.sleep(seconds)
        core = 100 * (spent(daemon.process.pid) - before) / (time.monotonic() - start)
        daemon.kill()
    return {"core": core}
