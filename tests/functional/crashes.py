"""What tests share in which the gateway dies: a port that stays, a start at which a fault is set, a client that insists."""
import http.client
import signal
import urllib.error

from harness import NetworkTest

GONE = (urllib.error.URLError, ConnectionError, http.client.HTTPException, TimeoutError)


class CrashTest(NetworkTest):
    def keep_port(self):
        """The gateway listens where it did when it is started again."""
        port = self.gateway.api.rsplit(":", 1)[1]
        self.gateway.words[self.gateway.words.index("--listen") + 1] = f"127.0.0.1:{port}"

    def restart(self, fault=None):
        self.gateway.kill()
        self.gateway.env.pop("KINORA_FAULT", None)
        if fault:
            self.gateway.env["KINORA_FAULT"] = fault
        self.gateway.start()

    def insist(self, method, path, body, key=None):
        """As a client that tries again until it has an answer; restarts the gateway when it has died."""
        for _ in range(5):
            try:
                return self.gateway.call(method, path, body, headers={"Idempotency-Key": key} if key else None)
            except GONE:
                self.assertEqual(self.gateway.child.wait(30), -signal.SIGKILL)
                self.restart()
        self.fail("the gateway dies again and again")
