#include "jobs/outcome.hpp"

namespace kinora::jobs {

tl::unexpected<tasks::Problem> refuse(const base::Error& error) {
  tasks::Problem problem;
  problem.code = std::string(tasks::code_for(error.code));
  problem.detail = error.message;
  if (error.code == base::ErrorCode::exhausted) problem.code = "internal";  // of the disk, not of the network's capacity
  return tl::unexpected<tasks::Problem>(std::move(problem));
}

}  // namespace kinora::jobs
