# Flags shared by every target, and the precompiled headers.
find_package(Threads REQUIRED)
find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()
find_program(MOLD mold)

add_library(kinora_options INTERFACE)
target_include_directories(kinora_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
target_compile_options(kinora_options INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror -fno-omit-frame-pointer
  -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
target_link_libraries(kinora_options INTERFACE Threads::Threads)
if(MOLD AND NOT KINORA_SANITIZE)
  target_link_options(kinora_options INTERFACE -fuse-ld=mold)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A precompiled header keeps its time stamp out, so that ccache finds it again.
  target_compile_options(kinora_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
endif()
if(KINORA_SANITIZE)
  target_compile_options(kinora_options INTERFACE -fsanitize=${KINORA_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(kinora_options INTERFACE -fsanitize=${KINORA_SANITIZE})
endif()
if(KINORA_FUZZ)
  target_compile_options(kinora_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# kinora_pch(<kind> HEADERS ... LINKS ...): an object library that carries the precompiled header of that kind.
function(kinora_pch kind)
  cmake_parse_arguments(arg "" "" "HEADERS;LINKS" ${ARGN})
  add_library(kinora_pch_${kind} INTERFACE)
  target_link_libraries(kinora_pch_${kind} INTERFACE ${arg_LINKS})
  file(WRITE ${CMAKE_BINARY_DIR}/pch_${kind}.cpp "")
  add_library(kinora_pch_${kind}_object OBJECT ${CMAKE_BINARY_DIR}/pch_${kind}.cpp)
  target_link_libraries(kinora_pch_${kind}_object PRIVATE kinora_options ${arg_LINKS})
  target_precompile_headers(kinora_pch_${kind}_object PRIVATE ${arg_HEADERS})
endfunction()
