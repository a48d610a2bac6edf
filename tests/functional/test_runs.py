"""Runs over the public API as a stranger meets them (developer-api 5.18, tests 10 and 12)."""
import unittest

from harness import NetworkTest, make_clip, wait_for

ITEMS, BAD = 20, (3, 8, 15)


class Runs(NetworkTest):
    def setUp(self):
        super().setUp()
        self.node = self.up()

    def fan_out(self, policy, **more):
        """Cuts a piece out of a clip twenty times; three of the pieces would begin behind its end."""
        starts = [100 if index in BAD else index / 100 for index in range(ITEMS)]
        return {"args": {"clip": {"artifact": self.clip}, "starts": starts}, "steps": [
            {"id": "parts", "task": "clip", "reuse": "never", "for_each": {"in": {"$ref": "args.starts"}, "as": "at", "max_parallel": 4, "on_item_failure": policy, **more},
             "input": {"video": {"$ref": "args.clip"}, "start_s": {"$ref": "at"}, "duration_s": 0.5}},
            {"id": "after", "task": "probe", "input": {"media": {"$ref": "steps.parts[0].output.video"}}}],
            "outputs": {"parts": {"$ref": "steps.parts[*].output.video"}}}

    def ended(self, run_id):
        return wait_for(run_id, lambda: (r := self.node.call("GET", f"/v1/runs/{run_id}")[2])["status"] not in ("queued", "running") and r, 120)

    def carried_out(self, definition):
        status, _, run = self.node.call("POST", "/v1/runs", definition)
        self.assertEqual(status, 202, run)
        return self.ended(run["id"])

    def items(self, run):
        return self.node.call("GET", f"/v1/runs/{run['id']}/steps/parts")[2]["instances"]

    def jobs_made(self, run):
        _, _, page = self.node.call("GET", f"/v1/jobs?run_id={run['id']}&task=clip&limit=100")
        return {job["id"]: job["status"] for job in page["data"]}

    def test_of_twenty_items_three_fail(self):
        self.clip = self.node.upload(make_clip(self.scratch / "clip.mp4", seconds=2))
        with self.subTest("continue"):
            run = self.carried_out(self.fan_out("continue"))
            self.assertEqual((run["status"], run["degraded"]), ("succeeded", True))
            self.assertEqual(sorted(f["index"] for f in run["failures"]), list(BAD))
            self.assertEqual(len(run["outputs"]["parts"]), ITEMS - len(BAD))
            self.assertEqual(run["steps"]["parts"]["items"], {"total": ITEMS, "succeeded": ITEMS - len(BAD), "failed": len(BAD), "running": 0})
            self.assertEqual(run["steps"]["after"]["status"], "succeeded")
        with self.subTest("continue, but more must succeed"):
            run = self.carried_out(self.fan_out("continue", min_success=18))
            self.assertEqual((run["steps"]["parts"]["status"], run["steps"]["after"]["status"]), ("failed", "canceled"))
        with self.subTest("fail_at_end, then a retry of the three"):
            run = self.carried_out(self.fan_out("fail_at_end"))
            self.assertEqual((run["steps"]["parts"]["status"], run["steps"]["after"]["status"], run["steps"]["after"]["reason"]), ("failed", "canceled", "upstream_failed"))
            self.assertEqual(run["steps"]["parts"]["items"]["succeeded"], ITEMS - len(BAD))
            before = self.jobs_made(run)
            self.assertEqual(len(before), ITEMS)
            status, _, answer = self.node.call("POST", f"/v1/runs/{run['id']}/retry", {})
            self.assertIn(status, (200, 202), answer)
            again = self.ended(run["id"])
            self.assertEqual((again["status"], again["generation"]), (run["status"], 2))
            fresh = {job: state for job, state in self.jobs_made(run).items() if job not in before}
            self.assertEqual(list(fresh.values()), ["failed"] * len(BAD), "only the three ran again")
            self.assertEqual({job for job in before if before[job] == "succeeded"}, {job for job, state in self.jobs_made(run).items() if state == "succeeded"})
        with self.subTest("fail_fast"):
            run = self.carried_out(self.fan_out("fail_fast", max_parallel=1))
            states = [item["status"] for item in self.items(run)]
            self.assertEqual(states, ["succeeded"] * BAD[0] + ["failed"] + ["canceled"] * (ITEMS - BAD[0] - 1))
            self.assertEqual(len(self.jobs_made(run)), BAD[0] + 1, "what comes after the first failure was never made")

    def test_wrong_definitions_are_refused_with_pointers_and_make_nothing(self):
        wait_for("a model is offered", lambda: self.node.call("GET", "/v1/models")[2]["data"])
        clip = {"id": "a", "task": "clip", "input": {"video": {"artifact": "art_01KE0000000000000000000001"}, "duration_s": 1}}
        for steps, status, code, pointer in [
                ([clip, {"id": "b", "task": "image-upscale", "input": {"image": {"$ref": "steps.a.output.video"}}}], 422, "workflow_type_error", "/steps/1/input/image"),
                ([{"id": "a", "task": "ping", "needs": ["b"]}, {"id": "b", "task": "ping", "needs": ["a"]}], 422, "workflow_cycle", "/steps"),
                ([{**clip, "task": "video-upscale", "model": "kinora-sr2", "input": {"video": {"artifact": "art_01KE0000000000000000000001"}}}], 422, "workflow_type_error", "/steps/0/model"),
                ([{**clip, "inptu": {}}], 400, "unknown_field", "/steps/0/inptu"),
                ([{"id": "a", "task": "pong"}], 422, "workflow_type_error", "/steps/0/task")]:
            with self.subTest(code=code, pointer=pointer):
                got, _, problem = self.node.call("POST", "/v1/runs", {"steps": steps})
                self.assertEqual((got, problem["code"]), (status, code), problem)
                self.assertTrue([e for e in problem["errors"] if e["pointer"].startswith(pointer)], problem)
        self.assertEqual(self.node.call("GET", "/v1/runs")[2]["data"], [])
        self.assertEqual(self.node.call("GET", "/v1/jobs")[2]["data"], [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
