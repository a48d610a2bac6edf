#pragma once
// How one run of an order ended, told apart by what the caller should do next.
#include <string>
#include <string_view>

#include "tasks/event.hpp"

namespace kinora::market {

struct Outcome {
  enum class Kind {
    succeeded,  // `result`
    failed,     // a worker did the work and says that it failed: `failure`
    lost,       // the work was begun, or may have been, and its end is not known: connection lost, silence, time over
    refused     // no node took the work; nothing was begun. Try again when slots are free
  };
  Kind kind = Kind::refused;
  std::string node;    // the orchestrator's URL; empty when refused by all
  std::string worker;  // as the worker called itself
  tasks::TaskResult result;
  tasks::TaskFailure failure;
  std::string detail;  // refused, lost: for a person
  double seconds = 0;  // from sending the order to the end
};

std::string_view name(Outcome::Kind kind);

}  // namespace kinora::market
