#pragma once
// A pipeline's progress as events: not more often than kReportEvery, with rate and time left. On the inference thread.
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "media/progress.hpp"
#include "models/pipeline.hpp"
#include "runner/rate.hpp"
#include "tasks/event.hpp"

namespace kinora::runner {

using Report = std::function<void(tasks::TaskEvent)>;
inline constexpr std::chrono::milliseconds kReportEvery{250};

// Of frames or pixels that go by.
class MediaReporter {
 public:
  MediaReporter(std::string unit, const Report& report) : unit_(std::move(unit)), report_(report) {}
  void operator()(const media::Progress& progress);

 private:
  std::string unit_;
  const Report& report_;
  Rate rate_;
  std::optional<Rate::Clock::time_point> last_;
};

// Of denoising steps; previews are never left out.
class StepReporter {
 public:
  // scratch: a folder for a preview's file.
  StepReporter(const Report& report, std::filesystem::path scratch) : report_(report), scratch_(std::move(scratch)) {}
  void operator()(const models::GenerationProgress& progress);

 private:
  const Report& report_;
  std::filesystem::path scratch_;
  Rate rate_;
  std::optional<Rate::Clock::time_point> last_;
};

}  // namespace kinora::runner
