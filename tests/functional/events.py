"""Reading the event stream of a job or a run as a client does: server-sent events, resumed by Last-Event-ID."""
import contextlib
import http.client
import json
import socket
import threading
import urllib.parse


class Stream:
    """Follows one job's or run's stream in a thread until it ends or breaks; follow() again goes on behind the last event seen."""

    def __init__(self, process, job):
        self.process, self.job = process, job
        self.last_id = None
        self.seen = []  # (seq, type)
        self.ended = False
        self.thread = None

    def follow(self):
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()
        return self

    def join(self, seconds=60):
        self.thread.join(seconds)
        return not self.thread.is_alive()

    def _read(self):
        address = urllib.parse.urlsplit(self.process.api)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.ExitStack() as closing:
            connection = closing.enter_context(contextlib.closing(http.client.HTTPConnection(address.hostname, address.port, timeout=60)))
            headers = {"Authorization": "Bearer " + self.process.key(), "Accept": "text/event-stream"}
            if self.last_id is not None:
                headers["Last-Event-ID"] = self.last_id
            kind = "runs" if self.job.startswith("run_") else "jobs"
            connection.request("GET", f"/v1/{kind}/{self.job}/events", headers=headers)
            answer = closing.enter_context(connection.getresponse())
            if answer.status == 204:
                self.ended = True
                return
            if answer.status != 200:
                return
            event = {}
            for raw in answer:
                line = raw.decode().rstrip("\n")
                if line.startswith(":"):
                    continue
                if line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                    continue
                self._take(event)
                event = {}
                if self.ended:
                    return

    def _take(self, event):
        kind = event.get("event")
        if kind == "end":
            self.ended = True
        elif kind != "snapshot" and "data" in event:
            self.seen.append((json.loads(event["data"])["seq"], kind))
            self.last_id = event["id"]
        elif "id" in event:
            self.last_id = event["id"]


def raw_post(process, path, body, headers):
    """Sends a request and closes the connection before any answer can be read."""
    address = urllib.parse.urlsplit(process.api)
    data = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", f"Host: {address.netloc}", "Authorization: Bearer " + process.key(), "Content-Type: application/json",
             f"Content-Length: {len(data)}", *[f"{name}: {value}" for name, value in headers.items()], "", ""]
    with socket.create_connection((address.hostname, address.port)) as connection:
        connection.sendall("\r\n".join(lines).encode() + data)
