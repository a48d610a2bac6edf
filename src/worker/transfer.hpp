#pragma once
// Media between a gateway and this worker (docs/protocol.md 5): one GET with resumption, one PUT with repetition.
//
// Both stream; at most one piece (256 KiB) is in memory. Both are tried kTransferTries times when the connection fails, is too slow
// or the gateway answers 5xx; another answer is final.
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "net/client.hpp"
#include "worker/disk.hpp"
#include "worker/outcome.hpp"

namespace kinora::worker {

inline constexpr int kTransferTries = 4;

struct TransferContext {
  Disk& disk;
  net::Client& client;
  net::TlsTrust trust;
  std::chrono::milliseconds retry_after{200};  // before the second try; doubles
  net::Reach reach = net::Reach::public_only;  // where the URL may lead
};

// Called with the bytes moved so far, on the executor's thread. After a restart it may start again from less.
using ByteProgress = std::function<void(std::uint64_t done)>;

struct DownloadRequest {
  std::string url;
  std::optional<std::uint64_t> bytes;  // the promised size
  std::optional<std::string> sha256;   // the promised hash, lower-case hex
  std::uint64_t max_bytes = 0;
  std::filesystem::path file;  // made anew; removed again on failure and on cancellation
  // Called when the disk is full; true when it freed something and writing may be tried again (once).
  std::function<bool()> make_room{};
};
// Failures: input_unavailable (the gateway refuses, or the URL leads where this worker must not go), transfer_failed (connection, or
// another size or hash than promised), media_too_large (past max_bytes), worker_error (disk).
net::Task<Outcome<std::uint64_t>> download(TransferContext context, DownloadRequest request, ByteProgress on_progress);

struct UploadRequest {
  std::string url;
  std::string token;
  std::string mime;
  std::filesystem::path file;
};
struct Uploaded {
  std::uint64_t bytes = 0;
  std::string sha256;
};
// The hash is computed while sending and compared with the gateway's. Failures: transfer_failed (also of a URL that leads where this worker
// must not go), worker_error (disk).
net::Task<Outcome<Uploaded>> upload(TransferContext context, UploadRequest request, ByteProgress on_progress);

}  // namespace kinora::worker
