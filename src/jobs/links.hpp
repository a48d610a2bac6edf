#pragma once
// How stored things become URLs in public JSON. The engine stores ids; the gateway knows its address and signs.
#include <functional>
#include <string>
#include <string_view>

namespace kinora::jobs {

struct SignedUrl {
  std::string url;
  std::string expires_at;  // RFC 3339
};

struct Links {
  std::function<std::string(std::string_view path)> absolute;  // "/v1/jobs/job_x" -> "https://host/v1/jobs/job_x"
  // A fresh URL of an artifact's content; `file` names one file of a multi-file artifact ("" for a single one, "master.m3u8" for HLS).
  std::function<SignedUrl(std::string_view artifact, std::string_view file)> content;
};

}  // namespace kinora::jobs
