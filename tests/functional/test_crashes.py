"""The gateway is killed at every commit of a job's life, one after the other, and at random: every job ends, nothing is done twice, no event
stream has a gap or a repeat (developer-api 5.18, test 5)."""
import contextlib
import os
import random
import signal
import unittest

from crashes import GONE, CrashTest
from events import Stream
from harness import make_clip, wait_for
from spoiler import spoiling_worker

RANDOM_KILLS = int(os.environ.get("KINORA_RANDOM_KILLS", "10"))

DONE = ["job.created", "job.queued", "job/dispatching", "job.preparing", "job.started", "job.verifying", "artifact.created", "job.succeeded"]

class JobCrashTest(CrashTest):
    def setUp(self):
        super().setUp()
        self.network(orchestrators=1, workers=1)
        self.keep_port()
        self.clip = self.gateway.upload(make_clip(self.scratch / "clip.mp4", seconds=2))
        self.long = self.gateway.upload(make_clip(self.scratch / "long.mp4", seconds=40, size="640x360"))

    def submit_keyed(self, body, key):
        status, _, job = self.insist("POST", "/v1/jobs", body, key)
        self.assertIn(status, (200, 202), job)
        return job["id"]

    def check_history(self, job, stream, expect):
        """What must hold of a job that has ended, whatever happened on the way."""
        self.assertEqual(job["status"], expect, job["error"])
        while not stream.ended:
            stream.follow()
            self.assertTrue(stream.join(), "the stream does not end")
        numbers = [seq for seq, _ in stream.seen]
        self.assertEqual(numbers, sorted(set(numbers)), "a repeat in the stream")
        whole = Stream(self.gateway, job["id"])
        whole.last_id = "0"
        whole.follow()
        self.assertTrue(whole.join())
        self.check_numbers(job["id"], numbers)
        self.check_numbers(job["id"], [seq for seq, _ in whole.seen])
        ends = [kind for _, kind in whole.seen if kind in ("job.succeeded", "job.failed", "job.canceled", "job.expired")]
        self.assertEqual(ends, ["job." + expect])
        self.assertEqual([kind for _, kind in whole.seen].count("job.created"), 1)
        _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{job['id']}/attempts")
        self.assertEqual(sum(a["state"] == "delivered" for a in attempts["data"]), 1 if expect == "succeeded" else 0, attempts)
        made = [a for a in self.artifacts() if (a["source"] or {}).get("job") == job["id"]]
        self.assertEqual(len(made), 1 if expect == "succeeded" else 0)

    def check_numbers(self, job_id, streamed):
        """Neither what is stored nor what was streamed has a gap."""
        _, _, page = self.gateway.call("GET", f"/v1/events?subject={job_id}&order=asc&limit=100")
        stored = [event["seq"] for event in page["data"]]
        self.assertEqual(stored, list(range(1, len(stored) + 1)), "a gap in what is stored")
        self.assertEqual(streamed, stored[len(stored) - len(streamed):], "a gap in what was streamed")

    def artifacts(self):
        _, _, page = self.gateway.call("GET", "/v1/artifacts?limit=100")
        return page["data"]

    def walk(self, name, body_of, expect, then=None):
        """One job with a crash before, and one with a crash after, the commit of that name. `body_of`: a body, or what makes one."""
        for side in ("before", "after"):
            with self.subTest(point=f"{name}:{side}"):
                self.restart()
                body = body_of() if callable(body_of) else body_of
                self.restart(fault=f"{name}:{side}")
                key = f"walk-{name}-{side}"
                job_id = self.submit_keyed(body, key)
                stream = Stream(self.gateway, job_id).follow()
                if then:
                    with contextlib.suppress(*GONE):
                        then(job_id)
                if "KINORA_FAULT" in self.gateway.env:
                    self.assertEqual(self.gateway.child.wait(60), -signal.SIGKILL, "the fault point was not reached")
                    self.restart()
                    if then:
                        then(job_id)
                stream.join(5)
                self.check_history(self.gateway.wait_job(job_id, 60), stream, expect)
                self.assertEqual(self.submit_keyed(body, key), job_id)


