#pragma once
// Schemas and parameters of the OpenAPI document that are not made from the catalogue.
#include <string_view>

namespace kinora::gateway {

extern const std::string_view kOpenApiSchemas;     // JSON object: name -> JSON Schema 2020-12
extern const std::string_view kOpenApiParameters;  // JSON object: name in route_docs.hpp -> {"name", "schema", "description"}

}  // namespace kinora::gateway
