#pragma once
// Stored bytes as an answer: Range (RFC 9110 14), ETag, If-None-Match, If-Range, HEAD.
#include <string>

#include "gateway/call.hpp"
#include "store/blobs.hpp"

namespace kinora::gateway {

struct Content {
  std::string sha256;
  std::string mime;
  std::string disposition;  // the header's value; empty: none
};

// 200, 206, 304 or 416; not_found when the blob is gone. Reads at the speed of the peer. `whole`: every byte was sent.
Task<Answer> send_blob(Call& call, store::Blobs& blobs, Content content, bool* whole = nullptr);

}  // namespace kinora::gateway
