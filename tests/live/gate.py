"""A gate in front of a real server, which lets in who can say the right thing."""
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import requests


class Verdict(Exception):
    """Why a request is refused."""


class Gate:
    """with Gate(url, guard, 401) as gate: … gate.url …

    guard(method, url, headers, body) raises a Verdict for what may not pass."""

    def __init__(self, target, guard, status):
        self.refused, self.passed = [], []
        gate = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *unused):
                pass

            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                try:
                    guard(self.command, f"http://{self.headers['Host']}{self.path}", self.headers,
                          body)
                except Verdict as verdict:
                    gate.refused.append(f"{self.command} {self.path}: {verdict}")
                    self.reply(status, json.dumps({"message": str(verdict).split("\n")[0]}).encode())
                    return
                gate.passed.append((self.command, self.path, dict(self.headers)))
                kept = {name: self.headers[name] for name in ("Content-Type", "Content-Encoding")
                        if self.headers[name]}
                url = urlsplit(self.path)
                reply = requests.request(self.command, target + url.path, data=body, headers=kept,
                                         params=unquote(url.query), timeout=60)
                self.reply(reply.status_code, reply.content)

            def reply(self, code, data):
                self.send_response(code)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *unused):
        self.server.shutdown()
        self.server.server_close()
