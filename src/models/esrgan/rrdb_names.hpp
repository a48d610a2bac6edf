#pragma once
// The names that RRDB networks were published under, brought to Real-ESRGAN's: those of the first ESRGAN models ("model.0",
// "model.1.sub.3.RDB1.conv2.0"), in which most community models are, and of ESRGAN's second layout ("RRDB_trunk.3.RDB1.conv2", "HRconv").
#include <map>
#include <string>
#include <vector>

#include "nn/checkpoint.hpp"

namespace kinora::models::esrgan {

// Stored name -> Real-ESRGAN's, of the names that change. Names that belong to neither layout are not in it.
std::map<std::string, std::string> rrdb_renames(const std::vector<std::string>& stored);

// The same checkpoint under Real-ESRGAN's names.
nn::Checkpoint with_rrdb_names(nn::Checkpoint checkpoint);

}  // namespace kinora::models::esrgan
