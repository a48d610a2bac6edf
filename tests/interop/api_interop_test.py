"""The public API against clients that are not ours: schemathesis from our OpenAPI document, the verifier of Standard Webhooks, the WebSocket
client `websockets`, the upload client `tus-js-client`. A real gateway without any orchestrator: jobs wait, which is all that is needed here.

Needs KINORA_BIN (the programs) and, for tus, TUS_CLIENT (a folder with upload.mjs and its node_modules).
"""

import asyncio
import hashlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import urllib.error
import urllib.request

import standardwebhooks
import websockets.asyncio.client

from webhook_receiver import Receiver

BIN = pathlib.Path(os.environ["KINORA_BIN"])
ROOT = pathlib.Path(__file__).resolve().parents[2]
CLIP = pathlib.Path(os.environ.get("KINORA_TUS_FILE", ROOT / "tests/media/london_roofs_360p_5s.mp4"))  # another one: up to 5 GiB


class Gateway:
    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="kinora-interop-")
        home = pathlib.Path(self.folder.name)
        env = {**os.environ, "KINORA_HOME": str(home), "KINORA_GATEWAY_PRIVATE_TARGETS": "true"}
        words = [BIN / "kinora", "gateway", "--listen", "127.0.0.1:0", "--orchestrator", "https://127.0.0.1:9#sha256/" + "A" * 43 + "=", "--json"]
        self.log = open(home / "gateway.log", "wb")
        self.child = subprocess.Popen([str(word) for word in words], env=env, stdout=subprocess.PIPE, stderr=self.log)
        hello = json.loads(self.child.stdout.readline())
        self.url = hello["api"]
        self.key = (home / "secrets/api-key").read_text().strip()

    def call(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": "Bearer " + self.key, "Content-Type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(self.url + path, data, headers, method=method)) as answer:
            return json.loads(answer.read() or b"null")

    def stop(self):
        self.child.terminate()
        self.child.wait(30)
        self.child.stdout.close()
        self.log.close()
        self.folder.cleanup()


class ApiInterop(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gateway = Gateway()

    @classmethod
    def tearDownClass(cls):
        cls.gateway.stop()

    def job(self):
        return self.gateway.call("POST", "/v1/jobs", {"task": "ping"})["id"]

    def test_webhooks_verify_with_the_stock_verifier(self):
        receiver = Receiver()
        self.addCleanup(receiver.stop)
        endpoint = self.gateway.call("POST", "/v1/webhooks", {"url": receiver.url, "events": ["job.created", "job.canceled"]})
        self.gateway.call("POST", f"/v1/jobs/{self.job()}/cancel", {})
        verifier = standardwebhooks.Webhook(endpoint["secret"])
        types = []
        for _ in range(2):
            headers, body = receiver.get(timeout=20)
            event = verifier.verify(body, {name.lower(): value for name, value in headers.items()})
            types.append(event["type"])
            with self.assertRaises(standardwebhooks.WebhookVerificationError):
                verifier.verify(body + b" ", {name.lower(): value for name, value in headers.items()})
        self.assertEqual(types, ["job.created", "job.canceled"])
        self.gateway.call("DELETE", "/v1/webhooks/" + endpoint["id"])

    def test_events_come_to_the_stock_websocket_client(self):
        async def follow(job):
            url = self.gateway.url.replace("http", "ws", 1) + "/v1/ws"
            async with websockets.asyncio.client.connect(url, additional_headers={"Authorization": "Bearer " + self.gateway.key}) as socket:
                await socket.send(json.dumps({"op": "sub", "id": "a", "topics": ["job:" + job]}))
                ack, snapshot = json.loads(await socket.recv()), json.loads(await socket.recv())
                await (await socket.ping())
                await asyncio.to_thread(self.gateway.call, "POST", f"/v1/jobs/{job}/cancel", {})
                messages = []
                while not messages or messages[-1]["op"] != "end":
                    messages.append(json.loads(await socket.recv()))
                return ack, snapshot, messages

        ack, snapshot, messages = asyncio.run(asyncio.wait_for(follow(self.job()), 30))
        self.assertEqual((ack["op"], snapshot["event"]["type"]), ("ack", "snapshot"))
        self.assertEqual(messages[-2]["event"]["type"], "job.canceled")

    def test_contract_holds_for_what_schemathesis_makes_of_it(self):
        # Streams do not end, a WebSocket is no HTTP answer, and it cannot write tus bodies (the stock tus client below does). Nothing here may wait a minute or call strangers.
        document = self.gateway.call("GET", "/openapi.json")
        schemas = document["components"]["schemas"]
        del schemas["JobRequest"]["properties"]["wait_s"]
        for operations in document["paths"].values():
            for operation in operations.values():
                operation["parameters"] = [one for one in operation["parameters"] if one["name"] != "wait_s"]
        for name in ("WebhookRequest", "WebhookChange", "SubjectWebhook"):
            schemas[name]["properties"]["url"] = {"enum": ["http://127.0.0.1:9/hook"]}
        path = pathlib.Path(self.gateway.folder.name) / "openapi.json"
        path.write_text(json.dumps(document))
        words = [sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", self.gateway.url,
                 "--header", "Authorization: Bearer " + self.gateway.key,
                 "--exclude-path-regex", "/events$|/events/stream$|/v1/ws$|/uploads/tus",
                 "--checks", "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
                 "--phases", "examples,coverage,fuzzing", "--max-examples", "8", "--seed", "20261128", "--request-timeout", "10",
                 "--workers", "1", "--no-color", "--max-failures", "5", "--max-time", "45", "--no-shrink"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=280,
                              cwd=self.gateway.folder.name)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:])

    @unittest.skipUnless(os.environ.get("TUS_CLIENT"), "no tus client")
    def test_uploads_by_the_stock_tus_client_survive_interruptions(self):
        folder = pathlib.Path(os.environ["TUS_CLIENT"])
        words = ["node", str(folder / "upload.mjs"), self.gateway.url + "/v1/media/uploads/tus", self.gateway.key, str(CLIP), "10"]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60 + CLIP.stat().st_size / 10e6)
        self.assertEqual(done.returncode, 0, done.stderr[-3000:])
        upload = done.stdout.strip().split("/")[-1].split("?")[0]
        state = self.gateway.call("GET", "/v1/media/uploads/" + upload)
        self.assertEqual(state["status"], "complete", state)
        artifact = self.gateway.call("GET", "/v1/artifacts/" + state["artifact"])
        with CLIP.open("rb") as file:
            self.assertEqual(artifact["sha256"], hashlib.file_digest(file, "sha256").hexdigest())
        self.assertGreater(artifact["media"]["width"], 0)


if __name__ == "__main__":
    unittest.main()
