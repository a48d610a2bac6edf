// kinora-media: the process in which strangers' media is parsed. `kinora-media <operation>` reads one JSON request from standard
// input and writes events to standard output (docs/media.md). Exit status: 0 result, 1 error, 2 usage.
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>

#include "kinora_media/events.hpp"
#include "kinora_media/operations.hpp"
#include "kinora_media/output_folder.hpp"
#include "kinora_media/sandbox.hpp"
#include "kinora_media/stopper.hpp"
#include "media/request.hpp"
#include "media/version.hpp"

namespace {

using namespace kinora;

constexpr const char* kUsage =
    "kinora-media <operation> < request.json\n"
    "operations: probe verify measure slider compare transcode thumbnail clip concat loop mux overlay extract-frames extract-audio cut "
    "join, and "
    "version\n";

base::Result<std::string> read_all(int descriptor, std::size_t limit) {
  std::string text;
  char buffer[65536];
  for (;;) {
    const ssize_t n = ::read(descriptor, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail(base::ErrorCode::io, "standard input cannot be read");
    if (n == 0) return text;
    text.append(buffer, static_cast<std::size_t>(n));
    if (text.size() > limit) return base::fail(base::ErrorCode::too_large, "the request is too large");
  }
}

// What is wrong with a request is the caller's mistake, not the media's.
base::Error of_request(const base::Error& error) { return {base::ErrorCode::internal, "request: " + error.message}; }

base::Result<media::Request> take_request(media::Operation operation) {
  const auto text = read_all(STDIN_FILENO, media::kMaxRequestBytes);
  if (!text) return base::fail(of_request(text.error()));
  auto request = media::parse_request(operation, *text);
  if (!request) return base::fail(of_request(request.error()));
  KINORA_OK(media_app::enter_sandbox(request->process));
  return request;
}

int serve(media::Operation operation) {
  media_app::block_stop_signals();
  const auto request = take_request(operation);
  media_app::Events events(STDOUT_FILENO);
  if (!request) {
    events.error(request.error());
    return 1;
  }
  const media_app::OutputFolder folder(request->output_dir);
  const base::Error canceled{base::ErrorCode::canceled, "stopped by a signal"};
  media_app::Stopper stopper([&] {
    folder.remove_new();
    events.error(canceled);
    ::_exit(1);
  });
  media::Control control;
  control.stop = stopper.token();
  control.report = [&events](const media::Progress& progress) { events.progress(progress); };
  auto result = media_app::perform(*request, control);
  if (result && !control.stop.stop_requested()) {
    events.result(std::move(*result));
    return 0;
  }
  folder.remove_new();
  events.error(control.stop.stop_requested() ? canceled : result.error());
  return 1;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string name = count == 2 ? arguments[1] : "";
  if (name == "version" || name == "--version") {
    std::printf("%s\n", boost::json::serialize(media::versions()).c_str());
    return 0;
  }
  const auto operation = media::parse_operation(name);
  if (!operation) {
    std::fputs(kUsage, stderr);
    return 2;
  }
  return serve(*operation);
}
