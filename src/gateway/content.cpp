#include "gateway/content.hpp"

#include <fmt/format.h>

#include "gateway/content_headers.hpp"
#include "jobs/outcome.hpp"
#include "net/url.hpp"

namespace kinora::gateway {
namespace {

constexpr std::size_t kPieceBytes = 256 * 1024;

}  // namespace

Task<Answer> send_blob(Call& call, store::Blobs& blobs, Content content, bool* whole) {
  auto reader = co_await blobs.open_blob(content.sha256);
  if (!reader) {
    if (reader.error().code == base::ErrorCode::not_found) co_return refuse("not_found", "the content is gone");
    co_return jobs::refuse(reader.error());
  }
  const auto& asked = call.request.headers;
  const std::string etag = "\"" + content.sha256 + "\"";
  net::Headers headers{{"etag", etag}, {"accept-ranges", "bytes"}, {"cache-control", "private, max-age=3600"}};
  if (const auto known = asked.get("if-none-match"); known && etag_listed(*known, etag)) co_return Reply::empty(304, std::move(headers));

  const auto size = static_cast<std::uint64_t>(reader->bytes());
  headers.set("content-type", content.mime);
  if (!content.disposition.empty()) headers.set("content-disposition", content.disposition);
  std::uint64_t first = 0;
  std::uint64_t length = size;
  int status = 200;
  if (range_allowed(asked.get("if-range"), etag)) {
    const auto range = net::parse_range(asked.get("range"), size);
    if (!range) {
      Problem problem;
      problem.code = "invalid_field";
      problem.detail = range.error().message;
      problem.request_id = call.request_id;
      Reply reply = to_reply(problem, 416);
      reply.headers.set("content-range", fmt::format("bytes */{}", size));
      co_return reply;
    }
    if (*range) {
      status = 206;
      first = (*range)->first;
      length = (*range)->size();
      headers.set("content-range", fmt::format("bytes {}-{}/{}", first, (*range)->last, size));
    }
  }
  headers.set("content-length", std::to_string(length));
  if (!co_await call.start(status, std::move(headers))) co_return Reply::sent();
  if (call.request.method != "HEAD") {
    for (const std::uint64_t end = first + length; first < end;) {
      auto piece = co_await reader->read(static_cast<std::int64_t>(first),
                                         static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, end - first)));
      // A short or failed read ends the answer before its Content-Length: the peer sees that it is cut off.
      if (!piece || piece->empty()) co_return refuse("internal", "the content could not be read to its end");
      first += piece->size();
      if (!co_await call.response.write(std::move(*piece))) co_return Reply::sent();
    }
  }
  const auto finished = co_await call.response.finish();
  if (whole != nullptr) *whole = finished && status == 200 && call.request.method == "GET";
  co_return Reply::sent();
}

}  // namespace kinora::gateway
