// Kernels written by hand for AVX-512 with VBMI.
#pragma once
#include "avx2.hpp"

namespace {

struct Avx512 : Avx2 {};

}  // namespace
