#include "kinora_train/samples.hpp"

#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/roll.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "kinora_train/error.hpp"
#include "kinora_train/pictures.hpp"
#include "kinora_train/sample_file.hpp"
#include "kinora_train/test_pictures.hpp"
#include "media/image.hpp"
#include "nn/safetensors.hpp"

namespace kinora::train {
namespace {

void write_photo(const std::filesystem::path& path, std::int64_t height, std::int64_t width) {
  take(media::write_image(path.string(), frame_of(wavy_picture(height, width), {}), media::ImageType::png));
}

TEST(Sources, finds_photos_and_clips_by_their_endings_in_order) {
  const TestFolder folder;
  std::filesystem::create_directories(folder / "deep");
  for (const char* name : {"b.PNG", "deep/c.mp4", "a.jpeg", "notes.txt"}) std::ofstream(folder / name) << "x";
  const SourceList list = find_sources({folder.path()}, {});
  ASSERT_EQ(list.sources.size(), 3U);
  EXPECT_EQ(list.sources[0].path.filename(), "a.jpeg");
  EXPECT_EQ(list.sources[1].path.filename(), "b.PNG");
  EXPECT_EQ(list.sources[2].kind, SourceKind::clip);
  EXPECT_TRUE(list.skipped.empty());
}

TEST(Sources, a_list_chooses_and_says_what_is_missing) {
  const TestFolder folder;
  for (const char* name : {"a.png", "b.png", "c.txt"}) std::ofstream(folder / name) << "x";
  std::ofstream(folder / "list") << "# photos\nb.png   # the second\n\nmissing.png\nc.txt\n";
  const SourceList list = find_sources({folder.path()}, folder / "list");
  ASSERT_EQ(list.sources.size(), 1U);
  EXPECT_EQ(list.sources[0].path.filename(), "b.png");
  ASSERT_EQ(list.skipped.size(), 2U);
  EXPECT_NE(list.skipped[0].find("missing.png"), std::string::npos);
  EXPECT_THROW(find_sources({folder.path()}, folder / "no such list"), Failure);
}

TEST(Sources, a_data_folder_that_does_not_exist_is_an_error) { EXPECT_THROW(find_sources({"/no/such/folder"}, {}), Failure); }

TEST(Samples, skips_and_counts_what_cannot_be_used) {
  const TestFolder folder;
  write_photo(folder / "good.png", 420, 480);
  write_photo(folder / "small.png", 64, 64);
  std::ofstream(folder / "text.png") << "not a picture";
  std::ofstream(folder / "empty.mp4");
  std::vector<std::size_t> progress;
  const SampleSet set = make_samples(find_sources({folder.path()}, {}), 8, 2, 1, [&](std::size_t done) { progress.push_back(done); });
  EXPECT_EQ(set.photos, 1U);
  EXPECT_EQ(set.clips, 0U);
  EXPECT_EQ(set.skipped.size(), 3U);
  EXPECT_EQ(set.training.size(), 2U * kShotKept) << "two of eight shots are the share of one of four sources";
  EXPECT_TRUE(set.held_out.empty());
  EXPECT_EQ(progress, (std::vector<std::size_t>{1, 2, 3, 4}));
}

TEST(Samples, no_usable_data_is_an_error) {
  const TestFolder folder;
  EXPECT_THROW(make_samples(find_sources({folder.path()}, {}), 8, 2, 1), Failure);
  std::ofstream(folder / "text.png") << "not a picture";
  EXPECT_THROW(make_samples(find_sources({folder.path()}, {}), 8, 2, 1), Failure);
}

TEST(Samples, reads_clips_and_holds_whole_sources_out) {
  const TestFolder folder;
  ASSERT_TRUE(ffmpeg("-f lavfi -i testsrc2=s=400x360:d=2:r=25 -c:v libx264 -crf 12 " + (folder / "z.mp4").string()));
  for (int i = 0; i < 9; ++i) write_photo(folder / ("p" + std::to_string(i) + ".png"), 400, 400);
  const SampleSet set = make_samples(find_sources({folder.path()}, {}), 10, 2, 1);
  EXPECT_EQ(set.photos, 9U);
  EXPECT_EQ(set.clips, 1U);
  EXPECT_EQ(set.held_out.size(), static_cast<std::size_t>(kShotKept));
  EXPECT_EQ(set.training.size(), 9U * kShotKept);
}

TEST(SampleFile, gives_the_set_back) {
  const TestFolder folder;
  for (int i = 0; i < 10; ++i) write_photo(folder / ("p" + std::to_string(i) + ".png"), 400, 400);
  const SampleSet set = make_samples(find_sources({folder.path()}, {}), 10, 4, 1);
  save_samples(folder / "set", set);
  const SampleSet back = load_samples(folder / "set");
  ASSERT_EQ(back.training.size(), set.training.size());
  ASSERT_EQ(back.held_out.size(), set.held_out.size());
  EXPECT_TRUE(back.training.back().high.equal(set.training.back().high));
  EXPECT_TRUE(back.held_out.front().low.equal(set.held_out.front().low));
  EXPECT_EQ(back.photos, 10U);
}

TEST(SampleFile, refuses_other_files) {
  const TestFolder folder;
  nn::write_safetensors(folder / "none", {}, {});
  EXPECT_THROW(load_samples(folder / "none"), Failure);
  nn::write_safetensors(folder / "small",
                        {{"training.low", at::zeros({1, 3, 8, 8}, at::kByte)}, {"training.high", at::zeros({1, 3, 16, 16}, at::kByte)}},
                        {{"photos", "1"}, {"clips", "0"}});
  EXPECT_THROW(load_samples(folder / "small"), Failure);
}

TEST(Samples, a_batch_follows_from_seed_and_step_alone) {
  const TestFolder folder;
  write_photo(folder / "good.png", 420, 480);
  const SampleSet set = make_samples(find_sources({folder.path()}, {}), 3, 2, 1);
  const Batch batch = draw_batch(set.training, 4, 9, 100);
  EXPECT_EQ(batch.low.sizes(), (at::IntArrayRef{4, 3, kPatchSide, kPatchSide}));
  EXPECT_EQ(batch.high.sizes(), (at::IntArrayRef{4, 3, 2 * kPatchSide, 2 * kPatchSide}));
  EXPECT_GE(batch.low.min().item<float>(), 0);
  EXPECT_LE(batch.high.max().item<float>(), 1);
  EXPECT_TRUE(batch.low.equal(draw_batch(set.training, 4, 9, 100).low));
  EXPECT_FALSE(batch.low.equal(draw_batch(set.training, 4, 9, 101).low));
  EXPECT_FALSE(batch.low.equal(draw_batch(set.training, 4, 8, 100).low));
}

TEST(Samples, patches_of_a_batch_show_the_same_place_at_any_scale) {
  const TestFolder folder;
  write_photo(folder / "good.png", 420, 480);
  for (const std::int64_t scale : {2, 4}) {
    const SampleSet set = make_samples(find_sources({folder.path()}, {}), 1, scale, 1);
    const Batch batch = draw_batch(set.training, 8, 9, 0);
    ASSERT_EQ(batch.high.sizes(), (at::IntArrayRef{8, 3, scale * kPatchSide, scale * kPatchSide}));
    const at::Tensor shrunk = at::avg_pool2d(batch.high, {scale, scale});
    EXPECT_LT((shrunk - batch.low).abs().mean().item<double>(), 0.05);
    EXPECT_GT((shrunk - batch.low.roll(1, 0)).abs().mean().item<double>(), 0.05) << "of other places";
  }
}

}  // namespace
}  // namespace kinora::train
