#pragma once
#include <cstdio>
#include <cstdlib>

// KINORA_CHECK(condition): aborts with file and line when an invariant of our own code is broken, in every build.
// Never use it on anything that input can cause; that is an Error (result.hpp).
#define KINORA_CHECK(condition)                                                              \
  do {                                                                                       \
    if (!(condition)) [[unlikely]] {                                                         \
      std::fprintf(stderr, "%s:%d: broken invariant: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                          \
    }                                                                                        \
  } while (false)
