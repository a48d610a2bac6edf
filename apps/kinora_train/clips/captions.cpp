#include "kinora_train/clips/captions.hpp"

#include <cctype>
#include <set>
#include <sstream>

namespace kinora::train {
namespace {

using Words = std::vector<std::string>;

const Words& nouns(Shape shape) {
  static const std::array<Words, 4> all{Words{"ball", "circle", "disc", "round ball"}, Words{"square", "box", "block"}, Words{"triangle"},
                                        Words{"star"}};
  return all[static_cast<std::size_t>(shape)];
}

const Words& ways(Direction direction) {
  static const std::array<Words, 4> all{Words{"left", "to the left", "leftwards", "leftward"},
                                        Words{"right", "to the right", "rightwards", "rightward"}, Words{"up", "upwards", "upward"},
                                        Words{"down", "downwards", "downward"}};
  return all[static_cast<std::size_t>(direction)];
}

const Words& places(Background background) {
  static const std::array<Words, 6> all{Words{"a blue sky", "the sky", "the blue sky", "a clear sky"},
                                        Words{"green grass", "a meadow", "the grass", "a green lawn"},
                                        Words{"a night sky", "the night sky", "the dark night", "the night"},
                                        Words{"a sunset", "the sunset", "an orange sunset", "the evening sun"},
                                        Words{"yellow sand", "the sand", "a desert", "a sandy beach"},
                                        Words{"white snow", "the snow", "a snowy field", "a snow field"}};
  return all[static_cast<std::size_t>(background)];
}

const Words kVerbs{"moves", "slides", "flies", "drifts", "goes", "travels", "glides", "is moving", "moving", "floats"};
const Words kArticles{"a", "the", "one"};
const Words kAbove{"over", "above", "on", "across", "in front of", "against"};

// Words of the sentence, in its three orders.
struct Choice {
  std::string article, noun, verb, way, above, place;
  bool colour_last = false;
  int order = 0;
};

std::string sentence(const Combination& what, const Choice& c) {
  const std::string colour(name(what.colour));
  // "a orange ball" would be wrong.
  const std::string article = c.article == "a" && !c.colour_last && what.colour == Colour::orange ? "an" : c.article;
  const std::string subject = c.colour_last ? article + " " + c.noun + " in " + colour : article + " " + colour + " " + c.noun;
  const std::string moves = c.verb + " " + c.way;
  switch (c.order) {
    case 1: return c.above + " " + c.place + ", " + subject + " " + moves;
    case 2: return c.place + " with " + subject + " " + moves;
    default: return subject + " " + moves + " " + c.above + " " + c.place;
  }
}

std::string made_up_word(Random& random) {
  std::string word;
  for (int letters = random.integer(2, 7); letters > 0; --letters) word += static_cast<char>('a' + random.integer(0, 25));
  return word;
}

}  // namespace

std::string plain_caption(const Combination& what) {
  return sentence(what, {.article = kArticles[0],
                         .noun = nouns(what.shape)[0],
                         .verb = kVerbs[0],
                         .way = ways(what.direction)[0],
                         .above = kAbove[0],
                         .place = places(what.background)[0]});
}

std::string draw_caption(const Combination& what, Random& random) {
  // Half of the time the first wording, which people use most.
  const auto pick = [&random](const Words& words) {
    return random.chance(0.4) ? words[0] : words[static_cast<std::size_t>(random.integer(0, static_cast<int>(words.size()) - 1))];
  };
  Choice choice;
  choice.article = pick(kArticles);
  choice.noun = pick(nouns(what.shape));
  choice.verb = pick(kVerbs);
  choice.way = pick(ways(what.direction));
  choice.above = pick(kAbove);
  choice.place = pick(places(what.background));
  choice.colour_last = random.chance(0.1);
  choice.order = random.chance(0.7) ? 0 : random.integer(1, 2);
  std::string text = sentence(what, choice);
  if (random.chance(0.2)) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  if (random.chance(0.2)) text += ".";
  return text;
}

std::string draw_training_caption(const Combination& what, Random& random) {
  std::string text = draw_caption(what, random);
  if (!random.chance(0.1)) return text;
  std::vector<std::size_t> gaps{0};
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == ' ') gaps.push_back(i + 1);
  return text.insert(gaps[static_cast<std::size_t>(random.integer(0, static_cast<int>(gaps.size()) - 1))], made_up_word(random) + " ");
}

std::vector<std::string> caption_words() {
  std::set<std::string> words;
  const auto add = [&words](const std::string& text) {
    std::istringstream parts(text);
    for (std::string word; parts >> word;) words.insert(word);
  };
  const auto add_all = [&add](const Words& texts) {
    for (const auto& text : texts) add(text);
  };
  for (const auto shape : kShapes) add_all(nouns(shape));
  for (const auto direction : kDirections) add_all(ways(direction));
  for (const auto background : kBackgrounds) add_all(places(background));
  for (const auto colour : kColours) add(std::string(name(colour)));
  add_all(kVerbs);
  add_all(kArticles);
  add_all(kAbove);
  add("an in with");
  return {words.begin(), words.end()};
}

}  // namespace kinora::train
