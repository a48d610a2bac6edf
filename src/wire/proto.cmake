# Generates the protobuf messages of room wire at build time into <build>/generated/wire, included as "wire/lp_rpc.pb.h".
# Generated headers are system headers and generated sources have their own target, so that they need not pass our warnings.
set(wire_generated)
foreach(name lp_rpc redeemer)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/generated/wire/${name}.pb.cc ${CMAKE_BINARY_DIR}/generated/wire/${name}.pb.h
    COMMAND ${CMAKE_COMMAND} -E make_directory ${CMAKE_BINARY_DIR}/generated
    COMMAND protobuf::protoc --cpp_out=${CMAKE_BINARY_DIR}/generated -I${CMAKE_SOURCE_DIR}/src ${CMAKE_SOURCE_DIR}/src/wire/${name}.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/src/wire/${name}.proto ${CMAKE_SOURCE_DIR}/src/wire/lp_rpc.proto
    COMMENT "protoc wire/${name}.proto"
    VERBATIM)
  list(APPEND wire_generated ${CMAKE_BINARY_DIR}/generated/wire/${name}.pb.cc ${CMAKE_BINARY_DIR}/generated/wire/${name}.pb.h)
endforeach()
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/generated)
add_library(kinora_wire_proto STATIC ${wire_generated})
target_include_directories(kinora_wire_proto SYSTEM PUBLIC ${CMAKE_BINARY_DIR}/generated)
target_link_libraries(kinora_wire_proto PUBLIC protobuf::libprotobuf-lite)
if(KINORA_SANITIZE)
  target_compile_options(kinora_wire_proto PRIVATE -fsanitize=${KINORA_SANITIZE})
endif()
