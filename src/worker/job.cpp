#include "worker/job.hpp"

#include <algorithm>
#include <boost/asio/experimental/awaitable_operators.hpp>

#include "net/url.hpp"
#include "worker/names.hpp"

namespace kinora::worker {
namespace {

using namespace boost::asio::experimental::awaitable_operators;

tasks::Progress bytes_progress(std::string_view stage, double fraction, std::uint64_t done, std::uint64_t total) {
  tasks::Progress progress;
  progress.fraction = std::clamp(fraction, 0.0, 1.0);
  progress.stage = stage;
  progress.units_done = static_cast<std::int64_t>(done);
  progress.units_total = static_cast<std::int64_t>(total);
  progress.unit = "byte";
  return progress;
}

double share(std::uint64_t done, std::uint64_t total) { return total == 0 ? 0 : static_cast<double>(done) / static_cast<double>(total); }

bool same_origin(const std::string& a, const std::string& b) {
  const auto one = net::parse_url(a), other = net::parse_url(b);
  return one && other && one->scheme == other->scheme && one->authority() == other->authority();
}

struct Job {
  const JobContext& context;
  const tasks::TaskOrder& order;
  const ProgressReport& report;

  TransferContext transfer(const std::string& url) const {
    net::TlsTrust trust;  // the system's authorities, unless the order names the gateway's key
    if (order.tls_pin && url.starts_with("https://")) trust = net::TlsTrust::pinned(*order.tls_pin);
    return {context.disk, context.client, std::move(trust), context.transfer_retry, reach(url)};
  }
  net::Reach reach(const std::string& url) const {
    const bool own = std::any_of(context.own_gateways.begin(), context.own_gateways.end(),
                                 [&](const std::string& gateway) { return same_origin(url, gateway); });
    return own ? net::Reach::anywhere : context.media_reach;
  }

  net::Task<Outcome<LocalInputs>> fetch(std::filesystem::path folder);
  net::Task<Outcome<void>> upload_all(tasks::TaskResult& result, const std::filesystem::path& folder);
  Outcome<void> check_files(tasks::TaskResult& result, const std::filesystem::path& folder) const;
};

net::Task<Outcome<LocalInputs>> Job::fetch(std::filesystem::path folder) {
  std::uint64_t total = 0;
  for (const tasks::OrderInput& input : order.inputs) total += static_cast<std::uint64_t>(input.bytes.value_or(0));
  std::uint64_t before = 0;  // bytes of the inputs that are complete
  LocalInputs out;
  for (std::size_t i = 0; i < order.inputs.size(); ++i) {
    const tasks::OrderInput& input = order.inputs[i];
    DownloadRequest request;
    request.url = input.url;
    if (input.bytes) request.bytes = static_cast<std::uint64_t>(*input.bytes);
    request.sha256 = input.sha256;
    request.max_bytes = context.max_input_bytes;
    request.file = folder / (std::to_string(i) + safe_extension(input.name));
    const auto file = request.file;
    const auto moved = [&](std::uint64_t done) {
      report(bytes_progress("download", kFetchShare * share(before + done, total), before + done, total));
    };
    KINORA_CO_HAVE(const std::uint64_t bytes, co_await context.cache.fetch(transfer(input.url), std::move(request), moved));
    before += bytes;
    out.emplace_back(input.slot, file);
  }
  co_return out;
}

Outcome<void> Job::check_files(tasks::TaskResult& result, const std::filesystem::path& folder) const {
  for (tasks::ResultFile& file : result.files) {
    const auto path = output_path(folder, file.name);
    if (!path) return failed("worker_error", path.error().message);
    std::error_code error;
    file.bytes = static_cast<std::int64_t>(std::filesystem::file_size(*path, error));
    if (error) return failed("worker_error", "cannot look at the output " + file.name);
  }
  return {};
}

net::Task<Outcome<void>> Job::upload_all(tasks::TaskResult& result, const std::filesystem::path& folder) {
  if (result.files.empty()) co_return Outcome<void>();
  if (!order.upload) co_return failed("internal", "the order says nowhere to put its files");
  auto checked = co_await context.disk.run([&] { return check_files(result, folder); });
  if (!checked) co_return checked;
  std::uint64_t total = 0;
  for (const tasks::ResultFile& file : result.files) total += static_cast<std::uint64_t>(file.bytes);

  std::vector<std::uint64_t> done(result.files.size(), 0);
  std::uint64_t all_done = 0;
  std::size_t next = 0;
  Outcome<void> outcome;  // the first failure ends all
  const auto lane = [&]() -> net::Task<void> {
    while (outcome && next < result.files.size()) {
      const std::size_t i = next++;
      tasks::ResultFile& file = result.files[i];
      UploadRequest request;
      request.url = order.upload->url + file.name;  // characters of a file name need no escapes in a URL
      request.token = order.upload->token;
      request.mime = file.mime;
      request.file = folder / file.name;
      const auto moved = [&, i](std::uint64_t now) {
        all_done = all_done - done[i] + now;
        done[i] = now;
        report(bytes_progress("upload", 1 - kUploadShare + kUploadShare * share(all_done, total), all_done, total));
      };
      auto uploaded = co_await upload(transfer(request.url), std::move(request), moved);
      if (!uploaded) {
        outcome = failed(std::move(uploaded).error());
        co_return;
      }
      file.bytes = static_cast<std::int64_t>(uploaded->bytes);
      file.sha256 = std::move(uploaded->sha256);
    }
  };
  static_assert(kUploadsAtOnce == 4);
  co_await (lane() && lane() && lane() && lane());
  co_return outcome;
}

}  // namespace

net::Task<Outcome<tasks::TaskResult>> do_job(JobContext context, const tasks::TaskOrder& order, const Program& program,
                                             ProgressReport report) {
  Job job{context, order, report};
  const auto root = context.folder.attempt(order.attempt);
  const auto made = co_await context.disk.run([&] { return context.folder.make_attempt(order.attempt); });
  if (!made) co_return failed(disk_failure(made.error()));
  KINORA_CO_HAVE(const LocalInputs inputs, co_await job.fetch(root / "in"));

  const auto begun = net::Clock::now();
  const auto inner = [&report](tasks::Progress progress) {
    progress.fraction = kFetchShare + (1 - kFetchShare - kUploadShare) * std::clamp(progress.fraction, 0.0, 1.0);
    if (progress.stage.empty()) progress.stage = "run";
    report(progress);
  };
  auto ran = co_await program(order, inputs, root / "out", inner);
  if (!ran) {
    tasks::TaskFailure failure = std::move(ran).error();
    failure.detail = redacted(failure.detail, context.folder.root());
    co_return failed(std::move(failure));
  }
  tasks::TaskResult result = std::move(*ran);
  const std::chrono::duration<double> took = net::Clock::now() - begun;
  result.seconds = took.count();
  if (auto uploaded = co_await job.upload_all(result, root / "out"); !uploaded) co_return failed(std::move(uploaded).error());
  co_return result;
}

}  // namespace kinora::worker
