"""One machine: `kinora up`, and what a newcomer does first."""
import json
import os
import subprocess
import time
import unittest

from harness import BIN, CLIP, NetworkTest, decodes, make_clip, probe, wait_for


class Up(NetworkTest):
    def test_does_every_task_from_the_command_line(self):
        started = time.monotonic()
        node = self.up()
        status, _, _ = node.call("GET", "/readyz")
        self.assertEqual(status, 200)
        print(f"ready after {time.monotonic() - started:.2f} s")
        clip = make_clip(self.scratch / "clip.mp4", seconds=3)

        node.kinora("run", "transcode", clip, "-o", self.scratch / "ladder", "--set", "formats=hls,mp4")
        masters = list((self.scratch / "ladder").rglob("master.m3u8"))
        self.assertEqual(len(masters), 1)
        self.assertTrue(decodes(masters[0]))
        for rendition in (self.scratch / "ladder").rglob("*.mp4"):
            found = probe(rendition)
            self.assertEqual(found["video"][0]["nb_read_frames"], "72")
            self.assertEqual(len(found["audio"]), 1)

        big = self.scratch / "big.mp4"
        done = node.kinora("run", "video-upscale", clip, "-o", big, "--set", "scale=2", "--json")
        job = json.loads(done.stdout.strip().splitlines()[-1])
        self.assertEqual(job["status"], "succeeded")
        found = probe(big)
        self.assertEqual((found["video"][0]["width"], found["video"][0]["height"], found["video"][0]["nb_read_frames"]), (640, 360, "72"))
        self.assertEqual(found["audio"][0]["codec_name"], "aac")
        self.assertTrue(decodes(big))

        smooth = self.scratch / "smooth.mp4"
        done = node.kinora("run", "frame-interpolation", clip, "-o", smooth, "--set", "factor=2", "--json")
        job = json.loads(done.stdout.strip().splitlines()[-1])
        self.assertEqual(job["status"], "succeeded")
        self.assertEqual(node.call("GET", "/v1/models/kinora-interpolator")[0], 200)
        self.assertGreater(job["output"]["enhancement"]["interpolated_frames"], 50)
        found = probe(smooth)
        self.assertEqual((found["video"][0]["r_frame_rate"], found["video"][0]["nb_read_frames"]), ("48/1", "144"))
        self.assertEqual(found["audio"][0]["codec_name"], "aac")

        picture = self.scratch / "thumb.png"
        node.kinora("run", "thumbnail", clip, "-o", picture, "--set", "at_s=1", "--set", "width=160", "--set", "format=png")
        self.assertEqual(probe(picture)["streams"][0]["width"], 160)
        bigger = self.scratch / "thumb2.png"
        node.kinora("run", "image-upscale", picture, "-o", bigger, "--set", "scale=2")
        self.assertEqual(probe(bigger)["streams"][0]["width"], 320)
        seen = json.loads(node.kinora("run", "probe", clip, "--json").stdout.strip().splitlines()[-1])
        self.assertEqual(seen["status"], "succeeded")
        self.assertIn("h264", json.dumps(seen["output"]))

        listed = json.loads(node.kinora("jobs", "list", "--json").stdout)
        self.assertEqual(len(listed["data"]), 6)
        status = json.loads(node.kinora("status", "--json").stdout)
        self.assertEqual(status["api"], node.api)
        self.assertEqual(sorted(status["roles"]), ["gateway", "orchestrator", "worker"])
        self.assertTrue(status["devices"])
        made = json.loads(node.kinora("keys", "create", "--json").stdout)
        self.assertTrue(made["id"].startswith("key_") and made["key"].startswith("gk_live_"))
        measured = json.loads(node.kinora("measure", clip, clip, "--json").stdout)
        self.assertEqual(round(measured["ssim"], 4), 1.0)

        self.assertEqual(node.stop(), 0)
        self.assertNotEqual(node.kinora("status", check=False).returncode, 0)

    def test_a_job_at_work_goes_on_after_a_kill_of_the_whole_node(self):
        node = self.up()
        clip = node.upload(make_clip(self.scratch / "clip.mp4", seconds=20, size="640x360"))
        job_id = node.submit("transcode", {"video": {"artifact": clip}}, formats=["mp4"])
        wait_for("it runs", lambda: node.job(job_id)["status"] == "running")
        node.kill()
        node.start()
        self.assertEqual(node.wait_job(job_id)["status"], "succeeded", node.job(job_id)["error"])

    def test_run_without_a_node_starts_one_for_its_time(self):
        home = self.scratch / "alone"
        clip = make_clip(self.scratch / "clip.mp4", seconds=1)
        done = subprocess.run([BIN / "kinora", "run", "probe", clip, "--json"], env={**os.environ, "KINORA_HOME": str(home)},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(json.loads(done.stdout.strip().splitlines()[-1])["status"], "succeeded")
        self.assertNotIn(" info ", done.stderr)  # the log of a node that serves one command is nobody's
        self.assertFalse(list((home / "run").glob("*.json")))

    def test_models_without_a_node_are_those_that_one_would_have(self):
        def kinora(*words):
            return subprocess.run([BIN / "kinora", "models", *words, "--json"], env={**os.environ, "KINORA_HOME": str(self.scratch / "alone")},
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120)
        listed = json.loads(kinora("list").stdout)
        self.assertLessEqual({"kinora-sr2x", "kinora-t2v", "kinora-interpolator"}, {model["id"] for model in listed["models"]})
        self.assertEqual(json.loads(kinora("show", "kinora-t2v").stdout)["model"]["tasks"], ["text-to-video"])

    def test_exit_statuses_tell_what_happened(self):
        node = self.up("--device", "none")
        clip = make_clip(self.scratch / "clip.mp4", seconds=1)
        text = self.scratch / "text.mp4"
        text.write_text("no video at all\n")
        self.assertEqual(node.kinora("run", "probe", clip).returncode, 0)
        self.assertEqual(node.kinora("run", "transcode", text, "-o", self.scratch / "x", check=False).returncode, 1)
        self.assertEqual(node.kinora("run", check=False).returncode, 2)
        nobody = node.kinora("run", "video-upscale", clip, "-o", self.scratch / "x.mp4", check=False)
        self.assertEqual(nobody.returncode, 3)
        self.assertIn("no node offers video-upscale", nobody.stderr)
        wrong = node.kinora("run", "transcod", clip, check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("transcode", wrong.stderr)
        wrong = node.kinora("run", "transcode", clip, "--set", "segmnt_s=2", check=False)
        self.assertEqual(wrong.returncode, 2)
        self.assertIn("segment_s", wrong.stderr)

    def test_a_stop_lets_running_work_end(self):
        node = self.up()
        clip = make_clip(self.scratch / "clip.mp4", seconds=4)
        job = node.submit("video-upscale", {"video": {"artifact": node.upload(clip)}}, scale=2)
        wait_for("running", lambda: (node.job(job)["progress"] or {}).get("units_done"))
        self.assertEqual(node.stop(), 0)
        node.start()
        ended = node.job(job)
        self.assertEqual((ended["status"], ended["attempt"]["number"]), ("succeeded", 1))

    def test_cancel_stops_the_work_at_once(self):
        node = self.up()
        clip = make_clip(self.scratch / "long.mp4", seconds=40, size="640x360")
        job = node.submit("video-upscale", {"video": {"artifact": node.upload(clip)}}, scale=2)
        wait_for("running", lambda: node.job(job)["status"] == "running" and (node.job(job)["progress"] or {}).get("units_done"))
        status, _, answer = node.call("POST", f"/v1/jobs/{job}/cancel", {})
        self.assertIn(status, (200, 202))
        self.assertEqual(node.wait_job(job, 10)["status"], "canceled")
        # The worker is free again: the next job runs.
        self.assertEqual(node.wait_job(node.submit("probe", {"media": {"artifact": node.upload(make_clip(self.scratch / "s.mp4", seconds=1))}}))["status"], "succeeded")

    def test_a_thousand_jobs_at_once_all_finish(self):
        node = self.up("--device", "none")
        import concurrent.futures
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            jobs = list(pool.map(lambda _: node.submit("ping", {}), range(1000)))
        self.assertEqual(len(set(jobs)), 1000)

        def all_done():
            _, _, queued = node.call("GET", "/v1/jobs?limit=1&status=queued")
            _, _, running = node.call("GET", "/v1/jobs?limit=1&status=running")
            return not queued["data"] and not running["data"]
        wait_for("1000 jobs", all_done, 120)
        for job in jobs[::97]:
            self.assertEqual(node.job(job)["status"], "succeeded")
        with open(f"/proc/{node.child.pid}/status") as file:
            peak = [int(line.split()[1]) for line in file if line.startswith("VmHWM")][0]
        print(f"peak memory of kinora: {peak / 1024:.0f} MiB")
        self.assertLessEqual(peak, 150 * 1024)


if __name__ == "__main__":
    unittest.main(verbosity=2)
