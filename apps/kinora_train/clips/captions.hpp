#pragma once
// Sentences that describe a combination, in many wordings. Lower case, except that some begin with a capital letter.
#include <string>
#include <vector>

#include "kinora_train/clips/scene.hpp"

namespace kinora::train {

// "a red ball moves left over a blue sky", "above the meadow, a box in white is moving upwards".
std::string draw_caption(const Combination& what, Random& random);
// The plainest wording: the first choice everywhere.
std::string plain_caption(const Combination& what);
// As draw_caption(), at times with a made-up word somewhere, so that unknown words come to mean nothing.
std::string draw_training_caption(const Combination& what, Random& random);

// Every word that captions are made of, once, sorted.
std::vector<std::string> caption_words();

}  // namespace kinora::train
