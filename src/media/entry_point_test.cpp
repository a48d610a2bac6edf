#include "media/entry_point.hpp"

#include <gtest/gtest.h>

#include "base/bytes.hpp"

namespace kinora::media {
namespace {

bool entry(AVCodecID codec, const std::string& hex, const std::string& extra_hex = "") {
  AVCodecParameters* parameters = avcodec_parameters_alloc();
  parameters->codec_id = codec;
  const auto extra = base::from_hex(extra_hex), packet = base::from_hex(hex);
  parameters->extradata = static_cast<std::uint8_t*>(av_mallocz(extra->size() + AV_INPUT_BUFFER_PADDING_SIZE));
  std::copy(extra->begin(), extra->end(), parameters->extradata);
  parameters->extradata_size = static_cast<int>(extra->size());
  const bool is = is_entry_point(*parameters, *packet);
  avcodec_parameters_free(&parameters);
  return is;
}

TEST(EntryPoint, is_an_idr_picture_with_start_codes_or_lengths) {
  EXPECT_TRUE(entry(AV_CODEC_ID_H264, "0000000109f0000000016588"));   // delimiter, IDR slice
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "0000000109f0000000014188"));  // delimiter, non-IDR slice
  const std::string avcc = "0164001fff";                              // 4-byte lengths
  EXPECT_TRUE(entry(AV_CODEC_ID_H264, "0000000209f0000000026588", avcc));
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "0000000209f0000000024188", avcc));
}

TEST(EntryPoint, is_a_recovery_point_that_recovers_at_once) {
  EXPECT_TRUE(entry(AV_CODEC_ID_H264, "0000010606018480000001419a"));   // SEI 6, 1 byte, count ue "1" = 0
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "0000010606014480000001419a"));  // count ue "010" = 1
  // Behind another message whose payload holds an emulation prevention byte: 05, size 4, 00 00 (03) 01 02.
  EXPECT_TRUE(entry(AV_CODEC_ID_H264, "0000010605040000030102060184800000014188"));
}

TEST(EntryPoint, is_an_irap_picture_of_hevc) {
  EXPECT_TRUE(entry(AV_CODEC_ID_HEVC, "000000012a01af"));   // type 21, CRA
  EXPECT_TRUE(entry(AV_CODEC_ID_HEVC, "000000012601af"));   // type 19, IDR_W_RADL
  EXPECT_FALSE(entry(AV_CODEC_ID_HEVC, "000000010201af"));  // type 1, TRAIL_R
}

TEST(EntryPoint, survives_lengths_that_lie_and_believes_other_codecs) {
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "ffffffff41", "0164001fff"));
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "", "0164001fff"));
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "000001"));
  EXPECT_FALSE(entry(AV_CODEC_ID_H264, "00000106ffffff"));
  EXPECT_TRUE(entry(AV_CODEC_ID_VP9, "00"));
}

}  // namespace
}  // namespace kinora::media
