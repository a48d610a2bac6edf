#pragma once
// Livepeer's protobuf messages (lp_rpc.proto) as wire::pb. Their package is "net", which would read as our room net.
#include "wire/lp_rpc.pb.h"

namespace kinora::wire {
namespace pb = ::net;
}
