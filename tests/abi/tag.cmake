# Reads the inline namespace's name off the preprocessor, once for each set of flags.
#   cmake -DCOMPILER=... -DINCLUDES=... -DFOLDER=... -P tag.cmake
file(WRITE "${FOLDER}/tag.cpp" "#include <dasvdd/core/config.hpp>\nTAG DASVDD_ABI\n")
# The next patch version; what Eigen 5 says of itself, without headers of the CPU.
file(WRITE "${FOLDER}/patch/dasvdd/core/version.hpp"
  "#define DASVDD_VERSION_MAJOR 0\n#define DASVDD_VERSION_MINOR 1\n#define DASVDD_VERSION_PATCH 7\n")
file(WRITE "${FOLDER}/eigen5/Eigen/Core"
  "#define EIGEN_WORLD_VERSION 3\n#define EIGEN_MAJOR_VERSION 5\n#define EIGEN_MINOR_VERSION 0\n#define EIGEN_MAX_ALIGN_BYTES 16\n")

# expect_tag(<regex> <flag>...): the name under these flags.
function(expect_tag expected)
  execute_process(COMMAND "${COMPILER}" -std=c++17 -E -P ${ARGN} ${INCLUDES} "${FOLDER}/tag.cpp"
    OUTPUT_VARIABLE text ERROR_VARIABLE error RESULT_VARIABLE result)
  if(NOT result EQUAL 0)
    message(SEND_ERROR "${COMPILER} ${ARGN}: ${error}")
  elseif(NOT text MATCHES "TAG (v[0-9a-z_]+)")
    message(SEND_ERROR "no name under the flags ${ARGN}")
  elseif(NOT CMAKE_MATCH_1 MATCHES "${expected}")
    message(SEND_ERROR "${ARGN}: the name is ${CMAKE_MATCH_1}, expected ${expected}")
  endif()
endfunction()

expect_tag("^v[0-9]+_[0-9]+_[0-9]+_serial_dispatch_x64_base_nofma_ieee_std_align16_eigen[45]_[0-9]+$"
           -march=x86-64)
expect_tag("^v0_1_7_" "-I${FOLDER}/patch")
expect_tag("_omp_" -D_OPENMP=201511)
expect_tag("_serial_" -D_OPENMP=201511 -DDASVDD_NO_OPENMP)
expect_tag("_portable_" -DDASVDD_NO_SIMD)
expect_tag("_plain_" -DDASVDD_NO_EXTENSIONS)
expect_tag("_portable_x86_" "-I${FOLDER}/eigen5" -U__x86_64__ -D__i386__)
expect_tag("_plain_x86_" "-I${FOLDER}/eigen5" -U__x86_64__ -D__i386__ -U__SSE2__)
expect_tag("_arm64_" "-I${FOLDER}/eigen5" -U__x86_64__ -D__aarch64__)
expect_tag("_avx_nofma_" -march=x86-64 -mavx)
expect_tag("_avx2_nofma_" -march=x86-64 -mavx2)
expect_tag("_avx2_fma_" -march=x86-64 -mavx2 -mfma)
expect_tag("_avx512_fma_" -march=x86-64 -mavx512f -mfma)
expect_tag("_fast_" -ffast-math)
expect_tag("_stddebug_" -D_GLIBCXX_DEBUG)
expect_tag("_stdold_" -D_GLIBCXX_USE_CXX11_ABI=0)
expect_tag("_align64_" -DEIGEN_MAX_ALIGN_BYTES=64)
expect_tag("_eigen5_0$" "-I${FOLDER}/eigen5")
