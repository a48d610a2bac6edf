// Uploads by tus 1.0 as a client sees them (developer-api 3.7, 5.6).
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

class TusUploads : public GatewayTest {
 protected:
  HttpAnswer tus(std::string method, std::string target, net::Headers headers = {}, std::string body = {}) {
    if (!headers.contains("tus-resumable")) headers.set("tus-resumable", "1.0.0");
    return send(std::move(method), std::move(target), std::move(body), std::move(headers));
  }
  HttpAnswer patch(const std::string& at, std::size_t offset, std::string body, net::Headers headers = {}) {
    headers.set("content-type", "application/offset+octet-stream");
    headers.set("upload-offset", std::to_string(offset));
    return tus("PATCH", at, std::move(headers), std::move(body));
  }
  // The path of a new upload.
  std::string create(net::Headers headers) {
    const auto made = tus("POST", "/v1/media/uploads/tus", std::move(headers));
    EXPECT_EQ(made.status, 201) << made.body;
    return location(made);
  }
  static std::string header(const HttpAnswer& answer, std::string_view name) { return std::string(answer.headers.get(name).value_or("")); }
  std::string location(const HttpAnswer& made) { return header(made, "location").substr(url.size()); }
  static std::string id_in(const std::string& at) { return at.substr(at.find("upl_"), 30); }
  std::string png(std::size_t bytes) { return tiny_png() + std::string(bytes - tiny_png().size(), 'x'); }
};

TEST_F(TusUploads, say_what_is_spoken) {
  const auto answer = send("OPTIONS", "/v1/media/uploads/tus", {}, {{"authorization", ""}});
  EXPECT_EQ(answer.status, 204);
  EXPECT_EQ(header(answer, "tus-version"), "1.0.0");
  EXPECT_EQ(header(answer, "tus-max-size"), "5368709120");
  EXPECT_EQ(header(answer, "tus-checksum-algorithm"), "sha1,sha256");
  for (const char* extension :
       {"creation", "creation-with-upload", "creation-defer-length", "expiration", "checksum", "termination", "concatenation"})
    EXPECT_NE(("," + header(answer, "tus-extension") + ",").find("," + std::string(extension) + ","), std::string::npos) << extension;
}

TEST_F(TusUploads, grow_by_patches_and_become_an_artifact) {
  const std::string file = png(1000);
  const auto at = create({{"upload-length", "1000"}, {"upload-metadata", "filename YS5wbmc=,filetype aW1hZ2UvcG5n"}});
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "0");
  const auto first = patch(at, 0, file.substr(0, 300));
  EXPECT_EQ(first.status, 204) << first.body;
  EXPECT_EQ(header(first, "upload-offset"), "300");
  EXPECT_EQ(header(first, "tus-resumable"), "1.0.0");
  EXPECT_FALSE(header(first, "upload-expires").empty());
  const auto state = tus("HEAD", at);
  EXPECT_EQ(state.status, 200);
  EXPECT_EQ(header(state, "upload-offset"), "300");
  EXPECT_EQ(header(state, "upload-length"), "1000");
  EXPECT_EQ(header(state, "upload-metadata"), "filename YS5wbmc=,filetype aW1hZ2UvcG5n");
  EXPECT_EQ(header(state, "cache-control"), "no-store");
  EXPECT_EQ(header(patch(at, 300, file.substr(300)), "upload-offset"), "1000");
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "1000");
  const auto upload = get("/v1/media/uploads/" + id_in(at));
  EXPECT_EQ(upload["status"], "complete") << upload.body;
  const auto content = get("/v1/artifacts/" + std::string(upload["artifact"].as_string()) + "/content");
  EXPECT_EQ(content.body, file);
}

TEST_F(TusUploads, refuse_what_does_not_continue_and_change_nothing) {
  const auto at = create({{"upload-length", "1000"}});
  patch(at, 0, png(100));
  EXPECT_EQ(patch(at, 0, "x").status, 409);
  EXPECT_EQ(patch(at, 101, "x").status, 409);
  EXPECT_EQ(patch(at, 100, std::string(901, 'x')).status, 413);
  EXPECT_EQ(tus("PATCH", at, {{"upload-offset", "100"}, {"content-type", "text/plain"}}, "x").status, 415);
  EXPECT_EQ(tus("PATCH", at, {{"content-type", "application/offset+octet-stream"}}, "x").status, 400);
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "100");
}

