"""Runs inside a run while the gateway dies at every transition of theirs: each child run is made once, ends once, and its result arrives."""
import contextlib
import signal
import unittest

from events import Stream
from harness import wait_for
from run_crashes import GONE, RunCrashTest

CHILD = {"steps": [{"id": "picture", "task": "thumbnail", "reuse": "never", "input": {"video": {"$ref": "args.clip"}, "width": {"$ref": "args.width"}}}],
         "outputs": {"picture": {"$ref": "steps.picture.output.image"}}}
WAITS = {"steps": [{"id": "look", "gate": {"type": "manual"}}]}
SCHEMA = {"type": "object", "properties": {"clip": {"type": "object"}, "width": {"type": "integer"}}}

# The children run one after the other, so that the n-th commit of a name is always the same one: (event, n, whose it is).
GOES_WELL = [("run.created", 2), ("run.started", 2), ("step.ready", 2), ("job.created", 1), ("step.started", 2), ("job.succeeded", 1), ("run.output_available", 1),
             ("run.succeeded", 1), ("step.item_succeeded", 1), ("run.created", 3), ("run.succeeded", 2), ("step.item_succeeded", 2), ("run.succeeded", 3)]
IS_STOPPED = [("run.canceling", 1), ("run.canceling", 2), ("run.canceled", 1), ("run.canceled", 2)]


class ChildCrashes(RunCrashTest):
    def save(self, definition):
        status, _, workflow = self.insist("POST", "/v1/workflows", {"name": "inner", "args_schema": SCHEMA, "definition": definition})
        self.assertEqual(status, 201, workflow)
        return workflow["id"]

    def parent_of(self, definition):
        return {"steps": [{"id": "inner", "workflow": self.save(definition), "for_each": {"in": [0, 2], "as": "more", "max_parallel": 1},
                           "args": {"clip": {"$ref": "args.clip"}, "width": {"$expr": "args.width + more"}}}],
                "outputs": {"pictures": {"$ref": "steps.inner[*].output.picture?"}}}

    def children(self, run_id):
        """Those that have been made: the id of one is known before."""
        _, _, step = self.gateway.call("GET", f"/v1/runs/{run_id}/steps/inner")
        answers = [self.gateway.call("GET", f"/v1/runs/{item['run']}") for item in step["instances"] if item.get("run")]
        return [run for status, _, run in answers if status == 200]

    def check_child(self, child, expect):
        self.assertEqual(child["status"], expect, child["error"])
        events = self.stored(child["id"])
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)), "a gap in what is stored of a child")
        types = [e["type"] for e in events]
        for once in ("run.created", "run." + expect):
            self.assertEqual(types.count(once), 1, types)

    def test_each_commit_of_child_runs_that_succeed(self):
        self.begin()
        definition = self.parent_of(CHILD)
        for number, (name, count) in enumerate(GOES_WELL):
            for side in ("before", "after"):
                with self.subTest(point=f"{name}:{side}:{count}"):
                    self.restart(fault=f"{name}:{side}:{count}")
                    key = f"child-{name}-{side}-{count}"
                    run_id = self.submit(key, definition, width=64 + 4 * number)
                    stream = Stream(self.gateway, run_id).follow()
                    if "KINORA_FAULT" in self.gateway.env:
                        self.assertEqual(self.gateway.child.wait(60), -signal.SIGKILL, "the fault point was not reached")
                        self.restart()
                    run = self.wait_run(run_id, 60)
                    stream.join(5)
                    self.check_history(run, stream, "succeeded")
                    self.assertEqual(len(run["outputs"]["pictures"]), 2)
                    children = self.children(run_id)
                    self.assertEqual(len({child["id"] for child in children}), 2)
                    for child in children:
                        self.check_child(child, "succeeded")
                        self.assertEqual(self.deliveries(child), {("picture", 0): 1}, "a child's job was done twice")
                    self.assertEqual(self.submit(key, definition, width=64 + 4 * number), run_id)

    def test_each_commit_of_child_runs_that_are_canceled_with_their_parent(self):
        self.begin()
        definition = self.parent_of(WAITS)
        for name, count in IS_STOPPED:
            for side in ("before", "after"):
                with self.subTest(point=f"{name}:{side}:{count}"):
                    self.restart(fault=f"{name}:{side}:{count}")
                    run_id = self.submit(f"stop-{name}-{side}-{count}", definition)
                    wait_for("a child waits", lambda: any(c["steps"]["look"]["status"] == "waiting" for c in self.children(run_id)), 30)
                    self.insist("POST", f"/v1/runs/{run_id}/cancel", {})

                    def ended():
                        with contextlib.suppress(*GONE):
                            if self.run_now(run_id)["status"] == "canceled":
                                return True
                        if self.gateway.child.poll() is not None:
                            self.restart()
                    wait_for("it is canceled", ended, 60)
                    if "KINORA_FAULT" in self.gateway.env:  # told before the process died
                        self.assertEqual(self.gateway.child.wait(30), -signal.SIGKILL, "the fault point was not reached")
                        self.restart()
                    children = self.children(run_id)
                    self.assertEqual(len(children), 1, "the second child was never made")
                    self.check_child(children[0], "canceled")


if __name__ == "__main__":
    unittest.main(verbosity=2)
