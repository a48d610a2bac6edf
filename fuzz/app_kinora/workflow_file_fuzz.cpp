// A workflow's file with a command line: refused, or a body that the gateway's own parser takes as well. The first line holds the words,
// separated by tabs (name=value are --arg), the rest is the file.
#include <cstdint>

#include "base/check.hpp"
#include "kinora/workflow_file.hpp"
#include "runs/request.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace kinora;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto end = std::min(text.find('\n'), text.size());
  std::vector<std::string> words, sets;
  for (std::string_view line = text.substr(0, end); !line.empty();) {
    const auto tab = std::min(line.find('\t'), line.size());
    const std::string word(line.substr(0, tab));
    (word.find('=') == std::string::npos ? words : sets).push_back(word);
    line.remove_prefix(std::min(tab + 1, line.size()));
  }
  auto input = cli::read_workflow(text.substr(std::min(end + 1, text.size())), words, sets);
  if (!input) return 0;
  for (const auto& file : input->files) input->put(file, "art_01KE0000000000000000000001");
  KINORA_CHECK(runs::parse_run_request(input->body));
  return 0;
}
