"""Our listening port against clients that are not ours: curl, nghttp, h2load, and a stock Python gRPC client.

Needs NET_ECHO_SERVER, the path of the net_echo_server binary. Expected values come from the RFCs and the gRPC protocol text.
"""

import hashlib
import json
import os
import re
import ssl
import socket
import subprocess
import tempfile
import unittest

import grpc

SERVER = os.environ["NET_ECHO_SERVER"]
BIG = 8 * 1024 * 1024


def run(*command, **options):
    return subprocess.run(command, capture_output=True, timeout=60, **options)


class Server:
    def __init__(self, *arguments):
        self.process = subprocess.Popen([SERVER, *arguments], stdout=subprocess.PIPE)
        self.port = json.loads(self.process.stdout.readline())["port"]
        self.certificate = ssl.get_server_certificate(("127.0.0.1", self.port))

    def stop(self):
        self.process.terminate()
        self.process.stdout.close()
        return self.process.wait(timeout=30)


class NetTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.https = f"https://127.0.0.1:{cls.server.port}"
        cls.http = f"http://127.0.0.1:{cls.server.port}"
        cls.folder = tempfile.TemporaryDirectory()
        cls.ca = os.path.join(cls.folder.name, "ca.pem")
        with open(cls.ca, "w", encoding="ascii") as file:
            file.write(cls.server.certificate)
        cls.big = os.path.join(cls.folder.name, "big")
        with open(cls.big, "wb") as file:
            file.write(os.urandom(BIG))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()
        assert cls.server.stop() == 0, "the server did not stop cleanly on SIGTERM"

    def curl(self, *arguments, **options):
        return run("curl", "-s", "-m", "30", "--cacert", self.ca, *arguments, **options)