// More than the sockets' buffers hold, so that the server has read a part of it when the client goes.
TEST_F(TusUploads, keep_what_arrived_before_the_client_went) {
  const std::string file = png(24'000'000);
  const auto at = create({{"upload-length", std::to_string(file.size())}});
  run([](boost::asio::io_context& loop, std::uint16_t port, std::string path, std::string_view bytes) -> net::Task<void> {
    boost::asio::ip::tcp::socket socket(loop);
    co_await socket.async_connect({boost::asio::ip::make_address("127.0.0.1"), port}, boost::asio::use_awaitable);
    const std::string head =
        "PATCH " + path +
        " HTTP/1.1\r\nhost: x\r\ntus-resumable: 1.0.0\r\nupload-offset: 0\r\ncontent-type: application/offset+octet-stream\r\n"
        "content-length: " +
        std::to_string(bytes.size()) + "\r\n\r\n";
    co_await boost::asio::async_write(socket, boost::asio::buffer(head), boost::asio::use_awaitable);
    co_await boost::asio::async_write(socket, boost::asio::buffer(bytes.substr(0, 20'000'000)), boost::asio::use_awaitable);
  }(context, server->port(), at, file));
  std::size_t offset = 0;
  run_until([&] { return (offset = std::stoul(header(tus("HEAD", at), "upload-offset"))) > 0; });
  EXPECT_LT(offset, file.size());
  EXPECT_EQ(patch(at, offset, file.substr(offset)).status, 204);
  const auto upload = get("/v1/media/uploads/" + id_in(at));
  const auto artifact = get("/v1/artifacts/" + std::string(upload["artifact"].as_string()));
  EXPECT_EQ(artifact["sha256"].as_string(), base::to_hex(base::sha256(base::as_bytes(file))));
}

TEST_F(TusUploads, check_a_piece_against_its_checksum) {
  const std::string file = png(100);
  const auto at = create({{"upload-length", "100"}});
  const auto wrong = patch(at, 0, file, {{"upload-checksum", "sha1 Kq5sNclPz7QV2+lfQIuc6R7oRu0="}});
  EXPECT_EQ(wrong.status, 460);
  EXPECT_EQ(wrong.code(), "checksum_mismatch");
  EXPECT_EQ(patch(at, 0, file, {{"upload-checksum", "sha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="}}).status, 460);
  EXPECT_EQ(patch(at, 0, file, {{"upload-checksum", "md5 1B2M2Y8AsgTpgAmY7PhCfg=="}}).status, 400);
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "0");
  EXPECT_EQ(patch(at, 0, file, {{"upload-checksum", "sha256 " + base::to_base64(base::sha256(base::as_bytes(file)))}}).status, 204);
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(at))["status"], "complete");
}

TEST_F(TusUploads, may_begin_with_their_first_bytes) {
  const std::string file = png(100);
  const auto made =
      tus("POST", "/v1/media/uploads/tus", {{"upload-length", "100"}, {"content-type", "application/offset+octet-stream"}}, file);
  EXPECT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(header(made, "upload-offset"), "100");
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(location(made)))["status"], "complete");
}

TEST_F(TusUploads, may_say_their_length_later) {
  const auto at = create({{"upload-defer-length", "1"}});
  EXPECT_EQ(header(tus("HEAD", at), "upload-defer-length"), "1");
  EXPECT_EQ(patch(at, 0, png(60)).status, 204);
  EXPECT_EQ(patch(at, 60, std::string(40, 'x'), {{"upload-length", "50"}}).status, 400);
  EXPECT_EQ(patch(at, 60, std::string(40, 'x'), {{"upload-length", "100"}}).status, 204);
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(at))["status"], "complete");
}

TEST_F(TusUploads, are_joined_from_partial_ones) {
  const std::string file = png(100);
  const auto a = create({{"upload-length", "40"}, {"upload-concat", "partial"}});
  const auto b = create({{"upload-length", "60"}, {"upload-concat", "partial"}});
  patch(a, 0, file.substr(0, 40));
  EXPECT_EQ(tus("POST", "/v1/media/uploads/tus", {{"upload-concat", "final;" + a + " " + b}}).status, 400) << "b is not complete";
  patch(b, 0, file.substr(40));
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(a))["status"], "uploading") << "a part alone is no file";
  const auto made = tus("POST", "/v1/media/uploads/tus", {{"upload-concat", "final;" + a + " " + b}});
  ASSERT_EQ(made.status, 201) << made.body;
  const auto state = tus("HEAD", location(made));
  EXPECT_EQ(header(state, "upload-offset"), "100");
  EXPECT_TRUE(header(state, "upload-concat").starts_with("final;"));
  EXPECT_EQ(patch(location(made), 100, "x").status, 403);
  const auto upload = get("/v1/media/uploads/" + id_in(location(made)));
  EXPECT_EQ(get("/v1/artifacts/" + std::string(upload["artifact"].as_string()) + "/content").body, file);
}

