# Finds the LibTorch that scripts/setup unpacked (LibTorch_ROOT, default .deps/libtorch): headers, libc10, libtorch_cpu.
# TorchConfig.cmake of the wheel insists on a CUDA toolkit and links libtorch_cuda, so it is not used. CUDA comes by dlopen.
include(FindPackageHandleStandardArgs)
set(LibTorch_ROOT "${CMAKE_SOURCE_DIR}/.deps/libtorch" CACHE PATH "Folder that holds torch/ and nvidia/")
find_path(LibTorch_INCLUDE_DIR ATen/ATen.h HINTS ${LibTorch_ROOT} PATH_SUFFIXES torch/include NO_DEFAULT_PATH)
find_library(LibTorch_C10_LIBRARY c10 HINTS ${LibTorch_ROOT} PATH_SUFFIXES torch/lib NO_DEFAULT_PATH)
find_library(LibTorch_CPU_LIBRARY torch_cpu HINTS ${LibTorch_ROOT} PATH_SUFFIXES torch/lib NO_DEFAULT_PATH)
find_package_handle_standard_args(LibTorch REQUIRED_VARS LibTorch_CPU_LIBRARY LibTorch_C10_LIBRARY LibTorch_INCLUDE_DIR
  REASON_FAILURE_MESSAGE "run scripts/setup, or give -DLibTorch_ROOT=<folder with torch/include and torch/lib>")
if(LibTorch_FOUND AND NOT TARGET Torch::cpu)
  find_package(Threads REQUIRED)
  add_library(Torch::c10 SHARED IMPORTED)
  set_target_properties(Torch::c10 PROPERTIES
    IMPORTED_LOCATION "${LibTorch_C10_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR}")
  add_library(Torch::cpu SHARED IMPORTED)
  set_target_properties(Torch::cpu PROPERTIES
    IMPORTED_LOCATION "${LibTorch_CPU_LIBRARY}"
    INTERFACE_INCLUDE_DIRECTORIES "${LibTorch_INCLUDE_DIR};${LibTorch_INCLUDE_DIR}/torch/csrc/api/include"
    INTERFACE_COMPILE_DEFINITIONS AT_PER_OPERATOR_HEADERS
    INTERFACE_LINK_LIBRARIES "Torch::c10;Threads::Threads;${CMAKE_DL_LIBS}")
endif()
