// Uploads and artifacts (developer-api 5.6), black box.
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <fstream>

#include "gateway/artifact_form.hpp"
#include "gateway/test_gateway.hpp"

namespace kinora::gateway {
namespace {

using Uploads = GatewayTest;
using Artifacts = GatewayTest;

std::string text(const json::value& value) { return std::string(value.as_string()); }
const net::Headers kNoKey{{"authorization", ""}};

std::string path_of(const std::string& url) { return url.substr(url.find('/', 8)); }

std::string form(std::string_view name, std::string_view filename, std::string_view bytes) {
  std::string out = "--XX\r\nContent-Disposition: form-data; name=\"" + std::string(name) + "\"";
  if (!filename.empty()) out += "; filename=\"" + std::string(filename) + "\"";
  return out + "\r\nContent-Type: image/png\r\n\r\n" + std::string(bytes) + "\r\n--XX--\r\n";
}
const net::Headers kForm{{"content-type", "multipart/form-data; boundary=XX"}};

TEST_F(Uploads, a_single_put_becomes_an_artifact_that_gives_the_same_bytes) {
  const std::string bytes = tiny_png() + std::string(300'000, 'x');
  const auto made = post("/v1/media/uploads", json::object{{"filename", "../dir/a b.png"}, {"mime", "image/png"}, {"bytes", bytes.size()}});
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made["status"], "pending");
  EXPECT_EQ(made["filename"], "a b.png");
  const std::string id = text(made["id"]);
  EXPECT_TRUE(base::is_id("upl", id));
  const auto put = send("PUT", text(made["single"].at("url")), bytes, kNoKey);
  ASSERT_EQ(put.status, 200) << put.body;
  const std::string sha256 = base::to_hex(base::sha256(base::as_bytes(bytes)));
  EXPECT_EQ(put["sha256"], json::value(sha256));
  const auto done = post("/v1/media/uploads/" + id + "/complete", json::object{});
  ASSERT_EQ(done.status, 200) << done.body;
  EXPECT_EQ(done["status"], "complete");
  const auto artifact = get("/v1/artifacts/" + text(done["artifact"]));
  EXPECT_EQ(artifact["sha256"], json::value(sha256));
  EXPECT_EQ(artifact["kind"], "image");
  EXPECT_EQ(artifact["media"].at("width"), json::value(4));
  const auto content = send("GET", text(artifact["url"]), {}, kNoKey);
  EXPECT_EQ(content.status, 200);
  EXPECT_EQ(content.body, bytes);
  EXPECT_EQ(content.headers.get("etag"), "\"" + sha256 + "\"");
  EXPECT_EQ(content.headers.get("content-type"), "image/png");
  EXPECT_EQ(content.headers.get("content-disposition"), "inline; filename=\"a b.png\"");
}

TEST_F(Uploads, parts_in_any_order_are_joined_by_number) {
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.png"}, {"method", "multipart"}});
  ASSERT_EQ(made.status, 201);
  EXPECT_FALSE(made.value.as_object().contains("single"));
  const std::string id = text(made["id"]);
  const auto more = post("/v1/media/uploads/" + id + "/parts", json::object{{"from", 2}, {"count", 2}});
  ASSERT_EQ(more.status, 200);
  ASSERT_EQ(more["parts"].as_array().size(), 2u);
  const auto third = send("PUT", text(more["parts"].at(1).at("url")), "CC", kNoKey);
  const auto second = send("PUT", text(more["parts"].at(0).at("url")), "BB", kNoKey);
  const auto first = send("PUT", text(made["multipart"].at("parts").at(0).at("url")), tiny_png(), kNoKey);
  ASSERT_EQ(first.status, 200) << first.body;
  const auto done = post(
      "/v1/media/uploads/" + id + "/complete",
      json::object{{"parts", json::array{json::object{{"n", 1}, {"etag", first["etag"]}}, json::object{{"n", 2}, {"etag", second["etag"]}},
                                         json::object{{"n", 3}, {"etag", third["etag"]}}}}});
  ASSERT_EQ(done.status, 200) << done.body;
  const auto again = post("/v1/media/uploads/" + id + "/complete", json::object{});
  EXPECT_EQ(again["artifact"], done["artifact"]);
  EXPECT_EQ(get("/v1/artifacts/" + text(done["artifact"]) + "/content").body, tiny_png() + "BBCC");
}

TEST_F(Uploads, a_signed_url_is_for_one_upload_and_for_putting) {
  const auto one = post("/v1/media/uploads", json::object{{"filename", "a.png"}});
  const auto two = post("/v1/media/uploads", json::object{{"filename", "b.png"}});
  const std::string target = text(one["single"].at("url"));
  std::string stolen = target;
  stolen.replace(stolen.find(text(one["id"])), text(one["id"]).size(), text(two["id"]));
  EXPECT_EQ(send("PUT", stolen, "x", kNoKey).status, 403);
  EXPECT_EQ(send("PUT", target.substr(0, target.find('?')), "x", kNoKey).status, 401);
  EXPECT_EQ(send("PUT", target.substr(0, target.find('?')), "x").status, 200);  // with a key of the project
}

TEST_F(Uploads, a_completion_that_was_broken_off_can_be_repeated_also_after_a_restart) {
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.png"}});
  const std::string path = "/v1/media/uploads/" + text(made["id"]);
  std::ofstream(folder / "slow") << "while this file is there, SLOW media takes long";
  EXPECT_EQ(send("PUT", text(made["single"].at("url")), tiny_png() + "SLOW", kNoKey).status, 200);
  // The client goes while kinora-media looks at the file.
  boost::asio::cancellation_signal gone;
  bool ended = false;
  boost::asio::co_spawn(context, request("POST", path + "/complete", "{}", {}),
                        boost::asio::bind_cancellation_slot(gone.slot(), [&](std::exception_ptr, HttpAnswer) { ended = true; }));
  HttpAnswer state;
  run_until([&] {
    state = get(path);
    return state["status"] == "processing";
  });
  EXPECT_EQ(post(path + "/complete", json::object{}).status, 202) << "it is at work";
  gone.emit(boost::asio::cancellation_type::terminal);
  run_until([&] { return ended && get(path)["status"] == "uploading"; });
  close();
  open();
  EXPECT_EQ(get(path)["status"], "uploading");
  std::filesystem::remove(folder / "slow");
  EXPECT_EQ(post(path + "/complete", json::object{})["status"], "complete");
}

TEST_F(Uploads, what_is_no_media_fails_with_a_clear_code) {
  const auto complete = [&](std::string bytes) {
    const auto made = post("/v1/media/uploads", json::object{{"filename", "a.mp4"}, {"mime", "video/mp4"}});
    EXPECT_EQ(send("PUT", text(made["single"].at("url")), std::move(bytes), kNoKey).status, 200);
    auto done = post("/v1/media/uploads/" + text(made["id"]) + "/complete", json::object{});
    const auto state = get("/v1/media/uploads/" + text(made["id"]));
    EXPECT_EQ(state["status"], "failed");
    EXPECT_EQ(state["error"].at("code"), json::value(done.code()));
    return done;
  };
  const auto words = complete("these are words");
  EXPECT_EQ(words.status, 422);
  EXPECT_EQ(words.code(), "input_invalid");
  EXPECT_EQ(complete("").code(), "input_invalid");
  const auto vvc = complete("VVC 0");
  EXPECT_EQ(vvc.status, 415);
  EXPECT_EQ(vvc.code(), "unsupported_media");
  EXPECT_EQ(complete("CRASH").code(), "internal");
}

TEST_F(Uploads, promises_of_size_and_hash_are_kept) {
  const auto small = post("/v1/media/uploads", json::object{{"filename", "a.png"}, {"bytes", 3}});
  const auto over = send("PUT", text(small["single"].at("url")), "1234", kNoKey);
  EXPECT_EQ(over.status, 413);
  EXPECT_EQ(send("PUT", text(small["single"].at("url")), "12", kNoKey).status, 200);
  EXPECT_GE(post("/v1/media/uploads/" + text(small["id"]) + "/complete", json::object{}).status, 400);
  const auto hashed = post("/v1/media/uploads", json::object{{"filename", "a.png"}, {"sha256", std::string(64, 'a')}});
  EXPECT_EQ(send("PUT", text(hashed["single"].at("url")), tiny_png(), kNoKey).status, 200);
  EXPECT_GE(post("/v1/media/uploads/" + text(hashed["id"]) + "/complete", json::object{}).status, 400);
}

TEST_F(Uploads, known_content_needs_no_bytes) {
  const std::string artifact = upload(tiny_png());
  const auto made =
      post("/v1/media/uploads", json::object{{"filename", "b.png"}, {"sha256", base::to_hex(base::sha256(base::as_bytes(tiny_png())))}});
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(made["status"], "complete");
  EXPECT_EQ(made["dedup"].at("artifact"), json::value(artifact));
  EXPECT_FALSE(made.value.as_object().contains("single"));
}

TEST_F(Uploads, wrong_requests_are_refused_with_every_error_at_once) {
  const auto wrong =
      post("/v1/media/uploads", json::object{{"bytes", -1}, {"sha256", "x"}, {"method", "ftp"}, {"purpose", "model"}, {"mim", "x"}});
  EXPECT_EQ(wrong.status, 400);
  EXPECT_EQ(wrong["errors"].as_array().size(), 6u) << wrong.body;  // filename is missing too
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.png"}});
  const std::string base_path = "/v1/media/uploads/" + text(made["id"]);
  EXPECT_EQ(send("PUT", base_path + "/parts/0", "x").status, 400);
  EXPECT_EQ(send("PUT", base_path + "/parts/10001", "x").status, 400);
  EXPECT_EQ(send("PUT", base_path + "/parts/x", "x").status, 400);
  EXPECT_EQ(post(base_path + "/parts", json::object{{"from", 10'000}, {"count", 2}}).status, 400);
  EXPECT_EQ(post(base_path + "/complete", json::object{{"parts", json::array{json::object{{"n", 1}}}}}).status, 400);
  EXPECT_EQ(get("/v1/media/uploads/upl_01KE0000000000000000000001").status, 404);
  EXPECT_EQ(send("PUT", "/v1/media/uploads/upl_01KE0000000000000000000001/data", "x").status, 404);
}

TEST_F(Uploads, a_canceled_upload_takes_no_more_data) {
  const auto made = post("/v1/media/uploads", json::object{{"filename", "a.png"}});
  EXPECT_EQ(send("DELETE", "/v1/media/uploads/" + text(made["id"])).status, 204);
  EXPECT_EQ(send("PUT", text(made["single"].at("url")), "x", kNoKey).status, 409);
}

TEST_F(Uploads, a_repeated_creation_with_an_idempotency_key_makes_one) {
  const auto first = post("/v1/media/uploads", json::object{{"filename", "a.png"}}, {{"idempotency-key", "\"u1\""}});
  const auto second = post("/v1/media/uploads", json::object{{"filename", "a.png"}}, {{"idempotency-key", "u1"}});
  EXPECT_EQ(first["id"], second["id"]);
  EXPECT_EQ(first["single"], second["single"]);
}

TEST_F(Artifacts, a_form_with_one_file_becomes_one) {
  const auto made = send("POST", "/v1/artifacts", form("file", "a.png", tiny_png()), kForm);
  ASSERT_EQ(made.status, 201) << made.body;
  EXPECT_EQ(made["kind"], "image");
  EXPECT_EQ(made["bytes"], json::value(8));
  EXPECT_EQ(get("/v1/artifacts/" + text(made["id"]) + "/content").body, tiny_png());
}

TEST_F(Artifacts, forms_that_are_not_one_file_are_refused) {
  EXPECT_EQ(send("POST", "/v1/artifacts", "{}", {{"content-type", "application/json"}}).status, 415);
  EXPECT_EQ(send("POST", "/v1/artifacts", form("picture", "a.png", "x"), kForm).code(), "unknown_field");
  for (const std::size_t bytes : {100'000, 102 << 20})  // past the file's limit too: it is no file
    EXPECT_EQ(send("POST", "/v1/artifacts", form("picture", "a.png", std::string(bytes, 'x')), kForm).code(), "unknown_field") << bytes;
  EXPECT_EQ(send("POST", "/v1/artifacts", form("file", "", "x"), kForm).status, 400);
  EXPECT_EQ(send("POST", "/v1/artifacts", "--XX--\r\n", kForm).code(), "missing_field");
  EXPECT_EQ(send("POST", "/v1/artifacts", form("file", "a.png", tiny_png()).substr(0, 90), kForm).status, 400);
  EXPECT_EQ(send("POST", "/v1/artifacts", form("file", "a.txt", "words"), kForm).code(), "input_invalid");
}

TEST_F(Artifacts, a_form_file_holds_at_most_100_MiB) {
  const auto over = send("POST", "/v1/artifacts", form("file", "a.png", tiny_png() + std::string(kMaxFormFileBytes, 'x')), kForm);
  EXPECT_EQ(over.status, 413) << over.body;
  EXPECT_EQ(over.code(), "body_too_large");
}

TEST_F(Artifacts, content_honours_range_head_and_etag) {
  const std::string path = "/v1/artifacts/" + upload(tiny_png() + "0123456789") + "/content";
  const auto part = get(path, {{"range", "bytes=8-11"}});
  EXPECT_EQ(part.status, 206);
  EXPECT_EQ(part.body, "0123");
  EXPECT_EQ(part.headers.get("content-range"), "bytes 8-11/18");
  EXPECT_EQ(get(path, {{"range", "bytes=-2"}}).body, "89");
  const auto outside = get(path, {{"range", "bytes=18-"}});
  EXPECT_EQ(outside.status, 416);
  EXPECT_EQ(outside.headers.get("content-range"), "bytes */18");
  const auto whole = get(path);
  const std::string etag(*whole.headers.get("etag"));
  EXPECT_EQ(get(path, {{"if-none-match", etag}}).status, 304);
  EXPECT_EQ(get(path, {{"range", "bytes=8-11"}, {"if-range", etag}}).status, 206);
  EXPECT_EQ(get(path, {{"range", "bytes=8-11"}, {"if-range", "\"other\""}}).status, 200);
  const auto head = send("HEAD", path);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.get("content-length"), "18");
  EXPECT_EQ(head.body, "");
}

TEST_F(Artifacts, a_signed_url_ends_with_its_time_its_artifact_and_its_address) {
  const std::string id = upload(tiny_png());
  const auto fresh = post("/v1/artifacts/" + id + "/url", json::object{{"ttl_s", 60}, {"disposition", "attachment"}});
  ASSERT_EQ(fresh.status, 200) << fresh.body;
  const auto content = send("GET", text(fresh["url"]), {}, kNoKey);
  EXPECT_EQ(content.status, 200);
  EXPECT_EQ(content.headers.get("content-disposition"), "attachment; filename=\"a.png\"");
  std::string changed = text(fresh["url"]);
  changed.replace(changed.find("attachment"), 10, "inline");
  EXPECT_EQ(send("GET", changed, {}, kNoKey).status, 403);
  const auto elsewhere = post("/v1/artifacts/" + id + "/url", json::object{{"ip", "10.1.2.3"}});
  EXPECT_EQ(send("GET", text(elsewhere["url"]), {}, kNoKey).status, 403);
  const auto here = post("/v1/artifacts/" + id + "/url", json::object{{"ip", "127.0.0.1"}});
  EXPECT_EQ(send("GET", text(here["url"]), {}, kNoKey).status, 200);
  EXPECT_EQ(send("PUT", text(fresh["url"]), "x", kNoKey).status, 405);
  EXPECT_EQ(post("/v1/artifacts/" + id + "/url", json::object{{"ttl_s", 604'801}}).status, 400);
  EXPECT_EQ(post("/v1/artifacts/" + id + "/url", json::object{{"ttl_s", 604'800}}).status, 200);
  EXPECT_EQ(post("/v1/artifacts/" + id + "/url", json::object{{"disposition", "x"}, {"ip", "x\r\n"}}).status, 400);
}

TEST_F(Artifacts, are_listed_in_pages_that_cursors_join) {
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) ids.push_back(upload(tiny_png() + std::to_string(i)));
  std::vector<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 3; ++page) {
    const auto answer = get("/v1/artifacts?limit=2&order=asc&after=" + cursor);
    ASSERT_EQ(answer.status, 200) << answer.body;
    for (const auto& item : answer["data"].as_array()) seen.push_back(text(item.at("id")));
    EXPECT_EQ(answer["has_more"], json::value(page < 2));
    if (page < 2) cursor = text(answer["next_cursor"]);
  }
  EXPECT_EQ(seen, ids);
  EXPECT_EQ(get("/v1/artifacts?limit=2&order=desc&after=" + cursor).code(), "cursor_mismatch");
  EXPECT_EQ(get("/v1/artifacts?limit=2&order=asc&kind=image&after=" + cursor).code(), "cursor_mismatch");
  EXPECT_EQ(get("/v1/artifacts?after=nonsense").status, 400);
  const auto by_id = get("/v1/artifacts?order=asc&after=" + ids[3]);
  ASSERT_EQ(by_id["data"].as_array().size(), 1u);
  EXPECT_EQ(by_id["last_id"], json::value(ids[4]));
  EXPECT_EQ(get("/v1/artifacts?kind=video")["data"].as_array().size(), 0u);
}

TEST_F(Artifacts, that_are_deleted_are_gone_for_signed_urls_too) {
  const std::string id = upload(tiny_png());
  const std::string signed_url = text(get("/v1/artifacts/" + id)["url"]);
  EXPECT_EQ(send("DELETE", "/v1/artifacts/" + id).status, 204);
  EXPECT_EQ(get("/v1/artifacts/" + id).status, 404);
  EXPECT_EQ(send("GET", signed_url, {}, kNoKey).status, 404);
}

TEST_F(Artifacts, survive_a_restart_with_their_signed_urls) {
  const std::string id = upload(tiny_png());
  const std::string signed_path = path_of(text(get("/v1/artifacts/" + id)["url"]));
  close();
  open();
  EXPECT_EQ(send("GET", signed_path, {}, kNoKey).body, tiny_png());
}

}  // namespace
}  // namespace kinora::gateway
