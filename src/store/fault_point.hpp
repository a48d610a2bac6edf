#pragma once
// Ends the process, as kill -9 would, right before or right after the commit of a named change: how tests walk through every crash.
// Inert unless KINORA_FAULT is set when the process starts: "<name>:before" or "<name>:after", with ":<n>" for the n-th such commit
// ("job.started:after", "job.progress:before:3").
//
// A transaction names what it carries by carries(); names are event types ("job.created") and "<resource>/<state>"
// ("job/dispatching"). Threading: the database's writer thread.
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace kinora::store {

struct FaultPoint {
  enum class Side { before, after };
  std::string name;
  Side side = Side::before;
  int nth = 1;
};
// invalid: another shape, or n not in 1..1000000.
base::Result<FaultPoint> parse_fault_point(std::string_view text);

namespace fault {

// The transaction at hand holds such a change.
void carries(std::string_view name);
// Called by the database around each commit.
void before_commit();
void after_commit();
// The transaction was undone: it carries nothing.
void undone();

}  // namespace fault
}  // namespace kinora::store
