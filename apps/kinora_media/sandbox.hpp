#pragma once
// The walls around the parsers: put up before the first byte of media is read, never taken down.
#include "base/result.hpp"
#include "media/request.hpp"

namespace kinora::media_app {

// Resource limits, no core dump, no new privileges, and a system call filter: no sockets, no new processes, no other programs,
// no tracing, no mounts, no kernel modules. What is refused answers EPERM. Call before threads are started.
// io: the kernel refuses a part (a container without seccomp).
base::Status enter_sandbox(const media::ProcessLimits& limits);

}  // namespace kinora::media_app
