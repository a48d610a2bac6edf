"""The workflow of developer-api 5.5.1 (text -> video -> upscale -> interpolate) over real processes, each step on a worker of its own: as it is
meant, while a worker and the gateway die, and with an upscaler that is not there (5.18, test 9)."""
import base64
import hashlib
import hmac
import json
import shutil
import unittest

from crashes import CrashTest
from events import Stream
from golden_models import GOLDEN, place
from harness import ROOT, decodes, probe, wait_for
from webhook_receiver import Receiver

FRAMES, FPS = 9, 8  # of 1.1 s; 1 + 4 k


def flagship(steps, upscaler="sharp-2x", interpolator="auto", **more):
    """As the specification prints it, with models of this test and no budget."""
    return {
        "name": "hero-clip",
        "args": {"prompt": "a red fox runs through snow", "seed": 7},
        "deadline_s": 1800,
        "defaults": {"requirements": {"priority": "normal", "verification": {"level": "structural"}}, "retry": {"max_attempts": 3}},
        "steps": [
            {"id": "gen", "task": "text-to-video", "model": "tiny/wan",
             "input": {"prompt": {"$tpl": "{{args.prompt}}, cinematic"}, "duration_s": 1.1, "width": 48, "height": 32, "fps": FPS, "steps": steps, "seed": {"$ref": "args.seed"}},
             "requirements": {"redundancy": {"replicas": 2, "mode": "best_score"}}},
            {"id": "up", "task": "video-upscale", "model": upscaler,
             "input": {"video": {"$ref": "steps.gen.output.video"}, "scale": 2},
             "requirements": {"verification": {"level": "perceptual"}}, "on_failure": "fallback", "fallback": [{"model": "kinora-sr2x"}]},
            {"id": "fi", "task": "frame-interpolation", "model": interpolator,
             "when": "steps.up.output.video.video.fps_num / steps.up.output.video.video.fps_den < 30",
             "input": {"video": {"$ref": "steps.up.output.video"}, "factor": 2}, "timeouts": {"start_to_close_s": 300}}],
        "outputs": {"video": {"$first": [{"$ref": "steps.fi.output.video"}, {"$ref": "steps.up.output.video"}]}}, **more}


def signed_by(secret, headers, body):
    """Standard Webhooks 1.0: base64 of HMAC-SHA256 over id.timestamp.body with the secret behind whsec_."""
    head = {name.lower(): value for name, value in headers.items()}
    text = f"{head['webhook-id']}.{head['webhook-timestamp']}.".encode() + body
    mac = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), text, hashlib.sha256).digest()
    return "v1," + base64.b64encode(mac).decode() in head["webhook-signature"].split(" ")


