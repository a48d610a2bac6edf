#pragma once
// From a workflow's file and a command line to the body of POST /v1/runs (docs/cli.md). Pure but for looking whether a file exists.
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace kinora::cli {

struct WorkflowInput {
  struct File {
    std::string arg;
    bool many = false;  // one of a list
    std::filesystem::path path;
  };
  std::vector<File> files;           // to upload
  base::json::object body;           // of POST /v1/runs; put() adds the media to its args
  std::vector<std::string> outputs;  // names that -o may ask for
  std::vector<std::string> tasks;    // without a node for each of these the run cannot succeed

  void put(const File& file, base::json::value media);
};

// `text` is a body of POST /v1/runs whose `args` are defaults; null: the command line has to give it.
//   `sets`   name=value: a file for an argument that stands in a media slot (again for one more of a list; art_... and URLs are taken as
//   they are),
//            else JSON or text, typed by where the argument stands.
//   `words`  a file or URL goes to the next media argument without a value; another text becomes the argument `prompt`, or, where there is
//   none,
//            the first text argument.
// The definition is checked as the gateway would. Errors: invalid, not_found.
base::Result<WorkflowInput> read_workflow(std::string_view text, const std::vector<std::string>& words,
                                          const std::vector<std::string>& sets);

}  // namespace kinora::cli
