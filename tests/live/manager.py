"""A service manager, as far as a daemon sees one: the socket of sd_notify(3)."""
import contextlib
import socket
import threading
import time
import uuid


class Manager:
    """with Manager(folder) as manager: Daemon(…, env | manager.env) … manager.told"""

    def __init__(self, folder, abstract=False, watchdog=None):
        self.name = f"@caes-{uuid.uuid4().hex}" if abstract else str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.name.replace("@", "\0") if abstract else self.name)
        self.env = {"NOTIFY_SOCKET": self.name}
        if watchdog:
            self.env["WATCHDOG_USEC"] = str(int(watchdog * 1e6))
        self.told = []  # (when, {name: value})
        self.reader = threading.Thread(target=self._read, daemon=True)

    def __enter__(self):
        self.reader.start()
        return self

    def __exit__(self, *unused):
        print("--- told", *(f"{when:.2f} {fields}" for when, fields in self.told), sep="\n")
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.join(5)
        self.socket.close()

    def _read(self):
        with contextlib.suppress(OSError):
            while data := self.socket.recv(65536):
                fields = dict(line.split("=", 1) for line in data.decode().split("\n"))
                self.told.append((time.monotonic(), fields))

    def times(self, name):
        """When a name was told."""
        return [when for when, fields in list(self.told) if name in fields]

    def values(self, name):
        return [fields[name] for _, fields in list(self.told) if name in fields]

    def count(self, name):
        return len(self.times(name))

    @property
    def status(self):
        """The line that `systemctl status` would show."""
        return (self.values("STATUS") or [""])[-1]