TEST_F(TusUploads, end_by_delete_and_by_time) {
  const auto at = create({{"upload-length", "100"}});
  EXPECT_EQ(tus("DELETE", at).status, 204);
  EXPECT_EQ(tus("HEAD", at).status, 410);
  const auto late = create({{"upload-length", "100"}});
  skew += std::chrono::hours(25);
  EXPECT_EQ(tus("HEAD", late).status, 410);
  EXPECT_EQ(patch(late, 0, "x").status, 410);
  EXPECT_EQ(tus("HEAD", "/v1/media/uploads/tus/upl_01KE0000000000000000000001").status, 404);
}

TEST_F(TusUploads, honour_the_override_of_the_method) {
  const auto at = create({{"upload-length", "100"}});
  const auto appended =
      tus("POST", at, {{"x-http-method-override", "PATCH"}, {"upload-offset", "0"}, {"content-type", "application/offset+octet-stream"}},
          png(50));
  EXPECT_EQ(appended.status, 204) << appended.body;
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "50");
  EXPECT_EQ(tus("POST", at, {{"x-http-method-override", "DELETE"}}).status, 204);
  EXPECT_EQ(tus("POST", at).status, 400);
}

TEST_F(TusUploads, refuse_another_version) {
  const auto answer = tus("POST", "/v1/media/uploads/tus", {{"tus-resumable", "0.2.2"}, {"upload-length", "5"}});
  EXPECT_EQ(answer.status, 412);
  EXPECT_EQ(header(answer, "tus-version"), "1.0.0");
  EXPECT_EQ(tus("POST", "/v1/media/uploads/tus", {{"upload-length", "5368709121"}}).status, 413);
}

TEST_F(TusUploads, are_open_to_their_token_and_closed_to_others) {
  const auto at = create({{"upload-length", "100"}});
  EXPECT_EQ(tus("HEAD", at, {{"authorization", ""}}).status, 200);
  const auto bare = at.substr(0, at.find('?'));
  EXPECT_EQ(tus("HEAD", bare, {{"authorization", ""}}).status, 401);
  EXPECT_EQ(tus("HEAD", bare + "?t=1767225600.1.x", {{"authorization", ""}}).status, 403);
  EXPECT_EQ(tus("HEAD", bare).status, 200) << "the key's own";
}

TEST_F(TusUploads, that_are_no_media_end_with_an_error) {
  const auto at = create({{"upload-length", "10"}});
  EXPECT_EQ(patch(at, 0, "not media!").code(), "input_invalid");
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(at))["status"], "failed");
  EXPECT_EQ(tus("HEAD", at).status, 410);
}

TEST_F(TusUploads, of_content_that_is_there_are_complete_at_once) {
  const std::string file = png(100);
  const auto artifact = upload(file);
  const std::string sha256 = base::to_hex(base::sha256(base::as_bytes(file)));
  const auto at = create({{"upload-length", "100"}, {"upload-metadata", "sha256 " + base::to_base64(base::as_bytes(sha256))}});
  EXPECT_EQ(header(tus("HEAD", at), "upload-offset"), "100");
  EXPECT_EQ(get("/v1/media/uploads/" + id_in(at))["artifact"].as_string(), artifact);
}

TEST_F(TusUploads, begin_at_the_upload_route_too) {
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.png"}, {"bytes", 100}, {"method", "tus"}});
  ASSERT_EQ(made.status, 201) << made.body;
  const std::string at = std::string(made["tus"].at("url").as_string()).substr(url.size());
  EXPECT_EQ(header(tus("HEAD", at, {{"authorization", ""}}), "upload-length"), "100");
  EXPECT_EQ(patch(at, 0, png(100), {{"authorization", ""}}).status, 204);
  EXPECT_EQ(get("/v1/media/uploads/" + std::string(made["id"].as_string()))["status"], "complete");
}

}  // namespace
}  // namespace kinora::gateway
