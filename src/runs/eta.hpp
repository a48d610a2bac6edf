#pragma once
// How long a run will still take: the longest way through its steps, each by what its task took before. Pure.
#include <functional>
#include <optional>
#include <string_view>

#include "runs/scheduler.hpp"

namespace kinora::runs {

// Seconds of one job of a task on a model ("" when the step names none); nullopt: not known.
using MeanSeconds = std::function<std::optional<double>(std::string_view task, std::string_view model)>;
// How far an item at work is, 0..1.
using ItemFraction = std::function<double(std::size_t step, std::size_t index)>;
// Seconds until a child run that is at work ends; nullopt: not known.
using ChildSeconds = std::function<std::optional<double>(const std::string& run)>;

// nullopt when it cannot be known: the run has ended or stands still, a step waits for somebody or for a child run that has not begun, a
// task was never measured, or how often a step fans out is not known yet. Steps whose `when` is open count as if they ran; child runs that
// have not begun beside others of their step as the longest of those.
std::optional<double> eta_s(const Definition& definition, const Run& run, const ItemFraction& fraction, const MeanSeconds& mean,
                            const ChildSeconds& child);

}  // namespace kinora::runs
