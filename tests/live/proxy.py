"""A TCP proxy that a test can cut, stall and mend: a server that goes away and comes back, without
touching the server that other tests use."""
import contextlib
import socket
import threading
from urllib.parse import urlsplit


class Proxy:
    """with Proxy("127.0.0.1", 9200) as proxy: … proxy.port …"""

    def __init__(self, host, port):
        self.target = (host, int(port))
        self.port = None
        self.listener = None
        self.lock = threading.Lock()
        self.pairs = []
        self.flowing = threading.Event()
        self.flowing.set()

    @classmethod
    def of_url(cls, url):
        parts = urlsplit(url)
        return cls(parts.hostname, parts.port)

    def __enter__(self):
        self.mend()
        return self

    def __exit__(self, *unused):
        self.flowing.set()
        self.cut()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def mend(self):
        """Everything works (again), on the same port."""
        self.flowing.set()
        if self.listener:
            return
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port or 0))
        self.listener.listen(64)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, args=(self.listener,), daemon=True).start()

    def cut(self):
        """Connections are reset, new ones refused."""
        with self.lock:
            listener, self.listener = self.listener, None
            pairs, self.pairs = self.pairs, []
        if listener:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        for end in pairs:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def stall(self):
        """Connections stay and are accepted, but no byte passes."""
        self.flowing.clear()

    def _accept(self, listener):
        while True:
            try:
                near, _ = listener.accept()
                far = socket.create_connection(self.target)
            except OSError:
                return
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                if self.listener is not listener:
                    near.close()
                    far.close()
                    return
                self.pairs += [near, far]
            for ends in ((near, far), (far, near)):
                threading.Thread(target=self._carry, args=ends, daemon=True).start()

    def _carry(self, source, target):
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flowing.wait()
                target.sendall(data)
        for end in (source, target):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
