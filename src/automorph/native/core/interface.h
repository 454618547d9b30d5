// The plain C interface between Python (ctypes) and the compiled engine.
//
// Keep it in step with `automorph/native/library.py`: same fields, same order, same types.
#pragma once
#include <cstdint>

#if defined(_WIN32)
#define AUTOMORPH_EXPORT extern "C" __declspec(dllexport)
#else
#define AUTOMORPH_EXPORT extern "C" __attribute__((visibility("default")))
#endif

// Raised with every change of the structures or functions below.
constexpr int32_t INTERFACE_VERSION = 2;

enum Flag : int32_t {
  SIGNED = 1,  // a coin chooses between `plus` and `minus`
  WHOLE = 2,   // the value is rounded to a whole number
  SHARE = 4,   // the value is a share of a side of the image
  NEUTRAL = 8,  // at the value `identity` the operation changes nothing
};

// One operation of a search space: value = base + magnitude * (plus or minus).
struct Operation {
  int32_t kernel;
  int32_t flags;
  double base, plus, minus, identity;
};

// A batch of images and what happens to each of them.
struct Batch {
  const uint8_t *images;        // (n, height, width, channels)
  uint8_t *out;                 // the same, or (n, length + 1, ...) with prefixes
  const int16_t *op;            // (n, length), numbers into `operations`; below 0: nothing
  const float *magnitude;       // (n, length)
  const uint8_t *fire;          // (n, length)
  const Operation *operations;  // (operation_count)
  const int64_t *index;         // (n) sample numbers
  const uint32_t *copy;         // (n) numbers of the copies
  int32_t *position;            // (n) in: where to go on; out: where the walk stopped
  int64_t n;
  int32_t length, operation_count;
  int32_t height, width, channels;
  uint32_t epoch, key[2];
  uint8_t fill[4];
  int32_t bilinear, fused, prefixes;
};

enum Status : int32_t { DONE = 0, STOPPED = 1, OUT_OF_MEMORY = -1, BAD_OPERATION = -2 };

// A batch of Philox counters: sample index, epoch, block, copy and stage.
struct Counters {
  const int64_t *index;  // (n)
  const uint32_t *copy;  // (n)
  int64_t n;
  uint32_t epoch, stage;
};

// What one instruction set offers.
struct Variant {
  Status (*walk)(const Batch &batch, int64_t first, int64_t last);
  void (*bits)(const Counters &counters, const uint32_t *key, uint32_t start, uint32_t draws,
               uint32_t *out);
  void (*race)(const Counters &counters, const uint32_t *keys, int32_t names, uint32_t start,
               uint32_t draws, int16_t *out);
};
