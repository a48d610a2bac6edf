"""Two orchestrators with two workers each; something dies in the middle of a job, and the job is done all the same."""
import os
import signal
import subprocess
import unittest

from harness import NetworkTest, decodes, descendants, make_clip, probe, psnr_y, wait_for

FRAMES = 240


class Failures(NetworkTest):
    def begin(self, *gateway):
        """A network at work on one upscale; the job's id."""
        self.network(gateway=gateway)
        wait_for("all workers' devices are offered", lambda: self.free("video-upscale") >= len(self.workers))  # else the clip may not be cut
        self.clip = make_clip(self.scratch / "clip.mp4", seconds=FRAMES // 24, size="480x270")
        self.id = self.gateway.submit("video-upscale", {"video": {"artifact": self.gateway.upload(self.clip)}}, scale=2)
        wait_for("frames are being upscaled", lambda: (self.gateway.job(self.id).get("progress") or {}).get("units_done"))

    def free(self, task):
        tasks = self.gateway.call("GET", "/v1/capabilities")[2]["tasks"]
        return next(t["free"] for t in tasks if t["task"] == task)

    def busy_worker(self):
        return wait_for("a worker with a busy runner", lambda: next((w for w in self.workers if descendants(w.child.pid, "kinora-runner") and self.cpu(w) > 20), None))

    @staticmethod
    def cpu(worker):
        """Clock ticks that the worker's runner has used."""
        total = 0
        for pid in descendants(worker.child.pid, "kinora-runner"):
            with open(f"/proc/{pid}/stat") as file:
                words = file.read().rsplit(")", 1)[1].split()
            total += int(words[11]) + int(words[12])
        return total

    def check_result(self):
        job = self.gateway.wait_job(self.id)
        self.assertEqual(job["status"], "succeeded", job["error"])
        out = self.scratch / "out.mp4"
        status, _, content = self.gateway.call("GET", job["output"]["video"]["url"])
        self.assertEqual(status, 200)
        out.write_bytes(content)
        found = probe(out)
        self.assertEqual((found["video"][0]["width"], found["video"][0]["height"], int(found["video"][0]["nb_read_frames"])), (960, 540, FRAMES))
        self.assertEqual(len(found["audio"]), 1)
        self.assertTrue(decodes(out))
        return job, out

    def test_a_runner_is_killed(self):
        self.begin()
        for pid in descendants(self.busy_worker().child.pid, "kinora-runner"):
            os.kill(pid, signal.SIGKILL)
        self.check_result()

    def test_a_worker_is_killed(self):
        self.begin()
        self.busy_worker().kill()
        self.check_result()

    def test_an_orchestrator_is_killed(self):
        self.begin()
        busy = self.busy_worker()
        self.orchestrators[self.workers.index(busy) // 2].kill()
        self.check_result()

    def test_the_gateway_is_killed_and_goes_on_after_its_restart(self):
        self.begin()
        port = self.gateway.api.rsplit(":", 1)[1]
        self.gateway.kill()
        self.gateway.words[self.gateway.words.index("--listen") + 1] = f"127.0.0.1:{port}"
        self.gateway.start()
        self.check_result()

    def test_chunks_on_several_workers_join_without_a_seam(self):
        self.begin("--chunk-s", "2")
        job, out = self.check_result()
        _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{self.id}/attempts")
        workers = {a["worker"] for a in attempts["data"]}
        self.assertGreater(len(attempts["data"]), 4)
        self.assertGreater(len(workers), 1)
        whole_id = self.launch("whole", "up", "--listen", "127.0.0.1:0")
        whole_job = whole_id.wait_job(whole_id.submit("video-upscale", {"video": {"artifact": whole_id.upload(self.clip)}}, scale=2))
        whole = self.scratch / "whole.mp4"
        whole.write_bytes(whole_id.call("GET", whole_job["output"]["video"]["url"])[2])
        self.assertGreater(psnr_y(out, whole), 40)

    def test_parts_of_an_accelerated_upscale_tell_together_what_was_carried(self):
        self.network(gateway=("--chunk-s", "2"))
        wait_for("all workers' devices are offered", lambda: self.free("video-upscale") >= len(self.workers))
        clip = self.scratch / "pan.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "smptehdbars=s=320x180:r=24:d=6,scroll=h=0.003", "-c:v", "libx264", "-g", "48", "-crf", "12", str(clip)], check=True)
        made = []
        for accelerate in ("off", "fast"):
            job = self.gateway.wait_job(self.gateway.submit("video-upscale", {"video": {"artifact": self.gateway.upload(clip)}}, scale=2, accelerate=accelerate))
            made.append(self.scratch / f"{accelerate}.mp4")
            made[-1].write_bytes(self.gateway.call("GET", job["output"]["video"]["url"])[2])
        self.assertGreater(len(self.gateway.call("GET", f"/v1/jobs/{job['id']}/attempts")[2]["data"]), 3)
        told = job["output"]["acceleration"]
        self.assertEqual(told["frames"], 144)
        self.assertGreater(told["carried_share"], 0.5)
        self.assertLess(told["whole_frames"], 48)
        self.assertGreater(psnr_y(*made), 35)


if __name__ == "__main__":
    unittest.main(verbosity=2)
