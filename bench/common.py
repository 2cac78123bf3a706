"""What the benchmarks on real servers share: the records' schema, CPU of processes, raw programs."""
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/live"))
from support import Caes, Elastic, Place, Servers, now  # noqa: E402,F401

# as bench/support/record.c has them
COLUMNS = {"name": "text", "message": "text", "city": "text", "likes": "int", "total": "bigint",
           "score": "double", "active": "boolean"}
TICKS = os.sysconf("SC_CLK_TCK")


def spent(pid):
    """CPU seconds of a process, its children that were waited for among them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / TICKS


def server_pids(servers):
    """{"cassandra": pid, "elasticsearch": pid} of those that tools/servers runs for this checkout."""
    ports = {servers.cassandra_port: "cassandra",
             int(servers.elasticsearch.rpartition(":")[2]): "elasticsearch"}
    pids = {}
    for file in (ROOT / "build/servers").glob("*/state.json"):
        state = json.loads(file.read_text())
        for port in state["ports"].values():
            if port in ports:
                pids[ports[port]] = state["pid"]
    return pids


def tree(pid):
    """A process and all that it has started."""
    parents = {}
    for file in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = file.read_text().rpartition(")")[2].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(int(fields[1]), []).append(int(file.parent.name))
    found = [pid]
    for one in found:
        found += parents.get(one, [])
    return found


class Meter:
    """CPU seconds of both servers and seconds, of a block: meter.cassandra, .elasticsearch, .wall."""

    def __init__(self, servers):
        self.servers = servers

    def __enter__(self):
        self.pids = {name: tree(pid) for name, pid in server_pids(self.servers).items()}
        self.before = {name: sum(map(spent, pids)) for name, pids in self.pids.items()}
        self.start = time.monotonic()
        return self

    def __exit__(self, *unused):
        self.wall = time.monotonic() - self.start
        for name, pids in self.pids.items():
            setattr(self, name, sum(map(spent, pids)) - self.before[name])


class Peak(threading.Thread):
    """Watches the highest RSS of a process, in MiB. (The rusage of a child begins with ours.)"""

    def __init__(self, pid):
        super().__init__(daemon=True)
        self.file, self.highest = Path(f"/proc/{pid}/status"), 0
        self.start()

    def run(self):
        while found := re.search(r"VmHWM:\s*(\d+)", self.read()):
            self.highest = max(self.highest, int(found.group(1)) / 1024)
            time.sleep(0.02)

    def read(self):
        try:
            return self.file.read_text()
        except (FileNotFoundError, ProcessLookupError):
            return ""


def finish(process):
    """(last line as JSON, CPU seconds, peak RSS in MiB) of a process with a piped stdout."""
    peak = Peak(process.pid)
    lines = process.stdout.read().splitlines()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{process.args}: exit code {process.returncode}: {lines[-1:]}")
    return json.loads(lines[-1]), usage.ru_utime + usage.ru_stime, peak.highest


def start_raw(place, side, *words):
    if side == "cassandra":
        where = [place.servers.cassandra_hosts[0], place.servers.cassandra_port, place.keyspace]
    else:
        host, port = place.elastic.url.removeprefix("http://").split(":")
        where = [host, port, place.index]
    return subprocess.Popen([ROOT / f"build/bench_raw_{side}", *map(str, [*where, *words])],
                            stdout=subprocess.PIPE)


def raw(place, side, *words):
    """(records, seconds, CPU seconds of the client) of bench_raw_cassandra or _elasticsearch."""
    report, _, _ = finish(start_raw(place, side, *words))
    return report["records"], report["seconds"], report["cpu"]
