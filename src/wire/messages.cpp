#include "wire/messages.hpp"

#include <google/protobuf/stubs/logging.h>

namespace kinora::wire {

void silence_protobuf() { google::protobuf::SetLogHandler(nullptr); }

}  // namespace kinora::wire
