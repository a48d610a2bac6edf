#pragma once
// kinora run --preview FILE: the newest small picture of what is being made. One executor.
#include <filesystem>
#include <memory>
#include <string>

#include "kinora/session.hpp"
#include "net/sync.hpp"

namespace kinora::cli {

class PreviewFile : public std::enable_shared_from_this<PreviewFile> {
 public:
  PreviewFile(boost::asio::any_io_executor executor, Session& session, std::filesystem::path file);
  // Fetches that artifact in the background; while one is being fetched only the newest of those that follow is.
  void show(std::string artifact);
  // Returns once the newest that was shown is in the file, or could not be fetched.
  net::Task<void> settled();

 private:
  net::Task<void> fetch();

  Session& session_;
  const std::filesystem::path file_;
  std::string next_;
  bool fetching_ = false;
  net::Signal done_;  // fetching has ended
};

}  // namespace kinora::cli
