#include "media/cut.hpp"

namespace kinora::media {

boost::json::object to_json(const CutPlan& plan) {
  boost::json::array chunks;
  for (const Chunk& c : plan.chunks)
    chunks.push_back({{"name", c.file}, {"start_pts", c.start_pts}, {"end_pts", c.end_pts}, {"frames", c.frames}, {"bytes", c.bytes}});
  const std::string time_base = std::to_string(plan.time_base.num) + "/" + std::to_string(plan.time_base.den);
  return {{"time_base", time_base}, {"pts_offset", plan.pts_offset}, {"chunks", std::move(chunks)}};
}

}  // namespace kinora::media
