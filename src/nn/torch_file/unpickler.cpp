#include "nn/torch_file/unpickler.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <string>
#include <unordered_map>

#include "nn/byte_reader.hpp"
#include "nn/safetensors_header.hpp"
#include "nn/torch_file/rebuild.hpp"

namespace kinora::nn::torch_file {
namespace {

enum Op : std::uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kBinFloat = 'G',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kBinInt2 = 'M',
  kNone = 'N',
  kBinPersId = 'Q',
  kReduce = 'R',
  kBinUnicode = 'X',
  kEmptyList = ']',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kAppends = 'e',
  kBinGet = 'h',
  kLongBinGet = 'j',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kEmptyDict = '}',
  kShortBinString = 'U',
  kProto = 0x80,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95
};

constexpr std::size_t kMaxShownName = 80;

bool is_utf8(std::string_view text) {
  const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t point;
    const auto used = utf8proc_iterate(data, left, &point);
    if (used < 0) return false;
    data += used, left -= used;
  }
  return true;
}

class Unpickler {
 public:
  Unpickler(std::span<const std::byte> bytes, std::string_view file, std::string_view what) : in_(bytes, file, what) {}

  Pickle run() {
    for (;;) {
      const auto op = in_.read<std::uint8_t>();
      if (op == kStop) break;
      step(op);
    }
    pickle_.root = pop();
    if (!stack_.empty() || !marks_.empty()) in_.refuse("stops with values left over");
    pickle_.bytes = in_.position();
    return std::move(pickle_);
  }

 private:
  void step(std::uint8_t op) {
    switch (op) {
      case kProto: return protocol();
      case kFrame: in_.take(8); return;
      case kMark: marks_.push_back(stack_.size()); return;
      case kPop: pop(); return;
      case kPopMark: pop_mark(); return;
      case kNone: push(Plain{}); return;
      case kNewTrue: push(true); return;
      case kNewFalse: push(false); return;
      case kBinInt: push(std::int64_t{in_.read<std::int32_t>()}); return;
      case kBinInt1: push(std::int64_t{in_.read<std::uint8_t>()}); return;
      case kBinInt2: push(std::int64_t{in_.read<std::uint16_t>()}); return;
      case kLong1: return long_integer();
      case kBinFloat:
        in_.take(8);
        push(Plain{});
        return;
      case kShortBinString:
      case kShortBinUnicode: return text(in_.read<std::uint8_t>());
      case kBinUnicode: return text(in_.read<std::uint32_t>());
      case kBinUnicode8: return text(in_.read<std::uint64_t>());
      case kEmptyDict: push(Dict{}); return;
      case kEmptyList: push(Sequence{{}, false}); return;
      case kEmptyTuple: push(Sequence{{}, true}); return;
      case kTuple1: return tuple(1);
      case kTuple2: return tuple(2);
      case kTuple3: return tuple(3);
      case kTuple: push(Sequence{pop_mark(), true}); return;
      case kAppend: return append({pop()});
      case kAppends: return append(pop_mark());
      case kSetItem: return set_item();
      case kSetItems: return set_items(pop_mark());
      case kBinGet: return recall(in_.read<std::uint8_t>());
      case kLongBinGet: return recall(in_.read<std::uint32_t>());
      case kBinPut: memo_[in_.read<std::uint8_t>()] = top(); return;
      case kLongBinPut: memo_[in_.read<std::uint32_t>()] = top(); return;
      case kMemoize: memo_[static_cast<std::uint32_t>(memo_.size())] = top(); return;
      case kGlobal: return text_global();
      case kStackGlobal: return stack_global();
      case kBinPersId: return persistent(pop());
      case kReduce: return reduce();
      case kBuild: return build();
      default: in_.refuse("opcode " + std::to_string(op) + " is none that torch.save writes for a state dict");
    }
  }

  void push(Value value) {
    if (pickle_.values.size() >= kMaxPickleValues) in_.refuse("more than the limit of 4 194 304 values");
    pickle_.values.push_back(std::move(value));
    stack_.push_back(static_cast<Ref>(pickle_.values.size() - 1));
  }
  Ref top() {
    if (stack_.size() <= floor()) in_.refuse("takes a value that is not there");
    return stack_.back();
  }
  Ref pop() {
    const Ref value = top();
    stack_.pop_back();
    return value;
  }
  std::size_t floor() const { return marks_.empty() ? 0 : marks_.back(); }
  std::vector<Ref> pop_mark() {
    if (marks_.empty()) in_.refuse("takes a mark that is not there");
    std::vector<Ref> items(stack_.begin() + static_cast<std::ptrdiff_t>(marks_.back()), stack_.end());
    stack_.resize(marks_.back());
    marks_.pop_back();
    return items;
  }
  template <class T>
  T& top_as(std::string_view what) {
    T* value = std::get_if<T>(&pickle_.values[top()]);
    if (value == nullptr) in_.refuse("expected " + std::string(what));
    return *value;
  }

