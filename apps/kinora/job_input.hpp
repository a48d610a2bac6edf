#pragma once
// From a command line to a job's input, and from a job's output to files. Pure but for looking whether a file exists.
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::cli {

struct JobInput {
  struct File {
    std::string slot;
    bool many = false;
    std::filesystem::path path;
  };
  std::vector<File> files;   // to upload
  base::json::object value;  // parameters; put() adds the media

  void put(const File& file, const std::string& artifact);
};

// Words go to the task's input slots in their order (a slot that takes many takes the rest); words beyond, or a word that
// is no file while the task has a `prompt`, become the prompt. key=value pairs are typed by the catalogue.
base::Result<JobInput> read_job_input(const tasks::TaskSpec& task, const std::vector<std::string>& words,
                                      const std::vector<std::string>& sets);

struct Download {
  std::string url;
  std::filesystem::path file;
};
// Which files a finished job's `output` has and where they go: a single file to `output` itself (or into it, when it is a
// folder or ends in '/'), several into the folder `output` under their names.
base::Result<std::vector<Download>> plan_downloads(const base::json::object& output, const std::string& to);

// The job's output for a person: JSON with indents.
std::string pretty_output(const base::json::object& job);
std::string pretty_json(const base::json::value& value);

}  // namespace kinora::cli