class Crashes(JobCrashTest):
    def test_each_commit_of_a_job_that_succeeds(self):
        for name in DONE:
            self.walk(name, {"task": "thumbnail", "input": {"video": {"artifact": self.clip}}}, "succeeded")

    def test_each_commit_of_a_job_that_is_canceled(self):
        body = {"task": "transcode", "input": {"video": {"artifact": self.long}}}

        def cancel(job_id):
            wait_for("it runs", lambda: self.gateway.job(job_id)["status"] in ("running", "canceled"))
            self.gateway.call("POST", f"/v1/jobs/{job_id}/cancel", {})
        for name in ("job/canceling", "job.canceled"):
            self.walk(name, body, "canceled", cancel)

    def test_the_commit_of_a_job_that_fails_and_of_one_that_expires(self):
        self.walk("job.failed", {"task": "clip", "input": {"video": {"artifact": self.clip}, "start_s": 100}}, "failed")
        self.walk("job.expired", {"task": "transcode", "input": {"video": {"artifact": self.long}}, "requirements": {"deadline_s": 2}}, "expired")

    def test_each_commit_of_a_job_that_waits_for_its_upload(self):
        film = make_clip(self.scratch / "late.mp4", seconds=1).read_bytes()

        def body():
            _, _, self.late = self.gateway.call("POST", "/v1/media/uploads", {"filename": "late.mp4", "mime": "video/mp4", "bytes": len(film), "method": "single"})
            self.gateway.call("PUT", self.late["single"]["url"], raw=film, headers={"Content-Type": "video/mp4"})
            return {"task": "thumbnail", "input": {"video": {"upload": self.late["id"]}}}

        def complete(_):
            status, _, answer = self.gateway.call("POST", f"/v1/media/uploads/{self.late['id']}/complete", {})
            self.assertTrue(status in (200, 202) or answer["code"] == "not_cancelable", answer)
        for name in ("job.created", "upload.completed", "job.queued"):
            self.walk(name, body, "succeeded", complete)

    def test_random_kills(self):
        dice = random.Random(7)
        self.restart()
        jobs = {}
        for kill in range(RANDOM_KILLS):
            for number in range(4):
                key = f"random-{kill}-{number}"
                body = {"task": "thumbnail", "input": {"video": {"artifact": self.clip}, "width": 16 + 2 * len(jobs)}}
                job_id = self.submit_keyed(body, key)
                jobs[key] = (job_id, body, Stream(self.gateway, job_id).follow())
            with contextlib.suppress(Exception):
                self.gateway.child.wait(dice.uniform(0, 0.4))
            self.restart()
        self.assertEqual(len({job_id for job_id, _, _ in jobs.values()}), len(jobs), "a job was made twice")
        for key, (job_id, body, stream) in jobs.items():
            job = self.gateway.wait_job(job_id, 120)
            self.assertEqual(job["status"], "succeeded", job["error"])
            while not stream.ended:
                stream.join(5)
                stream.follow()
                self.assertTrue(stream.join())
            numbers = [seq for seq, _ in stream.seen]
            self.assertEqual(numbers, sorted(set(numbers)), "a repeat in the stream")
            self.check_numbers(job_id, numbers)
            _, _, attempts = self.gateway.call("GET", f"/v1/jobs/{job_id}/attempts")
            self.assertEqual(sum(a["state"] == "delivered" for a in attempts["data"]), 1)
            self.assertEqual(self.submit_keyed(body, key), job_id)


class RetryCrashes(JobCrashTest):
    def setUp(self):
        super().setUp()
        self.workers[0].kill()
        worker = spoiling_worker(self.scratch, "bad", "smaller", self.orchestrators[0].address(), {"KINORA_ORCHESTRATOR_SECRET": "secret-of-0"})
        self.processes.append(worker)
        worker.start()

    def test_each_commit_of_a_job_that_is_tried_again(self):
        body = {"task": "transcode", "input": {"video": {"artifact": self.clip}, "formats": ["mp4"], "renditions": [{"name": "a", "height": 120}]},
                "retry": {"max_attempts": 2, "initial_ms": 50}}
        for name in ("job.retrying", "job/retry_wait", "job.failed"):
            self.walk(name, body, "failed")


if __name__ == "__main__":
    unittest.main(verbosity=2)
