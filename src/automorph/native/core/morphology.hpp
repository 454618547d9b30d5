// Dilation and erosion by diamonds: passes over a pixel and its four neighbours.
#pragma once
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"

namespace {

struct Most {
  static uint8_t of(uint8_t a, uint8_t b) { return a > b ? a : b; }
};
struct Least {
  static uint8_t of(uint8_t a, uint8_t b) { return a < b ? a : b; }
};

template <class Pick>
class Diamond {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Diamond(const Step &step)
      : spare_(int64_t(step.height) * step.width * step.channels) {}

  explicit operator bool() const { return bool(spare_); }

  // `values`: the number of passes.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int passes = int(values[0]);
    const int64_t size = int64_t(in.height) * in.width * C;
    const uint8_t *from = in.data;
    for (int k = passes; k > 0; --k) {  // the last pass writes the result
      uint8_t *to = k % 2 ? out : spare_.at();
      pass<C>(from, to, in.height, int64_t(in.width) * C);
      from = to;
    }
    if (from != out) std::memcpy(out, from, size_t(size));
  }

 private:
  template <int C>
  static void pass(const uint8_t *in, uint8_t *out, int height, int64_t line) {
    for (int y = 0; y < height; ++y, in += line, out += line) {
      const uint8_t *above = y > 0 ? in - line : in, *below = y + 1 < height ? in + line : in;
      if (line < 2 * C) {
        for (int64_t i = 0; i < line; ++i) out[i] = column(above, in, below, i);
        continue;
      }
      for (int64_t i = 0; i < C; ++i) out[i] = Pick::of(column(above, in, below, i), in[i + C]);
      for (int64_t i = C; i < line - C; ++i)
        out[i] = Pick::of(column(above, in, below, i), Pick::of(in[i - C], in[i + C]));
      for (int64_t i = line - C; i < line; ++i)
        out[i] = Pick::of(column(above, in, below, i), in[i - C]);
    }
  }

  static uint8_t column(const uint8_t *above, const uint8_t *here, const uint8_t *below,
                        int64_t i) {
    return Pick::of(here[i], Pick::of(above[i], below[i]));
  }

  const Buffer<uint8_t> spare_;
};

}  // namespace
