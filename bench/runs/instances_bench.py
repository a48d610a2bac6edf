"""What a run of 5,000 step instances costs the gateway: processor time of its process for five fan-outs of a thousand jobs that do nothing, over a
real orchestrator and worker. `KINORA_BIN=build/release/bin python3 bench/runs/instances_bench.py [instances]` prints one JSON object."""
import json
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/functional"))
from harness import NetworkTest, wait_for  # noqa: E402

FANS = 5


def processor_s(pid):
    with open(f"/proc/{pid}/stat") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


class Bench(NetworkTest):
    def runTest(self):
        each = (int(sys.argv[1]) if len(sys.argv) > 1 else 5000) // FANS
        gateway = self.network(orchestrators=1, workers=1)
        wait_for("a ping is offered", lambda: any(t["task"] == "ping" and t["nodes"] for t in gateway.call("GET", "/v1/capabilities")[2]["tasks"]))
        pid = gateway.child.pid
        steps = [{"id": f"fan{n}", "task": "ping", "for_each": {"in": {"$ref": "args.list"}, "max_parallel": 64}} for n in range(FANS)]
        before, began = processor_s(pid), time.perf_counter()
        status, _, run = gateway.call("POST", "/v1/runs", {"args": {"list": list(range(each))}, "steps": steps})
        self.assertEqual(status, 202, run)
        while run["status"] not in ("succeeded", "partially_succeeded", "failed", "canceled", "expired"):
            _, _, run = gateway.call("GET", f"/v1/runs/{run['id']}?wait_s=30&since_version=1000000000")
        wall, used = time.perf_counter() - began, processor_s(pid) - before
        self.assertEqual(run["status"], "succeeded", run["error"])
        self.assertEqual([s["items"]["succeeded"] for s in run["steps"].values()], [each] * FANS)
        with open(f"/proc/{pid}/status") as text:
            peak = next(int(line.split()[1]) // 1024 for line in text if line.startswith("VmHWM"))
        print(json.dumps({"instances": FANS * each, "gateway_ms_per_instance": round(used / (FANS * each) * 1000, 3), "wall_s": round(wall, 2), "peak_rss_mib": peak}))


if __name__ == "__main__":
    bench = Bench()
    bench.setUp()
    try:
        bench.runTest()
    finally:
        bench.doCleanups()
