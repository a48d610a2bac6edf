"""What the programs are made of."""
import pathlib
import subprocess
import tempfile
import unittest

from harness import BIN


def linked(program):
    return subprocess.run(["ldd", BIN / program], stdout=subprocess.PIPE, text=True, check=True).stdout


class Programs(unittest.TestCase):
    def test_kinora_links_neither_ffmpeg_nor_libtorch(self):
        for word in ("libav", "libsw", "libtorch", "libc10"):
            self.assertNotIn(word, linked("kinora"))

    def test_kinora_media_links_no_libtorch(self):
        self.assertIn("libavformat", linked("kinora-media"))
        self.assertNotIn("libtorch", linked("kinora-media"))

    def test_kinora_runner_links_no_protobuf(self):
        self.assertIn("libtorch_cpu", linked("kinora-runner"))
        self.assertNotIn("libprotobuf", linked("kinora-runner"))

    def test_kinora_stripped_is_at_most_30_mb(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "kinora"
            subprocess.run(["strip", "-o", out, BIN / "kinora"], check=True)
            print(f"kinora stripped: {out.stat().st_size / 1e6:.1f} MB")
            self.assertLessEqual(out.stat().st_size, 30_000_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
