#pragma once
// For tests over a real program of ours: KINORA_NEEDS_PROGRAM("bin/kinora-media") at the head of SetUp(). A missing program is a
// failure when the whole house is built, and skips the test in a build of a few rooms (KINORA_ROOMS), which leaves programs out.
#include <gtest/gtest.h>

#include <filesystem>

#ifdef KINORA_WHOLE_HOUSE
#define KINORA_NEEDS_PROGRAM(path) \
  if (!std::filesystem::exists(path)) FAIL() << (path) << " is missing: build everything first"
#else
#define KINORA_NEEDS_PROGRAM(path) \
  if (!std::filesystem::exists(path)) GTEST_SKIP() << (path) << " is not part of this build of a few rooms"
#endif