  void protocol() {
    const auto version = in_.read<std::uint8_t>();
    if (version < 2 || version > 5) in_.refuse("protocol " + std::to_string(version) + "; supported: 2 to 5");
  }
  void long_integer() {
    const auto bytes = in_.text(in_.read<std::uint8_t>());
    if (bytes.size() > sizeof(std::int64_t)) return push(LongInteger{bytes});
    // Two's complement: the last byte carries the sign.
    std::int64_t value = !bytes.empty() && static_cast<signed char>(bytes.back()) < 0 ? -1 : 0;
    std::memcpy(&value, bytes.data(), bytes.size());
    push(value);
  }
  void text(std::uint64_t bytes) {
    const auto taken = in_.text(bytes);
    if (!is_utf8(taken)) in_.refuse("a text that is not UTF-8");
    push(Text{taken});
  }
  void tuple(std::size_t count) {
    std::vector<Ref> items(count);
    for (std::size_t i = count; i-- > 0;) items[i] = pop();
    push(Sequence{std::move(items), true});
  }
  void append(const std::vector<Ref>& items) {
    auto& list = top_as<Sequence>("a list");
    if (list.tuple) in_.refuse("appends to a tuple");
    list.items.insert(list.items.end(), items.begin(), items.end());
  }
  void set_item() {
    const Ref value = pop();
    const Ref key = pop();
    set_items({key, value});
  }
  void set_items(const std::vector<Ref>& items) {
    if (items.size() % 2 != 0) in_.refuse("a key without a value");
    auto& dict = top_as<Dict>("a dict");
    for (std::size_t i = 0; i < items.size(); i += 2) dict.items.emplace_back(items[i], items[i + 1]);
  }
  void recall(std::uint32_t index) {
    const auto found = memo_.find(index);
    if (found == memo_.end()) in_.refuse("recalls a value that was not remembered");
    stack_.push_back(found->second);
  }

  void text_global() {
    const auto module = in_.line();
    global(module, in_.line());
  }
  void stack_global() {
    const Ref name = pop();
    const auto* name_text = pickle_.get<Text>(name);
    const auto* module_text = pickle_.get<Text>(pop());
    if (name_text == nullptr || module_text == nullptr) in_.refuse("a name that is no text");
    global(module_text->utf8, name_text->utf8);
  }
  void global(std::string_view module, std::string_view name) {
    if (const auto found = find_global(module, name)) return push(*found);
    std::string full;
    full.append(module.substr(0, kMaxShownName)).append(".").append(name.substr(0, kMaxShownName));
    std::replace_if(full.begin(), full.end(), [](char c) { return c < ' ' || c > '~'; }, '?');
    if (module.starts_with("numpy"))
      in_.refuse("holds numpy values (" + full + "), which are not read; save the tensors alone, best as safetensors");
    in_.refuse("names " + full + ", which no file of weights needs; nothing was executed. Use the model's safetensors file");
  }

  void persistent(Ref id) { push(rebuild_storage(pickle_, id, in_)); }
  void reduce() {
    const Ref arguments = pop();
    const Ref callable = pop();
    const Global* what = pickle_.get<Global>(callable);
    const auto* function = what == nullptr ? nullptr : std::get_if<Callable>(what);
    const auto* list = pickle_.get<Sequence>(arguments);
    if (function == nullptr || list == nullptr) in_.refuse("calls what is no function");
    if (*function == Callable::rebuild_parameter || *function == Callable::size) {  // both are their first argument
      if (list->items.empty()) in_.refuse("a call without arguments");
      return stack_.push_back(list->items.front());
    }
    push(rebuild(pickle_, *function, list->items, in_));
  }
  // An OrderedDict's attributes (the "_metadata" of modules) follow it; they say nothing about the tensors.
  void build() {
    pop();
    top_as<Dict>("a dict to give attributes to");
  }

  ByteReader in_;
  Pickle pickle_;
  std::vector<Ref> stack_;
  std::vector<std::size_t> marks_;
  std::unordered_map<std::uint32_t, Ref> memo_;
};

}  // namespace

const Value* Pickle::find(const Dict& dict, std::string_view key) const {
  const Value* found = nullptr;
  for (const auto& [name, value] : dict.items)
    if (const auto* text = get<Text>(name); text != nullptr && text->utf8 == key) found = &values[value];
  return found;
}

Pickle unpickle(std::span<const std::byte> bytes, std::string_view file, std::string_view what) {
  return Unpickler(bytes.first(std::min(bytes.size(), kMaxPickleBytes)), file, what).run();
}

}  // namespace kinora::nn::torch_file
