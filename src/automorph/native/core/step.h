// One operation on some images of a batch, as Python passes it.
//
// Keep it in sync with `automorph/native/step.py`: the same fields, order and types; every change
// increments `INTERFACE_VERSION`.
#pragma once
#include "interface.h"

// `values` and `shared` mean what the kernel of this kind says (steps.hpp).
struct Step {
  uint8_t *images;        // the first image; each is (height, width, channels), without gaps
  const uint8_t *source;  // where the images are read from; may be `images`
  const int64_t *rows;    // (n) the numbers of the images to write
  const double *values;   // (n, count) the numbers of each image
  const double *shared;   // numbers that all images share
  const int64_t *index;   // (n) for random words: the numbers of the examples in their data set,
  const uint32_t *copy;   // (n) and of their copies, with the stage in the upper eight bits
  int64_t start;          // the draw at which random words begin
  int64_t n;
  int64_t stride, source_stride;  // bytes from one image to the next
  int64_t count;
  int32_t kind, height, width, channels;
  uint32_t epoch, key[2];
  int32_t bilinear, outside;
  uint8_t fill[4];
};

// Writes the images `rows[first, last)`, with the functions of one instruction set.
using Steps = Status (*)(const Step &step, int64_t first, int64_t last);
