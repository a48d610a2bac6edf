// Fields and their errors against the answers of the reference's library (tests/golden/ai_forms).
#include "runner/ai_form.hpp"

#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <fstream>
#include <set>

namespace kinora::runner {
namespace {

class OneBody final : public net::BodyReader {
 public:
  explicit OneBody(std::string body) : body_(std::move(body)) {}
  net::Task<base::Result<std::string>> read() override { co_return std::exchange(body_, {}); }

 private:
  std::string body_;
};

json::array golden() {
  std::ifstream in(std::string(KINORA_SOURCE_DIR) + "/tests/golden/ai_forms/forms.json");
  return json::parse(std::string(std::istreambuf_iterator<char>(in), {})).at("cases").as_array();
}

// type, place and text of every entry; where JSON breaks is told by the reference with an offset, here without.
std::set<std::string> entries(const json::value& detail) {
  std::set<std::string> all;
  if (detail.is_null()) return all;
  for (const auto& entry : detail.as_array()) {
    const std::string type(entry.at("type").as_string());
    const std::string place = type == "json_invalid" ? "" : json::serialize(entry.at("loc"));
    all.insert(type + " " + place + " " + std::string(entry.at("msg").as_string()));
  }
  return all;
}

AiForm read_multipart(const json::value& test) {
  std::string body;
  for (const auto& [name, value] : test.at("fields").as_object())
    body += "--b\r\ncontent-disposition: form-data; name=\"" + std::string(name) + "\"\r\n\r\n" + std::string(value.as_string()) + "\r\n";
  for (const auto& name : test.at("files").as_array())
    body += "--b\r\ncontent-disposition: form-data; name=\"" + std::string(name.as_string()) + "\"; filename=\"image\"\r\n\r\n\x89PNG\r\n";
  OneBody reader(body + "--b--\r\n");
  net::Request request;
  request.headers.add("content-type", "multipart/form-data; boundary=b");
  request.body = &reader;
  boost::asio::io_context context;
  auto form = boost::asio::co_spawn(context, AiForm::from_multipart(request), boost::asio::use_future);
  context.run();
  return form.get();
}

void read_fields(AiForm& form, bool picture) {
  form.required_text("prompt");
  form.text("model_id");
  if (picture)
    form.required_file("image");
  else
    form.integer("width");
  form.number(picture ? "strength" : "guidance_scale");
  form.boolean("safety_check");
  form.integer("seed", /*nullable=*/true);
  form.integer("num_inference_steps", /*nullable=*/true);
}

TEST(AiForms, wrong_fields_get_the_entries_of_the_reference) {
  for (const auto& test : golden()) {
    SCOPED_TRACE(json::serialize(test));
    const bool picture = test.at("route").as_string() == "/image-to-image";
    AiForm form = picture ? read_multipart(test) : AiForm::from_json(test.at("body").as_string());
    // Like the reference, nothing more is said of a body that is no object.
    if (!form.wrong()) read_fields(form, picture);
    const auto body = form.body_422();
    EXPECT_EQ(entries(body.at("detail")), entries(test.at("detail")));
  }
}

TEST(AiForms, values_are_converted_as_leniently) {
  AiForm form = AiForm::from_json(R"({"width": "512", "height": 576.0, "guidance_scale": "7.5", "safety_check": "off", "seed": null})");
  EXPECT_EQ(form.integer("width"), 512);
  EXPECT_EQ(form.integer("height"), 576);
  EXPECT_EQ(form.number("guidance_scale"), 7.5);
  EXPECT_EQ(form.boolean("safety_check"), false);
  EXPECT_EQ(form.integer("seed", true), std::nullopt);
  EXPECT_EQ(form.integer("absent"), std::nullopt);
  EXPECT_FALSE(form.wrong());
}

}  // namespace
}  // namespace kinora::runner
