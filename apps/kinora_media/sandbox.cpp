#include "kinora_media/sandbox.hpp"

#include <malloc.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <memory>

namespace kinora::media_app {
namespace {

using base::ErrorCode;

constexpr rlim_t kOpenFiles = 256;
// glibc reserves 64 MiB of addresses for each arena: few arenas leave the limit to pictures.
constexpr int kMallocArenas = 4;

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define KINORA_SHADOW_MEMORY 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define KINORA_SHADOW_MEMORY 1
#endif

base::Status limit(int what, std::int64_t value, const char* name) {
  rlimit now{};
  if (::getrlimit(static_cast<__rlimit_resource>(what), &now) != 0) return base::fail(ErrorCode::io, std::string("getrlimit ") + name);
  auto wanted = static_cast<rlim_t>(value);
  if (now.rlim_max != RLIM_INFINITY) wanted = std::min(wanted, now.rlim_max);
  const rlimit next{wanted, wanted};
  if (::setrlimit(static_cast<__rlimit_resource>(what), &next) == 0) return {};
  return base::fail(ErrorCode::io, std::string("setrlimit ") + name + ": " + std::strerror(errno));
}

// Unix and network sockets, processes and programs, other processes' memory, the kernel's doors.
constexpr const char* kRefused[] = {"socket",
                                    "socketpair",
                                    "connect",
                                    "bind",
                                    "listen",
                                    "accept",
                                    "accept4",
                                    "sendto",
                                    "sendmsg",
                                    "sendmmsg",
                                    "execve",
                                    "execveat",
                                    "fork",
                                    "vfork",
                                    "ptrace",
                                    "process_vm_readv",
                                    "process_vm_writev",
                                    "pidfd_open",
                                    "pidfd_getfd",
                                    "pidfd_send_signal",
                                    "kcmp",
                                    "kill",
                                    "tkill",
                                    "rt_sigqueueinfo",
                                    "mount",
                                    "umount2",
                                    "pivot_root",
                                    "chroot",
                                    "unshare",
                                    "setns",
                                    "open_tree",
                                    "move_mount",
                                    "fsopen",
                                    "fsmount",
                                    "fsconfig",
                                    "bpf",
                                    "perf_event_open",
                                    "userfaultfd",
                                    "io_uring_setup",
                                    "io_uring_enter",
                                    "io_uring_register",
                                    "keyctl",
                                    "add_key",
                                    "request_key",
                                    "init_module",
                                    "finit_module",
                                    "delete_module",
                                    "kexec_load",
                                    "kexec_file_load",
                                    "reboot",
                                    "swapon",
                                    "swapoff",
                                    "setuid",
                                    "setgid",
                                    "setreuid",
                                    "setregid",
                                    "setresuid",
                                    "setresgid",
                                    "setgroups",
                                    "capset",
                                    "personality",
                                    "acct",
                                    "quotactl",
                                    "nfsservctl",
                                    "name_to_handle_at",
                                    "open_by_handle_at",
                                    "memfd_secret",
                                    "mknod",
                                    "mknodat",
                                    "symlink",
                                    "symlinkat",
                                    "link",
                                    "linkat",
                                    "chmod",
                                    "fchmod",
                                    "fchmodat",
                                    "chown",
                                    "fchown",
                                    "lchown",
                                    "fchownat",
                                    "ioperm",
                                    "iopl",
                                    "modify_ldt",
                                    "syslog"};

base::Status filter_system_calls() {
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_ALLOW), &seccomp_release);
  if (!filter) return base::fail(ErrorCode::io, "seccomp: no filter");
  for (const char* name : kRefused) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;  // not known on this architecture
    if (const int code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), number, 0); code < 0 && code != -EDOM)
      return base::fail(ErrorCode::io, std::string("seccomp ") + name + ": " + std::strerror(-code));
  }
  // Threads yes, processes no. clone3's flags lie in memory that a filter cannot see: it answers "unknown", and libc uses clone.
  const scmp_arg_cmp no_thread{0, SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0};
  int code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, no_thread);
  if (code >= 0) code = seccomp_rule_add(filter.get(), SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
  if (code >= 0) code = seccomp_load(filter.get());
  if (code < 0) return base::fail(ErrorCode::io, std::string("seccomp: ") + std::strerror(-code));
  return {};
}

}  // namespace

base::Status enter_sandbox(const media::ProcessLimits& limits) {
  ::mallopt(M_ARENA_MAX, kMallocArenas);
  // A write beyond the file limit must fail, not kill.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  KINORA_OK(limit(RLIMIT_CORE, 0, "core"));
#ifndef KINORA_SHADOW_MEMORY
  KINORA_OK(limit(RLIMIT_AS, limits.memory_bytes, "memory"));
#endif
  KINORA_OK(limit(RLIMIT_CPU, limits.cpu_s, "cpu"));
  KINORA_OK(limit(RLIMIT_FSIZE, limits.file_bytes, "file size"));
  KINORA_OK(limit(RLIMIT_NOFILE, kOpenFiles, "open files"));
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return base::fail(ErrorCode::io, "prctl: no new privileges");
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  return filter_system_calls();
}

}  // namespace kinora::media_app
