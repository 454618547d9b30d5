// The functions that Python calls, and the instruction sets to choose from at run time.
#include <cstring>

#include "step.h"
#include "kernels.hpp"
#include "processor.hpp"

namespace {

struct Named {
  const char *name;
  const Variant *variant;
  Steps steps;
};

// From slowest to fastest.
const Named VARIANTS[] = {
    {"plain", plain_variant(), plain_steps},
#if AUTOMORPH_X86
    {"avx2", Processor().avx2() ? avx2_variant() : nullptr, avx2_steps},
    {"avx512", Processor().avx512() ? avx512_variant() : nullptr, avx512_steps},
#endif
};
constexpr int COUNT = int(sizeof(VARIANTS) / sizeof(VARIANTS[0]));

}  // namespace

AUTOMORPH_EXPORT int32_t automorph_interface() { return INTERFACE_VERSION; }

// The number of kernels; operations with higher numbers are black boxes for this library.
AUTOMORPH_EXPORT int32_t automorph_kernel_count() { return KERNEL_COUNT; }

// The name of a variant; null if this machine cannot run it or the number is out of range.
AUTOMORPH_EXPORT const char *automorph_variant(int32_t number) {
  return number >= 0 && number < COUNT && VARIANTS[number].variant ? VARIANTS[number].name : nullptr;
}

AUTOMORPH_EXPORT int32_t automorph_variant_count() { return COUNT; }

// Processes rows [first, last) of a batch; threads may process parts of one batch in parallel.
AUTOMORPH_EXPORT int32_t automorph_walk(int32_t variant, const Batch *batch, int64_t first,
                                        int64_t last) {
  return VARIANTS[variant].variant->walk(*batch, first, last);
}

// Changes the images `rows[first, last)` of a step; threads may process parts of one in parallel.
AUTOMORPH_EXPORT int32_t automorph_step(int32_t variant, const Step *step, int64_t first,
                                        int64_t last) {
  return VARIANTS[variant].steps(*step, first, last);
}

AUTOMORPH_EXPORT void automorph_bits(int32_t variant, const Counters *counters, const uint32_t *key,
                                     uint32_t start, uint32_t draws, uint32_t *out) {
  VARIANTS[variant].variant->bits(*counters, key, start, draws, out);
}

AUTOMORPH_EXPORT void automorph_race(int32_t variant, const Counters *counters,
                                     const uint32_t *keys, int32_t names, uint32_t start,
                                     uint32_t draws, int16_t *out) {
  VARIANTS[variant].variant->race(*counters, keys, names, start, draws, out);
}

#if defined(_WIN32)
// Python's build tools require this symbol, but the library is loaded with ctypes, never imported.
AUTOMORPH_EXPORT void *PyInit__core() { return nullptr; }
#endif
