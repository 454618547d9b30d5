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

// Writes the images `rows[first, last)` of a step; threads may process parts of one in parallel.
AUTOMORPH_EXPORT int32_t automorph_step(int32_t variant, const Step *step, int64_t first,
                                        int64_t last) {
  return VARIANTS[variant].steps(*step, first, last);
}

// Draws for one image, and processes it.
AUTOMORPH_EXPORT int32_t automorph_one(int32_t variant, const Plan *plan, const uint8_t *image,
                                       uint8_t *out, int32_t height, int32_t width, int32_t planes,
                                       int64_t index, uint32_t copy, uint32_t epoch) {
  const Example example = {image, out, height, width, planes & 1, planes >> 1, index, copy, epoch};
  return VARIANTS[variant].variant->one(*plan, example);
}

// Counts an example that is served and need not be looked at; returns false, and does nothing, if
// it must be: if its row of the table has free slots, if any row watches its number, or from 1.5
// passes through `size` examples on (negative: unknown). A row has `slots` numbers that are watched,
// -1 if free, as many counts, and how many examples were served. See `integrations/watch.py`.
AUTOMORPH_EXPORT int32_t automorph_unwatched(int64_t *table, int32_t rows, int32_t slots, int32_t row,
                                             int64_t number, int64_t size) {
  const int32_t line = 2 * slots + 1;
  if (table[row * line + slots - 1] == -1) return 0;
  int64_t served = 0;
  int watched = 0;
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t k = 0; k < slots; ++k) watched |= table[r * line + k] == number;
    served += table[r * line + 2 * slots];
  }
  if (watched || (size >= 0 && 2 * served >= 3 * size)) return 0;
  ++table[row * line + 2 * slots];
  return 1;
}

// The values of an array of numbers or of lists of equal length, of Arrow's C data interface.
AUTOMORPH_EXPORT const void *automorph_arrow_pixels(const ArrowArray *array) {
  while (array->n_children == 1 && array->children) array = array->children[0];
  if (array->n_buffers < 2 || !array->buffers || array->offset) return nullptr;
  return array->buffers[1];
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
