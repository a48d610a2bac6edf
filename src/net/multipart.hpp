#pragma once
// multipart/form-data (RFC 7578), as a stream: parts are handed on while they arrive, nothing is kept whole.
#include <functional>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace kinora::net {

struct MultipartLimits {
  std::size_t parts = 64;
  std::size_t part_header_bytes = 8 * 1024;
};

struct MultipartPart {
  std::string name;
  std::optional<std::string> filename;
  std::string content_type = "text/plain";
};

// The boundary of a Content-Type header; invalid when it is not multipart/form-data or breaks RFC 2046's rules.
base::Result<std::string> multipart_boundary(std::string_view content_type);

class MultipartParser {
 public:
  struct Sink {
    virtual ~Sink() = default;
    virtual base::Status begin(const MultipartPart& part) = 0;
    virtual base::Status data(std::string_view bytes) = 0;
    virtual base::Status end() = 0;
  };
  MultipartParser(std::string boundary, Sink& sink, MultipartLimits limits = {});
  base::Status feed(std::string_view bytes);
  base::Status finish();  // invalid when the closing boundary is missing

 private:
  enum class State { preamble, boundary_tail, headers, body, epilogue };
  base::Status step(bool& progressed);
  base::Result<MultipartPart> parse_headers(std::string_view text) const;
  std::string delimiter_;  // "\r\n--boundary"
  Sink& sink_;
  MultipartLimits limits_;
  State state_ = State::preamble;
  std::string buffer_;
  std::size_t parts_ = 0;
};

}  // namespace kinora::net
