#include "nn/torch_file/torch_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <numeric>

#include "nn/load_error.hpp"
#include "nn/torch_file/zip_directory.hpp"

namespace kinora::nn::torch_file {
namespace {

using testing::HasSubstr;

std::string golden(const std::string& name) {
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/pth_reader/" + name, std::ios::binary);
  EXPECT_TRUE(in) << name;
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<TensorRecord> read(const std::string& file) { return read_torch_file(std::as_bytes(std::span(file)), "m.pth"); }

std::string refusal(const std::string& file) {
  try {
    read(file);
  } catch (const LoadError& error) {
    return error.what();
  }
  return "accepted";
}

// Replaces the one occurrence of `from`, which must be as long as `to`.
std::string edited(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return text.replace(at, from.size(), to);
}

// The reasons are those that the golden case gives.
TEST(TorchFile, refuses_the_hostile_files_of_the_golden_data_for_their_reason) {
  EXPECT_THAT(refusal(golden("bad_os_system.pth")), HasSubstr("names posix.system"));
  EXPECT_THAT(refusal(golden("bad_eval.pth")), HasSubstr("names __builtin__.eval"));
  EXPECT_THAT(refusal(golden("bad_getattr.pth")), HasSubstr("names __builtin__.getattr"));
  // protocol 2 writes Python 2's name of subprocess
  EXPECT_THAT(refusal(golden("bad_subprocess_legacy.pth")), HasSubstr("names commands.Popen"));
  EXPECT_THAT(refusal(golden("bad_numpy_scalar.pth")), HasSubstr("save the tensors alone"));
  EXPECT_THAT(refusal(golden("bad_short_storage.pth")), HasSubstr("is shorter than the storage"));
  EXPECT_THAT(refusal(golden("bad_missing_storage.pth")), HasSubstr("its storage \"0\" is not in the file"));
  EXPECT_THAT(refusal(golden("bad_shape_too_large.pth")), HasSubstr("its shape reaches beyond its storage"));
  EXPECT_THAT(refusal(golden("bad_truncated_pickle.pth")), HasSubstr("ends early"));
  EXPECT_THAT(refusal(golden("bad_truncated_zip.pth")), HasSubstr("the file is truncated"));
  EXPECT_THAT(refusal(golden("bad_deep_nesting.pth")), HasSubstr("holds no dictionary of tensors"));
  EXPECT_THAT(refusal(golden("bad_huge_long.pth")), HasSubstr("ends early"));
  EXPECT_THAT(refusal(golden("bad_not_a_checkpoint.pth")), HasSubstr("neither a zip archive nor the legacy form"));
}

// Whatever is accepted must lie in the file: begin, shape and strides are what a tensor is made of without a further look.
void expect_in_file(const std::vector<TensorRecord>& records, std::size_t file_bytes) {
  for (const auto& record : records) {
    if (std::find(record.shape.begin(), record.shape.end(), 0) != record.shape.end()) continue;
    std::uint64_t elements = 1;
    for (std::size_t i = 0; i < record.shape.size(); ++i)
      elements += static_cast<std::uint64_t>(record.shape[i] - 1) * static_cast<std::uint64_t>(record.strides[i]);
    ASSERT_LE(record.begin + elements * bytes_per_element(record.dtype), file_bytes) << record.name;
  }
}

TEST(TorchFile, any_changed_byte_gives_an_error_or_tensors_that_lie_in_the_file) {
  int refused = 0, accepted = 0;
  for (const char* name : {"good_nested.ckpt", "good_legacy.pth", "good_protocol4.pth", "good_parameters.pth"}) {
    std::string file = golden(name);
    for (std::size_t i = 0; i < file.size(); ++i) {
      const char before = file[i];
      for (const unsigned flip : {0x01U, 0x20U, 0x80U, 0xffU}) {
        file[i] = static_cast<char>(static_cast<unsigned char>(before) ^ flip);
        try {
          expect_in_file(read(file), file.size());
          ++accepted;
        } catch (const LoadError& error) {
          ASSERT_EQ(error.file(), "m.pth");
          ++refused;
        }
      }
      file[i] = before;
    }
  }
  EXPECT_GT(refused, 1000);
  EXPECT_GT(accepted, 1000);  // most bytes are elements and padding
}

TEST(TorchFile, every_changed_byte_of_a_zips_pickle_and_every_truncation_is_refused) {
  std::string file = golden("good_params_ema.pth");
  const auto directory = read_zip_directory(std::as_bytes(std::span(file)), "f");
  const auto pickle = std::find_if(directory.begin(), directory.end(), [](const auto& e) { return e.first.ends_with("data.pkl"); })->second;
  for (std::size_t i = pickle.begin; i < pickle.begin + pickle.bytes; ++i) {
    file[i] ^= 0x10;
    EXPECT_THAT(refusal(file), HasSubstr("data.pkl: does not have its checksum"));
    file[i] ^= 0x10;
  }
  EXPECT_EQ(refusal(file), "accepted");
  for (std::size_t bytes = 0; bytes < file.size(); bytes += 7) EXPECT_NE(refusal(file.substr(0, bytes)), "accepted") << bytes;
  const std::string legacy = golden("good_legacy.pth");
  for (std::size_t bytes = 0; bytes < legacy.size(); ++bytes) EXPECT_NE(refusal(legacy.substr(0, bytes)), "accepted") << bytes;
}

TEST(TorchFile, legacy_files_must_be_little_endian_and_their_storages_as_large_as_their_tensors_say) {
  const std::string file = golden("good_legacy.pth");
  const auto little = file.find("little_endian");
  ASSERT_NE(little, std::string::npos);
  const auto value = file.find('\x88', little);  // NEWTRUE
  EXPECT_THAT(refusal(std::string(file).replace(value, 1, "\x89")), HasSubstr("only little-endian"));
  EXPECT_THAT(refusal(edited(file, std::string("M\xe9\x03"), std::string("M\xe8\x03"))), HasSubstr("protocol: is not 1001"));
}

// A zip of stored entries as APPNOTE 4.3 lays it out, without checksums of the entries that are not checked.
class Zip {
 public:
  Zip& add(const std::string& name, const std::string& contents, unsigned method = 0, unsigned flags = 0) {
    directory_ += record("PK\1\2", name, contents, method, flags, true);
    file_ += record("PK\3\4", name, contents, method, flags, false) + name + contents;
    ++entries_;
    return *this;
  }
  std::string bytes() const {
    std::string end = "PK\5\6" + std::string(4, '\0') + number(entries_, 2) + number(entries_, 2) + number(directory_.size(), 4) +
                      number(file_.size(), 4) + number(0, 2);
    return file_ + directory_ + end;
  }

 private:
  static std::string number(std::uint64_t value, int bytes) {
    std::string text;
    for (int i = 0; i < bytes; ++i) text += static_cast<char>(value >> (8 * i));
    return text;
  }
  std::string record(const char* signature, const std::string& name, const std::string& contents, unsigned method, unsigned flags,
                     bool central) const {
    std::string text(signature, 4);
    text += number(0, central ? 4 : 2) + number(flags, 2) + number(method, 2) + number(0, 4) + number(0, 4) + number(contents.size(), 4) +
            number(contents.size(), 4) + number(name.size(), 2) + number(0, 2);
    if (central) text += number(0, 2) + number(0, 8) + number(file_.size(), 4) + name;
    return text;
  }
  std::string file_, directory_;
  std::uint64_t entries_ = 0;
};

TEST(TorchFile, zips_of_other_programs_are_refused_with_the_reason) {
  EXPECT_THAT(refusal(Zip().add("a/readme.txt", "hello").bytes()), HasSubstr("it has no data.pkl"));
  EXPECT_THAT(refusal(Zip().add("a/data.pkl", ".").add("a/constants.pkl", ".").bytes()), HasSubstr("is a TorchScript program"));
  EXPECT_THAT(refusal(Zip().add("a/data.pkl", ".", 8).bytes()), HasSubstr("a/data.pkl: is compressed"));
  EXPECT_THAT(refusal(Zip().add("a/data.pkl", ".", 0, 1).bytes()), HasSubstr("is encrypted"));
  EXPECT_THAT(refusal(Zip().add("a/data.pkl", ".").add("a/data.pkl", ".").bytes()), HasSubstr("is twice in the zip directory"));
}

TEST(TorchFile, a_zip_whose_directory_lies_is_refused) {
  const std::string good = Zip().add("a/x", "12345").bytes();
  const auto directory = [](const std::string& file) { read_zip_directory(std::as_bytes(std::span(file)), "f"); };
  const auto refused = [&](std::size_t at, char value, const std::string& why) {
    std::string file = good;
    file[at] = value;
    EXPECT_THAT([&] { directory(file); }, testing::ThrowsMessage<LoadError>(HasSubstr(why)));
  };
  const std::size_t central = good.find("PK\1\2"), end = good.find("PK\5\6");
  directory(good);
  refused(central + 20, 9, "is compressed");  // packed and plain size differ
  refused(central + 42, 3, "zip header is not where the directory says");
  refused(central + 45, 9, "zip header lies outside the file");
  refused(26, 2, "zip header is not where the directory says");       // the name's length beside the entry
  refused(28, 1, "contents do not end where the next entry begins");  // its extra field's
  refused(29, 127, "contents leave the file");
  refused(end + 4, 1, "several parts");
  refused(end + 10, 2, "ends early");
  refused(end + 19, 9, "zip directory lies outside the file");
  refused(end + 20, 1, "truncated");  // a comment that is not there
}

}  // namespace
}  // namespace kinora::nn::torch_file
