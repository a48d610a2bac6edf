#include "kinora/local_runners.hpp"

#include <filesystem>
#include <fstream>

namespace kinora::cli {

namespace fs = std::filesystem;

std::vector<std::pair<std::string, std::string>> local_runners(const Home& home) {
  std::vector<std::pair<std::string, std::string>> found;
  std::error_code error;
  for (const auto& worker : fs::directory_iterator(home.root() / "worker", error))
    for (const auto& file : fs::directory_iterator(worker.path(), error)) {
      const std::string name = file.path().stem().string();
      std::string url;
      std::ifstream in(file.path());
      if (name.starts_with("runner-") && file.path().extension() == ".url" && std::getline(in, url))
        found.emplace_back(name.substr(7), url);
    }
  return found;
}

net::Task<base::Result<base::json::value>> ask_runner(net::Client& client, std::string url_and_path) {
  net::ClientRequest request;
  request.url = std::move(url_and_path);
  request.deadline = std::chrono::seconds(5);
  KINORA_CO_TRY(auto answer, co_await client.send(std::move(request)));
  KINORA_CO_TRY(const std::string body, co_await answer.read_all(4 << 20));
  co_return base::parse_json(body);
}

}  // namespace kinora::cli
