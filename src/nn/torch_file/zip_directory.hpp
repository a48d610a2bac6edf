#pragma once
// The directory of a zip archive whose entries are stored without compression, as torch.save writes them (PKWARE APPNOTE 4.3 and 4.5,
// with zip64). Reads the central directory only; a compressed or encrypted entry, an entry outside the file, a name given twice or a
// truncated archive is a LoadError. Pure.
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace kinora::nn::torch_file {

inline constexpr std::uint64_t kMaxZipEntries = 1'000'000;

struct ZipEntry {
  std::uint64_t begin = 0, bytes = 0;  // where in the file its contents lie
  std::uint32_t crc32 = 0;
};
using ZipDirectory = std::map<std::string, ZipEntry, std::less<>>;

bool is_zip(std::span<const std::byte> file);  // begins like one
ZipDirectory read_zip_directory(std::span<const std::byte> file, std::string_view file_name);
// The contents; throws when they do not have the checksum that the directory gives.
std::span<const std::byte> checked_contents(std::span<const std::byte> file, const ZipEntry& entry, std::string_view file_name,
                                            std::string_view entry_name);

}  // namespace kinora::nn::torch_file
