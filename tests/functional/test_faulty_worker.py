"""A worker that delivers the wrong size, a black film or a file that is cut off (developer-api 5.18, test 7): found out before the client sees it,
and done again by another worker."""
import unittest

from harness import NetworkTest, decodes, make_clip, probe, wait_for
from spoiler import spoiling_worker

class FaultyWorker(NetworkTest):
    def begin(self, way):
        """One worker that spoils; the orchestrator of a second one is there, the worker is not yet."""
        addresses, self.secrets = [], []
        for name in ("bad", "good"):
            self.secrets.append({"KINORA_ORCHESTRATOR_SECRET": f"secret-of-{name}"})
            addresses.append(self.launch(f"orchestrator-{name}-{way}", "orchestrator", "--listen", "127.0.0.1:0", env=self.secrets[-1]).address())
        self.good_address = addresses[1]
        worker = spoiling_worker(self.scratch, f"bad-{way}", way, addresses[0], self.secrets[0])
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
                _, _, job = self.gateway.call("POST", "/v1/jobs", {**asked, "retry": {"max_attempts": 3, "initial_ms": 5000}})
                first = wait_for("it is found out", lambda: [a for a in self.attempts(job["id"]) if a["state"] == "invalid"], 60)[0]
                self.assertEqual((first["worker"], first["error"]["code"], first["error"]["fault"]), ("bad", "verification_failed", "worker"))
                _, _, flagged = self.gateway.call("POST", "/v1/jobs", {**asked, "requirements": {"verification": {"on_fail": "deliver_flagged"}}})
                flagged = self.gateway.wait_job(flagged["id"], 60)
                self.assertEqual((flagged["status"], flagged["output"]["verification"]["passed"], len(self.attempts(flagged["id"]))), ("succeeded", False, 1))
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
