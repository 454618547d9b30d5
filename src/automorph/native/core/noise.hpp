// Normal noise, added to every colour of every pixel.
#pragma once
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"
#include "step_words.hpp"

namespace {

class Noise {
 public:
  static constexpr bool IN_PLACE = true;

  explicit Noise(const Step &step)
      : step_(step),
        words_(int64_t(step.height) * step.width * step.channels / 2 + 1) {}

  explicit operator bool() const { return bool(words_); }

  // `values`: the standard deviation in levels; `shared`: a normal number for each of 2^16 words.
  // A random word has two halves, one for each value, the lower half first.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t row) {
    const int64_t pixels = int64_t(in.height) * in.width;
    constexpr int OWN = COLOURS<C>;
    row_bits(words_of(step_, row, 0), (pixels * OWN + 1) / 2, words_.at());
    const double deviation = values[0];
    for (int64_t i = 0; i < pixels * OWN; i += 2) {
      const uint32_t word = words_[i / 2];
      const int64_t first = place<C>(i), second = place<C>(i + 1);
      out[first] = level(in.data[first] + step_.shared[word & 0xFFFF] * deviation);
      if (i + 1 < pixels * OWN)
        out[second] = level(in.data[second] + step_.shared[word >> 16] * deviation);
    }
  }

 private:
  // The byte of the i-th colour of the image.
  template <int C>
  static int64_t place(int64_t i) {
    return C == 4 ? i / 3 * 4 + i % 3 : i;
  }

  const Step &step_;
  const Buffer<uint32_t> words_;
};

}  // namespace
