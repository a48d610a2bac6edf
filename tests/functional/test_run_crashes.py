"""Runs of workflows while processes die: the gateway at every transition of a run, at random, and a worker in the middle of a step. Every run ends
as it would have, each instance of a step has one attempt that delivered, and no event stream has a gap or a repeat (developer-api 5.18, test 5)."""
import contextlib
import os
import random
import signal
import unittest

from events import Stream
from golden_models import place
from harness import decodes, probe, wait_for
from run_crashes import GONE, RunCrashTest

RANDOM_KILLS = int(os.environ.get("KINORA_RANDOM_KILLS", "10"))

# Every kind of transition: a fan-out, a gate, a step that is skipped, a fallback (the first try names a model that nobody has), an output.
WORKFLOW = {
    "steps": [
        {"id": "frames", "task": "thumbnail", "for_each": {"in": [0, 0.5, 1], "as": "at"}, "reuse": "never",
         "input": {"video": {"$ref": "args.clip"}, "at_s": {"$ref": "at"}, "width": {"$ref": "args.width"}}},
        {"id": "never", "task": "ping", "when": "size(args.clip.artifact) == 0"},
        {"id": "pick", "gate": {"type": "manual"}, "needs": ["frames"]},
        {"id": "sound", "task": "extract-audio", "needs": ["pick"], "reuse": "never", "input": {"media": {"$ref": "args.clip"}, "start_s": 100},
         "on_failure": "fallback", "fallback": [{"input": {"media": {"$ref": "args.clip"}, "start_s": 0}}]}],
    "outputs": {"pictures": {"$ref": "steps.frames[*].output.image"}, "sound": {"$ref": "steps.sound.output.audio"}}}

GOES_WELL = ["run.created", "run.started", "step.ready", "step.started", "step.item_succeeded", "step.succeeded", "step.skipped", "step.waiting", "step.retrying",
             "run.output_available", "run.succeeded", "job.created", "job.started", "job.succeeded"]


