// The random words of one image of a step.
#pragma once
#include <cstdint>

#include "random.hpp"
#include "step.h"

namespace {

// Where the words of an image begin, some draws after the first draw of the step.
inline RowWords words_of(const Step &step, int64_t row, int64_t draw) {
  return {uint32_t(step.index[row]), step.epoch, step.copy[row], {step.key[0], step.key[1]},
          step.start + draw};
}

// A number in [0, 1), as `unit_interval` in operations/random.py.
inline double unit(uint32_t word) { return double(float(word >> 8) * 5.9604644775390625e-8f); }

}  // namespace
