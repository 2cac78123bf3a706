"""A service manager, as far as a daemon sees one: the socket of sd_notify(3)."""
import contextlib
import socket
import time
import uuid


class Manager:
    """with Manager(folder) as manager: Daemon(…, env | manager.env) … manager.told"""

    def __init__(self, folder, abstract=False, watchdog=None):
        self.name = f"@caes-{uuid.uuid4().hex}" if abstract else str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name.replace("@", "\0") if abstract else self.name)
        self.socket.setblocking(False)
        self.env = {"NOTIFY_SOCKET": self.name}
        if watchdog:
            self.env["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.heard = []  # (when, {name: value})

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        print("--- told", *(f"{when:.2f} {fields}" for when, fields in self.told), sep="\n")
        self.socket.close()

    @property
    def told(self):
        """Everything so far."""
        with contextlib.suppress(BlockingIOError):
            while data := self.socket.recv(65536):
                fields = dict(line.split("=", 1) for line in data.decode().split("\n"))
                self.heard.append((time.monotonic(), fields))
        return self.heard

    def values(self, name):
        return [fields[name] for _, fields in self.told if name in fields]

    def count(self, name):
        return len(self.values(name))

    @property
    def status(self):
        """The line that `systemctl status` would show."""
        return (self.values("STATUS") or [""])[-1]
