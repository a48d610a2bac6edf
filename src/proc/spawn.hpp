#pragma once
// The system calls behind Process::start: pipes, vfork, the child's set-up, exec. Use Process instead.
#include <sys/types.h>

#include "base/result.hpp"
#include "proc/descriptor.hpp"
#include "proc/process.hpp"

namespace kinora::proc {

// A child that has passed exec. The descriptors are ours: non-blocking and close-on-exec. The pid is not reaped yet.
struct Spawned {
  pid_t pid = -1;
  Descriptor pidfd;   // readable when the child has ended
  Descriptor input;   // write end of its standard input
  Descriptor output;  // read end of its standard output
  Descriptor errors;  // read end of its standard error
};

// Blocks until exec has happened or failed (milliseconds).
base::Result<Spawned> spawn(const ProcessOptions& options);

}  // namespace kinora::proc
