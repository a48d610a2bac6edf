#pragma once
// `-o` of a workflow: which output of the run goes into which file (docs/cli.md). Pure but for looking at folders.
#include <string>
#include <vector>

#include "base/json.hpp"
#include "kinora/job_input.hpp"

namespace kinora::cli {

struct OutputWish {
  std::string name;  // of the output
  std::string path;  // a file, or a folder when the output has several
};
// `name=path` for one output; a path alone when the workflow has one output, or, when it is a folder or ends in '/', for all of them:
// each under its name. Errors: invalid, with the names that there are.
base::Result<std::vector<OutputWish>> read_output_wishes(const std::vector<std::string>& words, const std::vector<std::string>& names);

struct SaveOutput {
  std::string path;
  std::vector<OutputItem> items;  // files to fetch; empty: `text` is written
  std::string text;
};
// From the `outputs` of a run that has ended. In a folder a single file is called `<name><extension of its own name>`. not_found: the run
// has no value for it.
base::Result<SaveOutput> plan_output(const base::json::object& outputs, const OutputWish& wish);

}  // namespace kinora::cli
