// Single operations for x86 processors with AVX-512 and VBMI.
#include "processor.hpp"

#if AUTOMORPH_X86
#include <immintrin.h>

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>

// The code below is compiled for this instruction set. Shared headers are included above, so that
// no inline function that other files use is compiled for it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx2,bmi,bmi2"))), \
                             apply_to = function)
#else
#pragma GCC diagnostic ignored "-Wpsabi"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // in GCC's own headers
#pragma GCC target("avx512f,avx512bw,avx512dq,avx512vl,avx512vbmi,avx2,bmi,bmi2")
#endif

#include "avx2_resizing.hpp"
#include "avx2_sampling.hpp"
#include "avx512_moves.hpp"
#include "steps.hpp"

namespace {

struct Avx512Steps : Avx512, Avx2Sampling, Avx2Resizing {};

}  // namespace

Status avx512_steps(const Step &step, int64_t first, int64_t last) {
  return run_step<Avx512Steps>(step, first, last);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