class RunCrashes(RunCrashTest):
    WORKFLOW = WORKFLOW

    def check_done_once(self, run):
        self.assertEqual(self.deliveries(run), {("frames", 0): 1, ("frames", 1): 1, ("frames", 2): 1, ("sound", 0): 1})
        self.assertEqual(run["steps"]["sound"]["fallback"], 1)
        self.assertEqual(len(run["outputs"]["pictures"]), 3)

    def approve(self, run_id):
        """Before the gate opens; what the gateway has taken counts over its death."""
        status, _, answer = self.insist("POST", f"/v1/runs/{run_id}/steps/pick/approve", {})
        self.assertTrue(status == 200 or answer["code"] == "not_cancelable", answer)

    def test_each_commit_of_a_run_that_succeeds(self):
        self.begin()
        for number, name in enumerate(GOES_WELL):
            for side in ("before", "after"):
                with self.subTest(point=f"{name}:{side}"):
                    self.restart(fault=f"{name}:{side}")
                    key = f"walk-{name}-{side}"
                    run_id = self.submit(key, width=64 + 2 * number)
                    stream = Stream(self.gateway, run_id).follow()
                    with contextlib.suppress(*GONE):
                        self.approve(run_id)
                    if "KINORA_FAULT" in self.gateway.env:
                        self.assertEqual(self.gateway.child.wait(60), -signal.SIGKILL, "the fault point was not reached")
                        self.restart()
                    self.approve(run_id)
                    stream.join(5)
                    run = self.wait_run(run_id, 60)
                    self.check_history(run, stream, "succeeded")
                    self.check_done_once(run)
                    self.assertEqual(self.submit(key, width=64 + 2 * number), run_id)

    def test_each_commit_of_a_run_that_is_paused_goes_on_and_is_canceled(self):
        self.begin()
        for name in ("run.pausing", "run.paused", "run.resumed", "run.canceling", "run.canceled"):
            for side in ("before", "after"):
                with self.subTest(point=f"{name}:{side}"):
                    self.restart(fault=f"{name}:{side}")
                    run_id = self.submit(f"stop-{name}-{side}")
                    stream = Stream(self.gateway, run_id).follow()
                    for act, then in (("pause", ("paused",)), ("resume", ("running",)), ("cancel", ("canceled",))):
                        self.insist("POST", f"/v1/runs/{run_id}/{act}", {})

                        def reached():
                            with contextlib.suppress(*GONE):
                                if self.run_now(run_id)["status"] in then:
                                    return True
                            if self.gateway.child.poll() is not None:
                                self.restart()
                        wait_for(act, reached, 60)
                    self.assertNotIn("KINORA_FAULT", self.gateway.env, "the fault point was not reached")
                    stream.join(5)
                    run = self.wait_run(run_id, 60)
                    self.assertEqual(run["status"], "canceled")
                    events = self.stored(run_id)
                    self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))

    def test_random_kills(self):
        self.begin()
        dice = random.Random(11)
        self.restart()
        runs = {}
        for kill in range(RANDOM_KILLS):
            for number in range(2):
                key = f"random-{kill}-{number}"
                run_id = self.submit(key, width=64 + 2 * len(runs))
                runs[key] = (run_id, Stream(self.gateway, run_id).follow())
                with contextlib.suppress(*GONE):
                    self.approve(run_id)
            with contextlib.suppress(Exception):
                self.gateway.child.wait(dice.uniform(0, 0.6))
            self.restart()
        for number, (key, (run_id, stream)) in enumerate(runs.items()):
            self.approve(run_id)
            run = self.wait_run(run_id, 120 + 2 * len(runs))  # one worker does the work of all
            stream.join(5)
            self.check_history(run, stream, "succeeded")
            self.check_done_once(run)
            self.assertEqual(self.submit(key, width=64 + 2 * number), run_id)

    def test_a_worker_dies_in_the_middle_of_a_step(self):
        """Picture, video and upscale on different workers; the one that makes the video is killed."""
        models = self.scratch / "models"
        place(models / "picture", "tiny/sd15", "pipe_sd15")
        place(models / "video", "tiny/svd", "pipe_svd")
        orchestrators, self.workers = [], []
        for number, kind in enumerate(("picture", "video", "video")):
            secret = {"KINORA_ORCHESTRATOR_SECRET": f"secret-of-{number}"}
            orchestrators.append(self.launch(f"orchestrator{number}", "orchestrator", "--listen", "127.0.0.1:0", env=secret))
            self.workers.append(self.launch(f"worker{number}", "worker", "--name", f"w{number}", "--orchestrator", orchestrators[-1].address(), "--models", models / kind, env=secret))
        self.gateway = self.launch("gateway", "gateway", "--listen", "127.0.0.1:0", *[w for o in orchestrators for w in ("--orchestrator", o.address())])
        definition = {"steps": [
            {"id": "picture", "task": "text-to-image", "model": "auto", "input": {"prompt": "a red ball", "seed": 1, "steps": 2, "width": 32, "height": 24}},
            {"id": "video", "task": "image-to-video", "model": "auto", "input": {"image": {"$ref": "steps.picture.output.images[0]"}, "seed": 2, "steps": 600, "width": 24, "height": 16, "fps": 7}},
            {"id": "up", "task": "video-upscale", "model": "auto", "input": {"video": {"$ref": "steps.video.output.video"}, "scale": 2}}],
            "outputs": {"video": {"$ref": "steps.up.output.video"}}}
        status, _, run = self.gateway.call("POST", "/v1/runs", definition)
        self.assertEqual(status, 202, run)
        stream = Stream(self.gateway, run["id"]).follow()
        video = wait_for("the video is being made", lambda: (s := self.run_now(run["id"])["steps"]["video"])["status"] == "running" and s["progress"]["fraction"] > 0 and s, 120)
        busy = self.gateway.job(video["job"])["attempt"]["worker"]
        next(w for w in self.workers if busy in w.words).kill()
        run = self.wait_run(run["id"])
        stream.join(5)
        self.check_history(run, stream, "succeeded")
        self.assertEqual(self.deliveries(run), {("picture", 0): 1, ("video", 0): 1, ("up", 0): 1})
        _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{video['job']}/attempts")
        self.assertEqual([a["state"] for a in attempts["data"]], ["lost", "delivered"])
        _, _, picture = self.gateway.call("GET", f"/v1/jobs/{run['steps']['picture']['job']}/attempts")
        self.assertEqual(len({a["worker"] for a in attempts["data"] + picture["data"]}), 3, "three workers took part")
        out = self.scratch / "out.mp4"
        out.write_bytes(self.gateway.call("GET", run["outputs"]["video"]["url"])[2])
        self.assertEqual([(s["width"], s["height"]) for s in probe(out)["video"]], [(48, 32)])
        self.assertTrue(decodes(out))


if __name__ == "__main__":
    unittest.main(verbosity=2)
