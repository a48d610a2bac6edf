// The parser must say the same whatever the pieces are.
#include <cstdint>

#include "base/check.hpp"
#include "net/multipart.hpp"

namespace {

using namespace kinora;

struct Collector : net::MultipartParser::Sink {
  base::Status begin(const net::MultipartPart& part) override {
    seen += "<" + part.name + "|" + part.filename.value_or("-") + "|" + part.content_type + ">";
    return {};
  }
  base::Status data(std::string_view bytes) override {
    seen += bytes;
    return {};
  }
  base::Status end() override {
    seen += "</>";
    return {};
  }
  std::string seen;
};

std::pair<bool, std::string> parse(std::string_view bytes, std::size_t piece) {
  Collector sink;
  net::MultipartParser parser("b", sink, {4, 256});
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    if (!parser.feed(bytes.substr(0, piece))) return {false, ""};
  return {parser.finish().has_value(), sink.seen};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  (void)net::multipart_boundary(bytes);
  const auto whole = parse(bytes, SIZE_MAX);
  const auto bits = parse(bytes, 1);
  if (whole.first && bits.first) KINORA_CHECK(whole.second == bits.second);
  return 0;
}
