"""Media in every form of developer-api 5.3.5, through real processes: by URL, as another job's result, a part of a video, one frame of it."""
import functools
import http.server
import subprocess
import threading
import unittest

from harness import NetworkTest, make_clip, probe, psnr_y, wait_for


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


class MediaValues(NetworkTest):
    def setUp(self):
        super().setUp()
        self.served = self.scratch / "served"
        self.served.mkdir()
        self.clip = make_clip(self.served / "clip.mp4", seconds=4, rate=24)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=self.served))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (server.shutdown(), server.server_close()))
        self.url = f"http://127.0.0.1:{server.server_port}/clip.mp4"
        self.node = self.up(env={"KINORA_GATEWAY_PRIVATE_TARGETS": "true"})

    def result(self, job_id, slot):
        job = self.node.wait_job(job_id)
        self.assertEqual(job["status"], "succeeded", job["error"])
        file = self.scratch / job["output"][slot]["filename"]
        file.write_bytes(self.node.call("GET", job["output"][slot]["url"])[2])
        return file

    def test_a_part_of_a_clip_by_url_and_its_last_frame_from_the_result(self):
        part = self.node.submit("loop", {"video": {"url": self.url, "start_s": 1, "end_s": 2.5}}, count=1)
        last = self.node.submit("thumbnail", {"video": {"job": part, "path": "output.video"}}, frame=-1, format="png")
        bigger = self.node.submit("image-upscale", {"image": {"job": part, "path": "output.video", "frame": "last"}}, scale=2)
        cut = probe(self.result(part, "video"))
        self.assertEqual(int(cut["video"][0]["nb_read_frames"]), 36)
        self.assertAlmostEqual(float(cut["audio"][0]["duration"]), 1.5, delta=0.03)
        shown = self.scratch / "shown.png"
        subprocess.run(["ffmpeg", "-v", "error", "-i", self.clip, "-vf", r"select=eq(n\,59)", "-frames:v", "1", shown], check=True)
        self.assertGreater(psnr_y(self.result(last, "image"), shown), 30)  # picture 36 of the part is 60 of the clip
        picture = self.result(bigger, "image")
        self.assertEqual([probe(picture)["video"][0][side] for side in ("width", "height")], [640, 360])
        reference = self.scratch / "reference.png"
        subprocess.run(["ffmpeg", "-v", "error", "-i", shown, "-vf", "scale=640:360:flags=lanczos", reference], check=True)
        self.assertGreater(psnr_y(picture, reference), 25)

    def test_a_step_takes_the_last_frame_of_the_video_of_another(self):
        steps = [{"id": "part", "task": "clip", "input": {"video": {"$ref": "args.clip"}, "end_s": 1}},
                 {"id": "last", "task": "image-upscale",
                  "input": {"image": {"artifact": {"$ref": "steps.part.output.video.artifact"}, "frame": "last"}, "scale": 2}}]
        status, _, run = self.node.call("POST", "/v1/runs", {"args": {"clip": {"url": self.url}}, "steps": steps,
                                                             "outputs": {"picture": {"$ref": "steps.last.output.image"}}})
        self.assertEqual(status, 202, run)

        def ended():
            found = self.node.call("GET", f"/v1/runs/{run['id']}")[2]
            return found if found["status"] not in ("queued", "running") else None
        run = wait_for("the run", ended)
        self.assertEqual(run["status"], "succeeded", run)
        picture = self.scratch / "picture.png"
        picture.write_bytes(self.node.call("GET", run["outputs"]["picture"]["url"])[2])
        shown = self.scratch / "shown.png"
        subprocess.run(["ffmpeg", "-v", "error", "-i", self.clip, "-vf", r"select=eq(n\,23),scale=640:360:flags=lanczos", "-frames:v", "1", shown], check=True)
        self.assertGreater(psnr_y(picture, shown), 25)

    def test_the_command_line_takes_a_url(self):
        out = self.scratch / "frame.png"
        self.node.kinora("run", "thumbnail", self.url, "-o", out, "--set", "frame=0")
        self.assertEqual(probe(out)["video"][0]["width"], 320)
        failed = self.node.kinora("run", "thumbnail", self.url + ".missing", "-o", out, check=False)
        self.assertEqual(failed.returncode, 1)
        self.assertIn("answered 404", failed.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
