#include "kinora/api_client.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdio>
#include <fstream>
#include <memory>

#include "net/url.hpp"

namespace kinora::cli {
namespace {

namespace asio = boost::asio;
namespace json = base::json;
using base::ErrorCode;

constexpr std::size_t kMaxAnswerBytes = 64 * 1024 * 1024;
constexpr std::size_t kPieceBytes = 256 * 1024;

ErrorCode code_of(int status, std::string_view code) {
  if (code == "no_capacity" || code == "no_worker_offers" || code == "queue_full" || code == "rate_limited") return ErrorCode::exhausted;
  switch (status) {
    case 401: return ErrorCode::unauthenticated;
    case 403: return ErrorCode::forbidden;
    case 404:
    case 410: return ErrorCode::not_found;
    case 409: return ErrorCode::conflict;
    case 413: return ErrorCode::too_large;
    case 503: return ErrorCode::exhausted;
    default: return status >= 500 ? ErrorCode::unavailable : ErrorCode::invalid;
  }
}

std::string mime_of(const std::filesystem::path& file) {
  static const std::map<std::string, std::string> known = {
      {".mp4", "video/mp4"},   {".mov", "video/quicktime"}, {".mkv", "video/x-matroska"}, {".webm", "video/webm"},
      {".ts", "video/mp2t"},   {".avi", "video/x-msvideo"}, {".png", "image/png"},        {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"}, {".webp", "image/webp"},     {".flac", "audio/flac"},      {".wav", "audio/wav"},
      {".mp3", "audio/mpeg"}};
  std::string extension = file.extension().string();
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto found = known.find(extension);
  return found == known.end() ? "application/octet-stream" : found->second;
}

}  // namespace

base::Result<ApiAddress> parse_api_address(std::string_view text) {
  ApiAddress address;
  const std::size_t hash = text.find('#');
  address.url = std::string(text.substr(0, hash));
  while (address.url.ends_with('/')) address.url.pop_back();
  if (hash != std::string_view::npos) address.pin = std::string(text.substr(hash + 1));
  const auto url = net::parse_url(address.url);
  if (!url) return base::fail(url.error().within("--api"));
  if (!address.pin.empty() && !net::is_pin(address.pin))
    return base::fail(ErrorCode::invalid, "--api: what follows # must be a key pin, sha256/<base64>");
  return address;
}

net::Task<base::Result<net::ClientResponse>> ApiClient::send(std::string method, std::string url_or_path, net::ClientRequest request) {
  const bool ours = url_or_path.starts_with('/') || url_or_path.starts_with(address_.url + "/");
  request.method = std::move(method);
  request.url = url_or_path.starts_with('/') ? address_.url + url_or_path : url_or_path;
  if (!address_.pin.empty()) request.trust = net::TlsTrust::pinned(address_.pin);
  if (ours && !address_.key.empty()) request.headers.set("authorization", "Bearer " + address_.key);
  problem_->clear();
  auto answer = co_await client_.send(std::move(request));
  if (!answer) co_return base::fail(answer.error().within(address_.url));
  co_return answer;
}

// problem+json (developer API 5.14) as one error for a person.
base::Error ApiClient::problem(int status, const std::string& body) {
  const auto value = base::parse_json(body, {.bytes = kMaxAnswerBytes});
  if (!value || !value->is_object())
    return {code_of(status, ""), "the gateway answered " + std::to_string(status) + ": " + body.substr(0, 200)};
  const json::object& object = value->get_object();
  const auto text = [&](const json::object& from, std::string_view key) -> std::string {
    const json::value* found = from.if_contains(key);
    return found != nullptr && found->is_string() ? std::string(found->get_string()) : std::string();
  };
  const std::string code = text(object, "code");
  *problem_ = code;
  std::string message = text(object, "detail");
  if (message.empty()) message = text(object, "title");
  if (!code.empty()) message += " (" + code + ")";
  if (const json::value* errors = object.if_contains("errors"); errors != nullptr && errors->is_array())
    for (const json::value& item : errors->get_array())
      if (item.is_object()) message += "\n  " + text(item.get_object(), "pointer") + ": " + text(item.get_object(), "detail");
  return {code_of(status, code), message};
}

net::Task<base::Result<json::value>> ApiClient::read_json(net::ClientResponse response) {
  KINORA_CO_TRY(const std::string body, co_await response.read_all(kMaxAnswerBytes));
  if (response.status() >= 400) co_return base::fail(problem(response.status(), body));
  if (body.empty()) co_return json::value(nullptr);
  co_return base::parse_json(body, {.bytes = kMaxAnswerBytes});
}

net::Task<base::Result<json::value>> ApiClient::get(std::string path) {
  KINORA_CO_TRY(net::ClientResponse response, co_await send("GET", std::move(path), {}));
  co_return co_await read_json(std::move(response));
}

net::Task<base::Result<json::value>> ApiClient::post(std::string path, json::value body, net::Headers headers) {
  net::ClientRequest request;
  request.headers = std::move(headers);
  request.headers.set("content-type", "application/json");
  request.body = json::serialize(body);
  KINORA_CO_TRY(net::ClientResponse response, co_await send("POST", std::move(path), std::move(request)));
  co_return co_await read_json(std::move(response));
}

net::Task<base::Status> ApiClient::remove(std::string path) {
  KINORA_CO_TRY(net::ClientResponse response, co_await send("DELETE", std::move(path), {}));
  KINORA_CO_TRY(const json::value ignored, co_await read_json(std::move(response)));
  (void)ignored;
  co_return base::Status{};
}

net::Task<base::Result<std::string>> ApiClient::upload(std::filesystem::path file,
                                                       std::function<void(std::uint64_t, std::uint64_t)> on_bytes) {
  std::error_code error;
  const std::uint64_t size = std::filesystem::file_size(file, error);
  if (error || !std::filesystem::is_regular_file(file)) co_return base::fail(ErrorCode::not_found, "cannot read " + file.string());
  const auto in = std::make_shared<std::ifstream>(file, std::ios::binary);
  if (!*in) co_return base::fail(ErrorCode::not_found, "cannot read " + file.string());

  const json::object wanted{
      {"filename", file.filename().string()}, {"mime", mime_of(file)}, {"bytes", size}, {"purpose", "input"}, {"method", "single"}};
  KINORA_CO_TRY(const json::value made, co_await post("/v1/media/uploads", wanted));
  const std::string id(made.at("id").as_string());

  net::ClientRequest put;
  put.headers.set("content-type", mime_of(file));
  put.content_length = size;
  put.deadline = std::chrono::hours(6);
  put.body_source = [in, size, on_bytes, sent = std::uint64_t{0}]() mutable -> net::Task<base::Result<std::string>> {
    std::string piece(kPieceBytes, '\0');
    in->read(piece.data(), static_cast<std::streamsize>(piece.size()));
    piece.resize(static_cast<std::size_t>(in->gcount()));
    sent += piece.size();
    if (on_bytes) on_bytes(sent, size);
    co_return piece;
  };
  KINORA_CO_TRY(net::ClientResponse answer, co_await send("PUT", std::string(made.at("single").at("url").as_string()), std::move(put)));
  KINORA_CO_TRY(const json::value stored, co_await read_json(std::move(answer)));
  (void)stored;

  net::ClientRequest complete_request;
  complete_request.headers.set("content-type", "application/json");
  complete_request.body = "{}";
  complete_request.deadline = std::chrono::minutes(5);
  KINORA_CO_TRY(net::ClientResponse completed, co_await send("POST", "/v1/media/uploads/" + id + "/complete", std::move(complete_request)));
  KINORA_CO_TRY(json::value state, co_await read_json(std::move(completed)));
  asio::steady_timer pause(co_await asio::this_coro::executor);
  while (state.at("status").as_string() == "processing") {
    pause.expires_after(std::chrono::milliseconds(100));
    co_await pause.async_wait(asio::use_awaitable);
    KINORA_CO_TRY(state, co_await get("/v1/media/uploads/" + id));
  }
  if (const json::value* artifact = state.as_object().if_contains("artifact"); artifact != nullptr && artifact->is_string())
    co_return std::string(artifact->get_string());
  std::string reason = "the gateway could not use it";
  if (const json::value* why = state.as_object().if_contains("error"); why != nullptr && why->is_object())
    if (const json::value* detail = why->get_object().if_contains("detail"); detail != nullptr && detail->is_string())
      reason = std::string(detail->get_string());
  co_return base::fail(ErrorCode::invalid, file.string() + ": " + reason);
}

// True when the server said that the stream has ended.
net::Task<base::Result<bool>> ApiClient::follow_once(const std::string& path, std::string& last_id,
                                                     const std::function<void(const net::SseEvent&)>& on_event) {
  net::ClientRequest request;
  request.headers.set("accept", "text/event-stream");
  if (!last_id.empty()) request.headers.set("last-event-id", last_id);
  KINORA_CO_TRY(net::ClientResponse response, co_await send("GET", path, std::move(request)));
  if (response.status() == 204) co_return true;
  if (response.status() >= 400) {
    KINORA_CO_TRY(const std::string body, co_await response.read_all(kMaxAnswerBytes));
    co_return base::fail(problem(response.status(), body));
  }
  net::SseParser parser;
  for (;;) {
    const auto piece = co_await response.read();
    if (!piece || piece->empty()) co_return false;
    KINORA_CO_TRY(const std::vector<net::SseEvent> events, parser.feed(*piece));
    for (const net::SseEvent& event : events) {
      if (!event.id.empty()) last_id = event.id;
      if (event.type == "end") co_return true;
      on_event(event);
    }
  }
}

net::Task<base::Status> ApiClient::follow(std::string path, std::function<void(const net::SseEvent&)> on_event) {
  constexpr int kTries = 30;  // a gateway that is being restarted comes back within seconds
  std::string last_id;
  asio::steady_timer pause(co_await asio::this_coro::executor);
  for (int tries = 0;;) {
    const std::string before = last_id;
    const auto ended = co_await follow_once(path, last_id, on_event);
    if (ended && *ended) co_return base::Status{};
    if (!ended && ended.error().code != ErrorCode::unavailable && ended.error().code != ErrorCode::timeout)
      co_return base::fail(ended.error());
    if (last_id != before) tries = 0;
    if (++tries > kTries)
      co_return base::fail(ended ? base::Error{ErrorCode::unavailable, "the event stream keeps breaking"} : ended.error());
    pause.expires_after(std::chrono::milliseconds(500));
    co_await pause.async_wait(asio::use_awaitable);
  }
}

net::Task<base::Status> ApiClient::download(std::string url_or_path, std::filesystem::path file) {
  KINORA_CO_TRY(net::ClientResponse response, co_await send("GET", std::move(url_or_path), {}));
  if (response.status() != 200) {
    KINORA_CO_TRY(const std::string body, co_await response.read_all(kMaxAnswerBytes));
    co_return base::fail(problem(response.status(), body));
  }
  std::error_code error;
  if (file.has_parent_path()) std::filesystem::create_directories(file.parent_path(), error);
  const std::filesystem::path beside = file.string() + ".part";
  std::ofstream out(beside, std::ios::binary | std::ios::trunc);
  for (;;) {
    auto piece = co_await response.read();
    if (!piece) {
      std::filesystem::remove(beside, error);
      co_return base::fail(piece.error());
    }
    if (piece->empty()) break;
    out.write(piece->data(), static_cast<std::streamsize>(piece->size()));
  }
  out.close();
  std::filesystem::rename(beside, file, error);
  if (!out || error) co_return base::fail(ErrorCode::io, "cannot write " + file.string());
  co_return base::Status{};
}

}  // namespace kinora::cli
