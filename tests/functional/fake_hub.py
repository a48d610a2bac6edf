"""A model hub on loopback that answers as huggingface.co does (tree listing with pages, resolve with a redirect to another host for large
files, Range) and can be told to misbehave. What it promises (paths, sizes, git and SHA-256 hashes) is computed from the files given."""
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

COMMIT = "5ede9e4f3e2a4b6e8a1f0c9d7b3a2f1e0d9c8b7a"


def git_oid(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


class FakeHub:
    def __init__(self, repositories, *, token=None, page=2, lfs_from=1000):
        self.repositories, self.token, self.page, self.lfs_from = repositories, token, page, lfs_from
        self.requests = []          # (path, range header) of every file request
        self.cdn_tokens = []        # Authorization headers that reached the other host
        self.cuts = {}              # path -> how often to cut the connection after 100 kB
        self.busy = {}              # path -> how often to answer 429
        self.corrupt = {}           # path -> how often to send other bytes
        self.no_ranges = False
        self.lock = threading.Lock()
        self.hub = self._serve(self._answer_hub)
        self.cdn = self._serve(self._answer_cdn)
        self.url = f"http://127.0.0.1:{self.hub.server_address[1]}"

    def _serve(self, answer):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                try:
                    answer(self)
                except (BrokenPipeError, ConnectionResetError):
                    pass

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass  # a client that stopped is part of the tests

        server = Server(("127.0.0.1", 0), Handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server

    def close(self):
        for server in (self.hub, self.cdn):
            server.shutdown()
            server.server_close()

    def _take(self, faults, path):
        with self.lock:
            left = faults.get(path, 0)
            faults[path] = left - 1
            return left > 0

    def _send(self, handler, status, body=b"", headers=()):
        handler.send_response(status)
        for name, value in headers:
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)

    def _answer_hub(self, handler):
        if self.token and handler.headers.get("Authorization") != f"Bearer {self.token}":
            return self._send(handler, 401, b'{"error":"Invalid username or password."}')
        url = urllib.parse.urlsplit(handler.path)
        if found := re.fullmatch(r"/api/models/(.+?)/revision/([^/]+)", url.path):
            if found[1] not in self.repositories:
                return self._send(handler, 404)
            return self._send(handler, 200, json.dumps({"id": found[1], "sha": COMMIT, "siblings": []}).encode())
        if found := re.fullmatch(r"/api/models/(.+?)/tree/([^/]+)", url.path):
            return self._list(handler, found[1], int(urllib.parse.parse_qs(url.query).get("cursor", ["0"])[0]))
        if found := re.fullmatch(r"/(.+?)/resolve/([^/]+)/(.+)", url.path):
            path = urllib.parse.unquote(found[3])
            data = self.repositories[found[1]].get(path)
            if data is None or found[2] != COMMIT:
                return self._send(handler, 404)
            if self._take(self.busy, path):
                return self._send(handler, 429, headers=[("Retry-After", "0")])
            if len(data) >= self.lfs_from:
                where = f"http://localhost:{self.cdn.server_address[1]}/{found[1]}/{found[3]}?X-Amz-Signature=secret"
                return self._send(handler, 302, headers=[("Location", where), ("X-Linked-Size", str(len(data)))])
            return self._file(handler, path, data)
        self._send(handler, 404)

    def _list(self, handler, name, cursor):
        entries = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": folder}
                   for folder in sorted({p.split("/")[0] for p in self.repositories[name] if "/" in p})]
        for path, data in sorted(self.repositories[name].items()):
            entry = {"type": "file", "oid": git_oid(data), "size": len(data), "path": path}
            if len(data) >= self.lfs_from:
                entry["lfs"] = {"oid": hashlib.sha256(data).hexdigest(), "size": len(data), "pointerSize": 134}
            entries.append(entry)
        more = cursor + self.page < len(entries)
        link = [("Link", f'<{self.url}{urllib.parse.urlsplit(handler.path).path}?recursive=true&cursor={cursor + self.page}>; rel="next"')] if more else []
        self._send(handler, 200, json.dumps(entries[cursor:cursor + self.page]).encode(), link)

    def _answer_cdn(self, handler):
        self.cdn_tokens.append(handler.headers.get("Authorization"))
        path = urllib.parse.unquote(urllib.parse.urlsplit(handler.path).path).lstrip("/")
        for name, files in self.repositories.items():
            if path.startswith(name + "/"):
                return self._file(handler, path[len(name) + 1:], files[path[len(name) + 1:]])
        self._send(handler, 404)

    def _file(self, handler, path, data):
        wanted = handler.headers.get("Range")
        with self.lock:
            self.requests.append((path, wanted))
        if self._take(self.corrupt, path):
            data = bytes(len(data))
        status, headers = 200, []
        if wanted and not self.no_ranges:
            begin, end = map(int, re.fullmatch(r"bytes=(\d+)-(\d+)", wanted).groups())
            headers = [("Content-Range", f"bytes {begin}-{end}/{len(data)}")]
            status, data = 206, data[begin:end + 1]
        if self._take(self.cuts, path):
            handler.send_response(status)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data[:100_000])
            handler.wfile.flush()
            handler.close_connection = True
            return None
        return self._send(handler, status, data, headers)
