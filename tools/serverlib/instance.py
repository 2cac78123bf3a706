"""One server: its folder, its process, its ports."""
import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from . import catalog, places, process
from .places import Failure

START_SECONDS = 240
SLOW_SECONDS = 60
interrupted = threading.Event()  # Ctrl-C reaches the main thread only


def say(text):
    print(f"servers: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def locked(path):
    with open(path, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class Instance:
    def __init__(self, root, server):
        self.root, self.server = root, server
        self.name, self.version = server.name, server.version
        self.folder = root / f"{server.name}-{server.version}"
        self.log = self.folder / "server.log"
        self.state = {}
        with contextlib.suppress(OSError, ValueError):
            self.state = json.loads((self.folder / "state.json").read_text())

    @classmethod
    def load(cls, root, folder):
        name, _, version = folder.partition("-")
        try:
            return cls(root, catalog.resolve(f"{name}={version}"))
        except Failure:
            return None

    def __str__(self):
        ports = " ".join(f"{k}={v}" for k, v in self.ports.items())
        return f"{self.name}={self.version} pid={self.pid} address={self.address} {ports}"

    @property
    def pid(self):
        return self.state.get("pid")

    @property
    def ports(self):
        return self.state.get("ports", {})

    @property
    def address(self):
        return self.server.address

    def save(self):
        part = self.folder / "state.json.part"
        part.write_text(json.dumps(self.state, indent=1))
        part.rename(self.folder / "state.json")

    def alive(self):
        """Whether our own process runs; the start time tells it from a later one of that id."""
        return bool(self.pid) and process.start_time(self.pid) == self.state.get("start_time")

    def choose_ports(self):
        """Keeps the ports of an earlier start while they are free."""
        others = [json.loads(p.read_text()) for p in self.root.glob("*/state.json")
                  if p.parent != self.folder]
        taken = {port for other in others for port in other.get("ports", {}).values()}
        ports = dict(self.ports)
        shared = {}
        if self.server.joins:
            first = Instance.load(self.root, f"{self.server.joins}-{self.version}")
            if not first or not first.alive():
                raise Failure(f"{self.name} joins {self.server.joins} {self.version}, "
                              "which is not running: start it too")
            shared = {k: v for k, v in first.ports.items() if k in ("native", "storage")}
        for what in self.server.port_names:
            if what in shared:
                ports[what] = shared[what]
            elif what not in ports or not process.is_free(self.address, ports[what]):
                ports[what] = process.free_port(self.server.port_addresses, taken)
                taken.add(ports[what])
        self.state["ports"] = ports

    def start(self, cache):
        """Starts it and waits until it answers. False when it ran already."""
        self.folder.mkdir(exist_ok=True)
        with locked(self.folder / "lock"):
            self.state = Instance(self.root, self.server).state
            if self.alive():
                if self.soon_ready():
                    return False
                self.stop()
            self.state["home"] = str(self.server.fetch(cache))
            self.state["cache"] = str(cache)
            self.launch()
        return True

    def launch(self):
        begun = time.monotonic()
        with locked(self.root / "ports.lock"):
            self.choose_ports()
            self.save()
        data = self.folder / "data"
        for folder in (data, self.folder / "tmp", self.folder / "config"):
            folder.mkdir(exist_ok=True)
        argv, extra = self.server.prepare(self)
        for name in ("data", "tmp", "config"):
            places.hand_over(self.folder / name)
        account = places.unprivileged()
        who = {}
        if account:
            who = {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}
        environment = {k: v for k, v in os.environ.items()
                       if k in ("PATH", "LANG", "LC_ALL", "TZ")}
        environment |= {"HOME": str(self.folder / "tmp"), **extra}
        if self.log.exists():
            self.log.replace(self.folder / "server.log.1")
        with open(self.log, "wb") as log:
            child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                     cwd=self.folder / "tmp", env=environment,
                                     start_new_session=True, umask=0o022, **who)
        self.state |= {"pid": child.pid, "start_time": process.start_time(child.pid)}
        self.save()
        try:
            while not self.ready():
                if interrupted.is_set():
                    raise Failure(f"{self.name} {self.version}: interrupted")
                if child.poll() is not None:
                    raise Failure(f"{self.name} {self.version} ended at once: {self.why()}")
                if time.monotonic() - begun > START_SECONDS:
                    raise Failure(f"{self.name} {self.version} does not answer after "
                                  f"{START_SECONDS} s, see {self.log}")
                time.sleep(0.2)
        except BaseException:
            process.end(child.pid, 2)
            raise
        say(f"{self.name} {self.version} is ready on {self.server.where(self)} "
            f"after {time.monotonic() - begun:.0f} s")

    def ready(self):
        return self.server.ready(self)

    def soon_ready(self):
        """A busy machine makes a good server slow, and others may be using it: no haste to end it."""
        deadline = time.monotonic() + SLOW_SECONDS
        while self.alive():
            if self.ready():
                return True
            if interrupted.is_set() or time.monotonic() > deadline:
                break
            time.sleep(0.2)
        return False

    def why(self):
        lines = self.log.read_text(errors="replace").splitlines()
        hits = [s for s in lines if "ERROR" in s or "Exception" in s or "rror:" in s]
        return f"{(hits or lines or ['no output'])[0][:300]} (all in {self.log})"

    def stop(self):
        if self.alive():
            process.end(self.pid, 30)

    def kill(self):
        process.signal_group(self.pid, signal.SIGKILL)
        while process.group_alive(self.pid):
            time.sleep(0.05)

    def pause(self):
        process.signal_group(self.pid, signal.SIGSTOP)

    def resume(self):
        process.signal_group(self.pid, signal.SIGCONT)

    def drain(self):
        self.server.drain(self)

    def restart(self):
        with locked(self.folder / "lock"):
            self.stop()
            self.launch()

    def clean(self):
        self.stop()
        shutil.rmtree(self.folder)
