#include "base/json.hpp"
#include "media/cut.hpp"

namespace kinora::media {
namespace {

using base::ErrorCode;

constexpr std::int64_t kMaxTicks = std::int64_t{1} << 53;
constexpr std::int64_t kMaxBase = 1'000'000'000;

bool is_file_name(const std::string& name) {
  return !name.empty() && name.size() <= 255 && name.front() != '.' && name.find('/') == std::string::npos &&
         name.find('\0') == std::string::npos;
}

}  // namespace

boost::json::object to_json(const CutPlan& plan) {
  boost::json::array chunks;
  for (const Chunk& c : plan.chunks)
    chunks.push_back({{"file", c.file}, {"start_pts", c.start_pts}, {"end_pts", c.end_pts}, {"packets", c.packets}, {"bytes", c.bytes}});
  return {{"time_base", {plan.time_base.num, plan.time_base.den}}, {"pts_offset", plan.pts_offset}, {"chunks", std::move(chunks)}};
}

base::Result<CutPlan> plan_from_json(const boost::json::value& value) {
  base::FieldErrors errors;
  base::ObjectReader in(value, "", errors);
  CutPlan plan;
  if (const auto* base = in.array("time_base", 2); base != nullptr && base->size() == 2 && base->at(0).is_int64() && base->at(1).is_int64())
    plan.time_base = {base->at(0).get_int64(), base->at(1).get_int64()};
  if (plan.time_base.num < 1 || plan.time_base.den < 1 || plan.time_base.num > kMaxBase || plan.time_base.den > kMaxBase ||
      value.if_object() == nullptr || !value.get_object().contains("time_base"))
    in.error("time_base", "invalid_field", "two positive integers");
  plan.pts_offset = in.integer("pts_offset", 0, kMaxTicks).value_or(0);
  if (const auto* chunks = in.array("chunks", kMaxChunks); chunks != nullptr) {
    for (std::size_t i = 0; i < chunks->size(); ++i) {
      base::ObjectReader item(chunks->at(i), "/chunks/" + std::to_string(i), errors);
      Chunk chunk;
      chunk.file = item.required_string("file", 255);
      chunk.start_pts = item.integer("start_pts", -kMaxTicks, kMaxTicks).value_or(0);
      chunk.end_pts = item.integer("end_pts", -kMaxTicks, kMaxTicks).value_or(0);
      chunk.packets = item.integer("packets", 0, kMaxTicks).value_or(0);
      chunk.bytes = item.integer("bytes", 0, kMaxTicks).value_or(0);
      item.finish();
      if (!is_file_name(chunk.file)) item.error("file", "invalid_field", "a file's name without folders");
      if (chunk.end_pts <= chunk.start_pts) item.error("end_pts", "invalid_field", "not behind the start");
      if (!plan.chunks.empty() && chunk.start_pts < plan.chunks.back().end_pts)
        item.error("start_pts", "invalid_field", "before the last end");
      plan.chunks.push_back(std::move(chunk));
      if (errors.size() > 100) break;
    }
  }
  if (plan.chunks.empty()) in.error("chunks", "missing_field", "at least one chunk");
  in.finish();
  if (!errors.empty()) return base::fail(ErrorCode::invalid, errors.front().pointer + ": " + errors.front().detail);
  return plan;
}

}  // namespace kinora::media
