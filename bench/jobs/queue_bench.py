"""Ten thousand queued jobs behind one real gateway (developer-api 5.18, test 22): durable submits a second, GET of a job, list pages while more
come in, memory. `KINORA_BIN=build/release/bin python3 bench/jobs/queue_bench.py [jobs]` prints one JSON object."""
import concurrent.futures
import http.client
import json
import pathlib
import sys
import threading
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/functional"))
from harness import NetworkTest  # noqa: E402

CLIENTS = 16


class Bench(NetworkTest):
    def runTest(self):
        wanted = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
        gateway = self.launch("gateway", "gateway", "--listen", "127.0.0.1:0", "--orchestrator", "https://127.0.0.1:9")
        self.address = urllib.parse.urlsplit(gateway.api)
        self.headers = {"Authorization": "Bearer " + gateway.key(), "Content-Type": "application/json"}
        ids, lock = [], threading.Lock()

        def submit(count):
            connection, mine = self.connect(), []
            for _ in range(count):
                mine.append(self.call(connection, "POST", "/v1/jobs", b'{"task":"ping","requirements":{"deadline_s":86400,"start_timeout_s":86400}}')["id"])
            with lock:
                ids.extend(mine)
        began = time.perf_counter()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            list(pool.map(submit, [wanted // CLIENTS] * CLIENTS))
        submits = len(ids) / (time.perf_counter() - began)

        connection, times = self.connect(), []
        for job in ids[:: max(1, len(ids) // 1000)]:
            began = time.perf_counter()
            self.call(connection, "GET", f"/v1/jobs/{job}")
            times.append(time.perf_counter() - began)
        times.sort()
        # Every job of the start is seen once, whatever comes in between two pages.
        stop, seen, cursor, pages = threading.Event(), [], None, []

        def insert():
            while not stop.is_set():
                submit(1)
        before = set(ids)
        inserter = threading.Thread(target=insert)
        inserter.start()
        while True:
            began = time.perf_counter()
            page = self.call(connection, "GET", "/v1/jobs?limit=100" + (f"&after={cursor}" if cursor else ""))
            pages.append(time.perf_counter() - began)
            seen += [job["id"] for job in page["data"]]
            cursor = page["next_cursor"]
            if not page["has_more"]:
                break
        stop.set()
        inserter.join()
        pages.sort()
        self.assertEqual(len(seen), len(set(seen)), "a job is on two pages")
        self.assertLessEqual(before, set(seen), "a job is on no page")
        first = min(ids)
        place = self.call(connection, "GET", f"/v1/jobs/{first}")["queue"]["position"]
        self.assertEqual(place, 1)
        with open(f"/proc/{gateway.child.pid}/status") as status:
            peak = next(int(line.split()[1]) // 1024 for line in status if line.startswith("VmHWM"))
        print(json.dumps({"jobs": len(ids), "submits_per_s": round(submits), "get_p50_ms": round(times[len(times) // 2] * 1000, 2),
                          "get_p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2), "page_p99_ms": round(pages[int(len(pages) * 0.99)] * 1000, 2),
                          "peak_rss_mib": peak}))

    def connect(self):
        return http.client.HTTPConnection(self.address.hostname, self.address.port, timeout=60)

    def call(self, connection, method, path, body=None):
        connection.request(method, path, body=body, headers=self.headers)
        answer = connection.getresponse()
        content = json.loads(answer.read())
        self.assertIn(answer.status, (200, 202), content)
        return content


if __name__ == "__main__":
    bench = Bench()
    bench.setUp()
    try:
        bench.runTest()
    finally:
        bench.doCleanups()
