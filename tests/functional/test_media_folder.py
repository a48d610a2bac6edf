"""Every file of a media folder (tests/media, or KINORA_MEDIA_DIR) through transcode and upscale: a right result, or a
clear error with a stable code; never a crash, never a worker that is worse off afterwards."""
import os
import pathlib
import unittest

from harness import ROOT, NetworkTest, decodes, make_clip, probe

FOLDER = pathlib.Path(os.environ.get("KINORA_MEDIA_DIR", ROOT / "tests/media"))
CODES = {"input_invalid", "unsupported_media", "media_too_large", "verification_failed"}


def frames_of(path):
    try:
        video = [s for s in probe(path)["video"] if s.get("width")]
        return (int(video[0]["nb_read_frames"]), video[0]) if video and video[0].get("nb_read_frames", "0").isdigit() else (0, None)
    except Exception:  # ffprobe refuses it
        return 0, None


class MediaFolder(NetworkTest):
    def files(self):
        return sorted(p for p in FOLDER.rglob("*") if p.is_file() and p.suffix.lower() not in (".md", ".txt", ".m3u8", ".json", ".py", ".nut"))

    def run_task(self, task, path, **params):
        """The finished job, or the error that refused the upload."""
        status, _, made = self.node.call("POST", "/v1/media/uploads", {"filename": path.name, "mime": "application/octet-stream", "bytes": path.stat().st_size, "purpose": "input", "method": "single"})
        if status >= 400:
            return {"status": "refused", "error": made}
        self.node.call("PUT", made["single"]["url"], raw=path.read_bytes(), headers={"Content-Type": "application/octet-stream"})
        status, _, done = self.node.call("POST", f"/v1/media/uploads/{made['id']}/complete", {})
        if not done.get("artifact"):
            self.assertGreaterEqual(status if status >= 400 else 400, 400)
            return {"status": "refused", "error": done.get("error") or done}
        slot = "image" if task == "image-upscale" else "video"
        status, _, job = self.node.call("POST", "/v1/jobs", {"task": task, "input": {slot: {"artifact": done["artifact"]}, **params}})
        if status >= 400:
            return {"status": "refused", "error": job}
        return self.node.wait_job(job["id"], 400)

    def save(self, url, name):
        path = self.scratch / name
        path.write_bytes(self.node.call("GET", url)[2])
        return path

    def test_every_file(self):
        self.node = self.up()
        files = self.files()
        self.assertGreater(len(files), 5, f"no media in {FOLDER}")
        for path in files:
            with self.subTest(file=str(path.relative_to(FOLDER))):
                frames, video = frames_of(path)
                job = self.run_task("transcode", path, formats=["mp4"])
                if job["status"] != "succeeded":
                    self.assertIn(job["error"]["code"], CODES, job["error"])
                    if path.parent.name != "broken" and video and path.suffix not in (".png", ".jpg"):
                        self.fail(f"refused a good file: {job['error']}")
                elif video:
                    for item in job["output"].get("renditions", []):
                        out = self.save(item["url"], "out.mp4")
                        found = probe(out)
                        # Damaged sound is copied as it is: only the picture of a broken file must be whole.
                        self.assertTrue(decodes(out, "0" if path.parent.name != "broken" else "0:v"))
                        if path.parent.name != "broken":
                            top, bottom = map(int, video["avg_frame_rate"].split("/"))
                            frame = bottom / top if top else 0
                            length = float(found["format"]["duration"])
                            self.assertAlmostEqual(length, float(probe(path)["format"].get("duration", length)), delta=max(0.25, frame))
                if video and video["width"] * video["height"] <= 300_000 and frames <= 130:
                    job = self.run_task("video-upscale", path, scale=2)
                    if job["status"] == "succeeded":
                        out = self.save(job["output"]["video"]["url"], "up.mp4")
                        found = probe(out)["video"][0]
                        self.assertEqual((found["width"], found["height"]), (video["width"] * 2, video["height"] * 2))
                        if path.parent.name != "broken":
                            self.assertEqual(int(found["nb_read_frames"]), frames)
                    else:
                        self.assertIn(job["error"]["code"], CODES, job["error"])
        # Nothing was poisoned.
        good = make_clip(self.scratch / "good.mp4", seconds=1)
        self.assertEqual(self.run_task("transcode", good, formats=["mp4"])["status"], "succeeded")


if __name__ == "__main__":
    unittest.main(verbosity=2)
