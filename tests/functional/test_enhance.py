"""Upscaling and interpolation in one pass over several workers, one of which dies in the middle of its chunk."""
import collections
import shutil
import unittest

from golden_models import GOLDEN
from harness import NetworkTest, make_clip, probe, psnr, wait_for

SECONDS, FPS = 6, 12
HOW = {"scale": 2, "factor": 2, "ops": ["interpolate", "upscale"], "crf": 0}  # without loss: pictures can be compared


class Enhance(NetworkTest):
    def setUp(self):
        super().setUp()
        self.models = self.scratch / "models"
        (self.models / "rife-4.25").mkdir(parents=True)
        shutil.copy(GOLDEN / "rife_425/model/flownet.pkl", self.models / "rife-4.25")
        self.clip = make_clip(self.scratch / "clip.mp4", seconds=SECONDS, size="160x90", rate=FPS, codec=("-c:v", "libx264", "-g", str(FPS)))

    def begin(self, workers):
        secret = {"KINORA_ORCHESTRATOR_SECRET": "secret"}
        orchestrator = self.launch("orchestrator", "orchestrator", "--listen", "127.0.0.1:0", env=secret)
        self.workers = [self.launch(f"w{w}", "worker", "--name", f"w{w}", "--orchestrator", orchestrator.address(), "--models", self.models, env=secret)
                        for w in range(workers)]
        self.gateway = self.launch("gateway", "gateway", "--listen", "127.0.0.1:0", "--orchestrator", orchestrator.address(), "--chunk-s", "1")

        def free():
            return next((t["free"] for t in self.gateway.call("GET", "/v1/capabilities")[2]["tasks"] if t["task"] == "video-enhance"), 0)
        wait_for("all workers' devices are offered", lambda: free() >= workers)  # else the clip may not be cut
        self.id = self.gateway.submit("video-enhance", {"video": {"artifact": self.gateway.upload(self.clip)}}, **HOW)

    def chunks(self):
        """All attempts at chunks."""
        return [a for a in self.gateway.call("GET", f"/v1/jobs/{self.id}/attempts")[2]["data"] if a["step"] == "chunk"]

    def at_its_first_chunk(self):
        """A worker that is in the middle of the first chunk that it was given. (A later one may be waiting for the end of the one before.)"""
        if not (self.gateway.job(self.id).get("progress") or {}).get("units_done"):
            return None
        of = collections.defaultdict(list)
        for attempt in self.chunks():
            of[attempt["worker"]].append(attempt["state"])
        return next((w for w in self.workers if of[w.name] in (["accepted"], ["running"])), None)

    def result(self, node, job_id, name):
        job = node.wait_job(job_id)
        self.assertEqual(job["status"], "succeeded", job["error"])
        out = self.scratch / name
        out.write_bytes(node.call("GET", job["output"]["video"]["url"])[2])
        return out

    def test_only_the_chunk_of_a_worker_that_dies_is_made_again_and_no_joint_shows(self):
        self.begin(workers=3)
        worker = wait_for("a worker is at work", self.at_its_first_chunk)
        worker.kill()
        out = self.result(self.gateway, self.id, "out.mp4")
        self.assertEqual([a["worker"] for a in self.chunks() if a["state"] == "lost"], [worker.name])
        times_made = collections.Counter(a["index"] for a in self.chunks() if a["state"] == "delivered")
        self.assertEqual(sorted(times_made.values()), [1] * SECONDS)
        video, = probe(out)["video"]
        self.assertEqual((video["width"], video["height"], video["r_frame_rate"], int(video["nb_read_frames"])),
                         (320, 180, f"{2 * FPS}/1", 2 * FPS * SECONDS))
        self.assertEqual(len(probe(out)["audio"]), 1)
        one = self.up("--models", self.models)
        whole = self.result(one, one.submit("video-enhance", {"video": {"artifact": one.upload(self.clip)}}, **HOW), "whole.mp4")
        self.assertGreater(psnr(out, whole, "min"), 45)  # equal where the workers have chosen the same number format


if __name__ == "__main__":
    unittest.main(verbosity=2)
