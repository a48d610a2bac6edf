#pragma once
// What Wan's pipelines do to a prompt before they tokenise it: repair text that went through a wrong decoder, resolve HTML entities,
// make white space single. Follows ftfy (its default fixes) and Python's html.unescape where prompts need them:
// - UTF-8 that was read as Latin-1 or Windows-1252 ("cafÃ©"), also twice; other encodings are left alone. Text is only touched when
//   it holds a sequence that no one writes, or when all its characters beyond ASCII come in such sequences;
// - numeric entities and the names of HTML 4;
// - Latin ligatures, full- and half-width forms, curled quotes, line breaks, terminal escapes, control characters; NFC.
// Pure. Malformed UTF-8 counts as U+FFFD.
#include <string>
#include <string_view>

namespace kinora::nn {

std::string clean_prompt(std::string_view prompt);

// Parts of it, for valid UTF-8:
std::string repair_mojibake(std::string_view valid);
std::string unescape_html(std::string_view valid);  // one level: "&amp;lt;" -> "&lt;"

}  // namespace kinora::nn
