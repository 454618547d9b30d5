// Single operations for x86 processors with AVX-512 and VBMI.
#include "processor.hpp"

#if AUTOMORPH_X86
#include "target_avx512.hpp"

#include "avx2_resizing.hpp"
#include "avx512_moves.hpp"
#include "avx512_sampling.hpp"
#include "steps.hpp"

namespace {

struct Avx512Steps : Avx512, Avx512Sampling, Avx2Resizing {};

}  // namespace

Status avx512_steps(const Step &step, int64_t first, int64_t last) {
  return run_step<Avx512Steps>(step, first, last);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
