#pragma once
// What happens to every picture before it is scaled: deinterlacing, turning upright. One picture for one, at the same times. Inside this
// room only.
#include <deque>
#include <functional>
#include <optional>

#include "media/av.hpp"
#include "media/frame.hpp"
#include "media/probe.hpp"

namespace kinora::media {

class Prefilter {
 public:
  using Sink = std::function<base::Status(const Frame&)>;

  enum class Turn : bool { no, upright };
  // Decides by the stream and its first picture; with nothing to do frames pass straight through.
  static base::Result<Prefilter> make(const StreamInfo& stream, const Frame& first, Turn turn = Turn::upright);
  base::Status push(const Frame& frame, const Sink& sink);
  base::Status flush(const Sink& sink);

 private:
  base::Status drain(const Sink& sink);
  Av<AVFilterGraph> graph_;
  AVFilterContext* source_ = nullptr;
  AVFilterContext* target_ = nullptr;
  Rational base_;
  std::deque<std::int64_t> durations_;  // of what is inside: filters do not keep them
};

}  // namespace kinora::media
