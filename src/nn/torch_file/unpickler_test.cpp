#include "nn/torch_file/unpickler.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/load_error.hpp"

namespace kinora::nn::torch_file {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

std::span<const std::byte> bytes(const std::string& text) { return std::as_bytes(std::span(text)); }

std::string refusal(const std::string& pickle) {
  try {
    unpickle(bytes(pickle), "m.pth", "data.pkl");
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

std::int64_t number(const std::string& pickle) {
  const Pickle read = unpickle(bytes(pickle), "m.pth", "data.pkl");
  const auto* value = read.get<std::int64_t>(read.root);
  return value == nullptr ? -12345 : *value;
}

// Opcodes as pickletools.dis shows them: K BININT1, M BININT2, J BININT, \x8a LONG1 (two's complement, little-endian).
TEST(Unpickler, reads_whole_numbers_of_every_size) {
  EXPECT_EQ(number("\x80\x02K\xff."), 255);
  EXPECT_EQ(number("\x80\x02M\x00\x01."s), 256);
  EXPECT_EQ(number("\x80\x02J\xff\xff\xff\xff."), -1);
  EXPECT_EQ(number("\x80\x02\x8a\x00."s), 0);
  EXPECT_EQ(number("\x80\x02\x8a\x01\xff."), -1);
  EXPECT_EQ(number("\x80\x02\x8a\x02\xff\x00."s), 255);
  EXPECT_EQ(number("\x80\x02\x8a\x08\x00\x00\x00\x00\x00\x00\x00\x80."s), std::numeric_limits<std::int64_t>::min());
}

TEST(Unpickler, builds_dicts_lists_and_tuples_and_remembers_them) {
  const std::string pickle =
      "\x80\x02}q\x00(X\x01\x00\x00\x00"
      "aK\x01U\x01"
      "b(K\x02K\x03tq\x01X\x01\x00\x00\x00"
      "ch\x01u."s;
  const Pickle read = unpickle(bytes(pickle), "f", "p");
  const auto* dict = read.get<Dict>(read.root);
  ASSERT_NE(dict, nullptr);
  EXPECT_EQ(std::get<std::int64_t>(*read.find(*dict, "a")), 1);
  const auto& tuple = std::get<Sequence>(*read.find(*dict, "b"));
  EXPECT_TRUE(tuple.tuple);
  EXPECT_EQ(*read.get<std::int64_t>(tuple.items.at(1)), 3);
  EXPECT_EQ(read.find(*dict, "c"), read.find(*dict, "b"));  // the same value
  EXPECT_EQ(read.find(*dict, "d"), nullptr);
  EXPECT_EQ(read.bytes, pickle.size());
}

TEST(Unpickler, a_later_value_of_a_key_wins) {
  const std::string pickle =
      "\x80\x02}(U\x01"
      "aK\x01U\x01"
      "aK\x02u.";
  const Pickle read = unpickle(bytes(pickle), "f", "p");
  EXPECT_EQ(std::get<std::int64_t>(*read.find(*read.get<Dict>(read.root), "a")), 2);
}

TEST(Unpickler, names_are_refused_before_anything_uses_them) {
  EXPECT_THAT(refusal("\x80\x02"
                      "cos\nsystem\n."),
              HasSubstr("m.pth: data.pkl byte 13: names os.system, which no file of weights needs"));
  EXPECT_THAT(refusal("\x80\x02"
                      "c__builtin__\neval\n."),
              HasSubstr("names __builtin__.eval"));
  EXPECT_THAT(refusal("\x80\x04\x8c\x08"
                      "builtins\x8c\x07getattr\x93."),
              HasSubstr("names builtins.getattr"));
  EXPECT_THAT(refusal("\x80\x02"
                      "cnumpy.core.multiarray\nscalar\n."),
              HasSubstr("holds numpy values"));
  EXPECT_THAT(refusal("\x80\x02"
                      "ccollections\nOrderedDict2\n."),
              HasSubstr("names collections.OrderedDict2"));
  EXPECT_THAT(refusal("\x80\x02"
                      "ca\x1b[31m\nb\n."),
              HasSubstr("names a?[31m.b"));  // no control characters in messages
}

TEST(Unpickler, a_name_that_may_be_mentioned_cannot_be_called) {
  const std::string mention =
      "\x80\x02"
      "cpytorch_lightning.callbacks.model_checkpoint\nModelCheckpoint\n";
  EXPECT_EQ(refusal(mention + "."), "accepted");
  EXPECT_THAT(refusal(mention + ")R."), HasSubstr("calls what is no function"));
  EXPECT_THAT(refusal(mention + "}b."), HasSubstr("expected a dict"));
}

TEST(Unpickler, opcodes_that_state_dicts_do_not_use_are_refused) {
  for (const char op : {'i', 'o', 'P', 'I', 'L', 'F', 'S', 'V', '\x81', '\x92', '\x8b', '\x82'})
    EXPECT_THAT(refusal("\x80\x02"s + op), HasSubstr("is none that torch.save writes")) << int(op);
  EXPECT_THAT(refusal("\x80\x01."), HasSubstr("protocol 1; supported: 2 to 5"));
}

TEST(Unpickler, a_pickle_that_takes_more_than_there_is_is_refused) {
  EXPECT_THAT(refusal(""), HasSubstr("ends early"));
  EXPECT_THAT(refusal("\x80\x02X\xff\xff\xff\x7f"
                      "abc"),
              HasSubstr("ends early"));
  EXPECT_THAT(refusal("\x80\x02"
                      "ctorch"),
              HasSubstr("ends early"));
  EXPECT_THAT(refusal("\x80\x02."), HasSubstr("a value that is not there"));
  EXPECT_THAT(refusal("\x80\x02t."), HasSubstr("a mark that is not there"));
  EXPECT_THAT(refusal("\x80\x02K\x01(0."), HasSubstr("a value that is not there"));  // not from below the mark
  EXPECT_THAT(refusal("\x80\x02h\x07."), HasSubstr("was not remembered"));
  EXPECT_THAT(refusal("\x80\x02}(K\x01u."), HasSubstr("a key without a value"));
  EXPECT_THAT(refusal("\x80\x02)K\x01"
                      "a."),
              HasSubstr("appends to a tuple"));
  EXPECT_THAT(refusal("\x80\x02K\x01K\x02."), HasSubstr("values left over"));
  EXPECT_THAT(refusal("\x80\x02U\x02\xff\xfe."), HasSubstr("not UTF-8"));
}

TEST(Unpickler, depth_sharing_and_cycles_cost_nothing) {
  EXPECT_EQ(refusal("\x80\x02" + std::string(1'000'000, ']') + std::string(999'999, 'a') + "."), "accepted");
  EXPECT_EQ(refusal("\x80\x02]q\x00h\x00"
                    "a."s),
            "accepted");                   // a list that holds itself
  std::string laughs = "\x80\x02]q\x00"s;  // each list holds the one before it twice: 2^200 paths
  for (int i = 0; i < 200; ++i)
    laughs +=
        "](h\x00h\x00"
        "eq\x00"s;
  EXPECT_THAT(refusal(laughs + "."), HasSubstr("values left over"));
}

TEST(Unpickler, the_number_of_values_is_limited) {
  EXPECT_THAT(refusal("\x80\x02" + std::string(kMaxPickleValues + 1, 'N')), HasSubstr("more than the limit of 4 194 304 values"));
}

TEST(Unpickler, tensors_need_a_storage_and_as_many_strides_as_dimensions) {
  const std::string storage =
      "(U\x07storagectorch\nFloatStorage\nU\x01"
      "0U\x03"
      "cpuK\x04tQ";
  const auto tensor = [&](const std::string& from, const std::string& shape) {
    return "\x80\x02"
           "ctorch._utils\n_rebuild_tensor_v2\n(" +
           from + "K\x00"s + shape + "K\x01\x85\x89}tR.";
  };
  EXPECT_EQ(refusal(tensor(storage, "K\x04\x85")), "accepted");
  EXPECT_THAT(refusal(tensor("K\x01", "K\x04\x85")), HasSubstr("a tensor without a storage"));
  EXPECT_THAT(refusal(tensor(storage, "K\x02K\x02\x86")), HasSubstr("more or fewer strides"));
  EXPECT_THAT(refusal(tensor(storage, "J\xff\xff\xff\xff\x85")), HasSubstr("a tensor's shape must be a whole number, not negative"));
  EXPECT_THAT(refusal(tensor(storage, "N")), HasSubstr("a tensor's shape must be a list"));
  EXPECT_THAT(refusal(tensor(storage, "(" + std::string(34, 'K') + "t")), HasSubstr("more than 16 dimensions"));
  EXPECT_THAT(refusal("\x80\x02(U\x07storageK\x01U\x01"
                      "0U\x03"
                      "cpuK\x04tQ."),
              HasSubstr("no storage"));
}

}  // namespace
}  // namespace kinora::nn::torch_file
