#include "hub/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace kinora::hub {

using base::ErrorCode;

namespace {

constexpr long kMaxRedirects = 8;
constexpr std::size_t kMaxHeaders = 200;

void curl_once() {
  static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
  (void)ready;
}

// What the callbacks of one transfer share.
struct Transfer {
  CURL* curl;
  HttpAnswer answer;
  const Http::Sink* sink;
  std::stop_token stop;
  bool ended_by_sink = false;
};

std::size_t on_header(char* data, std::size_t, std::size_t length, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  const std::string_view line(data, length);
  if (line.starts_with("HTTP/")) transfer.answer.headers.clear();  // a redirect's or an interim answer's headers are past
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || transfer.answer.headers.size() >= kMaxHeaders) return length;
  std::string name(line.substr(0, colon));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  auto value = line.substr(colon + 1);
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.front())) != 0) value.remove_prefix(1);
  while (!value.empty() && std::isspace(static_cast<unsigned char>(value.back())) != 0) value.remove_suffix(1);
  transfer.answer.headers[std::move(name)] = value;
  return length;
}

std::size_t on_body(char* data, std::size_t, std::size_t length, void* user) {
  auto& transfer = *static_cast<Transfer*>(user);
  long status = 0;
  curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  if (status < 200 || status > 299) return length;  // an error's body is not wanted
  if ((*transfer.sink)(transfer.answer, {data, length})) return length;
  transfer.ended_by_sink = true;
  return 0;
}

int on_progress(void* user, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
  return static_cast<Transfer*>(user)->stop.stop_requested() ? 1 : 0;
}

}  // namespace

struct Http::Handle {
  CURL* curl = nullptr;
  curl_slist* headers = nullptr;
  ~Handle() {
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
  }
};

std::string HttpAnswer::header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string() : found->second;
}

Http::Http(const HttpSettings& settings) : handle_(std::make_unique<Handle>()), settings_(settings) {
  curl_once();
  handle_->curl = curl_easy_init();
  if (!settings_.token.empty()) handle_->headers = curl_slist_append(nullptr, ("Authorization: Bearer " + settings_.token).c_str());
}
Http::~Http() = default;

base::Result<HttpAnswer> Http::get(const std::string& url, std::optional<Range> range, const Sink& sink, std::stop_token stop) {
  CURL* curl = handle_->curl;
  if (curl == nullptr) return base::fail(ErrorCode::internal, "libcurl could not be started");
  Transfer transfer{.curl = curl, .answer = {}, .sink = &sink, .stop = std::move(stop)};
  char reason[CURL_ERROR_SIZE] = "";
  curl_easy_reset(curl);  // keeps the connections
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl, CURLOPT_REDIR_PROTOCOLS_STR, url.starts_with("https:") ? "https" : "http,https");
  curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L);
  curl_easy_setopt(curl, CURLOPT_MAXREDIRS, kMaxRedirects);
  curl_easy_setopt(curl, CURLOPT_USERAGENT, settings_.user_agent.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, handle_->headers);  // libcurl withholds Authorization from another host
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, static_cast<long>(settings_.connect_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1024L);
  curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(settings_.stall_timeout.count()));
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
  curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
  curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
  curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);
  const std::string bytes = range ? std::to_string(range->begin) + "-" + std::to_string(range->end - 1) : std::string();
  if (range) curl_easy_setopt(curl, CURLOPT_RANGE, bytes.c_str());

  const CURLcode done = curl_easy_perform(curl);
  if (transfer.stop.stop_requested()) return base::fail(ErrorCode::canceled, "stopped");
  if (done != CURLE_OK && !transfer.ended_by_sink) {
    const bool address = done == CURLE_URL_MALFORMAT || done == CURLE_UNSUPPORTED_PROTOCOL || done == CURLE_TOO_MANY_REDIRECTS;
    return base::fail(address ? ErrorCode::invalid : ErrorCode::unavailable, reason[0] != '\0' ? reason : curl_easy_strerror(done));
  }
  long status = 0;
  curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
  transfer.answer.status = static_cast<int>(status);
  return std::move(transfer.answer);
}

base::Error status_error(int status, const std::string& what) {
  const std::string answered = what + ": the hub answered " + std::to_string(status);
  switch (status) {
    case 401:
      return {ErrorCode::unauthenticated, answered + "; it does not exist, or it needs a token: set HF_TOKEN to one that may read it"};
    case 403: return {ErrorCode::forbidden, answered + "; accept its terms on its page, and set HF_TOKEN to a token that may read it"};
    case 404: return {ErrorCode::not_found, answered + "; check the name and the revision"};
    default: return {worth_retrying(status) ? ErrorCode::unavailable : ErrorCode::invalid, answered};
  }
}

bool worth_retrying(int status) { return status == 408 || status == 429 || status >= 500; }

std::optional<std::chrono::milliseconds> retry_after(const HttpAnswer& answer) {
  const std::string text = answer.header("retry-after");
  unsigned seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, 120U));
}

}  // namespace kinora::hub
