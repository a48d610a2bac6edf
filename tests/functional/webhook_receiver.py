"""A server that webhooks are posted to."""
import http.server
import threading


class Receiver:
    """Keeps what is posted to it as (headers, body), in order."""

    def __init__(self):
        received, arrived = self.received, self.arrived = [], threading.Condition()

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                with arrived:
                    received.append((dict(self.headers.items()), body))
                    arrived.notify_all()
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.taken = 0
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def get(self, timeout):
        """The next one that was not got yet."""
        with self.arrived:
            if not self.arrived.wait_for(lambda: len(self.received) > self.taken, timeout):
                raise TimeoutError(f"no webhook within {timeout} s")
            self.taken += 1
            return self.received[self.taken - 1]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()
