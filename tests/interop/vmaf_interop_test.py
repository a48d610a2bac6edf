"""kinora measure with VMAF, by an FFmpeg that has libvmaf, against the same FFmpeg asked by hand."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import imageio_ffmpeg

BIN = pathlib.Path(os.environ["KINORA_BIN"])
ORIGINAL = pathlib.Path(__file__).parent.parent / "media/london_roofs_360p_5s.mp4"


class Vmaf(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.scratch.name)
        cls.made = folder / "it's [made]:8.mp4"
        subprocess.run(["ffmpeg", "-v", "error", "-i", ORIGINAL, "-frames:v", "8", "-an", "-c:v", "libx264", "-crf", "38", "-threads", "1", cls.made],
                       check=True)
        cls.with_vmaf = folder / "bin"
        cls.with_vmaf.mkdir()
        (cls.with_vmaf / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def measure(self, path, *more):
        return subprocess.run([BIN / "kinora", "measure", ORIGINAL, self.made, *more], env={**os.environ, "PATH": str(path)}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def test_scores_are_those_of_ffmpeg(self):
        log = pathlib.Path(self.scratch.name) / "log"
        subprocess.run([self.with_vmaf / "ffmpeg", "-v", "error", "-i", self.made, "-i", ORIGINAL, "-lavfi",
                        f"libvmaf=log_fmt=json:log_path={log}:shortest=1", "-frames:v", "8", "-f", "null", "-"], check=True)
        expected = json.loads(log.read_text())
        done = self.measure(self.with_vmaf, "--json", "--plot", log.with_suffix(".svg"))
        self.assertEqual(done.returncode, 0, done.stderr)
        found = json.loads(done.stdout)
        self.assertEqual([frame["vmaf"] for frame in found["frames"]], [frame["metrics"]["vmaf"] for frame in expected["frames"][:8]])
        self.assertEqual(len(found["frames"]), 8)
        self.assertTrue(0 < found["vmaf"] < 95)
        self.assertIn("VMAF, mean", log.with_suffix(".svg").read_text())
        self.assertEqual(len(self.measure(self.with_vmaf, "--no-frames").stdout.split()), 5)  # "mean", three values and VMAF

    def test_it_is_left_out_where_it_cannot_or_must_not_be(self):
        for path, more in [("/nowhere", ()), (self.with_vmaf, ("--no-vmaf",))]:
            done = self.measure(path, "--json", *more)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("vmaf", json.loads(done.stdout))
        refused = self.measure("/nowhere", "--vmaf")
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("ffmpeg with the filter libvmaf", refused.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
