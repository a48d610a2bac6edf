#include "gateway/input_fetcher.hpp"

#include <fmt/format.h>

#include <boost/asio/use_awaitable.hpp>
#include <charconv>

#include "base/log.hpp"
#include "net/url.hpp"

namespace kinora::gateway {
namespace asio = boost::asio;
namespace {

Problem problem(std::string_view code, std::string detail) { return jobs::refuse(code, std::move(detail)).value(); }

bool is_redirect(int status) { return status == 301 || status == 302 || status == 303 || status == 307 || status == 308; }

// The fields were checked when the job was taken (media_value.hpp).
net::Headers headers_of(const json::object& source) {
  net::Headers headers{{"user-agent", "Kinora/1"}, {"accept", "*/*"}};
  if (const json::value* given = source.if_contains("headers"))
    for (const auto& field : given->as_object()) headers.set(std::string_view(field.key()), std::string(field.value().as_string()));
  return headers;
}

// Where a URL leads, without its path and query: they may hold a secret.
std::string origin_of(std::string_view url) {
  const auto parsed = net::parse_url(url);
  return parsed ? parsed->scheme + "://" + parsed->authority() : "the URL";
}

bool longer_than(std::string_view length, std::int64_t most) {
  std::int64_t bytes = 0;
  const char* const first = length.data();
  return std::from_chars(first, first + length.size(), bytes).ec == std::errc() && bytes > most;
}

}  // namespace

InputFetcher::InputFetcher(asio::any_io_executor executor, jobs::Engine& engine, store::Blobs& blobs, MediaCheck& media,
                           FetchSettings settings)
    : executor_(executor),
      engine_(engine),
      blobs_(blobs),
      media_(media),
      settings_(settings),
      client_(executor, {.connect = std::chrono::milliseconds(5000)}),
      slots_(executor, std::max(1U, settings.at_once)),
      work_(executor) {}

void InputFetcher::fetch(jobs::Upload upload) {
  const std::string id = upload.id;
  at_work_[id] = work_.spawn(bring(std::move(upload)));
}

void InputFetcher::stop(const std::string& upload) {
  if (const auto found = at_work_.find(upload); found != at_work_.end()) found->second->cancel();
}

net::Task<void> InputFetcher::stop() {
  work_.cancel();
  co_await work_.wait();
}

net::Task<void> InputFetcher::bring(jobs::Upload upload) {
  struct Gone {
    ~Gone() { of.erase(id); }
    decltype(at_work_)& of;
    std::string id;
  } const gone{at_work_, upload.id};
  const auto place = co_await slots_.acquire();
  auto fetched = co_await bring_in_time(upload);
  if (!fetched) {
    base::log::info("gateway", "an input could not be fetched", {{"upload", upload.id}, {"why", fetched.error().problem.detail}});
    (void)co_await engine_.fail_upload(upload.project, upload.id, std::move(fetched.error().problem));
    co_return;
  }
  auto probed = co_await media_.probe(blobs_.path(fetched->blob.sha256()).string(), fetched->mime);
  if (probed)
    (void)co_await engine_.finish_upload(upload.project, upload.id, std::move(fetched->blob), probed->mime, std::move(probed->media));
  else
    (void)co_await engine_.fail_upload(upload.project, upload.id, std::move(probed).error());
}

net::Task<InputFetcher::Outcome> InputFetcher::bring_in_time(const jobs::Upload& upload) {
  const auto until = net::Clock::now() + settings_.total;
  auto pause = settings_.pause;
  for (int number = 1;; ++number) {
    auto outcome = co_await download(upload, until);
    if (outcome || !outcome.error().again || number >= settings_.tries || net::Clock::now() + pause >= until) co_return outcome;
    asio::steady_timer timer(executor_, pause);
    co_await timer.async_wait(asio::use_awaitable);
    pause *= 2;
  }
}

net::Task<InputFetcher::Outcome> InputFetcher::download(const jobs::Upload& upload, net::Clock::time_point until) {
  const json::object& source = upload.source.as_object();
  const std::string first(source.at("url").as_string());
  std::string url = first;
  for (int hop = 0;; ++hop) {
    if (const auto ok = check(url); !ok)
      co_return tl::unexpected(
          Failure{problem("input_unavailable", origin_of(first) + " leads on to a URL that is not followed: " + ok.error().message)});
    net::ClientRequest request;
    request.url = url;
    request.headers = origin_of(url) == origin_of(first) ? headers_of(source) : headers_of({});
    request.reach = settings_.reach;
    request.deadline = std::min(settings_.idle, std::chrono::duration_cast<std::chrono::milliseconds>(until - net::Clock::now()));
    request.idle = settings_.idle;
    auto answer = co_await client_.send(std::move(request));
    if (!answer) {
      const bool again = answer.error().code == base::ErrorCode::unavailable || answer.error().code == base::ErrorCode::timeout;
      co_return tl::unexpected(Failure{problem("input_unavailable", origin_of(url) + ": " + answer.error().message), again});
    }
    const int status = answer->status();
    if (status == 200) co_return co_await receive(*answer, upload, until);
    const auto location = answer->headers().get("location");
    if (!is_redirect(status) || !location) {
      const bool again = status == 429 || status >= 500;
      co_return tl::unexpected(Failure{problem("input_unavailable", fmt::format("{} answered {}", origin_of(url), status)), again});
    }
    if (hop >= settings_.redirects)
      co_return tl::unexpected(
          Failure{problem("input_unavailable", fmt::format("{} leads on more than {} times", origin_of(first), settings_.redirects))});
    auto next = net::resolve_url(url, *location);
    if (!next) co_return tl::unexpected(Failure{problem("input_unavailable", origin_of(url) + " leads to no URL")});
    url = std::move(*next);
  }
}

net::Task<InputFetcher::Outcome> InputFetcher::receive(net::ClientResponse& answer, const jobs::Upload& upload,
                                                       net::Clock::time_point until) {
  const auto too_large = [&] {
    return tl::unexpected(Failure{problem("media_too_large", fmt::format("the URL holds more than {} bytes", settings_.max_bytes))});
  };
  const auto failed = [](const base::Error& error) { return tl::unexpected(Failure{jobs::refuse(error).value()}); };
  if (const auto length = answer.headers().get("content-length"); length && longer_than(*length, settings_.max_bytes))
    co_return too_large();
  auto writer = co_await blobs_.create(settings_.max_bytes);
  if (!writer) co_return failed(writer.error());
  for (;;) {
    auto piece = co_await answer.read();
    if (!piece) co_return tl::unexpected(Failure{problem("input_unavailable", "the answer broke off: " + piece.error().message), true});
    if (piece->empty()) break;
    if (net::Clock::now() >= until) co_return tl::unexpected(Failure{problem("input_unavailable", "the URL was not fetched in time")});
    if (const auto written = co_await writer->append(std::move(*piece)); !written) {
      if (written.error().code == base::ErrorCode::too_large) co_return too_large();
      co_return failed(written.error());
    }
  }
  auto blob = co_await writer->commit(upload.sha256);
  if (!blob && blob.error().code == base::ErrorCode::conflict)
    co_return tl::unexpected(Failure{problem("input_invalid", "the URL holds other bytes than the sha256 that was given")});
  if (!blob) co_return failed(blob.error());
  const std::string type(answer.headers().get("content-type").value_or("application/octet-stream"));
  co_return Fetched{std::move(*blob), type.substr(0, type.find_first_of("; "))};
}

}  // namespace kinora::gateway
