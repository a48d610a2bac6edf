#include "tasks/catalogue.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/json.hpp"

namespace kinora::tasks {
namespace {

TEST(Catalogue, holds_the_tasks_of_the_protocol) {
  // docs/protocol.md, section 8
  for (const char* name : {"ping",
                           "probe",
                           "transcode",
                           "thumbnail",
                           "image-upscale",
                           "video-upscale",
                           "cut",
                           "join",
                           "clip",
                           "concat",
                           "loop",
                           "mux",
                           "overlay",
                           "extract-frames",
                           "extract-audio",
                           "text-to-image",
                           "image-to-image",
                           "inpaint",
                           "image-to-video",
                           "text-to-video",
                           "video-extend",
                           "frame-interpolation",
                           "video-enhance"})
    EXPECT_NE(find_task(name), nullptr) << name;
  EXPECT_EQ(find_task("text-to-speech"), nullptr);
  EXPECT_EQ(find_task(""), nullptr);
}

TEST(Catalogue, keeps_planner_tasks_from_clients) {
  EXPECT_TRUE(find_task("cut")->internal);
  EXPECT_TRUE(find_task("join")->internal);
  EXPECT_FALSE(find_task("video-upscale")->internal);
}

TEST(Catalogue, names_models_only_for_network_tasks) {
  EXPECT_TRUE(find_task("video-upscale")->has_models);
  EXPECT_TRUE(find_task("image-upscale")->has_models);
  EXPECT_FALSE(find_task("transcode")->has_models);
}

TEST(Catalogue, prices_enhancement_by_what_comes_out) {
  EXPECT_EQ(find_task("image-upscale")->price_unit, "output_pixel");
  for (const char* name : {"video-upscale", "frame-interpolation", "video-enhance"})
    EXPECT_EQ(find_task(name)->price_unit, "output_pixel_frame") << name;
}

TEST(Catalogue, has_no_name_twice_and_documents_everything) {
  std::set<std::string_view> tasks;
  for (const TaskSpec& task : catalogue()) {
    EXPECT_TRUE(tasks.insert(task.name).second) << task.name;
    EXPECT_FALSE(task.summary.empty()) << task.name;
    EXPECT_FALSE(task.outputs.empty()) << task.name;
    std::set<std::string_view> members;
    for (const InputSlot& slot : task.inputs) EXPECT_TRUE(members.insert(slot.slot).second) << task.name << ' ' << slot.slot;
    for (const ParamSpec& param : task.params) {
      EXPECT_TRUE(members.insert(param.name).second) << task.name << ' ' << param.name;
      EXPECT_FALSE(param.doc.empty()) << task.name << ' ' << param.name;
    }
  }
}

TEST(Catalogue, has_defaults_that_are_json) {
  for (const TaskSpec& task : catalogue())
    for (const ParamSpec& param : task.params)
      if (!param.default_json.empty()) {
        EXPECT_TRUE(base::parse_json(param.default_json)) << task.name << ' ' << param.name;
      }
}

TEST(Catalogue, has_rules_about_parameters_that_exist) {
  for (const TaskSpec& task : catalogue())
    for (const ParamRule& rule : task.rules) {
      EXPECT_NE(task.find_param(rule.first), nullptr) << task.name << ' ' << rule.first;
      EXPECT_NE(task.find_param(rule.second), nullptr) << task.name << ' ' << rule.second;
    }
}

TEST(Catalogue, lets_a_video_stand_where_only_its_sound_is_wanted) {
  EXPECT_TRUE(accepts(MediaKind::sound, "video"));
  EXPECT_TRUE(accepts(MediaKind::sound, "audio"));
  EXPECT_FALSE(accepts(MediaKind::sound, "image"));
}

TEST(Catalogue, lets_any_media_stand_in_a_media_slot_and_nothing_else) {
  EXPECT_TRUE(accepts(MediaKind::media, "image"));
  EXPECT_TRUE(accepts(MediaKind::media, "audio"));
  EXPECT_FALSE(accepts(MediaKind::media, "archive"));
  EXPECT_TRUE(accepts(MediaKind::video, "video"));
  EXPECT_FALSE(accepts(MediaKind::video, "image"));
}

}  // namespace
}  // namespace kinora::tasks
