#pragma once
// Livepeer's protobuf messages (lp_rpc.proto) as wire::pb. Their package is "net", which would read as our room net.
#include "wire/lp_rpc.pb.h"

namespace kinora::wire {

namespace pb = ::net;

// Stops the protobuf library from writing lines to stderr when a stranger's bytes do not parse; for the whole process.
// Roles call it once when they are made.
void silence_protobuf();

}  // namespace kinora::wire
