#include "kinora/downloads.hpp"

namespace kinora::cli {

net::Task<base::Result<std::vector<std::string>>> download_items(ApiClient& api, std::vector<OutputItem> items, std::string to) {
  std::vector<std::string> saved;
  for (OutputItem& item : items) {
    if (!item.several) continue;
    KINORA_CO_TRY(const base::json::value files, co_await api.get("/v1/artifacts/" + item.artifact + "/files"));
    for (const base::json::value& file : files.at("data").as_array()) item.names.emplace_back(file.at("name").as_string());
  }
  KINORA_CO_TRY(const std::vector<Download> downloads, plan_downloads(items, to));
  for (const Download& item : downloads) {
    KINORA_CO_OK(co_await api.download(item.url, item.file));
    saved.push_back(item.file.string());
  }
  co_return saved;
}

}  // namespace kinora::cli
