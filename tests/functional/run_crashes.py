"""What tests of runs share in which the gateway dies: a client that insists, and what must hold afterwards."""
import contextlib

from crashes import GONE, CrashTest
from events import Stream
from harness import make_clip, wait_for

ENDS = ("run.succeeded", "run.partially_succeeded", "run.failed", "run.canceled", "run.expired")


class RunCrashTest(CrashTest):
    WORKFLOW = None  # what submit() sends when it is given nothing else

    def begin(self):
        self.network(orchestrators=1, workers=1)
        self.keep_port()
        self.clip = self.gateway.upload(make_clip(self.scratch / "clip.mp4", seconds=2))

    def submit(self, key, definition=None, **args):
        status, _, run = self.insist("POST", "/v1/runs", {**(definition or self.WORKFLOW), "args": {"clip": {"artifact": self.clip}, "width": 64, **args}}, key)
        self.assertIn(status, (200, 202), run)
        return run["id"]

    def run_now(self, run_id):
        status, _, run = self.gateway.call("GET", f"/v1/runs/{run_id}")
        self.assertEqual(status, 200, run)
        return run

    def wait_run(self, run_id, seconds=240):
        def ended():
            with contextlib.suppress(*GONE):
                run = self.run_now(run_id)
                return run if "run." + run["status"] in ENDS else None
        return wait_for(f"run {run_id}", ended, seconds)

    def stored(self, subject):
        events, after = [], ""
        while True:
            _, _, page = self.gateway.call("GET", f"/v1/events?subject={subject}&order=asc&limit=100{after}")
            events += page["data"]
            if not page["has_more"]:
                return events
            after = f"&after={page['next_cursor']}"

    def check_history(self, run, stream, expect):
        """What must hold of a run that has ended, whatever happened on the way."""
        self.assertEqual(run["status"], expect, run["error"])
        while not stream.ended:
            stream.follow()
            self.assertTrue(stream.join(), "the stream does not end")
        events = self.stored(run["id"])
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)), "a gap in what is stored")
        seen = [seq for seq, _ in stream.seen]
        since = seen[0] if seen else len(events) + 1  # its snapshot may have told all
        self.check_numbers(seen, [e for e in events if e["seq"] >= since])
        whole = Stream(self.gateway, run["id"])
        whole.last_id = "0"
        whole.follow()
        self.assertTrue(whole.join())
        self.check_numbers([seq for seq, _ in whole.seen], events)
        types = [e["type"] for e in events]
        self.assertEqual([t for t in types if t in ENDS], ["run." + expect])
        for once in ("run.created", "run.started"):
            self.assertLessEqual(types.count(once), 1, types)
        told = [(e["type"], e["data"].get("step"), e["data"].get("index"), e["data"].get("fallback")) for e in events if e["type"] != "step.progress"]
        self.assertEqual(len(told), len(set(told)) + max(0, types.count("run.output_available") - 1), told)

    def check_numbers(self, streamed, events):
        """Neither gap nor repeat; who was more than 200 events behind is spared progress, nothing else (docs/api.md)."""
        there = set(streamed)
        self.assertEqual(streamed, [e["seq"] for e in events if e["seq"] in there or e["type"] != "step.progress"], "a gap or a repeat in what was streamed")

    def deliveries(self, run):
        """(step, index) -> attempts that delivered, over all jobs of the run."""
        _, _, page = self.gateway.call("GET", f"/v1/jobs?run_id={run['id']}&limit=100")
        found = {}
        for job in page["data"]:
            _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{job['id']}/attempts")
            key = (job["parent"]["step"], job["parent"]["index"])
            found[key] = found.get(key, 0) + sum(a["state"] == "delivered" for a in attempts["data"])
        return found
