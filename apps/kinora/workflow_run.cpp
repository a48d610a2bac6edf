// kinora run --workflow file.json [words...] --arg name=value -o name=path: uploads, submits, shows the tree, downloads.
#include <cstdio>
#include <fstream>
#include <sstream>

#include "base/time.hpp"
#include "base/ulid.hpp"
#include "kinora/downloads.hpp"
#include "kinora/follow.hpp"
#include "kinora/progress_line.hpp"
#include "kinora/run_options.hpp"
#include "kinora/run_outputs.hpp"
#include "kinora/workflow_file.hpp"

namespace kinora::cli {
namespace {

namespace fs = std::filesystem;
namespace json = base::json;
using base::ErrorCode;

base::Result<std::string> read_text(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::error_code error;
  if (!in || !fs::is_regular_file(path, error)) return base::fail(ErrorCode::not_found, "cannot read the workflow " + path);
  std::ostringstream text;
  text << in.rdbuf();
  return std::move(text).str();
}

net::Task<base::Result<std::vector<std::string>>> save(ApiClient& api, const json::object& outputs, std::vector<OutputWish> wishes) {
  std::vector<std::string> saved;
  for (const OutputWish& wish : wishes) {
    KINORA_CO_TRY(SaveOutput plan, plan_output(outputs, wish));
    if (!plan.items.empty()) {
      KINORA_CO_TRY(const auto files, co_await download_items(api, std::move(plan.items), plan.path));
      saved.insert(saved.end(), files.begin(), files.end());
      continue;
    }
    std::error_code error;
    if (fs::path(plan.path).has_parent_path()) fs::create_directories(fs::path(plan.path).parent_path(), error);
    std::ofstream out(plan.path, std::ios::binary | std::ios::trunc);
    out << plan.text;
    out.close();
    if (!out) co_return base::fail(ErrorCode::io, "cannot write " + plan.path);
    saved.push_back(plan.path);
  }
  co_return saved;
}

}  // namespace

net::Task<base::Result<int>> run_workflow(ApiClient& api, const Context& context, const RunOptions& options, Submitted& submitted) {
  const auto text = read_text(options.workflow);
  if (!text) co_return report_usage(context, text.error());
  auto read = read_workflow(*text, options.words, options.args);
  if (!read) co_return report_usage(context, read.error().within(options.workflow));
  WorkflowInput input = std::move(*read);
  const auto wishes = read_output_wishes(options.outputs, input.outputs);
  if (!wishes) co_return report_usage(context, wishes.error());
  KINORA_CO_OK(co_await wait_for_offers(api, input.tasks));
  {
    ProgressLine line(stderr, "upload", options.quiet);
    for (const WorkflowInput::File& file : input.files) {
      KINORA_CO_TRY(const std::string artifact, co_await api.upload(file.path, [&](std::uint64_t sent, std::uint64_t total) {
        line.show({.fraction = total == 0 ? 1.0 : static_cast<double>(sent) / static_cast<double>(total), .stage = file.arg});
      }));
      input.put(file, {{"artifact", artifact}});
    }
    line.finish("");
  }
  base::UlidSource ulids;
  const std::string key = options.key.empty() ? "cli-" + ulids.next(base::wall_clock()) : options.key;
  const net::Headers headers{{"idempotency-key", key}};
  KINORA_CO_TRY(const json::value made, co_await api.post("/v1/runs", input.body, headers));
  const std::string id(made.at("id").as_string());
  submitted.path = "/v1/runs/" + id;

  RunDisplay display(stderr, options.quiet);
  KINORA_CO_TRY(const json::object run, co_await follow_run(api, context, id, display));
  const int status = exit_status(run);
  const json::object& outputs = run.at("outputs").as_object();
  if (status == kExitOk || run.at("status").as_string() == "partially_succeeded") {
    const auto saved = co_await save(api, outputs, *wishes);
    if (!saved && status == kExitOk) co_return base::fail(saved.error());
    if (saved && !options.quiet)
      for (const std::string& file : *saved) std::fprintf(stderr, "  %s\n", file.c_str());
  }
  if (context.json)
    std::printf("%s\n", json::serialize(run).c_str());
  else if (status == kExitOk && wishes->empty())
    std::printf("%s\n", pretty_json(outputs).c_str());
  co_return status;
}

}  // namespace kinora::cli
