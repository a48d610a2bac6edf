#include "nn/torch_file/zip_directory.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "nn/byte_reader.hpp"

namespace kinora::nn::torch_file {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50, kCentralHeader = 0x02014b50, kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50, kEnd64Locator = 0x07064b50, kDescriptor = 0x08074b50;
constexpr std::size_t kEndBytes = 22, kEnd64LocatorBytes = 20, kLocalHeaderBytes = 30, kMaxComment = 0xffff;
constexpr std::uint16_t kSaturated16 = 0xffff;
constexpr std::uint32_t kSaturated32 = 0xffffffff;

using Bytes = std::span<const std::byte>;

template <class T>
T at(Bytes bytes, std::size_t offset) {  // the caller has checked the bounds
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

struct Central {
  std::uint64_t entries = 0, offset = 0, bytes = 0;
};

std::size_t find_end(Bytes file, std::string_view name) {
  const std::size_t last = file.size() < kEndBytes ? 0 : file.size() - kEndBytes;
  const std::size_t first = last > kMaxComment ? last - kMaxComment : 0;
  for (std::size_t i = last + 1; file.size() >= kEndBytes && i-- > first;)
    if (at<std::uint32_t>(file, i) == kEnd && i + kEndBytes + at<std::uint16_t>(file, i + 20) == file.size()) return i;
  throw LoadError(name, "", "a zip archive without its end: the file is truncated");
}

Central find_central(Bytes file, std::string_view name) {
  const std::size_t end = find_end(file, name);
  if (at<std::uint16_t>(file, end + 4) != 0) throw LoadError(name, "", "a zip archive of several parts");
  Central central{at<std::uint16_t>(file, end + 10), at<std::uint32_t>(file, end + 16), at<std::uint32_t>(file, end + 12)};
  std::size_t limit = end;
  if (central.entries == kSaturated16 || central.offset == kSaturated32 || central.bytes == kSaturated32) {
    if (end < kEnd64LocatorBytes || at<std::uint32_t>(file, end - kEnd64LocatorBytes) != kEnd64Locator)
      throw LoadError(name, "", "a large zip archive without its zip64 locator");
    const auto end64 = at<std::uint64_t>(file, end - kEnd64LocatorBytes + 8);
    if (end64 > end) throw LoadError(name, "", "its zip64 end lies outside the file");
    ByteReader reader(file.first(end), name, "zip64 end", static_cast<std::size_t>(end64));
    if (reader.read<std::uint32_t>() != kEnd64) reader.refuse("is not there");
    reader.take(28);  // its size, versions, disks, entries on this disk
    central.entries = reader.read<std::uint64_t>();
    central.bytes = reader.read<std::uint64_t>();
    central.offset = reader.read<std::uint64_t>();
    limit = static_cast<std::size_t>(end64);
  }
  if (central.entries > kMaxZipEntries) throw LoadError(name, "", "more than the limit of 1 000 000 zip entries");
  if (central.offset > limit || central.bytes > limit - central.offset)
    throw LoadError(name, "", "its zip directory lies outside the file");
  return central;
}

struct Sizes {
  std::uint64_t stored, packed, header;
};

// The zip64 extra field holds, in this order, those of the three that are saturated in the header.
void widen(Sizes& sizes, Bytes extra, std::string_view file, std::string_view what) {
  if (sizes.stored != kSaturated32 && sizes.packed != kSaturated32 && sizes.header != kSaturated32) return;
  ByteReader reader(extra, file, what);
  while (reader.left() > 0) {
    const auto id = reader.read<std::uint16_t>();
    const auto field = reader.take(reader.read<std::uint16_t>());
    if (id != 1) continue;
    ByteReader wide(field, file, what);
    for (std::uint64_t* size : {&sizes.stored, &sizes.packed, &sizes.header})
      if (*size == kSaturated32) *size = wide.read<std::uint64_t>();
    return;
  }
  reader.refuse("has no zip64 sizes");
}

// The contents lie between the entry's own header and the next structure of the archive. Both ends are checked, because a wrong length
// in the header would otherwise shift every element of a tensor.
ZipEntry locate(Bytes file, const Sizes& sizes, std::uint32_t crc, std::string_view file_name, const std::string& entry) {
  const auto refuse = [&](std::string_view why) { throw LoadError(file_name, entry, why); };
  const std::uint64_t name_at = sizes.header + kLocalHeaderBytes;
  if (sizes.header > file.size() || name_at > file.size() || entry.size() > file.size() - name_at)
    refuse("its zip header lies outside the file");
  const auto header = file.subspan(static_cast<std::size_t>(sizes.header));
  const std::size_t name_bytes = at<std::uint16_t>(header, 26), extra_bytes = at<std::uint16_t>(header, 28);
  if (at<std::uint32_t>(header, 0) != kLocalHeader || name_bytes != entry.size() ||
      std::memcmp(header.data() + kLocalHeaderBytes, entry.data(), entry.size()) != 0)
    refuse("its zip header is not where the directory says");
  const std::uint64_t begin = name_at + name_bytes + extra_bytes;
  if (begin > file.size() || sizes.stored > file.size() - begin) refuse("its contents leave the file");
  const auto after = file.subspan(static_cast<std::size_t>(begin + sizes.stored));
  const std::uint32_t next = after.size() < sizeof(std::uint32_t) ? 0 : at<std::uint32_t>(after, 0);
  if (next != kLocalHeader && next != kCentralHeader && next != kDescriptor) refuse("its contents do not end where the next entry begins");
  return {.begin = begin, .bytes = sizes.stored, .crc32 = crc};
}

std::pair<std::string, ZipEntry> read_entry(ByteReader& directory, Bytes file, std::string_view file_name) {
  if (directory.read<std::uint32_t>() != kCentralHeader) directory.refuse("is not an entry");
  directory.take(4);  // versions
  const auto flags = directory.read<std::uint16_t>();
  const auto method = directory.read<std::uint16_t>();
  directory.take(4);  // time
  const auto crc = directory.read<std::uint32_t>();
  Sizes sizes{};
  sizes.packed = directory.read<std::uint32_t>();
  sizes.stored = directory.read<std::uint32_t>();
  const auto name_bytes = directory.read<std::uint16_t>();
  const auto extra_bytes = directory.read<std::uint16_t>();
  const auto comment_bytes = directory.read<std::uint16_t>();
  directory.take(8);  // disk, attributes
  sizes.header = directory.read<std::uint32_t>();
  std::string name(directory.text(name_bytes));
  widen(sizes, directory.take(extra_bytes), file_name, name);
  directory.take(comment_bytes);
  if ((flags & 1U) != 0) throw LoadError(file_name, name, "is encrypted");
  if (method != 0 || sizes.packed != sizes.stored)
    throw LoadError(file_name, name, "is compressed, which torch.save never does; save the weights again or use safetensors");
  ZipEntry entry = locate(file, sizes, crc, file_name, name);
  return {std::move(name), entry};
}

std::uint32_t crc32(Bytes bytes) {  // IEEE 802.3, reflected
  static const auto table = [] {
    std::array<std::uint32_t, 256> rows{};
    for (std::uint32_t i = 0; i < rows.size(); ++i) {
      std::uint32_t row = i;
      for (int bit = 0; bit < 8; ++bit) row = (row >> 1) ^ ((row & 1U) != 0 ? 0xedb88320U : 0U);
      rows[i] = row;
    }
    return rows;
  }();
  std::uint32_t crc = ~0U;
  for (const std::byte byte : bytes) crc = (crc >> 8) ^ table[(crc ^ std::to_integer<std::uint32_t>(byte)) & 0xffU];
  return ~crc;
}

}  // namespace

bool is_zip(Bytes file) { return file.size() >= 4 && at<std::uint32_t>(file, 0) == kLocalHeader; }

ZipDirectory read_zip_directory(Bytes file, std::string_view file_name) {
  const Central central = find_central(file, file_name);
  ByteReader reader(file.subspan(static_cast<std::size_t>(central.offset), static_cast<std::size_t>(central.bytes)), file_name,
                    "zip directory");
  ZipDirectory directory;
  for (std::uint64_t i = 0; i < central.entries; ++i) {
    auto entry = read_entry(reader, file, file_name);
    if (directory.contains(entry.first)) throw LoadError(file_name, entry.first, "is twice in the zip directory");
    directory.insert(std::move(entry));
  }
  return directory;
}

Bytes checked_contents(Bytes file, const ZipEntry& entry, std::string_view file_name, std::string_view entry_name) {
  const auto contents = file.subspan(static_cast<std::size_t>(entry.begin), static_cast<std::size_t>(entry.bytes));
  if (crc32(contents) != entry.crc32) throw LoadError(file_name, entry_name, "does not have its checksum: the file is damaged");
  return contents;
}

}  // namespace kinora::nn::torch_file
