#pragma once

namespace kinora::nn {
struct ModelFolder;
}
