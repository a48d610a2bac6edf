#include "kinora/preview_file.hpp"

#include <utility>

namespace kinora::cli {

PreviewFile::PreviewFile(boost::asio::any_io_executor executor, Session& session, std::filesystem::path file)
    : session_(session), file_(std::move(file)), done_(std::move(executor)) {}

void PreviewFile::show(std::string artifact) {
  next_ = std::move(artifact);
  if (std::exchange(fetching_, true)) return;
  session_.spawn([self = shared_from_this()] { return self->fetch(); });
}

net::Task<void> PreviewFile::fetch() {
  const auto self = shared_from_this();
  while (!next_.empty())  // one that fails is followed by the next
    (void)co_await session_.api().download("/v1/artifacts/" + std::exchange(next_, {}) + "/content", file_);
  fetching_ = false;
  done_.notify();
}

net::Task<void> PreviewFile::settled() {
  while (fetching_) co_await done_.wait();
}

}  // namespace kinora::cli
