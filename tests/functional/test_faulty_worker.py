"""A worker that delivers the wrong size, a black film or a file that is cut off (developer-api 5.18, test 7): found out before the client sees it,
and done again by another worker."""
import os
import shutil
import unittest

from harness import BIN, NetworkTest, Process, decodes, make_clip, probe, wait_for

# In the place of kinora-media of one worker: does what the real one does, then spoils the file and tells of it as if nothing had been.
SPOILER = '''#!/usr/bin/env python3
import json, os, subprocess, sys
real, way = {real!r}, {way!r}
asked = sys.stdin.buffer.read()
done = subprocess.run([real, *sys.argv[1:]], input=asked, stdout=subprocess.PIPE)
lines = done.stdout.decode().splitlines()
if sys.argv[1:] == ["transcode"] and done.returncode == 0:
    result = json.loads(lines[-1])
    for file in result["files"]:
        path = os.path.join(json.loads(asked)["output_dir"], file["path"])
        if way == "truncated":
            with open(path, "r+b") as whole:
                whole.truncate(file["bytes"] * 2 // 3)
        else:
            chain = "scale=iw/2:ih/2" if way == "smaller" else "drawbox=color=black:t=fill"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", path, "-vf", chain, "-c:a", "copy", path + ".new.mp4"], check=True)
            os.replace(path + ".new.mp4", path)
        file["bytes"] = os.path.getsize(path)
    lines[-1] = json.dumps(result)
sys.stdout.write("\\n".join(lines) + "\\n")
sys.exit(done.returncode)
'''


class FaultyWorker(NetworkTest):
    def begin(self, way):
        """One worker that spoils; the orchestrator of a second one is there, the worker is not yet."""
        folder = self.scratch / f"bin-{way}"
        folder.mkdir()
        try:
            os.link(BIN / "kinora", folder / "kinora")
        except OSError:  # another file system
            shutil.copy(BIN / "kinora", folder / "kinora")
        (folder / "kinora-runner").symlink_to(BIN / "kinora-runner")
        (folder / "kinora-media").write_text(SPOILER.format(real=str(BIN / "kinora-media"), way=way))
        (folder / "kinora-media").chmod(0o755)
        addresses, self.secrets = [], []
        for name in ("bad", "good"):
            self.secrets.append({"KINORA_ORCHESTRATOR_SECRET": f"secret-of-{name}"})
            addresses.append(self.launch(f"orchestrator-{name}-{way}", "orchestrator", "--listen", "127.0.0.1:0", env=self.secrets[-1]).address())
        self.good_address = addresses[1]
        worker = Process(self.scratch, f"bad-{way}", "worker", "--name", "bad", "--orchestrator", addresses[0], "--json", env=self.secrets[0])
        worker.words[0] = str(folder / "kinora")
        self.processes.append(worker)
        worker.start()
        self.gateway = self.launch(f"gateway-{way}", "gateway", "--listen", "127.0.0.1:0", *[w for a in addresses for w in ("--orchestrator", a)])

    def attempts(self, job):
        return self.gateway.call("GET", f"/v1/jobs/{job}/attempts")[2]["data"]

    def test_what_it_spoils_is_found_out_and_done_again_elsewhere(self):
        clip = make_clip(self.scratch / "clip.mp4", seconds=3)
        for way in ("smaller", "black", "truncated"):
            with self.subTest(way):
                self.begin(way)
                asked = {"task": "transcode", "input": {"video": {"artifact": self.gateway.upload(clip)}, "formats": ["mp4"], "renditions": [{"name": "a", "height": 180}]}}
                _, _, job = self.gateway.call("POST", "/v1/jobs", {**asked, "retry": {"max_attempts": 3, "initial_ms": 2000}})
                first = wait_for("it is found out", lambda: [a for a in self.attempts(job["id"]) if a["state"] == "invalid"], 60)[0]
                self.assertEqual((first["worker"], first["error"]["code"], first["error"]["fault"]), ("bad", "verification_failed", "worker"))
                self.launch(f"good-{way}", "worker", "--name", "good", "--orchestrator", self.good_address, env=self.secrets[1])
                done = self.gateway.wait_job(job["id"], 120)
                self.assertEqual(done["status"], "succeeded", done["error"])
                last = self.attempts(job["id"])[-1]
                self.assertEqual((last["worker"], last["state"]), ("good", "delivered"))
                out = self.scratch / "out.mp4"
                out.write_bytes(self.gateway.call("GET", done["output"]["renditions"][0]["url"])[2])
                self.assertTrue(decodes(out))
                self.assertEqual([(s["width"], s["height"]) for s in probe(out)["video"]], [(320, 180)])
                for process in self.processes:
                    process.kill()


if __name__ == "__main__":
    unittest.main(verbosity=2)