class Curl(NetTest):
    def test_http2_is_chosen_by_alpn(self):
        out = self.curl("-w", "%{http_version} %{http_code}", "-o", "/dev/null", self.https + "/hello")
        self.assertEqual(out.stdout, b"2 200")

    def test_http1_over_tls(self):
        out = self.curl("--http1.1", "-w", "%{http_version}", self.https + "/hello")
        self.assertEqual(out.stdout, b"hello\n1.1")

    def test_plain_http1_on_loopback(self):
        self.assertEqual(self.curl(self.http + "/hello").stdout, b"hello\n")

    def test_http2_without_tls_is_refused(self):
        out = self.curl("--http2-prior-knowledge", self.http + "/hello")
        self.assertNotEqual(out.returncode, 0)
        self.assertEqual(out.stdout, b"")

    def test_upgrade_to_h2c_is_not_taken(self):
        out = self.curl("--http2", "-w", "%{http_version}", self.http + "/hello")
        self.assertEqual(out.stdout, b"hello\n1.1")

    def test_plain_text_is_refused_where_it_is_not_allowed(self):
        strict = Server("--no-plain")
        try:
            out = self.curl("-w", "%{http_code}", f"http://127.0.0.1:{strict.port}/hello")
            self.assertEqual(out.stdout, b"This port speaks TLS.\n400")
        finally:
            strict.stop()

    def test_certificate_is_for_the_address(self):
        self.assertEqual(self.curl(self.https + "/hello").returncode, 0)
        wrong_name = self.curl("--connect-to", f"example.test:{self.server.port}:127.0.0.1:{self.server.port}",
                               f"https://example.test:{self.server.port}/hello")
        self.assertEqual(wrong_name.returncode, 60)  # CURLE_PEER_FAILED_VERIFICATION

    def test_echo_of_a_large_body(self):
        with open(self.big, "rb") as file:
            expected = hashlib.sha256(file.read()).hexdigest()
        for version in ("--http1.1", "--http2"):
            for upload in (["--data-binary", "@" + self.big], ["-T", self.big, "-X", "POST", "-H", "transfer-encoding: chunked"]):
                out = self.curl(version, *upload, self.https + "/echo")
                self.assertEqual(hashlib.sha256(out.stdout).hexdigest(), expected, (version, upload))

    def test_expect_continue_is_answered(self):
        out = self.curl("--http1.1", "-v", "-H", "Expect: 100-continue", "-d", "x", self.https + "/echo")
        self.assertIn(b"< HTTP/1.1 100 Continue", out.stderr)
        self.assertEqual(out.stdout, b"x")

    def test_head_has_the_length_and_no_body(self):
        for version in ("--http1.1", "--http2"):
            out = self.curl(version, "-I", self.https + "/big?bytes=1000")
            self.assertIn(b"content-length: 1000\r\n", out.stdout)

    def test_unknown_path_and_method(self):
        self.assertEqual(self.curl("-o", "/dev/null", "-w", "%{http_code}", self.https + "/nothing").stdout, b"404")
        out = self.curl("-X", "DELETE", "-i", self.https + "/hello").stdout
        self.assertTrue(out.startswith(b"HTTP/2 405"))
        self.assertIn(b"allow: GET, HEAD\r\n", out)

    def test_dot_segments_are_refused(self):
        out = self.curl("--path-as-is", "-o", "/dev/null", "-w", "%{http_code}", self.https + "/a/%2e%2e/hello")
        self.assertEqual(out.stdout, b"400")

    def test_events_arrive(self):
        out = self.curl("-N", self.https + "/events")
        self.assertEqual(out.stdout, b"".join(b"id: %d\nevent: tick\ndata: %d\n\n" % (i, i) for i in (1, 2, 3)))

    def test_many_transfers_at_once_on_one_connection(self):
        urls = [f"{self.https}/big?bytes={100000 + i}" for i in range(50)]
        out = self.curl("--parallel", "--http2", "-w", "%{size_download} %{num_connects}\n",
                        *[part for url in urls for part in ("-o", "/dev/null", url)])
        sizes = sorted(int(line.split()[0]) for line in out.stdout.splitlines())
        self.assertEqual(sizes, [100000 + i for i in range(50)])

    def test_tls_1_1_is_refused(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
        with socket.create_connection(("127.0.0.1", self.server.port)) as plain:
            with self.assertRaises(ssl.SSLError):
                context.wrap_socket(plain)


class Nghttp2(NetTest):
    def test_nghttp_gets_a_page(self):
        out = run("nghttp", "-nv", self.https + "/hello").stdout.decode()
        self.assertIn(":status: 200", out)
        self.assertIn("[SETTINGS_MAX_CONCURRENT_STREAMS(0x03):256]", out)

    def test_trailers_arrive(self):
        out = run("nghttp", "-nv", "-d", self.big, self.https + "/echo").stdout.decode()
        self.assertIn("x-trailer: end", out)

    def test_h2load_over_http2_and_http1(self):
        for arguments in (["-m", "50"], ["--h1"]):
            out = run("h2load", "-n", "2000", "-c", "4", *arguments, self.https + "/hello").stdout.decode()
            self.assertRegex(out, r"2000 succeeded, 0 failed, 0 errored, 0 timeout")

    def test_h2load_of_large_answers(self):
        out = run("h2load", "-n", "50", "-c", "2", "-m", "10", self.https + "/big?bytes=1000000").stdout.decode()
        self.assertRegex(out, r"50 succeeded, 0 failed")
        self.assertTrue(re.search(r"\(50000000\) data", out), out)


class Grpc(NetTest):
    def setUp(self):
        credentials = grpc.ssl_channel_credentials(self.server.certificate.encode())
        self.channel = grpc.secure_channel(f"127.0.0.1:{self.server.port}", credentials)
        self.addCleanup(self.channel.close)

    def call(self, path, message, **options):
        return self.channel.unary_unary(path)(message, timeout=options.pop("timeout", 20), **options)

    def test_messages_of_all_sizes_come_back(self):
        for size in (0, 1, 65535, 65536, 4 * 1024 * 1024 - 1024):
            self.assertEqual(self.call("/test.Echo/Echo", b"m" * size), b"m" * size)

    def test_error_has_code_and_text(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("/test.Echo/Fail", b"")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.NOT_FOUND)
        self.assertEqual(caught.exception.details(), "nothing here: 100% é")

    def test_unknown_method(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("/test.Echo/Nothing", b"")
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_deadline(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("/test.Echo/Slow", b"", timeout=0.2)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.DEADLINE_EXCEEDED)
        self.assertEqual(self.call("/test.Echo/Echo", b"still there"), b"still there")

    def test_message_over_the_limit(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("/test.Echo/Echo", b"m" * (4 * 1024 * 1024 + 1))
        self.assertEqual(caught.exception.code(), grpc.StatusCode.RESOURCE_EXHAUSTED)

    def test_compressed_message_is_refused(self):
        with self.assertRaises(grpc.RpcError) as caught:
            self.call("/test.Echo/Echo", b"m" * 10000, compression=grpc.Compression.Gzip)
        self.assertEqual(caught.exception.code(), grpc.StatusCode.UNIMPLEMENTED)

    def test_hundred_calls_at_once(self):
        method = self.channel.unary_unary("/test.Echo/Echo")
        calls = [method.future(str(i).encode(), timeout=20) for i in range(100)]
        self.assertEqual([call.result() for call in calls], [str(i).encode() for i in range(100)])


if __name__ == "__main__":
    unittest.main()
