"""What the programs are made of."""
import json
import os
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

    def test_the_doctor_looks_at_the_devices_and_models_that_the_worker_would_use(self):
        with tempfile.TemporaryDirectory() as home:
            def doctor(**settings):
                done = subprocess.run([BIN / "kinora", "doctor", "--json"], env={**os.environ, "KINORA_HOME": home, **settings}, stdout=subprocess.PIPE, text=True)
                return done.returncode, {check["check"]: check for check in json.loads(done.stdout)["checks"]}
            pathlib.Path(home, "mine").mkdir()
            pathlib.Path(home, "mine/broken.pth").write_text("no network")
            status, checks = doctor(KINORA_WORKER_DEVICES="cpu,cuda:57", KINORA_WORKER_MODELS=f"{home}/mine")
            self.assertEqual(status, 1)
            self.assertEqual((checks["runner cpu"]["state"], checks["runner cuda:57"]["state"]), ("ok", "missing"))
            self.assertIn("cuda:57: ", checks["runner cuda:57"]["detail"])
            self.assertIn("worker.devices", checks["runner cuda:57"]["remedy"])
            self.assertIn("broken", [model["id"] for model in json.loads(checks["models"]["detail"])])
            status, checks = doctor(KINORA_WORKER_DEVICES="gpu")
            self.assertEqual((status, checks["devices"]["state"]), (1, "missing"))
            self.assertIn('"gpu" is none of auto, none, cpu', checks["devices"]["detail"])
            status, checks = doctor(KINORA_WORKER_DEVICES="none")
            self.assertEqual((status, checks["devices"]["state"]), (0, "note"))
            self.assertNotIn("runner cpu", checks)

    def test_kinora_stripped_is_at_most_30_mb(self):
        with tempfile.TemporaryDirectory() as folder:
            out = pathlib.Path(folder) / "kinora"
            subprocess.run(["strip", "-o", out, BIN / "kinora"], check=True)
            print(f"kinora stripped: {out.stat().st_size / 1e6:.1f} MB")
            self.assertLessEqual(out.stat().st_size, 30_000_000)


if __name__ == "__main__":
    unittest.main(verbosity=2)