class Flagship(CrashTest):
    def begin(self, *kinds):
        """A worker with an orchestrator of its own for each kind, and a gateway over them."""
        models = self.scratch / "models"
        place(models / "wan", "tiny/wan", "pipe_wan21_t2v")
        (models / "rife/rife-4.25").mkdir(parents=True)
        shutil.copy(GOLDEN / "rife_425/model/flownet.pkl", models / "rife/rife-4.25")
        shutil.copytree(ROOT / "weights/kinora-sr2x", models / "up/sharp-2x")
        orchestrators, self.workers = [], {}
        for number, kind in enumerate(kinds):
            secret = {"KINORA_ORCHESTRATOR_SECRET": f"secret-of-{number}"}
            orchestrators.append(self.launch(f"orchestrator{number}", "orchestrator", "--listen", "127.0.0.1:0", env=secret))
            name = f"{kind}-{number}"
            self.workers[name] = self.launch(f"worker{number}", "worker", "--name", name, "--orchestrator", orchestrators[-1].address(), "--models", models / kind, env=secret)
        self.gateway = self.launch("gateway", "gateway", "--listen", "127.0.0.1:0", *[w for o in orchestrators for w in ("--orchestrator", o.address())],
                                   env={"KINORA_GATEWAY_PRIVATE_TARGETS": "true"})
        wait_for("all models are offered", lambda: {m["id"] for m in self.gateway.call("GET", "/v1/models")[2]["data"]} >= {"tiny/wan", "rife-4.25", "sharp-2x"})
        self.receiver = Receiver()
        self.addCleanup(self.receiver.stop)

    def submit(self, definition):
        status, _, run = self.gateway.call("POST", "/v1/runs", {**definition, "webhook": {"url": self.receiver.url, "events": ["run.*", "step.succeeded"]}})
        self.assertEqual(status, 202, run)
        return run["id"]

    def run_now(self, run_id):
        return self.gateway.call("GET", f"/v1/runs/{run_id}")[2]

    def wait_run(self, run_id):
        return wait_for(f"run {run_id}", lambda: (r := self.run_now(run_id))["status"] not in ("queued", "running") and r, 300)

    def workers_of(self, job):
        """Of its attempts: who delivered, who was lost."""
        _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{job}/attempts")
        return [{a["worker"] for a in attempts["data"] if a["state"] == state} for state in ("delivered", "lost")]

    def check_film(self, run):
        self.assertEqual(run["status"], "succeeded", run["error"])
        out = self.scratch / "out.mp4"
        out.write_bytes(self.gateway.call("GET", run["outputs"]["video"]["url"])[2])
        self.assertTrue(decodes(out))
        video, = probe(out)["video"]
        self.assertEqual((video["width"], video["height"], video["r_frame_rate"]), (96, 64, f"{2 * FPS}/1"))
        self.assertAlmostEqual(float(video["duration"]), FRAMES / FPS, delta=0.1)
        for step in ("gen", "up", "fi"):  # an artifact of every step
            made = run["steps"][step]["output"]["video"]
            self.assertEqual(hashlib.sha256(self.gateway.call("GET", made["url"])[2]).hexdigest(), made["sha256"])

    def check_webhooks(self, run_id):
        secret = self.gateway.call("GET", "/v1/webhooks/default/secret")[2]["secret"]

        def told():
            return {json.loads(body)["id"]: (json.loads(body)["seq"], json.loads(body)["type"]) for _, body in self.receiver.received}
        wait_for("the last webhook", lambda: any(kind == "run.succeeded" for _, kind in told().values()), 60)
        for headers, body in self.receiver.received:
            self.assertTrue(signed_by(secret, headers, body))
        order = list(told().values())  # by first delivery
        self.assertEqual(order, sorted(order), "out of order")
        self.assertEqual([kind for _, kind in order if kind == "step.succeeded"], ["step.succeeded"] * 3)

    def check_events(self, run_id):
        _, _, page = self.gateway.call("GET", f"/v1/events?subject={run_id}&order=asc&limit=100")
        self.assertEqual([e["seq"] for e in page["data"]], list(range(1, len(page["data"]) + 1)))
        self.assertEqual([e["type"] for e in page["data"]].count("run.succeeded"), 1)

    def test_three_steps_on_workers_of_their_own_while_one_of_them_and_the_gateway_die(self):
        self.begin("wan", "wan", "up", "rife", "rife")
        self.keep_port()
        run_id = self.submit(flagship(steps=400, interpolator="rife-4.25"))  # which only two workers have; all have the starter model
        stream = Stream(self.gateway, run_id).follow()
        gen = wait_for("the video is being made", lambda: (s := self.run_now(run_id)["steps"]["gen"])["status"] == "running" and s["progress"]["fraction"] > 0 and s, 120)
        busy = self.gateway.job(gen["job"])["attempt"]["worker"]
        self.workers[busy].kill()
        wait_for("its attempt is lost", lambda: self.workers_of(gen["job"])[1] == {busy})
        self.restart()
        stream.join(5)
        stream.follow()
        run = self.wait_run(run_id)
        self.check_film(run)
        stream.join(10)
        seen = [seq for seq, _ in stream.seen]
        self.assertEqual(seen, list(range(seen[0], seen[0] + len(seen))), "a gap or a repeat in what was streamed")
        self.check_events(run_id)
        self.check_webhooks(run_id)
        delivered, lost = self.workers_of(gen["job"])
        self.assertEqual(lost, {busy})
        self.assertEqual(delivered, {"wan-0", "wan-1"} - {busy})
        self.assertEqual(self.workers_of(run["steps"]["up"]["job"]), [{"up-2"}, set()])
        interpolated, = self.workers_of(run["steps"]["fi"]["job"])[0]
        self.assertTrue(interpolated.startswith("rife-"))

    def test_a_fallback_takes_the_place_of_an_upscaler_that_nobody_has(self):
        self.begin("wan", "rife", "up")
        run_id = self.submit(flagship(steps=4, upscaler="nobody-has-this-one"))
        run = self.wait_run(run_id)
        self.check_film(run)
        self.assertEqual(run["steps"]["up"]["fallback"], 1)
        self.assertFalse(run["degraded"])
        self.check_webhooks(run_id)
        definition = flagship(steps=4)
        definition["steps"][0]["model"] = "tiny/vvan"  # without a fallback: refused before anything runs
        status, _, problem = self.gateway.call("POST", "/v1/runs", definition)
        self.assertEqual((status, problem["code"], problem["errors"][0]["pointer"]), (422, "workflow_type_error", "/steps/0/model"))
        self.assertIn("tiny/wan", problem["detail"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
