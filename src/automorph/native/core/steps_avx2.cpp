// Single operations for x86 processors with AVX2.
#include "processor.hpp"

#if AUTOMORPH_X86
#include "target_avx2.hpp"

#include "avx2.hpp"
#include "avx2_resizing.hpp"
#include "avx2_sampling.hpp"
#include "steps.hpp"

namespace {

struct Avx2Steps : Avx2, Avx2Sampling, Avx2Resizing {};

}  // namespace

Status avx2_steps(const Step &step, int64_t first, int64_t last) {
  return run_step<Avx2Steps>(step, first, last);
}

#if defined(__clang__)
#pragma clang attribute pop
#endif
#endif
