"""An HTTP relay in front of a real server that alters single answers: what a test server won't say
on demand (a clock that is wrong, a missing privilege, a data stream)."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import requests


class Relay:
    """with Relay(url, {"/_nodes/stats": change}) as relay: … relay.url …

    change gets (status, object) of the answer to paths that begin so, and returns them altered."""

    def __init__(self, target, changes):
        self.target, self.changes = target, changes
        relay = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *unused):
                pass

            def pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                answer = requests.request(
                    self.command, relay.target + self.path, data=body, timeout=60,
                    headers={"Content-Type": self.headers.get("Content-Type", "application/json")})
                status, data = relay.altered(self.path, answer)
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = pass_on

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def altered(self, path, answer):
        for begin, change in self.changes.items():
            if path.split("?")[0] == begin or path.startswith(begin + "/"):
                status, value = change(answer.status_code, answer.json())
                return status, json.dumps(value).encode()
        return answer.status_code, answer.content

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
