// The plain C interface between Python (ctypes) and the compiled engine.
//
// Keep it in sync with `automorph/native/program.py`, `plan.py`, `random.py` and `library.py`: the same
// fields, order, types and version.
#pragma once
#include <cstdint>

#if defined(_WIN32)
#define AUTOMORPH_EXPORT extern "C" __declspec(dllexport)
#else
#define AUTOMORPH_EXPORT extern "C" __attribute__((visibility("default")))
#endif

// Incremented with every change of the structures or functions below.
constexpr int32_t INTERFACE_VERSION = 9;

enum Flag : int32_t {
  SIGNED = 1,  // a fair coin chooses `plus` or `minus`
  WHOLE = 2,   // the value is rounded to an integer
  SHARE = 4,   // the value is a share of the image's side
  NEUTRAL = 8,  // the value `identity` leaves the image unchanged
};

// One operation of a search space: value = base + magnitude * (`plus` or `minus`).
struct Operation {
  int32_t kernel;
  int32_t flags;
  double base, plus, minus, identity;
  uint8_t paint[8];  // the colour that the operation paints with, channel by channel, and padding
};

// What lies outside an image.
enum Outside : int32_t {
  FILL = 0,     // the fill colour
  EDGE = 1,     // the pixels of the edge, repeated
  REFLECT = 2,  // the image mirrored about the pixels of its edge
};

// A batch of images and the sequence of operations for each.
struct Batch {
  const uint8_t *images;        // (n, height, width, channels)
  uint8_t *out;                 // the same shape, or (n, length + 1, ...) with prefixes
  const int16_t *op;            // (n, length), indices into `operations`; negative: none
  const float *magnitude;       // (n, length)
  const uint8_t *fire;          // (n, length)
  const Operation *operations;  // (operation_count)
  const int64_t *index;         // (n) numbers of the examples in their data set
  const uint32_t *copy;         // (n) numbers of the copies
  int32_t *position;            // (n) in: where to resume; out: where the walk stopped
  int64_t n;
  int32_t length, operation_count;
  int32_t height, width, channels;
  uint32_t epoch, key[2];
  uint8_t fill[4];
  int32_t bilinear, fused, prefixes, outside;
};

enum Status : int32_t { DONE = 0, STOPPED = 1, OUT_OF_MEMORY = -1, BAD_OPERATION = -2 };

// The Philox counters of a batch: sample index, epoch, block, copy and stage.
struct Counters {
  const int64_t *index;  // (n)
  const uint32_t *copy;  // (n)
  int64_t n;
  uint32_t epoch, stage;
};

// How one stage of a policy draws the operations of an example: by a race of names, or as one of
// some sub-policies.
struct Stage {
  const uint32_t *names;     // (count, 2) keys of the names; null: sub-policies
  const int16_t *op;         // (count, length) of the sub-policies, as are the next two
  const float *probability;
  const float *magnitude;
  const double *edges;       // (count) cumulative shares of the sub-policies; null: equal shares
  int32_t count, length;     // names or sub-policies; operations
  int32_t number, offset;    // of the stage; of its first operation in the joint space
  int32_t levels, sure;      // levels of the magnitude, 0: any; whether every operation fires
  float low, span, fires;    // range of the magnitudes and probability, after a race
};

// A policy as a whole: what it draws for an example, and how that is rendered.
struct Plan {
  const Stage *stages;
  const Operation *operations;
  int32_t stage_count, operation_count, length, channels;
  uint32_t policy[2], coins[2], key[2];  // keys of the streams `policy`, `coins` and `op`
  uint8_t fill[4];
  int32_t bilinear, outside;
};

constexpr int32_t LONGEST_PLAN = 256;

// An array of Arrow's C data interface, a public standard, without what only its owner needs.
struct ArrowArray {
  int64_t length, null_count, offset, n_buffers, n_children;
  const void **buffers;
  ArrowArray **children;
};

// One image and its place in the random numbers.
struct Example {
  const uint8_t *image;
  uint8_t *out;
  int32_t height, width;
  int32_t planes_in, planes_out;  // whether the channels are planes, as in torch's tensors
  int64_t index;
  uint32_t copy, epoch;
};

// The functions of one instruction set.
struct Variant {
  Status (*walk)(const Batch &batch, int64_t first, int64_t last);
  Status (*one)(const Plan &plan, const Example &example);
  void (*bits)(const Counters &counters, const uint32_t *key, uint32_t start, uint32_t draws,
               uint32_t *out);
  void (*race)(const Counters &counters, const uint32_t *keys, int32_t names, uint32_t start,
               uint32_t draws, int16_t *out);
};
