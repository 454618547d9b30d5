// Pillow's bilinear resize of a part of an image to the size of the image: 22-bit weights, along x
// and then along y, rounded in between.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

#include "buffer.hpp"
#include "step.h"
#include "plain.hpp"

namespace {

constexpr int WEIGHT_BITS = 22, HALF_WEIGHT = 1 << (WEIGHT_BITS - 1);

// The old pixels of new pixels along one axis, and their weights, integers of 22 bits. A part is
// never larger than the image: a new pixel has two taps, or three by rounding.
struct Taps {
  const Buffer<int32_t> first, weight[3];

  explicit Taps(int count) : first(count), weight{Buffer<int32_t>(count), Buffer<int32_t>(count),
                                                  Buffer<int32_t>(count)} {}
  explicit operator bool() const { return first && weight[0] && weight[1] && weight[2]; }

  // The taps of `count` new pixels from `size` old ones, as `_coefficients` in
  // operations/resizing.py.
  void make(int size, int count) const {
    const double scale = double(size) / count;
    for (int i = 0; i < count; ++i) {
      const double centre = (i + 0.5) * scale;
      const int from = int(centre - 1.0 + 0.5), begin = from < 0 ? 0 : from;
      const int to = int(centre + 1.0 + 0.5), last = to > size ? size : to;
      double share[3] = {0.0, 0.0, 0.0}, total = 0.0;
      for (int k = begin; k < last && k < begin + 3; ++k) {
        const double near = 1.0 - std::fabs(k - centre + 0.5);
        share[k - begin] = near > 0.0 ? near : 0.0;
        total += share[k - begin];
      }
      first[i] = begin;
      for (int k = 0; k < 3; ++k)
        weight[k][i] = int32_t(std::floor(0.5 + share[k] / total * (1 << WEIGHT_BITS)));
    }
  }
};

struct PlainResizing {
  // Resizes a line of pixels along x, from new pixel `i` on; nothing is read from `end` on.
  template <int C>
  static void across(const uint8_t *in, const uint8_t *, uint8_t *out, const Taps &taps, int i,
                     int count) {
    for (; i < count; ++i) {
      const int32_t u = taps.weight[0][i], v = taps.weight[1][i], w = taps.weight[2][i];
      const uint8_t *a = in + taps.first[i] * C, *b = v != 0 ? a + C : a, *c = w != 0 ? b + C : a;
      for (int k = 0; k < C; ++k)
        out[i * C + k] = uint8_t((a[k] * u + b[k] * v + c[k] * w + HALF_WEIGHT) >> WEIGHT_BITS);
    }
  }

  // Adds up two weighted lines, from byte `i` on.
  static void down(const uint8_t *a, const uint8_t *b, uint8_t *out, int32_t u, int32_t v,
                   int64_t i, int64_t line) {
    for (; i < line; ++i) out[i] = uint8_t((a[i] * u + b[i] * v + HALF_WEIGHT) >> WEIGHT_BITS);
  }
};

class Resize {
 public:
  static constexpr bool IN_PLACE = false;

  explicit Resize(const Step &step)
      : across_(step.width),
        down_(step.height),
        lines_(int64_t(step.width) * step.channels * (step.height + 2)) {}

  explicit operator bool() const { return across_ && down_ && lines_; }

  // `values`: left, top, width and height of the part.
  template <class K, int C>
  void run(const View &in, uint8_t *out, const double *values, int64_t) {
    const int left = int(values[0]), top = int(values[1]);
    const int width = int(values[2]), height = int(values[3]);
    const int64_t line = int64_t(in.width) * C;
    if (width == in.width && height == in.height) {
      std::memcpy(out, in.data, size_t(line * in.height));
      return;
    }
    across_.make(width, in.width);
    down_.make(height, in.height);
    for (int y = 0; y < height; ++y) {
      const uint8_t *from = in.data + (int64_t(top + y) * in.width + left) * C;
      if (width == in.width)
        std::memcpy(lines_.at(y * line), from, size_t(line));
      else
        K::template across<C>(from, in.end, lines_.at(y * line), across_, 0, in.width);
    }
    // Taps with weight 0 may lie below the last line.
    std::memset(lines_.at(height * line), 0, size_t(2 * line));
    for (int y = 0; y < in.height; ++y, out += line) {
      const uint8_t *a = lines_.at(down_.first[y] * line), *b = a + line, *c = b + line;
      const int32_t u = down_.weight[0][y], v = down_.weight[1][y], w = down_.weight[2][y];
      if (v == 0 && w == 0)
        std::memcpy(out, a, size_t(line));
      else if (w == 0)
        K::down(a, b, out, u, v, 0, line);
      else
        for (int64_t i = 0; i < line; ++i)
          out[i] = uint8_t((a[i] * u + b[i] * v + c[i] * w + HALF_WEIGHT) >> WEIGHT_BITS);
    }
  }

 private:
  const Taps across_, down_;
  const Buffer<uint8_t> lines_;
};

}  // namespace
