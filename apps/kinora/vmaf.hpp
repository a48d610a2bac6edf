#pragma once
// VMAF by the ffmpeg program of the machine, where it was built with libvmaf. (The FFmpeg libraries that we link may lack it, and a filter
// graph of a program that users choose follows their FFmpeg.)
#include <boost/asio/any_io_executor.hpp>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "proc/process.hpp"

namespace kinora::cli {

// The first ffmpeg in PATH, if it has the filter libvmaf; nullopt if there is none or it has not.
proc::Task<std::optional<std::filesystem::path>> find_ffmpeg_with_vmaf(boost::asio::any_io_executor executor);

// Of each frame of `file` against the one of the same number of `reference`, 0..100, with FFmpeg's default model. The shorter one ends it.
// io: ffmpeg failed; the end of what it said. invalid: it wrote no scores.
proc::Task<base::Result<std::vector<double>>> vmaf(boost::asio::any_io_executor executor, std::filesystem::path ffmpeg,
                                                   std::filesystem::path reference, std::filesystem::path file);

// The scores in libvmaf's JSON log. invalid: it is none.
base::Result<std::vector<double>> read_vmaf_log(std::string_view log);

}  // namespace kinora::cli
