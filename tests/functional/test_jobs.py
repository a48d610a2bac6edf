"""Jobs over the public API as a stranger meets them (developer-api 5.18, tests 2, 3, 4, 6, 12, 19, 20)."""
import concurrent.futures
import json
import signal
import unittest
import urllib.error
import urllib.request

from events import raw_post
from harness import NetworkTest, make_clip, wait_for
from spoiler import spoiling_worker


class Jobs(NetworkTest):
    def listed(self, ref):
        _, _, page = self.node.call("GET", f"/v1/jobs?client_ref={ref}")
        return page["data"]

    def test_an_sdk_that_lost_the_answer_gets_its_job_and_no_second_one(self):
        self.node = self.up()
        body = {"task": "ping", "client_ref": "lost"}
        raw_post(self.node, "/v1/jobs", body, {"x-stainless-retry-count": "0"})
        first = wait_for("the job is there", lambda: self.listed("lost"))[0]
        status, headers, again = self.node.call("POST", "/v1/jobs", body, headers={"x-stainless-retry-count": "1"})
        self.assertIn(status, (200, 202))
        self.assertEqual((again["id"], headers["Idempotency-Replayed"]), (first["id"], "implicit"))
        self.assertEqual(len(self.listed("lost")), 1)

    def test_a_hundred_requests_with_one_key_make_one_job(self):
        self.node = self.up()
        body = {"task": "ping", "client_ref": "many"}

        def post(_):
            return self.node.call("POST", "/v1/jobs", body, headers={"Idempotency-Key": "one"})
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(post, range(100)))
        fresh = [job for status, headers, job in answers if status in (200, 202) and "Idempotency-Replayed" not in headers]
        self.assertEqual(len(fresh), 1)
        for status, headers, job in answers:
            self.assertTrue(status == 409 or job["id"] == fresh[0]["id"], (status, job))
        self.assertEqual(len(self.listed("many")), 1)

    def test_whitespace_is_the_same_request_and_another_value_is_not(self):
        self.node = self.up()
        key = {"Idempotency-Key": "k"}
        first = self.node.call("POST", "/v1/jobs", raw=b'{"task":"ping","tags":["a"]}', headers=key)
        spaced = self.node.call("POST", "/v1/jobs", raw=b'{ "task": "ping",\n "tags": ["a"] }', headers=key)
        self.assertEqual(spaced[2]["id"], first[2]["id"])
        self.assertEqual(spaced[1]["Idempotency-Replayed"], "true")
        status, _, problem = self.node.call("POST", "/v1/jobs", raw=b'{"task":"ping","tags":["b"]}', headers=key)
        self.assertEqual((status, problem["code"]), (422, "idempotency_mismatch"))

    def test_a_worker_disappears_in_the_middle_and_the_job_is_done_elsewhere(self):
        gateway = self.network(orchestrators=2, workers=1)
        clip = make_clip(self.scratch / "clip.mp4", seconds=40, size="640x360")
        job_id = gateway.submit("transcode", {"video": {"artifact": gateway.upload(clip)}}, formats=["mp4"])
        job = wait_for("it runs", lambda: (j := gateway.job(job_id))["status"] == "running" and j)
        dying = next(w for w in self.workers if job["attempt"]["worker"] in w.words)
        dying.kill()
        self.assertEqual(gateway.wait_job(job_id)["status"], "succeeded")
        _, _, attempts = gateway.call("GET", f"/v1/jobs/{job_id}/attempts")
        self.assertEqual([a["state"] for a in attempts["data"]], ["lost", "delivered"])
        self.assertNotEqual(attempts["data"][0]["node"], attempts["data"][1]["node"])
        self.assertEqual([a["number"] for a in attempts["data"]], [1, 2])

    def test_wrong_requests_are_refused_with_pointers_and_make_nothing(self):
        self.node = self.up()
        for body, status, code, pointer in [
                ({"task": "pong"}, 404, "task_not_found", "/task"),
                ({"task": "ping", "prority": 1}, 400, "unknown_field", "/prority"),
                ({"task": "clip", "input": {"video": {"artifact": "x"}}}, 422, "schema_invalid", "/input/video/artifact"),
                ({"task": "clip", "input": {"start_s": 2, "end_s": 1}}, 422, "schema_invalid", "/input/end_s"),
                ({"task": "ping", "requirements": {"deadline_s": 0}}, 400, "invalid_field", "/requirements/deadline_s")]:
            got, _, problem = self.node.call("POST", "/v1/jobs", {**body, "client_ref": "wrong"})
            self.assertEqual((got, problem["code"]), (status, code), problem)
            self.assertIn(pointer, [e["pointer"] for e in problem["errors"]])
        self.assertEqual(self.listed("wrong"), [])

    def test_a_deadline_passes_while_queued_and_while_running(self):
        nowhere = self.launch("nowhere", "gateway", "--listen", "127.0.0.1:0", "--orchestrator", "https://127.0.0.1:9")
        _, _, job = nowhere.call("POST", "/v1/jobs", {"task": "ping", "requirements": {"deadline_s": 1}})
        ended = nowhere.wait_job(job["id"], 20)
        self.assertEqual((ended["status"], ended["error"]["code"]), ("expired", "deadline_exceeded"))
        _, _, job = nowhere.call("POST", "/v1/jobs", {"task": "ping", "requirements": {"start_timeout_s": 1}})
        ended = nowhere.wait_job(job["id"], 20)
        self.assertEqual((ended["status"], ended["error"]["code"]), ("expired", "start_timeout"))
        node = self.up()
        clip = make_clip(self.scratch / "clip.mp4", seconds=60, size="640x360")
        _, _, job = node.call("POST", "/v1/jobs", {"task": "transcode", "input": {"video": {"artifact": node.upload(clip)}}, "requirements": {"deadline_s": 2}})
        ended = node.wait_job(job["id"], 30)
        self.assertEqual((ended["status"], ended["error"]["code"]), ("expired", "deadline_exceeded"))
        self.assertEqual(ended["cost"]["charged"]["amount"], "0")

    def test_a_deadline_passes_while_a_node_prepares_and_its_preparation_may_be_left_out_of_the_start_timeout(self):
        self.network(orchestrators=1, workers=0)
        worker = spoiling_worker(self.scratch, "slow", "preparing", self.orchestrators[0].address(), {"KINORA_ORCHESTRATOR_SECRET": "secret-of-0"})
        self.processes.append(worker)
        worker.start()
        clip = self.gateway.upload(make_clip(self.scratch / "clip.mp4", seconds=1))

        def submit(requirements):
            _, _, job = self.gateway.call("POST", "/v1/jobs", {"task": "transcode", "input": {"video": {"artifact": clip}}, "requirements": requirements})
            wait_for("it is being prepared", lambda: self.gateway.job(job["id"])["phase"] == "preparing")
            return job["id"]

        def end(job_id):
            ended = self.gateway.wait_job(job_id, 30)
            self.assertNotIn("job.started", [e["type"] for e in self.gateway.call("GET", f"/v1/events?subject={job_id}&limit=100")[2]["data"]])
            self.assertEqual(ended["cost"]["charged"]["amount"], "0")
            return ended["status"], ended["error"]["code"]
        self.assertEqual(end(submit({"deadline_s": 4})), ("expired", "deadline_exceeded"))
        self.assertEqual(end(submit({"start_timeout_s": 4})), ("expired", "start_timeout"))
        self.assertEqual(end(submit({"start_timeout_s": 2, "count_preparation": False, "deadline_s": 8})), ("expired", "deadline_exceeded"))

    def test_a_worker_that_stood_still_delivers_late_and_its_result_counts_unless_another_was_first(self):
        gateway = self.network(orchestrators=2, workers=1)
        clip = gateway.upload(make_clip(self.scratch / "clip.mp4", seconds=30, size="640x360"))

        def freeze_first(**retry):
            _, _, job = gateway.call("POST", "/v1/jobs", {"task": "transcode", "input": {"video": {"artifact": clip}, "formats": ["mp4"]}, "retry": retry})
            at_work = wait_for("it runs", lambda: (j := gateway.job(job["id"]))["status"] == "running" and j)["attempt"]["worker"]
            frozen = next(w for w in self.workers if at_work in w.words)
            frozen.child.send_signal(signal.SIGSTOP)  # its kinora-media works on
            self.addCleanup(frozen.child.send_signal, signal.SIGCONT)
            wait_for("the attempt is lost", lambda: attempts(job["id"])[0]["state"] == "lost")
            return job["id"], frozen

        def attempts(job_id):
            return gateway.call("GET", f"/v1/jobs/{job_id}/attempts")[2]["data"]

        def made(job_id):
            return sum((a["source"] or {}).get("job") == job_id for a in gateway.call("GET", "/v1/artifacts?limit=100")[2]["data"])
        # Nobody else works on it yet.
        job_id, frozen = freeze_first(max_attempts=2, initial_ms=60_000)
        frozen.child.send_signal(signal.SIGCONT)
        self.assertEqual(gateway.wait_job(job_id)["status"], "succeeded")
        self.assertEqual([a["state"] for a in attempts(job_id)], ["delivered"])
        # The other one is done before it comes back.
        job_id, frozen = freeze_first(max_attempts=2, initial_ms=0)
        self.assertEqual(gateway.wait_job(job_id)["status"], "succeeded")
        frozen.child.send_signal(signal.SIGCONT)
        wait_for("it works again", lambda: gateway.wait_job(gateway.submit("ping", {}))["status"] == "succeeded")
        self.assertEqual([a["state"] for a in attempts(job_id)], ["lost", "delivered"])
        self.assertEqual(made(job_id), len(gateway.job(job_id)["output"]["renditions"]))

    def test_a_signed_url_ends_and_the_job_gives_a_fresh_one(self):
        self.node = self.up()
        clip = self.node.upload(make_clip(self.scratch / "clip.mp4", seconds=1))
        job = self.node.wait_job(self.node.submit("thumbnail", {"video": {"artifact": clip}}))
        artifact = job["output"]["image"]["artifact"]
        _, _, short = self.node.call("POST", f"/v1/artifacts/{artifact}/url", {"ttl_s": 1})

        def fetch(url):
            try:
                with urllib.request.urlopen(url, timeout=60) as answer:
                    return answer.status, answer.read()
            except urllib.error.HTTPError as error:
                with error:
                    return error.code, json.loads(error.read())
        wait_for("it has expired", lambda: fetch(short["url"])[0] == 403, 20)
        self.assertEqual(fetch(short["url"])[1]["status"], 403)
        self.assertEqual(fetch(self.node.job(job["id"])["output"]["image"]["url"])[0], 200)


if __name__ == "__main__":
    unittest.main(verbosity=2)
