#pragma once
// From a command line to a job's input, and from a job's output to files. Pure but for looking whether a file exists.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "tasks/catalogue.hpp"

namespace kinora::cli {

// Media that the gateway fetches.
inline bool is_url(std::string_view word) { return word.starts_with("https://") || word.starts_with("http://"); }

struct JobInput {
  struct File {
    std::string slot;
    bool many = false;
    std::filesystem::path path;  // to upload, unless
    base::json::value named{};   // it is elsewhere: {"url"} or {"artifact"}
  };
  std::vector<File> files;
  base::json::object value;  // parameters; put() adds the media

  void put(const File& file, base::json::value media);
  // A result named x.png is asked for as png, where the task has such a `format` and none was given.
  void take_format(const tasks::TaskSpec& task, const std::filesystem::path& output);
};

// Words that are files, URLs or ids of artifacts go to the task's input slots in their order (a slot that takes many takes the rest); words
// beyond, or a word that is no file while the task has a `prompt`, become the prompt. key=value pairs are typed by the catalogue.
base::Result<JobInput> read_job_input(const tasks::TaskSpec& task, const std::vector<std::string>& words,
                                      const std::vector<std::string>& sets);

// "ID" or "ID:0.8" -> the job's `adapters`.
base::Result<base::json::array> read_adapters(const std::vector<std::string>& words);

// One artifact of a finished job's `output`.
struct OutputItem {
  std::string slot;
  std::string artifact;
  std::string filename;
  std::string url;
  bool several = false;            // an artifact of several files (an HLS ladder): `names` says which
  std::vector<std::string> names;  // relative to the artifact
};
std::vector<OutputItem> output_items(const base::json::object& output);

struct Download {
  std::string url;  // or path at the gateway
  std::filesystem::path file;
};
// Where an output's files go: a single file to `to` itself (or into it, when it is a folder or ends in '/'), several into the
// folder `to` under their names, an artifact of several files into a folder of its slot's name below it.
base::Result<std::vector<Download>> plan_downloads(const std::vector<OutputItem>& items, const std::string& to);

// What the job's output says beside its results: sizes that were rounded, what was left out.
std::vector<std::string> notes_of(const base::json::object& job);
// The job's output for a person: JSON with indents.
std::string pretty_output(const base::json::object& job);
std::string pretty_json(const base::json::value& value);

}  // namespace kinora::cli
