# The rooms, which rooms each may use (the same arrows as docs/map.md; scripts/check-arrows reads the includes), and the apps.
set(async_links Boost::headers OpenSSL::SSL OpenSSL::Crypto fmt::fmt)

macro(house_room name)
  if(EXISTS ${CMAKE_SOURCE_DIR}/src/${name} AND (KINORA_ROOMS STREQUAL "" OR ${name} IN_LIST KINORA_ROOMS))
    kinora_room(${name} ${ARGN})
  endif()
endmacro()

find_package(nlohmann_json REQUIRED)
find_package(LibTorch REQUIRED)
find_package(Utf8proc REQUIRED)
house_room(nn LINKS Torch::cpu nlohmann_json::nlohmann_json Utf8proc::utf8proc)
house_room(models USES nn LINKS Torch::cpu)
if(KINORA_MODELS_ONLY)
  return()
endif()

find_package(PkgConfig REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(Boost 1.81 REQUIRED COMPONENTS json url)
find_package(Protobuf REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL REQUIRED)
pkg_check_modules(nghttp2 REQUIRED IMPORTED_TARGET libnghttp2)
pkg_check_modules(seccomp REQUIRED IMPORTED_TARGET libseccomp)
pkg_check_modules(ffmpeg REQUIRED IMPORTED_TARGET libavformat libavcodec libavfilter libavutil libswscale libswresample)
set(async_links Boost::headers Boost::json Boost::url OpenSSL::SSL OpenSSL::Crypto fmt::fmt)
kinora_pch(async LINKS ${async_links}
  HEADERS <boost/asio.hpp> <boost/asio/ssl.hpp> <boost/asio/experimental/awaitable_operators.hpp> <boost/json.hpp> <fmt/format.h>
          <chrono> <functional> <map> <memory> <string> <string_view> <vector>)

# floor 0
house_room(base LINKS fmt::fmt spdlog::spdlog Boost::json OpenSSL::Crypto)
# floor 1
house_room(net USES base LINKS ${async_links} PkgConfig::nghttp2 PCH async)
house_room(proc USES base LINKS ${async_links} PCH async)
house_room(store USES base LINKS ${async_links} SQLite::SQLite3 PCH async)
house_room(media USES base LINKS PkgConfig::ffmpeg)
house_room(tasks USES base LINKS Boost::json)
house_room(hub USES base LINKS CURL::libcurl OpenSSL::Crypto Boost::json)
# floor 2
if(EXISTS ${CMAKE_SOURCE_DIR}/src/wire AND (KINORA_ROOMS STREQUAL "" OR wire IN_LIST KINORA_ROOMS))
  include(${CMAKE_SOURCE_DIR}/src/wire/proto.cmake)
endif()
house_room(wire USES base net LINKS kinora_wire_proto PCH async)
house_room(jobs USES base store tasks PCH async)
# floor 3
house_room(runs USES base store tasks jobs TEST_LINKS rapidcheck PCH async)
house_room(market USES base net wire tasks PCH async)
house_room(worker USES base net proc tasks PCH async)
house_room(orchestrator USES base net wire tasks PCH async)
if(TARGET kinora_orchestrator AND TARGET kinora_market)
  include(${CMAKE_SOURCE_DIR}/tests/market/market_loopback.cmake)
endif()
house_room(runner USES base net media nn models tasks LINKS ${async_links})
# floor 4
house_room(gateway USES base net proc store tasks jobs runs wire market PCH async)

kinora_app(kinora NAME kinora USES base net proc tasks hub gateway market orchestrator worker LINKS CLI11::CLI11 PCH async)
kinora_app(kinora_media NAME kinora-media USES base media LINKS PkgConfig::seccomp)
kinora_app(kinora_runner NAME kinora-runner USES base runner LINKS CLI11::CLI11)
kinora_app(kinora_train NAME kinora-train USES base media nn models LINKS CLI11::CLI11)

# Tests over the real programs: see src/base/test_program.hpp.
if(KINORA_TESTS AND KINORA_ROOMS STREQUAL "")
  target_compile_definitions(worker_test PRIVATE KINORA_WHOLE_HOUSE)
  target_compile_definitions(app_kinora_runner_test PRIVATE KINORA_WHOLE_HOUSE)
endif()

# The thread sanitizer sees the runner's queue without the rest of its room, which is LibTorch's and FFmpeg's.
if(KINORA_TESTS AND KINORA_SANITIZE STREQUAL "thread" AND NOT TARGET kinora_runner)
  add_executable(runner_queue_test src/runner/bounded_queue_test.cpp)
  target_link_libraries(runner_queue_test PRIVATE kinora_options GTest::gtest_main)
  gtest_discover_tests(runner_queue_test TEST_PREFIX runner. DISCOVERY_MODE PRE_TEST)
endif()
